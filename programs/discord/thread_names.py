"""A thread that the bot opened is called what its conversation is called."""

import asyncio
import logging
from collections.abc import Callable

import discord

from llmgine.bus import MessageBus
from llmgine.messages.events import SessionRenamedEvent
from llmgine.messages.visible_text import visible_line
from programs.discord.ids import session_id
from programs.discord.rate_limiter import as_courtesy

_LONGEST = 100  # characters, Discord's bound
_SECONDS = 20.0  # Discord lets a thread be renamed twice in ten minutes; it is not waited for longer

_log = logging.getLogger(__name__)


class ThreadNames:
    """Renames threads; a name that cannot be given is let be."""

    def __init__(self, client: discord.Client, bus: MessageBus) -> None:
        self._client = client
        self._bus = bus
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._unsubscribe = self._bus.register_event_handler(SessionRenamedEvent, self._rename)

    def stop(self) -> None:
        """Listen no more."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    async def _rename(self, event: SessionRenamedEvent) -> None:
        thread = self._thread(event.session_id or "")
        title = visible_line(event.title or "", _LONGEST)
        if thread is None or not title or thread.name == title:
            return
        try:
            with as_courtesy():
                async with asyncio.timeout(_SECONDS):
                    await thread.edit(name=title)
        except (discord.HTTPException, discord.RateLimited, OSError, TimeoutError) as error:
            _log.info("Thread %d keeps its name: %s", thread.id, error)

    def _thread(self, session: str) -> discord.Thread | None:
        """The thread of a session that all in it share, if the bot opened it and it is awake."""
        _, _, number = session.partition(":")
        thread = self._client.get_channel(int(number)) if number.isdecimal() else None
        me = self._client.user
        if not isinstance(thread, discord.Thread) or session_id(thread.id) != session or me is None:
            return None
        return thread if thread.owner_id == me.id and not thread.archived else None
