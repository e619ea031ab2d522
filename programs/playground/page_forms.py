"""What the page sends."""

from typing import Any, Literal

from pydantic import Field

from programs.playground.forms import Form, Id


class Who(Form):
    user_id: Id = Field(alias="as")


class Text(Who):
    content: str


class NewMessage(Who):
    content: str = ""
    reply_to: Id | None = None
    ping: bool = True
    nonce: str | None = None
    nitro: bool = False


class NewThread(Who):
    name: str
    message_id: Id | None = None
    content: str = ""  # of the first message, where the channel is a forum


class Option(Form):
    name: str
    value: str | bool | int | float | None = None
    upload: int | None = None  # the number of the file that came with it
    options: "list[Option] | None" = None


class NewInteraction(Who):
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
