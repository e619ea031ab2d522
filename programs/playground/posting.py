"""Creating and changing messages by Discord's rules, whoever writes them: the bot, an interaction, a person."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from programs.playground.components import message_components
from programs.playground.entities import (
    BOT_ID,
    Attachment,
    Channel,
    Flag,
    Json,
    Message,
    MessageType,
    Origin,
    Reference,
    WebhookName,
)
from programs.playground.errors import (
    ApiError,
    archived_thread,
    empty_message,
    invalid_form,
    unknown,
)
from programs.playground.forms import (
    FORWARD,
    MAX_CONTENT,
    MAX_EMBEDS_TOTAL,
    MAX_FILES,
    AllowedMentions,
    AttachmentForm,
    Embed,
    MessageForm,
)
from programs.playground.mentions import find_mentions
from programs.playground.message_extras import add_extras
from programs.playground.posting_rules import PostingRules
from programs.playground.state import State
from programs.playground.voice import AUDIO_TYPES, not_editable, require_voice

MAX_FILE_BYTES = 10 * 1024 * 1024
IMAGE_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
UNKNOWN_TYPE = "application/octet-stream"
BY_NAME = "by its name"  # as a content type
_SETTABLE = Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.IS_COMPONENTS_V2 | Flag.IS_VOICE_MESSAGE


@dataclass(frozen=True)
class Upload:
    """A file as it came in.

    Attributes:
        index: The `n` of its form field `files[n]`.
        filename: Its name.
        content: Its bytes.
        content_type: What Discord takes it for, by its name or by mistake; None if that is unknown.
    """

    index: int
    filename: str
    content: bytes
    content_type: str | None = BY_NAME


class Posting:
    """The rules of messages. `clock` gives seconds and never goes back; nonces are remembered by it."""

    def __init__(
        self,
        state: State,
        nonce_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        admission: PostingRules | None = None,
    ) -> None:
        self._state = state
        self._nonce_seconds = nonce_seconds
        self._clock = clock
        self._admission = admission or PostingRules(state)
        self._nonces: dict[tuple[int, str], tuple[float, int, int]] = {}  # to time, channel and message

    def create(
        self,
        channel: Channel,
        author_id: int,
        form: MessageForm,
        uploads: tuple[Upload, ...] = (),
        *,
        max_content: int = MAX_CONTENT,
    ) -> Message:
        """A new message, or the existing one when the nonce was used before and is enforced."""
        if form.enforce_nonce and (existing := self._by_nonce(author_id, form.nonce)):
            return existing
        self._admission.require(channel, author_id, form, with_files=bool(uploads))
        message = self.draft(channel, author_id, form, uploads, max_content=max_content)
        self._open_for(channel, author_id)
        self._admission.sent(channel, author_id)
        message.nonce = form.nonce
        if form.nonce is not None:
            self._nonces[author_id, form.nonce] = (self._clock(), channel.id, message.id)
        self._state.add_message(message)
        return message

    def draft(
        self,
        channel: Channel,
        author_id: int,
        form: MessageForm,
        uploads: tuple[Upload, ...] = (),
        *,
        max_content: int = MAX_CONTENT,
        origin: Origin | None = None,
        webhook: WebhookName | None = None,
    ) -> Message:
        """A checked message that nobody has seen yet."""
        settable = _SETTABLE if origin is None else _SETTABLE | Flag.EPHEMERAL
        message = Message(self._state.ids.next(), channel.id, author_id, origin=origin, webhook=webhook)
        message.reference = self._reference(channel, form)
        if message.reference is not None:
            message.type = MessageType.REPLY
        add_extras(self._state, message, form)
        flags = int((form.flags or 0) & settable)
        self._fill(message, form, uploads, flags=flags, mentions=True, max_content=max_content)
        return message

    def edit(self, message: Message, form: MessageForm, uploads: tuple[Upload, ...] = ()) -> Message:
        """Raises 50083 in an archived thread."""
        channel = self._state.channels[message.channel_id]
        self.require_open(channel)
        if message.flags & Flag.IS_VOICE_MESSAGE:
            raise not_editable()
        if message.author_id == BOT_ID:
            self._admission.require_edit(message)
        self.change(message, form, uploads)
        message.edited_at = self._state.ids.now()
        self._state.update_message(message)
        return message

    def change(self, message: Message, form: MessageForm, uploads: tuple[Upload, ...] = ()) -> None:
        """Fill an existing message with what the form names, without an event."""
        flags = message.flags
        if form.flags is not None:  # of all flags these may change, and the layout only be switched on
            flags = flags & ~Flag.SUPPRESS_EMBEDS | form.flags & (Flag.SUPPRESS_EMBEDS | Flag.IS_COMPONENTS_V2)
        self._fill(message, form, uploads, flags=int(flags), mentions="content" in form.model_fields_set)

    def require_open(self, channel: Channel) -> None:
        """Raises 50083 where the channel is an archived thread."""
        if channel.thread is not None and channel.thread.archived:
            raise archived_thread()

    def _open_for(self, channel: Channel, author_id: int) -> None:
        """A message opens an archived thread, unless it is locked; its author takes part from then on."""
        if channel.thread is None:
            return
        if channel.thread.archived:
            channel.thread.archived = False
            channel.thread.archive_changed = self._state.ids.now()
            self._state.update_thread(channel)
        self._state.join_thread(channel, author_id)

    def _by_nonce(self, author_id: int, nonce: str | None) -> Message | None:
        """Raises 10008 when the message that used the nonce was deleted since, as Discord does."""
        oldest = self._clock() - self._nonce_seconds
        self._nonces = {key: used for key, used in self._nonces.items() if used[0] >= oldest}
        used = None if nonce is None else self._nonces.get((author_id, nonce))
        if used is None:
            return None
        _, channel_id, message_id = used
        channel = self._state.channels.get(channel_id)
        if channel is None or message_id not in channel.messages:
            raise unknown("Message")
        return channel.messages[message_id]

    def _reference(self, channel: Channel, form: MessageForm) -> Reference | None:
        wanted = form.message_reference
        if wanted is None or wanted.type == FORWARD:
            return None
        if wanted.channel_id in (None, channel.id) and wanted.message_id in channel.messages:
            return Reference(channel.id, wanted.message_id)
        if wanted.fail_if_not_exists:
            raise invalid_form((("message_reference",), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message"))
        return None

    def _fill(
        self,
        message: Message,
        form: MessageForm,
        uploads: tuple[Upload, ...],
        *,
        flags: int,
        mentions: bool,
        max_content: int = MAX_CONTENT,
    ) -> None:
        """Check everything, then change the message: a refused form changes nothing."""
        given = form.model_fields_set
        layout = bool(flags & Flag.IS_COMPONENTS_V2)
        content = (form.content or "").strip() if "content" in given else message.content
        embeds = message.embeds
        if "embeds" in given:  # without the permission they are dropped silently
            embeds = embeds_of(form.embeds or []) if self._admission.may_embed(message) else []
        components = message.components
        if "components" in given:
            components = message_components(form.components or [], layout=layout)
        if len(content) > max_content:
            words = f"Must be {max_content} or fewer in length."
            raise invalid_form((("content",), "BASE_TYPE_MAX_LENGTH", words))
        if layout and (content or embeds):
            words = "The 'content' and 'embeds' fields cannot be used with IS_COMPONENTS_V2"
            raise invalid_form((("content",), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", words))
        require_consistent(form.allowed_mentions)
        attachments = self._attachments(message, form, uploads)
        extra = message.poll or message.stickers or message.snapshots
        if flags & Flag.IS_VOICE_MESSAGE:
            require_voice(attachments, others=bool(content or embeds or components or extra))
        if not (content or embeds or attachments or components or extra):
            raise empty_message()
        form.require_accepted()
        message.content, message.embeds, message.components = content, embeds, components
        message.flags, message.attachments = flags, attachments
        self._state.attachments.update({attachment.id: attachment for attachment in attachments})
        if mentions:
            self._mention(message, form.allowed_mentions)

    def _mention(self, message: Message, allowed: AllowedMentions | None) -> None:
        replied_to = self._state.referenced(message) if message.type is MessageType.REPLY else None
        found = find_mentions(
            message.content,
            allowed,
            known=set(self._state.users),
            roles=set(self._state.roles),
            may_ping_everyone=self._admission.may_ping_everyone(message),
            replied_to=None if replied_to is None else replied_to.author_id,
        )
        message.mentions, message.mention_roles = found.users, found.roles
        message.mention_everyone = found.everyone

    def _attachments(self, message: Message, form: MessageForm, uploads: tuple[Upload, ...]) -> list[Attachment]:
        """What stays and what is new: the form's `attachments` name both, by id and by number of upload."""
        named = {entry.id: entry for entry in form.attachments or []}
        kept = [old for old in message.attachments if form.attachments is None or old.id in named]
        if len(kept) + len(uploads) > MAX_FILES:
            words = f"Must be {MAX_FILES} or fewer in length."
            raise invalid_form((("attachments",), "BASE_TYPE_MAX_LENGTH", words))
        new = [attached(self._state, message.channel_id, upload, named.get(upload.index)) for upload in uploads]
        return kept + new


