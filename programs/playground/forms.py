"""The bodies clients send, as pydantic models with Discord's limits, and their errors in Discord's words."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from programs.playground.errors import ApiError, invalid_form

T = TypeVar("T")
Path = tuple[int | str, ...]
MAX_CONTENT = 2000
MAX_CONTENT_NITRO = 4000
MAX_EMBEDS_TOTAL = 6000
MAX_FILES = 10
FORWARD = 1  # the type of a reference to a message that is shown again, not answered

Id = Annotated[int, Field(ge=0)]  # a number or its digits, as Discord accepts
WebUrl = Annotated[str, StringConstraints(pattern=r"^(https?|attachment)://", max_length=2048)]


def _as_text(value: object) -> object:
    """A number is as good a nonce as a text."""
    return str(value) if isinstance(value, int) else value


class Form(BaseModel):
    """Unknown keys are ignored, as Discord does."""

    model_config = ConfigDict(extra="ignore")


class EmbedFooter(Form):
    """The last line of an embed."""

    text: str = Field(max_length=2048)
    icon_url: WebUrl | None = None


class EmbedMedia(Form):
    """A picture of an embed."""

    url: WebUrl


class EmbedAuthor(Form):
    """The first line of an embed."""

    name: str = Field(max_length=256)
    url: WebUrl | None = None
    icon_url: WebUrl | None = None


class EmbedField(Form):
    """A field of an embed."""

    name: str = Field(min_length=1, max_length=256)
    value: str = Field(min_length=1, max_length=1024)
    inline: bool = False


class Embed(Form):
    """A card in a message, within Discord's limits."""

    title: str | None = Field(None, max_length=256)
    description: str | None = Field(None, max_length=4096)
    url: WebUrl | None = None
    timestamp: str | None = None
    color: int | None = Field(None, ge=0, le=0xFFFFFF)
    footer: EmbedFooter | None = None
    image: EmbedMedia | None = None
    thumbnail: EmbedMedia | None = None
    author: EmbedAuthor | None = None
    fields: list[EmbedField] = Field(default=[], max_length=25)

    def size(self) -> int:
        """The characters that count towards the limit over all embeds of a message."""
        texts = [self.title, self.description, self.footer and self.footer.text, self.author and self.author.name]
        texts += [text for field in self.fields for text in (field.name, field.value)]
        return sum(len(text) for text in texts if text)


class AllowedMentions(Form):
    """Whom a message may ping."""

    parse: list[Literal["roles", "users", "everyone"]] = []
    users: list[Id] = Field(default=[], max_length=100)
    roles: list[Id] = Field(default=[], max_length=100)
    replied_user: bool = False


class MessageReference(Form):
    """The message that another one replies to."""

    type: int = 0
    message_id: Id
    channel_id: Id | None = None
    guild_id: Id | None = None
    fail_if_not_exists: bool = True


class PollMedia(Form):
    """The text of a question or an answer."""

    text: str | None = Field(None, min_length=1, max_length=300)


class PollAnswer(Form):
    """An answer to choose."""

    poll_media: PollMedia


class PollForm(Form):
    """A poll; the duration is in hours."""

    question: PollMedia
    answers: list[PollAnswer] = Field(default=[], max_length=10)
    allow_multiselect: bool | None = False
    duration: int | None = Field(24, ge=1, le=768)


class AttachmentForm(Form):
    """What is said of a file beside its content."""

    id: Id
    filename: str | None = Field(None, max_length=1024)
    description: str | None = Field(None, max_length=1024)
    duration_secs: float | None = Field(None, ge=0, le=2**31 - 1)
    waveform: str | None = Field(None, max_length=400)


class MessageForm(Form):
    """A message to create, or the changes of an edit: what was not sent is not in `model_fields_set`."""

    # What Discord's own document has against it: reported after our rules, whose words are more exact.
    _refusal: ApiError | None = PrivateAttr(None)

    content: str | None = Field(None, max_length=MAX_CONTENT_NITRO)
    embeds: list[Embed] | None = Field(None, max_length=10)
    components: list[dict[str, Any]] | None = Field(None, max_length=40)
    allowed_mentions: AllowedMentions | None = None
    message_reference: MessageReference | None = None
    attachments: list[AttachmentForm] | None = Field(None, max_length=MAX_FILES)
    nonce: Annotated[str, BeforeValidator(_as_text), StringConstraints(max_length=25)] | None = None
    enforce_nonce: bool = False
    tts: bool = False
    flags: int | None = Field(None, ge=0)
    poll: PollForm | None = None
    sticker_ids: list[Id] | None = Field(None, max_length=3)

    def refused(self, refusal: ApiError) -> None:
        """Keep a refusal by Discord's document: our own rules, whose words are more exact, are asked first."""
        self._refusal = refusal

    def require_accepted(self) -> None:
        """Raises the refusal that was kept, if there is one."""
        if self._refusal is not None:
            raise self._refusal


