"""What the store gives back: sessions, turns, the steps of a turn and its deliveries."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from llmgine.messages.chat import Usage
from llmgine.messages.steps import (
    DecisionStep,
    OutcomeStep,
    PromptStep,
    ReplyStep,
    ResultStep,
    StartedStep,
    Step,
    WaitingStep,
)
from llmgine.messages.text import CleanText

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
TurnStatus = Literal["queued", "running", "waiting", "done", "failed", "stopped", "forgotten"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


def _names(value: object) -> object:
    """Names as they are stored: in one text, with commas between; "all" is for whatever names there are."""
    if value == "all":
        return None
    return tuple(name for part in value.split(",") if (name := part.strip())) if isinstance(value, str) else value


class Session(_Record):
    """One conversation. `turns` counts the turns since it was last cleared.

    `name` is where it is held, `title` what it is about. Where it has no setting of its own, that of the first of
    `scopes` which has one holds.
    """

    id: str
    name: str
    title: str | None
    scopes: tuple[str, ...]
    system_prompt: str | None
    turns: int
    updated_at: datetime


class Setting(_Record):
    """A setting made for a session or for a scope that sessions inherit from."""

    scope: str
    name: str
    value: str
    changed_by: str
    changed_at: datetime


class SessionSettings(_Record):
    """What holds in a session for the model: the settings of its own, else those it inherits (see `Session.scopes`).

    None is for what nobody chose: the program's own system prompt, the provider's own model, all tools.
    """

    system_prompt: CleanText | None = Field(None, max_length=4_000)  # what a Discord modal can hold
    style: Literal["brief", "normal", "detailed"] = "normal"
    model: CleanText | None = Field(None, min_length=1, max_length=100)
    tools: Annotated[tuple[str, ...] | None, BeforeValidator(_names)] = None
    daily_tokens: int | None = Field(None, ge=1)
    effort: Effort | None = None


class Lesson(_Record):
    """What a service's refusal taught about one of its models: a change of requests, or how much it takes at once.

    `name` is a `Change`, with `value` 1, or "window", whose value is in tokens by our own estimate; `said` is what the
    service said.
    """

    service: str
    model: str
    name: str
    value: int = 1
    said: CleanText = ""
    learnt_at: datetime


class Allowance(_Record):
    """A bound on the tokens that model calls may use in a day (UTC), in one scope. All that are made hold."""

    scope: str
    tokens: int
    used: int

    @property
    def is_used_up(self) -> bool:
        """Whether the model is asked no more today."""
        return self.used >= self.tokens


class Turn(_Record):
    """One prompt and its place in the session. `resumes` counts how often it was taken up after a process died."""

    id: str
    session_id: str
    seq: int
    attempt: int
    resumes: int
    state: TurnStatus
    owner: str
    source: str
    origin: dict[str, JsonValue]
    created_at: datetime


class TurnSteps(_Record):
    """A turn with the steps of its present attempt, in order."""

    turn: Turn
    steps: tuple[Step, ...]

    @property
    def prompts(self) -> tuple[PromptStep, ...]:
        """All that was said: several messages of one person, when they came in a burst."""
        return tuple(step for step in self.steps if isinstance(step, PromptStep))

    @property
    def prompt(self) -> PromptStep:
        """What was said first."""
        return self.prompts[0]

    @property
    def replies(self) -> tuple[ReplyStep, ...]:
        """The model's replies, by round."""
        return tuple(step for step in self.steps if isinstance(step, ReplyStep))

    @property
    def results(self) -> dict[str, ResultStep]:
        """The results there are, by the id of their call."""
        return {step.result.call_id: step for step in self.steps if isinstance(step, ResultStep)}

    @property
    def started(self) -> frozenset[str]:
        """The ids of the calls that began to run."""
        return frozenset(step.call_id for step in self.steps if isinstance(step, StartedStep))

    @property
    def waiting(self) -> dict[str, WaitingStep]:
        """The calls that were asked about, by their id."""
        return {step.call_id: step for step in self.steps if isinstance(step, WaitingStep)}

    @property
    def decisions(self) -> dict[str, DecisionStep]:
        """What was decided of waiting calls, by the id of the call."""
        return {step.call_id: step for step in self.steps if isinstance(step, DecisionStep)}

    @property
    def outcome(self) -> OutcomeStep | None:
        """How the turn ended, if it has."""
        return next((step for step in self.steps if isinstance(step, OutcomeStep)), None)

    @property
    def text(self) -> str:
        """The answer: the last round's text, or as much of it as came."""
        partial = self.outcome.partial if self.outcome else ""
        return partial or (self.replies[-1].text if self.replies else "")

    @property
    def usage(self) -> Usage:
        """The tokens of all rounds."""
        return sum((step.usage for step in self.replies if step.usage), Usage())


class DeliveryKey(_Record):
    """Which part of an outcome: the `part`-th message of its `kind` in a round.

    `old` is what an earlier attempt left and no part of this one has taken over yet, in the order it was posted.
    """

    kind: Literal["text", "card", "notice", "queue", "old"]
    round: int
    part: int

    @property
    def place(self) -> tuple[bool, int, int, int]:
        """Sorts parts as they stand on screen: by round, its text before its card, notices last; then what is old."""
        return self.kind == "old", self.round, {"text": 0, "card": 1}.get(self.kind, 2), self.part


class Delivery(_Record):
    """One part of an outcome as it is posted.

    `body` is rendered and final once the turn has its outcome; before, a preview. `message_id` is where it was posted.
    """

    turn_id: str
    attempt: int
    key: DeliveryKey
    body: dict[str, JsonValue]
    message_id: str | None = None
    sent: bool = False
