"""discord.py ready as soon as it can be: when all servers are there, on a busy machine too."""

from typing import Any

import discord

LONGEST = 5.0  # seconds; only where a server does not come
_SHORT = 0.02


class PromptClient(discord.Client):
    """A client that is ready once each server that it is in has come.

    discord.py is ready when no further server has come for `guild_ready_timeout` seconds. A short one is missed on a
    busy machine, and a long one costs its time at each start, so it is long only while a server is awaited.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("guild_ready_timeout", LONGEST)
        super().__init__(*arguments, **options)
        self._longest = float(options["guild_ready_timeout"])

    async def on_socket_event_type(self, _name: str) -> None:
        """Runs behind each event, and before discord.py asks how long to wait for the next one."""
        awaited = any(guild.unavailable for guild in self.guilds)
        self._connection.guild_ready_timeout = self._longest if awaited else min(_SHORT, self._longest)
