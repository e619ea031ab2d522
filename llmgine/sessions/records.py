"""What the store gives back: sessions, settings, and turns with their steps."""

from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from llmgine.messages.commands import Pausable
from llmgine.messages.steps import Step, Turn
from llmgine.messages.text import CleanText
from llmgine.sessions.costs import Allowance
from llmgine.settings import Effort
from llmgine.turn_state import TurnState, fold, fold_all, with_progress

AuditAction = Literal[
    "set", "removed", "approved", "approved always", "denied", "paused", "resumed", "cleared", "forgot", "used"
]
MAX_AUDIT_TEXT = 200  # characters


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


def _names(value: object) -> object:
    """Names as they are stored: in one text, with commas between; "all" is for whatever names there are."""
    if value == "all":
        return None
    return tuple(name for part in value.split(",") if (name := part.strip())) if isinstance(value, str) else value


class AuditEntry(_Record):
    """An entry of the audit log: who did what, when and where. It has no words of a conversation.

    Attributes:
        person: Their id; "" where it is not known.
        place: The session or scope.
        listed_under: The list that shows it, such as a server's scope.
        about: What it was done with: the name of a setting with its value, of a tool, of a command.
    """

    id: str
    at: datetime
    person: str
    place: str
    listed_under: str
    action: AuditAction
    about: str


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


class Pause(_Record):
    """What is paused in a scope, or was last; `begun` and `ended` are in the front end's own terms, None if it lasts.

    `paused_by` is the id of a person.
    """

    scope: str
    what: Pausable
    begun: str
    ended: str | None
    paused_by: str
    since: datetime

    @property
    def lasts(self) -> bool:
        """Whether nobody has resumed it."""
        return self.ended is None


class PauseBegun(_Record):
    """What is paused now: by this request if it `is_new`, else by an earlier one. `stopped` were stopped for it."""

    pause: Pause
    is_new: bool
    stopped: tuple[Turn, ...] = ()


class SessionSettings(_Record):
    """The effective settings of a session for the model: its own, else those it inherits (see `Session.scopes`).

    None means that nobody chose: the program's own system prompt, the provider's own model, all tools.
    """

    system_prompt: CleanText | None = Field(default=None, max_length=4_000)  # what fits in a Discord modal
    style: Literal["brief", "normal", "detailed"] = "normal"
    model: CleanText | None = Field(default=None, min_length=1, max_length=100)
    tools: Annotated[tuple[str, ...] | None, BeforeValidator(_names)] = None
    daily_tokens: int | None = Field(default=None, ge=1)
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

    def with_progress(self, call_id: str, text: str) -> "TurnSteps":
        """The turn in which a call that runs is so far, which is no step."""
        return TurnSteps(self.turn, self.steps, with_progress(self.state, call_id, text))


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


class EndedTurn(NamedTuple):
    """An ended turn, and which version of its steps is stored: what was read of another one is out of date."""

    id: str
    attempt: int
    revision: int


class BeforeCall(_Record):
    """What a call of the model needs to know: settings, bounds, and the ended turns before it, the newest first.

    `counted_in` are the scopes in which the call counts. `revision` is that of the turn's stored steps: those in memory
    are out of date if theirs is another. `paused`: nothing is answered at present.
    """

    counted_in: tuple[str, ...]
    settings: SessionSettings
    allowances: tuple[Allowance, ...]
    ended: tuple[EndedTurn, ...]
    revision: int
    paused: bool


class Revision(_Record):
    """What became of an edited or deleted message, and in which session: its turn may have been moved to another.

    `what`: "again" when its turn begins once more, "replaced" when that had not begun; "whole" when it is all that was
    said, so that the turn is to be forgotten; "no" when nothing changed.
    """

    what: Literal["again", "replaced", "whole", "no"]
    session_id: str


class Forgotten(_Record):
    """A person who asked to be forgotten, at a time in microseconds; `finished` is when nothing was left, 0 before."""

    person: str
    forgotten_at: int
    finished: int


class TurnsWith(_Record):
    """Some turns in which somebody occurs; those after `end` are to be looked through, None at the end of all."""

    turns: tuple[str, ...]
    end: str | None


class TheirTurn(_Record):
    """A turn that answers a person, how many files came with what they said, and whether it was in a server."""

    turn: Turn
    files: int
    in_server: bool


class AnsweredAt(_Record):
    """A place of a front end, and since when somebody was answered there, in microseconds."""

    source: str
    place: str
    since: int


class OwnSessions(_Record):
    """Some sessions that are one person's: `ready` to be erased, or `waiting` until their messages are taken away.

    Those after `end` are to be looked through, None at the end of all.
    """

    ready: tuple[str, ...]
    waiting: int
    end: str | None


class ErasedTurns(_Record):
    """What was erased of a person: their questions with the answers, files, and other people's turns with them."""

    turns: int = 0
    files: int = 0
    mentions: int = 0

    def __add__(self, other: "ErasedTurns") -> "ErasedTurns":
        """Both together."""
        return ErasedTurns(
            turns=self.turns + other.turns, files=self.files + other.files, mentions=self.mentions + other.mentions
        )


class LeftServer(_Record):
    """A server that an account of a front end is no longer in, since a time in microseconds."""

    source: str
    account: int
    guild: int
    left_at: int
