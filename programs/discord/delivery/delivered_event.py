"""What the delivery tells on the bus."""

from typing import Literal

from pydantic import Field, InstanceOf

from llmgine.messages.events import TurnEvent
from llmgine.messages.steps import Turn
from programs.discord.components.retirement import Ending


class TurnDeliveredEvent(TurnEvent):
    """All parts of a turn's outcome are visible in Discord.

    `turn` is the turn, and `ending` the message with the buttons of the whole turn. They are in no dump and no log.
    """

    state: Literal["done", "failed", "stopped"]
    turn: InstanceOf[Turn] | None = Field(None, exclude=True, repr=False)
    ending: InstanceOf[Ending] | None = Field(None, exclude=True, repr=False)
