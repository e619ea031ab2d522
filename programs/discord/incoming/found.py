"""A message that another one points at, as it was found."""

from dataclasses import dataclass

import discord


@dataclass(frozen=True)
class Found:
    """A message that is pointed at, or why there is none.

    Attributes:
        message: The message.
        note: Why it is not there, in words for the model.
    """

    message: discord.Message | None = None
    note: str | None = None