def attached(state: State, channel_id: int, upload: Upload, about: AttachmentForm | None = None) -> Attachment:
    """An upload as an attachment, under the name and with the description that `about` gives. Raises 40005."""
    if len(upload.content) > MAX_FILE_BYTES:
        raise ApiError(413, 40005, "Request entity too large")
    name = safe_filename((about and about.filename) or upload.filename)
    suffix = name.rpartition(".")[2].lower()
    kind = upload.content_type
    if kind == BY_NAME:
        kind = IMAGE_TYPES.get(suffix) or AUDIO_TYPES.get(suffix, UNKNOWN_TYPE)
    made = Attachment(state.ids.next(), channel_id, name, kind, upload.content)
    if about is not None:
        made.description, made.duration_secs, made.waveform = about.description, about.duration_secs, about.waveform
    return made


def embeds_of(embeds: list[Embed]) -> list[Json]:
    """Embeds as Discord gives them back. Raises 50035 over 6000 characters in all."""
    if sum(embed.size() for embed in embeds) > MAX_EMBEDS_TOTAL:
        words = f"Embed size exceeds maximum size of {MAX_EMBEDS_TOTAL}"
        raise invalid_form((("embeds",), "MAX_EMBED_SIZE_EXCEEDED", words))
    return [{"type": "rich", **embed.model_dump(exclude_none=True, exclude_unset=True)} for embed in embeds]


def require_consistent(allowed: AllowedMentions | None) -> None:
    """Raises 50035 when all users, or roles, and some of them are allowed at once."""
    for name in ("users", "roles"):
        if allowed is not None and name in allowed.parse and getattr(allowed, name):
            words = f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.'
            raise invalid_form((("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", words))


def safe_filename(name: str) -> str:
    """A name that needs no care in a path or a header, as Discord makes it."""
    return re.sub(r"[^\w.\-]+", "_", name, flags=re.ASCII).strip(".")[-100:] or "file"
