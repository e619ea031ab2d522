"""All turns that are shown right now: from events of the bus to what people see, also after a restart."""

import logging

import discord

from llmgine.bus import MessageBus
from llmgine.messages.events import (
    AnswerProgressEvent,
    ModelRetryEvent,
    TurnAdmittedEvent,
    TurnEvent,
    TurnFinishedEvent,
)
from llmgine.sessions import SessionStore
from programs.discord.editor import EDIT_INTERVAL, Editor
from programs.discord.poster import Poster
from programs.discord.rendering import SOURCE
from programs.discord.turn_view import TurnView

# Changes a second that previews may take together, of the 50 requests a second Discord allows a bot.
_PREVIEW_RATE = 20

_log = logging.getLogger(__name__)


class TurnViews:
    """Shows the turns that came from Discord."""

    def __init__(
        self,
        client: discord.Client,
        bus: MessageBus,
        store: SessionStore,
        poster: Poster,
        *,
        edit_interval: float = EDIT_INTERVAL,
    ) -> None:
        self._client = client
        self._bus = bus
        self._store = store
        self._poster = poster
        self._edit_interval = edit_interval
        self._views: dict[str, TurnView] = {}
        self._tails: dict[int, Editor] = {}  # the last part in each channel

    def start(self) -> None:
        """Begin to listen."""
        self._bus.register_event_handler(TurnEvent, self._hear)

    async def deliver_what_is_left(self) -> int:
        """Show the outcomes that an earlier process committed and could not show; returns how many turns."""
        turns = await self._store.undelivered(SOURCE)
        for turn in turns:
            view = await self._open(turn.id)
            view.draw()
            await self._close_when_delivered(turn.id)
        return len(turns)

    async def close(self) -> None:
        """Stop showing; what is missing is shown after the next start."""
        for view in list(self._views.values()):
            await view.close()

    def _interval(self) -> float:
        """Seconds between edits of a message: more when many turns are active, so that all fit into the rate."""
        return max(self._edit_interval, len(self._views) / _PREVIEW_RATE)

    async def _hear(self, event: TurnEvent) -> None:
        if event.source != SOURCE or isinstance(event, TurnAdmittedEvent):
            return
        view = self._views.get(event.turn_id)
        if view is None:
            if isinstance(event, AnswerProgressEvent | ModelRetryEvent):
                return  # a straggler of a turn that has ended
            view = await self._open(event.turn_id)
        await view.hear(event)
        if view.last is not None:
            self._tails[view.channel_id] = view.last
        if isinstance(event, TurnFinishedEvent):
            self._client.loop.create_task(self._close_when_delivered(event.turn_id))

    async def _open(self, turn_id: str) -> TurnView:
        steps = await self._store.turn(turn_id)
        deliveries = await self._store.deliveries(turn_id)
        view = self._views[turn_id] = TurnView(
            self._client,
            self._store,
            self._poster,
            steps,
            posted={part.key: int(part.message_id) for part in deliveries if part.message_id},
            above=self._tails.get(int(str(steps.turn.origin["channel_id"]))),
            interval=self._interval,
        )
        return view

    async def _close_when_delivered(self, turn_id: str) -> None:
        view = self._views[turn_id]
        await view.delivered()
        self._views.pop(turn_id, None)
