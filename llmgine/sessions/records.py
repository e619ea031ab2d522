"""What the store gives back: sessions, turns, the steps of a turn and its deliveries."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, TypeAdapter

from llmgine.messages.chat import ToolCall, ToolResult, Usage
from llmgine.messages.commands import Attachment, Author, Quote
from llmgine.messages.text import CleanText

TurnState = Literal["queued", "running", "waiting", "done", "failed", "stopped", "forgotten"]


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


class Allowance(_Record):
    """A bound on the tokens that model calls may use in a day (UTC), in one scope. All that are made hold."""

    scope: str
    tokens: int
    used: int

    @property
    def is_used_up(self) -> bool:
        """Whether the model is asked no more today."""
        return self.used >= self.tokens


class PromptStep(_Record):
    """What somebody said, in the message `source_id` of the turn's front end; `version` grows when it is edited."""

    kind: Literal["prompt"] = "prompt"
    text: CleanText
    source_id: str | None = None
    version: int = 0
    author: Author | None = None
    quoted: Quote | None = None
    attachments: tuple[Attachment, ...] = ()


class ReplyStep(_Record):
    """A whole reply of the model, committed before it is acted on. `unseen`: the service refused the images."""

    kind: Literal["reply"] = "reply"
    round: int
    text: CleanText
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Literal["stop", "tool_calls", "length", "filtered"]
    model: str
    usage: Usage | None
    seconds: float
    unseen: bool = False


class WaitingStep(_Record):
    """A tool call waits for approval until `deadline`. `fingerprint` is of the call that people were shown."""

    kind: Literal["waiting"] = "waiting"
    round: int
    call_id: str
    deadline: datetime
    fingerprint: str = ""
    allows_always: bool = False


class DecisionStep(_Record):
    """A waiting call was decided, by a person or (None) by its deadline; `always` for the asker's later calls too."""

    kind: Literal["decision"] = "decision"
    call_id: str
    approved: bool
    decided_by: Author | None
    reason: CleanText | None = None
    always: bool = False


class StartedStep(_Record):
    """A tool is about to run; without a `ResultStep` after it, whether it did is unknown."""

    kind: Literal["started"] = "started"
    round: int
    call_id: str
    at: datetime | None = None


class ResultStep(_Record):
    """What a tool call gave."""

    kind: Literal["result"] = "result"
    round: int
    result: ToolResult
    seconds: float


class OutcomeStep(_Record):
    """How a turn ended: `notice` is what people should know, `partial` answer text that no whole reply followed."""

    kind: Literal["outcome"] = "outcome"
    state: Literal["done", "failed", "stopped"]
    notice: CleanText | None = None
    partial: CleanText = ""
    seconds: float


Step = Annotated[
    PromptStep | ReplyStep | WaitingStep | DecisionStep | StartedStep | ResultStep | OutcomeStep,
    Field(discriminator="kind"),
]
STEP: TypeAdapter[Step] = TypeAdapter(Step)


class Turn(_Record):
    """One prompt and its place in the session. `resumes` counts how often it was taken up after a process died."""

    id: str
    session_id: str
    seq: int
    attempt: int
    resumes: int
    state: TurnState
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
