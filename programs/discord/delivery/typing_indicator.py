"""Discord's "is typing", shown while an answer is being written."""

import asyncio
import contextlib

import discord

from programs.discord.permissions.bot import BotPermissions
from programs.discord.rate_limiter import as_courtesy

_INTERVAL = 8.0  # seconds; Discord shows it for 10


class TypingIndicator:
    """Shows in one channel that the bot writes. It is a courtesy: a failure ends it and nothing else."""

    def __init__(self, client: discord.Client, permissions: BotPermissions, channel_id: int) -> None:
        self._client = client
        self._permissions = permissions
        self._channel_id = channel_id
        self._task: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is being shown."""
        return self._task is not None

    def show(self, *, on: bool) -> None:
        """Begin, or end."""
        if on and self._task is None:
            self._task = asyncio.create_task(self._keep_typing())
        elif not on and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _keep_typing(self) -> None:
        channel = self._client.get_partial_messageable(self._channel_id)
        with contextlib.suppress(discord.DiscordException, OSError):
            while self._permissions.may_write(self._channel_id):
                with as_courtesy():
                    await channel.typing()
                await asyncio.sleep(_INTERVAL)
