"""What the application can be asked: one handler each, and the answer comes back as a `CommandResult`."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from llmgine.errors import CommandFailedError
from llmgine.messages.message import Message
from llmgine.messages.text import CleanText
from llmgine.messages.translatable import Text


class Command(Message):
    """A request, named in the imperative. Derive yours from this."""


class CommandResult(BaseModel):
    """What became of a command: `result` when `success`, else `error` in words and, if there was one, the exception."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    success: bool
    result: Any = None
    error: str | None = None
    exception: Exception | None = Field(default=None, exclude=True, repr=False)

    def unwrap(self) -> Any:
        """The result.

        Raises:
            Exception: The handler's own, when it raised one.
            CommandFailedError: The command failed without an exception.
        """
        if self.success:
            return self.result
        raise self.exception or CommandFailedError(self.error or "the command failed and did not say why")


class Author(BaseModel):
    """Who wrote a prompt. `id` is what counts for permissions; `name` is only shown."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: CleanText


class Quote(BaseModel):
    """An earlier message that a prompt replies to."""

    model_config = ConfigDict(frozen=True)

    author: Author | None
    text: CleanText


class Attachment(BaseModel):
    """A file that came with a prompt: its text, or the number of its image among those of the prompt, or neither.

    `note` says to the model, and `note_text` to people, what of it was cut or left out. Earlier versions stored
    only the note, for both. `id` is the front end's own.
    """

    model_config = ConfigDict(frozen=True)

    name: CleanText
    media_type: str
    size: int
    id: str | None = None
    text: CleanText | None = None
    image: int | None = None
    note: CleanText | None = None
    note_text: Text | None = None


class Admitted(BaseModel):
    """The answer to a `PromptCommand`: its turn, and how many turns of the session are before it (0: it runs now).

    `joined`: it is one more message of a turn that was there.
    """

    model_config = ConfigDict(frozen=True)

    turn_id: str
    place: int
    duplicate: bool = False
    joined: bool = False


class PromptCommand(Command):
    """Somebody says something to the model. Answered with `Admitted` as soon as it is stored.

    `source` and `source_id` name the message it came from; what arrives twice is admitted once. `origin` is the front
    end's own note on where the answer goes, kept with the turn. `scopes` are those the session inherits settings from,
    the nearest first. `version` tells an edited message from an older one of itself; `images` are data URLs, counted
    from 0. What its author said less than `burst` seconds before, and nobody began to answer, is answered with it.
    `place` is where it was said, in the front end's own terms; `guild` the server it is in, for front ends that have
    such: what its turns can be divided by.
    """

    session_id: str
    text: CleanText
    source: str
    source_id: str
    author: Author | None = None
    origin: dict[str, JsonValue] = Field(default_factory=dict)
    place: str | None = None
    guild: int | None = None
    session_name: CleanText | None = None
    scopes: tuple[str, ...] = ()
    quoted: Quote | None = None
    attachments: tuple[Attachment, ...] = ()
    images: tuple[str, ...] = Field(default=(), exclude=True, repr=False)
    version: int = 0
    burst: float = 0.0


class EditPromptCommand(Command):
    """What somebody said was changed: it is answered anew, in place of what was answered.

    Of its attachments those are left whose ids are named, and `scopes` are those the session inherits from by now.
    Answered with True; with False when there is nothing to do: the model would see no difference, a later `version`
    was seen before, or the conversation was cleared since.
    """

    session_id: str
    turn_id: str
    source_id: str
    version: int
    text: CleanText
    attachment_ids: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


class DeletePromptCommand(Command):
    """What somebody said was taken back: its turn is forgotten, or answered anew if more than that was said in it.

    Answered with True if there was something to take back.
    """

    session_id: str
    turn_id: str
    source_id: str


class StopTurnCommand(Command):
    """End a turn now, whatever it is doing; without `turn_id`, all queued and running turns of the session.

    Answered with the number of turns stopped.
    """

    session_id: str
    turn_id: str | None = None


class RegenerateTurnCommand(Command):
    """Answer the last prompt of the session anew, in place of what was answered. Answered with `Admitted`.

    The tools it calls are called anew too, with new approvals. With `attempt`, only if that is the present one: asked
    twice, it is done once. `scopes` are those the session inherits settings from by now.
    """

    session_id: str
    turn_id: str
    attempt: int | None = None
    scopes: tuple[str, ...] = ()


class ForgetTurnCommand(Command):
    """Forget one turn: stop it if it has not ended, delete its texts, and take away what was posted for it.

    Answered with True if there was something to forget.
    """

    session_id: str
    turn_id: str


class ClearSessionCommand(Command):
    """Forget the conversation: stop what runs, and start the next turn with an empty history."""

    session_id: str


class BranchSessionCommand(Command):
    """Let the conversation go on somewhere else too: with its ended turns, or those up to `up_to_turn`, in another one.

    What the other session held is kept as the session `keep_as`; without that name, it must hold nothing. Answered
    with the number of turns copied, 0 where the same were copied before.
    """

    session_id: str
    new_session_id: str
    session_name: CleanText | None = None
    scopes: tuple[str, ...] = ()
    up_to_turn: str | None = None
    keep_as: str | None = None


class RenameSessionCommand(Command):
    """Give a session another title, or none (None)."""

    session_id: str
    title: CleanText | None


class SetSystemPromptCommand(Command):
    """Give the session its own system prompt, or none of its own (None): the default one then holds."""

    session_id: str
    session_name: CleanText | None = None
    system_prompt: CleanText | None


class ChangeSettingCommand(Command):
    """Make a setting for a session, or for a scope that sessions inherit from, or take it away (None)."""

    scope: str
    name: str
    value: CleanText | None
    changed_by: Author | None = None


class DecideToolCallCommand(Command):
    """Approve or deny a tool call that waits for it. Answered with True if this decision counted (the first does).

    `reason` is told to the model. `always` approves the asker's later calls of the tool in this session too, where the
    tool allows it.
    """

    session_id: str
    turn_id: str
    call_id: str
    approved: bool
    decided_by: Author
    reason: CleanText | None = None
    always: bool = False