class WebhookForm(MessageForm):
    """A message that a webhook writes."""

    username: str | None = Field(None, min_length=1, max_length=80)
    avatar_url: str | None = None


class WebhookChanges(Form):
    """What a new webhook is called."""

    name: str = Field(min_length=1, max_length=80)
    avatar: str | None = None


class NewThread(Form):
    """What every new thread has; the duration is in minutes."""

    name: str = Field(min_length=1, max_length=100)
    auto_archive_duration: Literal[60, 1440, 4320, 10080] = 1440


class ThreadForm(NewThread):
    """A thread as a bot opens it; it is private unless it says otherwise."""

    type: Literal[11, 12] = 12


class PostForm(NewThread):
    """A post in a forum: a thread and its first message."""

    message: MessageForm
    applied_tags: list[Id] | None = Field(None, max_length=5)


class ThreadChanges(Form):
    """What is to change of a thread; what is left out stays."""

    name: str | None = Field(None, min_length=1, max_length=100)
    archived: bool | None = None
    locked: bool | None = None
    auto_archive_duration: Literal[60, 1440, 4320, 10080] | None = None


class DmForm(Form):
    """Whose DM is to be opened."""

    recipient_id: Id


class BulkDelete(Form):
    """The messages to delete together."""

    messages: list[Id] = Field(min_length=2, max_length=100)


def read(kind: type[T] | Any, body: Any, within: Path = ()) -> T:
    """`body` as `kind`, a model or any type pydantic knows. Raises Discord's 50035 with every fault at its place.

    `within` is where `body` is in the whole form.
    """
    try:
        return TypeAdapter[T](kind).validate_python(body)
    except ValidationError as invalid:
        raise in_discords_words(invalid, place=lambda path: (*within, *path)) from invalid


def in_discords_words(invalid: ValidationError, place: Callable[[Path], Iterable[int | str]] = tuple) -> ApiError:
    """A 50035 of the faults pydantic found; `place` turns pydantic's path into the form's."""
    found = ((place(error["loc"]), error["type"], error.get("ctx", {})) for error in invalid.errors())
    return invalid_form(*((path, *_words(kind, limits)) for path, kind, limits in found))


# Discord's code and message for each of pydantic's faults; a placeholder is filled from the fault's limits.
_WORDS = {
    "missing": ("BASE_TYPE_REQUIRED", "This field is required"),
    "string_too_long": ("BASE_TYPE_MAX_LENGTH", "Must be {max_length} or fewer in length."),
    "too_long": ("BASE_TYPE_MAX_LENGTH", "Must be {max_length} or fewer in length."),
    "string_too_short": ("BASE_TYPE_MIN_LENGTH", "Must be {min_length} or more in length."),
    "too_short": ("BASE_TYPE_MIN_LENGTH", "Must be {min_length} or more in length."),
    "literal_error": ("BASE_TYPE_CHOICES", "Value must be one of {expected}."),
    "less_than_equal": ("NUMBER_TYPE_MAX", "int value should be less than or equal to {le}."),
    "greater_than_equal": ("NUMBER_TYPE_MIN", "int value should be greater than or equal to {ge}."),
    "model_type": ("MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"),
    "dict_type": ("MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"),
    "list_type": ("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"),
    "string_pattern_mismatch": ("URL_TYPE_INVALID_URL", "Not a well formed URL."),
}


def _words(kind: str, limits: dict[str, Any]) -> tuple[str, str]:
    if kind == "string_too_short" and limits["min_length"] == 1:
        kind = "missing"  # to Discord an empty text is none
    code, message = _WORDS.get(kind, ("BASE_TYPE_BAD_VALUE", "Could not interpret the value."))
    return code, message.format(**limits)
