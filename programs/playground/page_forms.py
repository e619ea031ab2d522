"""What the page sends."""

from typing import Any, Literal

from pydantic import Field

from programs.playground.entities import Json
from programs.playground.forms import Form, Id

MAX_TIME_OUT = 28 * 24 * 3600  # seconds, as on Discord
MAX_SLOWMODE = 6 * 3600


class Who(Form):
    """Who acts on the page."""

    user_id: Id = Field(alias="as")


class Text(Who):
    """The new text of a message."""

    content: str


class VoiceForm(Form):
    """What makes a voice message of an audio file."""

    duration_secs: float = Field(ge=0, le=2**31 - 1)
    waveform: str = Field(max_length=400)


class NewMessage(Who):
    """A message that a person writes, or with `voice` a voice message."""

    content: str = ""
    reply_to: Id | None = None
    forward: tuple[Id, Id] | None = None  # the channel and the message that is forwarded
    ping: bool = True
    nonce: str | None = None
    nitro: bool = False
    voice: VoiceForm | None = None


class NewThread(Who):
    """A thread or a post that a person opens."""

    name: str
    message_id: Id | None = None
    content: str = ""  # of the first message, where the channel is a forum


class Option(Form):
    """The value of a command's option, or a subcommand."""

    name: str
    value: str | bool | int | float | None = None
    upload: int | None = None  # the number of the file that came with it
    options: "list[Option] | None" = None


class NewInteraction(Who):
    """The use of a command, a component or a modal."""

    type: Literal["command", "component", "modal", "autocomplete"]
    channel_id: Id = 0
    command_id: Id | None = None
    options: list[Option] = Field(default=[], max_length=25)
    focused: str = ""
    target_id: Id | None = None
    message_id: Id = 0
    custom_id: str = ""
    modal_id: Id = 0
    values: list[str] | dict[str, Any] | None = None


class Named(Who):
    """What is new and has a name: a person or a role."""

    name: str = Field(min_length=1, max_length=32)


class RoleChanges(Who):
    """What is to change of a role."""

    name: str | None = Field(None, min_length=1, max_length=100)
    permissions: int | None = Field(None, ge=0)


class MemberChanges(Who):
    """`time_out` is in seconds from now; 0 ends it."""

    roles: list[Id] | None = None
    time_out: float | None = Field(None, ge=0, le=MAX_TIME_OUT)
    dms_closed: bool | None = None


class ChannelChanges(Who):
    """What is to change of a channel."""

    name: str | None = Field(None, min_length=1, max_length=100)
    topic: str | None = Field(None, max_length=1024)
    rate_limit_per_user: int | None = Field(None, ge=0, le=MAX_SLOWMODE)
    parent_id: Id | None = None  # given as null: in no category

    def named(self) -> Json:
        """What is to change, by its name."""
        given = self.model_dump(exclude_unset=True, exclude={"user_id"})
        return {name: value for name, value in given.items() if value is not None or name == "parent_id"}


class OverwriteForm(Who):
    """The permissions of a role or a member in a channel."""

    allow: int = Field(0, ge=0)
    deny: int = Field(0, ge=0)


class NewChannel(Who):
    """A channel, category or forum."""

    name: str = Field(min_length=1, max_length=100)
    type: Literal[0, 4, 15] = 0
    parent_id: Id | None = None
