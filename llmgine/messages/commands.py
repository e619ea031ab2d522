"""What the application can be asked: one handler each, and the answer comes back as a `CommandResult`."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from llmgine.errors import CommandFailedError
from llmgine.messages.context_messages import ContextMessage
from llmgine.messages.message import Message
from llmgine.messages.text import OF_OTHERS, CleanText
from llmgine.messages.translatable import Text
from llmgine.messages.visible_text import Name

EVERYWHERE = "*"  # the scope of all sessions there are
WEBHOOK = "webhook-"  # how the ids of authors begin that are no person's account
Pausable = Literal["answers", "tools"]


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


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Author(_Value):
    """Who wrote a prompt. `id` is what counts for permissions; `name` is only shown.

    The id of a webhook, which anybody may be behind, begins with `WEBHOOK`.
    """

    id: str
    name: Name

    @property
    def is_person(self) -> bool:
        """Whether it is a person's account: one that approves calls, has limits of its own, and waits for its turn."""
        return not self.id.startswith(WEBHOOK)


class AuditOrigin(_Value):
    """Who gave a command and where, for the audit log.

    `place` is the session it was given in. `listed_under` is the list that shows it: a scope such as a server's, or the
    session of a DM.
    """

    by: Author
    place: str
    listed_under: str


class QuotedImage(_Value):
    """An image that came with a message which is replied to: this number of this turn."""

    turn_id: str
    number: int
    name: Name
    media_type: Name


class Attachment(_Value):
    """A file that came with a prompt: its text, or the number of its image among those of the prompt, or neither.

    `note` says to the model, and `note_text` to people, what of it was cut or left out. Earlier versions stored
    only the note, for both. `id` is the front end's own. `transcript` says where the text of an audio file is: `text`
    here ("file"), or the text of the prompt itself where that is a voice message ("prompt").
    """

    name: Name
    media_type: Name
    size: int
    id: str | None = None
    text: CleanText | None = None
    image: int | None = None
    note: CleanText | None = None
    note_text: Text | None = None
    transcript: Literal["file", "prompt"] | None = None


class Material(_Value):
    """What a message has beside its own text and files, in words; a forwarded message has files and material itself.

    `note` says what the front end could not read. `author` is whose words were forwarded, where that is known: for
    erasing them, as the model is not told.
    """

    kind: Literal["forwarded", "poll", "sticker", "embed", "components", "note"]
    author: Author | None = None
    text: CleanText
    attachments: tuple[Attachment, ...] = ()
    material: tuple["Material", ...] = ()


class Quote(_Value):
    """An earlier message that a prompt points at, with its files and material; `mentions` as in `PromptCommand`.

    `by` is for authors that are no people; without an author, it is the model's own. `source_id` names the message
    where files came with it. Those of its images that are stored are shown again: `images`, which are looked up when
    the prompt is admitted.
    """

    author: Author | None
    by: Literal["bot", "webhook"] | None = None
    text: CleanText
    mentions: dict[str, Name] = Field(default_factory=dict)
    source_id: str | None = None
    images: tuple[QuotedImage, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    material: tuple[Material, ...] = ()


class ThreadStart(_Value):
    """What the thread of a prompt began with: its title, its tags, and the message; without one, `note` says why."""

    title: Name
    tags: tuple[Name, ...] = ()
    first: Quote | None = None
    note: CleanText | None = None


class Admitted(_Value):
    """The answer to a `PromptCommand`: its turn, and how many turns of the session are before it (0: it runs now).

    `joined`: it is one more message of a turn that was there.
    """

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
    `mentions` says who the marks in the text stand for, as in `{"<@1>": "Ada"}`; people choose their names, so none is
    put into the text. `place` is where it was said, in the front end's own terms; `guild` the server it is in, for
    front ends that have such: what its turns can be divided by. `roles` are the ids of the roles its author has there,
    as far as limits are set for them. `thread` comes with the first prompt of a thread. `context` is what was written
    there before it, oldest first. `sent_at` is when it was written, which the model is told in the zone of its author.
    `redacted` is set by the engine where it took a secret out of a text.
    """

    session_id: str
    text: CleanText
    source: str
    source_id: str
    author: Author | None = None
    origin: dict[str, JsonValue] = Field(default_factory=dict)
    place: str | None = None
    guild: int | None = None
    roles: tuple[str, ...] = ()
    session_name: CleanText | None = None
    scopes: tuple[str, ...] = ()
    mentions: dict[str, Name] = Field(default_factory=dict)
    quoted: Annotated[Quote | None, OF_OTHERS] = None
    thread: Annotated[ThreadStart | None, OF_OTHERS] = None
    material: Annotated[tuple[Material, ...], OF_OTHERS] = ()
    attachments: tuple[Attachment, ...] = ()
    sent_at: AwareDatetime | None = None
    images: tuple[str, ...] = Field(default=(), exclude=True, repr=False)
    context: Annotated[tuple[ContextMessage, ...], OF_OTHERS] = Field(default=(), exclude=True, repr=False)
    version: int = 0
    burst: float = 0.0
    redacted: bool = False


class EditPromptCommand(Command):
    """What somebody said was changed: it is answered anew, in place of what was answered.

    Of its attachments those are left whose ids are named, and `scopes` are those the session inherits from by now.
    Answered with True; with False when there is nothing to do: the model would see no difference, a later `version`
    was seen before, or the conversation was cleared since. `redacted` is as in a `PromptCommand`.
    """

    session_id: str
    turn_id: str
    source_id: str
    version: int
    text: CleanText
    mentions: dict[str, Name] = Field(default_factory=dict)
    attachment_ids: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    redacted: bool = False


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
    audit: AuditOrigin | None = None


class ClearSessionCommand(Command):
    """Forget the conversation: stop what runs, and start the next turn with an empty history.

    With `keep_title` the session keeps its title; that is for titles that people chose, which say nothing of it.
    """

    session_id: str
    keep_title: bool = False
    audit: AuditOrigin | None = None


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
    audit: AuditOrigin | None = None


class ChangeSettingCommand(Command):
    """Make a setting for a session, or for a scope that sessions inherit from, or take it away (None).

    Answered with the value as it was stored, without secrets.
    """

    scope: str
    name: str
    value: CleanText | None
    changed_by: Author | None = None
    audit: AuditOrigin | None = None


class DecideToolCallCommand(Command):
    """Approve or deny a tool call that waits for it. Answered with True if this decision counted (the first does).

    `reason` is told to the model. `always` approves the asker's later calls of the tool in this session too, where the
    tool allows it. While tools with effects are paused, an approval counts and the call does not run; with
    `unless_paused` it is refused, and the call goes on waiting.
    """

    session_id: str
    turn_id: str
    call_id: str
    approved: bool
    decided_by: Author
    reason: CleanText | None = None
    always: bool = False
    unless_paused: bool = False
    audit: AuditOrigin | None = None


class RecordUseCommand(Command):
    """Write into the audit log that somebody used a command of moderators or operators: `what`, in a few words."""

    what: CleanText
    audit: AuditOrigin
