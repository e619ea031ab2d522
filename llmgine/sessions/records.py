"""What the store gives back: sessions, settings, and turns with their steps."""

from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from llmgine.messages.steps import Step, Turn
from llmgine.messages.text import CleanText
from llmgine.turn_state import TurnState, fold, fold_all

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


def _names(value: object) -> object:
    """Names as they are stored: in one text, with commas between; "all" is for whatever names there are."""
    if value == "all":
        return None
    return tuple(name for part in value.split(",") if (name := part.strip())) if isinstance(value, str) else value


class Session(_Record):
    """One conversation. `turns` counts the turns since it was last cleared.

    `name` is where it takes place, `title` what it is about. Where it has no setting of its own, the first of
    `scopes` that has one gives the effective one.
    """

    id: str
    name: str
    title: str | None
    scopes: tuple[str, ...]
    system_prompt: str | None
    turns: int
    updated_at: datetime


class Position(_Record):
    """A place in the list of sessions: that of the session with this id, used at this time (microseconds since 1970).

    An empty id is the place below all sessions that were used at the time.
    """

    updated_at: int
    id: str


class Listed(_Record):
    """Sessions from a list, in the order they were read. `end` is where that ended; None where nothing follows."""

    sessions: tuple[Session, ...]
    end: Position | None


class Setting(_Record):
    """A setting made for a session or for a scope that sessions inherit from."""

    scope: str
    name: str
    value: str
    changed_by: str
    changed_at: datetime


class SessionSettings(_Record):
    """The effective settings of a session for the model: its own, else those it inherits (see `Session.scopes`).

    None means that nobody chose: the program's own system prompt, the provider's own model, all tools.
    """

    system_prompt: CleanText | None = Field(None, max_length=4_000)  # what fits in a Discord modal
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
    """A limit on the tokens that model calls may use in a day (UTC), in one scope. All limits apply."""

    scope: str
    tokens: int
    used: int

    @property
    def is_used_up(self) -> bool:
        """Whether the model is asked no more today."""
        return self.used >= self.tokens


@dataclass(frozen=True)
class TurnSteps:
    """A turn with the steps of its current attempt, in order, and what they say together: its `state`."""

    turn: Turn
    steps: tuple[Step, ...]
    folded: InitVar[TurnState | None] = None  # the state, where it is known already
    state: TurnState = field(init=False, repr=False, compare=False)

    def __post_init__(self, folded: TurnState | None) -> None:
        object.__setattr__(self, "state", fold_all(self.steps) if folded is None else folded)

    def plus(self, step: Step) -> "TurnSteps":
        """The turn with one more step."""
        return TurnSteps(self.turn, (*self.steps, step), fold(self.state, step))


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the messages of a place have been processed.

    Attributes:
        place: The place, in the words of its front end.
        position: The id of the last message there that was processed.
        kind: What kind of place it is, in the words of its front end.
        parent: The place it lies in, if that is known.
        guild: The server it lies in, if that is known.
    """

    place: str
    position: int
    kind: str = "unknown"
    parent: str | None = None
    guild: int | None = None


class Claimed(_Record):
    """A turn that this process runs from here on; its next step has the number `next_step`."""

    turn: TurnSteps
    next_step: int
    stop_requested: bool


class Blocked(_Record):
    """Who runs a turn of the session, or has one before ours."""

    owner: str


class BeforeCall(_Record):
    """What a call of the model needs to know: settings, bounds, and the ended turns before it, the newest first.

    `scopes` are the session's own and those it inherits from; `ended` has the id and the attempt of each turn.
    """

    scopes: tuple[str, ...]
    settings: SessionSettings
    allowances: tuple[Allowance, ...]
    ended: tuple[tuple[str, int], ...]


class Revision(_Record):
    """What became of an edited or deleted message, and in which session: its turn may have been moved to another.

    `what`: "again" when its turn begins once more, "replaced" when that had not begun; "whole" when it is all that was
    said, so that the turn is to be forgotten; "no" when nothing changed.
    """

    what: Literal["again", "replaced", "whole", "no"]
    session_id: str


class Today(_Record):
    """The day (UTC), counted since 1970, and how many tokens all sessions together may use in it; None for any."""

    day: int
    tokens: int | None


class Spent(_Record):
    """Tokens that a call of the model used, in these scopes, on a day counted since 1970."""

    scopes: tuple[str, ...]
    tokens: int
    day: int
