"""What the application tells: facts in the past tense, heard by any number of handlers."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from llmgine.messages.chat_messages import ToolCall, ToolResult, Usage
from llmgine.messages.commands import Author, CommandResult, Pausable
from llmgine.messages.deliveries import Delivery
from llmgine.messages.message import Message
from llmgine.messages.steps import Fallback, Step, Turn
from llmgine.messages.translatable import Text


class Event(Message):
    """A fact. Derive yours from this; `logged = False` keeps a class of events out of the log."""

    logged: ClassVar[bool] = True


class CommandEvent(Event):
    """Something became of a command."""

    command_id: int
    command_type: str


class CommandResultEvent(CommandEvent):
    """A command succeeded."""

    result: CommandResult


class CommandErrorEvent(CommandEvent):
    """A command failed, or its caller was cancelled."""

    error: str


class HandlerFailedEvent(Event):
    """An event handler raised, or took longer than its limit; the other handlers are unharmed."""

    handler: str
    event_id: int
    event_type: str
    error: str


class TurnEvent(Event):
    """Something happened in a turn. `origin` is what the front end stored with the prompt."""

    session_id: str
    turn_id: str
    source: str
    origin: dict[str, JsonValue]


class TurnAdmittedEvent(TurnEvent):
    """A prompt is stored; `place` turns of its session are before it."""

    place: int


class TurnStartedEvent(TurnEvent):
    """A turn began to run; `resumed` after a restart.

    `turn` is the turn, and `steps` are those it has so far: what was said and, after a restart, what was done. They are
    in no dump and no log.
    """

    attempt: int
    resumed: bool
    turn: Turn | None = Field(default=None, exclude=True, repr=False)
    steps: tuple[Step, ...] = Field(default=(), exclude=True, repr=False)


class AnswerProgressEvent(TurnEvent):
    """The answer grew: `text` is all of this round's text so far. At most ten a second and turn, and not logged."""

    logged: ClassVar[bool] = False

    round: int
    text: str


class ModelAskedEvent(TurnEvent):
    """The model is asked for the reply of a round, as soon as a call may be made; `fallback`: in another's place."""

    round: int
    model: str
    fallback: Fallback | None = None


class ModelRetryEvent(TurnEvent):
    """The model gave no reply; it is asked again in `wait_seconds`, as try `next_try` of `tries`.

    `tries` is None for a service that is not up yet: it is asked for a minute, however often that is. `reason_text` is
    the reason as it can be translated; it is in no dump and no log.
    """

    round: int
    next_try: int
    tries: int | None
    wait_seconds: float
    reason: str
    reason_text: Text | None = Field(default=None, exclude=True, repr=False)


class LLMResponseEvent(TurnEvent):
    """The model's reply of one round, committed. Seconds count from the call, or from its turn to be made.

    `left_out`: what the model was not given, because its service does not take it or because it was too long.
    `fallback`: in whose place it answered, and why.
    """

    round: int
    text: str
    tool_calls: tuple[ToolCall, ...]
    finish: Literal["stop", "tool_calls", "length", "filtered"]
    model: str
    usage: Usage | None
    seconds: float
    first_token_seconds: float | None = None
    left_out: tuple[Literal["images", "tools", "history"], ...] = ()
    fallback: Fallback | None = None


class ModelFailedEvent(TurnEvent):
    """The model gave no reply, on all tries; `error` is the class of the last failure, `reason` says it to people.

    A fallback model may be asked after it.
    """

    round: int
    model: str
    error: str
    reason: str
    seconds: float


class ToolCallEvent(TurnEvent):
    """Something became of a tool call; a handler of this class hears its whole life."""

    round: int
    call: ToolCall


class ToolCallWaitingEvent(ToolCallEvent):
    """A call waits for somebody's approval until `deadline`, then it is denied."""

    deadline: datetime
    allows_always: bool = False


class ToolCallDecidedEvent(ToolCallEvent):
    """A waiting call was approved or denied; `decided_by` is None when its time ran out.

    `always`: the asker's later calls of the tool are approved too.
    """

    approved: bool
    decided_by: Author | None
    reason: str | None = None
    always: bool = False


class ToolCallStartedEvent(ToolCallEvent):
    """A tool runs."""


class ToolCallProgressEvent(ToolCallEvent):
    """A tool that runs says how far it is. At most one a second and call, not logged, and not stored."""

    logged: ClassVar[bool] = False

    text: str


class ToolCallFinishedEvent(ToolCallEvent):
    """A call has its result; `seconds` is how long the tool ran, 0 if it did not."""

    result: ToolResult
    seconds: float


class TurnFinishedEvent(TurnEvent):
    """A turn has its outcome, committed. `text` is the last round's answer; `notice` what people should know.

    `partial` is the answer's text where no whole reply followed it. `refused`: the service will not take what was said.
    `turn` is the turn, `parts` are those that were stored to be shown, and `notice_text` is the notice as it can be
    translated, and `warnings` are of limits that are nearly used up. They are in no dump and no log.
    """

    state: Literal["done", "failed", "stopped"]
    text: str
    notice: str | None
    model: str
    usage: Usage
    seconds: float
    partial: str = ""
    refused: bool = False
    turn: Turn | None = Field(default=None, exclude=True, repr=False)
    parts: tuple[Delivery, ...] = Field(default=(), exclude=True, repr=False)
    notice_text: Text | None = Field(default=None, exclude=True, repr=False)
    warnings: tuple[Text, ...] = Field(default=(), exclude=True, repr=False)


class TurnForgottenEvent(TurnEvent):
    """A turn was forgotten: its texts are deleted, and what was posted for it is to be taken away.

    `turn` is the turn as it was before; it is in no dump and no log.
    """

    turn: Turn | None = Field(default=None, exclude=True, repr=False)


class SessionClearedEvent(Event):
    """The conversation was forgotten."""

    session_id: str


class SessionBranchedEvent(Event):
    """A conversation was copied, with so many turns, and goes on in another session too."""

    session_id: str
    new_session_id: str
    turns: int


class SessionRenamedEvent(Event):
    """A session has another title, or none."""

    session_id: str
    title: str | None


class SettingChangedEvent(Event):
    """A setting of a session or scope was made, or taken away (None)."""

    scope: str
    name: str
    value: str | None
    changed_by: Author | None


class PausedEvent(Event):
    """Answers, or tools with effects, were paused in a scope; `stopped` turns were stopped for it."""

    scope: str
    what: Pausable
    paused_by: Author
    stopped: int


class ResumedEvent(Event):
    """What was paused in a scope was resumed."""

    scope: str
    what: Pausable
    resumed_by: Author


class SystemPromptChangedEvent(Event):
    """The session's own system prompt was set, or taken away (None)."""

    session_id: str
    system_prompt: str | None
