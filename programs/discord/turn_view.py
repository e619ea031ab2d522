"""A turn as it is shown in Discord while it runs, and until its last part is delivered."""

import asyncio
import contextlib
from collections.abc import Callable

import discord

from llmgine.errors import StoreError
from llmgine.messages.events import AnswerProgressEvent, ModelRetryEvent, TurnEvent
from llmgine.sessions import SessionStore
from llmgine.sessions.records import DeliveryKey, Turn, TurnSteps
from programs.discord.editor import Editor
from programs.discord.metrics import TurnCounts
from programs.discord.nonces import nonce
from programs.discord.poster import Poster
from programs.discord.read_back import Orphans
from programs.discord.rendering import Body, Live, render, retrying

_PAUSED = "⏳ Restarting; this will go on."
_TYPING_INTERVAL = 8.0  # seconds; Discord shows "is typing" for 10


class TurnView:
    """Draws one turn from its steps whenever something happens to it, and lets the editors catch up.

    Args:
        turn: The turn.
        posted: Where parts of it were posted before a restart.
        orphans: What else was posted for it, nobody knows as what.
        above: The last part of the turn before it in the channel; nothing of this one is posted above that.
        interval: Seconds between two edits of a message.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        turn: Turn,
        *,
        posted: dict[DeliveryKey, int],
        orphans: Orphans,
        above: Editor | None,
        interval: Callable[[], float],
    ) -> None:
        self.turn = turn
        self.counts = TurnCounts()
        self._client = client
        self._store = store
        self._poster = poster
        self._posted = posted
        self._orphans = orphans
        self._adopted: dict[DeliveryKey, int] = {}
        self._tidied: asyncio.Task[None] | None = None
        self._interval = interval
        self._steps: TurnSteps | None = None
        self._live: Live | None = None
        self._editors: dict[DeliveryKey, Editor] = {}
        self._typing: asyncio.Task[None] | None = None
        self._closed = False
        self.last: Editor | None = above
        self.channel_id = int(str(turn.origin["channel_id"]))
        self._reply_to = int(str(turn.origin["message_id"])) if turn.origin.get("message_id") else None

    async def hear(self, event: TurnEvent) -> None:
        """Take notice of an event of this turn, and draw it anew."""
        if isinstance(event, AnswerProgressEvent):
            self._live = Live(event.round, text=event.text)
        elif isinstance(event, ModelRetryEvent):
            self._live = retrying(event)
        else:
            with contextlib.suppress(StoreError):  # cleared since; what is left to show comes with its last event
                self._steps = await self._store.turn(self.turn.id)
        if self._steps is not None:
            self._type(on=self._steps.waiting.keys() <= self._steps.decisions.keys())
            parts = render(self._steps, self._live)
            self._show(parts, first=parts[0][0] if parts else None, final=False)

    async def settle(self) -> None:
        """Show the outcome as it was committed: the stored bodies, which outlive a cleared conversation."""
        self._type(on=False)
        parts = [part for part in await self._store.deliveries(self.turn.id) if part.body]
        first = parts[0].key if parts else None
        self._show([(part.key, part.body) for part in parts if not part.sent], first=first, final=True)
        for key in self._posted.keys() - {part.key for part in parts}:
            self._editor(key).withdraw()
        if self._orphans.left() and not self._closed:
            self._tidied = asyncio.create_task(self._tidy())

    async def delivered(self) -> None:
        """Wait until every part shows its final body."""
        await asyncio.gather(*(editor.task for editor in self._editors.values()), return_exceptions=True)

    async def pause(self) -> None:
        """Say under the last message of an unfinished turn that it will go on."""
        if self._editors and not self._closed and (self._steps is None or self._steps.outcome is None):
            await list(self._editors.values())[-1].pause(_PAUSED)

    async def close(self) -> None:
        """End the editors where they are; what they did not show is shown after the next start."""
        self._type(on=False)
        self._closed = True
        for editor in self._editors.values():
            editor.task.cancel()
        if self._tidied is not None:
            self._tidied.cancel()
        await self.delivered()

    def _show(self, parts: list[tuple[DeliveryKey, Body]], *, first: DeliveryKey | None, final: bool) -> None:
        """Tell the editors what their messages should show now; a part that is no longer one is taken away.

        `first` is the part that replies to the question. What was first may be gone: "waiting for the model", say.
        """
        if self._closed:
            return
        for key, body in parts:
            self._editor(key, replies=key == first).show(body, final=final)
        for key in self._editors.keys() - {key for key, _ in parts}:
            self._editors[key].withdraw()

    def _editor(self, key: DeliveryKey, *, replies: bool = False) -> Editor:
        if key not in self._editors:
            self._editors[key] = self.last = Editor(
                self._poster,
                channel_id=self.channel_id,
                key=key,
                nonce=nonce(self.turn, key),
                reply_to=self._reply_to if replies else None,
                after=self.last,
                message_id=self._posted.get(key) or self._adopt(key),
                on_posted=self._mark_posted,
                on_final=self._mark_sent,
                counts=self.counts,
                interval=self._interval,
            )
        return self._editors[key]

    def _adopt(self, key: DeliveryKey) -> int | None:
        """A message that a dead process posted, which is taken for this part."""
        message_id = self._orphans.adopt(key)
        if message_id is not None:
            self._adopted[key] = message_id
        return message_id

    async def _tidy(self) -> None:
        """Take away what a dead process posted and the outcome has no part for."""
        for message_id in self._orphans.left():
            await self._poster.delete(self.channel_id, message_id)

    async def _mark_posted(self, key: DeliveryKey, message_id: int) -> None:
        await self._store.posted(self.turn, key, str(message_id))

    async def _mark_sent(self, key: DeliveryKey) -> None:
        """The part is done. It is the last thing written of a turn, so what is to be tidied up must be gone before."""
        if key in self._adopted:
            await self._mark_posted(key, self._adopted[key])
        if self._tidied is not None:
            await self._tidied
        await self._store.sent(self.turn, key)

    def _type(self, *, on: bool) -> None:
        if on and self._typing is None and not self._closed:
            self._typing = asyncio.create_task(self._keep_typing())
        elif not on and self._typing is not None:
            self._typing.cancel()
            self._typing = None

    async def _keep_typing(self) -> None:
        """Show "is typing" until cancelled; it is a courtesy, so a failure ends it and nothing else."""
        channel = self._client.get_partial_messageable(self.channel_id)
        with contextlib.suppress(discord.HTTPException, OSError):
            while True:
                await channel.typing()
                await asyncio.sleep(_TYPING_INTERVAL)
