"""What the gateway tells of messages, as events of their channel: one handler takes them up in their order."""

from typing import ClassVar

import discord
from pydantic import ConfigDict

from llmgine.messages.events import Event


class ChannelEvent(Event):
    """Something was said, changed or taken back. Not logged: most of it is not for the bot."""

    logged: ClassVar[bool] = False
    model_config = ConfigDict(arbitrary_types_allowed=True)


class MessageHeardEvent(ChannelEvent):
    """A person wrote something the bot can see, or changed it since."""

    message: discord.Message


class MessageDeletedEvent(ChannelEvent):
    """A message is gone."""

    message_id: int
