"""A turn as it is shown in Discord while it runs, and until its last part is delivered."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

import discord

from llmgine.errors import StoreError
from llmgine.messages.events import (
    AnswerProgressEvent,
    ModelRetryEvent,
    ToolCallWaitingEvent,
    TurnEvent,
    TurnFinishedEvent,
)
from llmgine.sessions import SessionStore
from llmgine.sessions.records import DeliveryKey, TurnSteps
from programs.discord.editor import Editor
from programs.discord.nonces import nonce
from programs.discord.poster import Poster
from programs.discord.rendering import Live, render

_TYPING_INTERVAL = 8.0  # seconds; Discord shows "is typing" for 10

_log = logging.getLogger(__name__)


class TurnView:
    """Draws one turn from its steps whenever something happens to it, and lets the editors catch up.

    Args:
        steps: The turn as it stands in the store.
        posted: Where parts of it were posted before a restart.
        above: The last part of the turn before it in the channel; nothing of this one is posted above that.
        interval: Seconds between two edits of a message.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        steps: TurnSteps,
        *,
        posted: dict[DeliveryKey, int],
        above: Editor | None,
        interval: Callable[[], float],
    ) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._steps = steps
        self._posted = posted
        self._interval = interval
        self._live: Live | None = None
        self._editors: dict[DeliveryKey, Editor] = {}
        self._typing: asyncio.Task[None] | None = None
        self.last: Editor | None = above
        origin = steps.turn.origin
        self.channel_id = int(str(origin["channel_id"]))
        self._reply_to = int(str(origin["message_id"])) if origin.get("message_id") else None

    async def hear(self, event: TurnEvent) -> None:
        """Take notice of an event of this turn."""
        if isinstance(event, AnswerProgressEvent):
            self._live = Live(event.round, text=event.text)
        elif isinstance(event, ModelRetryEvent):
            wait = f"waiting {event.wait_seconds:.0f} s, then try {event.next_try} of {event.tries}"
            self._live = Live(event.round, status=f"-# ⏳ {event.reason} ({wait})")
        else:
            self._steps = await self._store.turn(event.turn_id)
        self._type(on=not isinstance(event, ToolCallWaitingEvent | TurnFinishedEvent))
        self.draw()

    def draw(self) -> None:
        """Tell the editors what their messages should show now."""
        final = self._steps.outcome is not None
        parts = render(self._steps, self._live)
        for key, body in parts:
            self._editor(key).show(body, final=final)
        if final:
            shown = {key for key, _ in parts}
            for key in self._posted.keys() - shown:
                self._editor(key)
            for key in self._editors.keys() - shown:
                self._editors[key].withdraw()

    async def delivered(self) -> None:
        """Wait until every part shows its final body."""
        await asyncio.gather(*(editor.task for editor in self._editors.values()), return_exceptions=True)

    async def close(self) -> None:
        """End the editors where they are; what they did not show is shown after the next start."""
        self._type(on=False)
        for editor in self._editors.values():
            editor.task.cancel()
        await self.delivered()

    def _editor(self, key: DeliveryKey) -> Editor:
        if key not in self._editors:
            self._editors[key] = self.last = Editor(
                self._poster,
                channel_id=self.channel_id,
                key=key,
                nonce=nonce(self._steps.turn, key),
                reply_to=self._reply_to if not self._editors else None,
                after=self.last,
                message_id=self._posted.get(key),
                on_posted=self._remember,
                on_final=self._settle,
                interval=self._interval,
            )
        return self._editors[key]

    async def _remember(self, key: DeliveryKey, message_id: int) -> None:
        await self._store.posted(self._steps.turn, key, str(message_id))

    async def _settle(self, key: DeliveryKey) -> None:
        await self._store.sent(self._steps.turn, key)

    def _type(self, *, on: bool) -> None:
        if on and self._typing is None:
            self._typing = asyncio.create_task(self._keep_typing())
        elif not on and self._typing is not None:
            self._typing.cancel()
            self._typing = None

    async def _keep_typing(self) -> None:
        """Show "is typing" until cancelled; it is a courtesy, so a failure ends it and nothing else."""
        with contextlib.suppress(discord.HTTPException, OSError, StoreError):
            while True:
                await self._client.http.send_typing(self.channel_id)
                await asyncio.sleep(_TYPING_INTERVAL)
