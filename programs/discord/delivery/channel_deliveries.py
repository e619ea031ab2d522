"""All answers that are shown right now, a delivery for each channel; also those that an earlier process owes."""

import asyncio
from collections.abc import Awaitable, Callable

import discord

from llmgine.bus import MessageBus
from llmgine.messages.events import (
    TurnAdmittedEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnForgottenEvent,
    TurnStartedEvent,
)
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import tr
from llmgine.sessions import SessionStore
from programs.discord.components.retirement import Retirement
from programs.discord.delivery.channel_delivery import ChannelDelivery
from programs.discord.delivery.delivered_event import TurnDeliveredEvent
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.requests import Requests
from programs.discord.delivery.shared import Shared
from programs.discord.delivery.step_results import Pace
from programs.discord.ids import SOURCE, Origin

EDIT_INTERVAL = 1.2  # seconds between two changes of a message; Discord allows about five in five seconds a channel
_MANY = 20  # active turns
_PAUSED = tr("⏳ Restarting. This answer will continue.")


class ChannelDeliveries:
    """Shows the turns that came from Discord.

    Args:
        client: The client.
        bus: Where turns tell what happens to them.
        store: Where it is stored which message shows which part.
        poster: Who knows how requests are made.
        pace: How hurried they are.
        sleep: How it is waited until something may be tried again.
    """

    def __init__(
        self,
        client: discord.Client,
        bus: MessageBus,
        store: SessionStore,
        poster: Poster,
        *,
        pace: Pace,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bus = bus
        self._store = store
        self._tools = Shared(client, bus, Requests(client, bus, store, poster), pace, sleep, set())
        self._retirement = Retirement(store, poster)
        self._channels: dict[int, ChannelDelivery] = {}
        self._queued: dict[str, set[str]] = {}  # turns that have not begun, by session
        self._stop_listening: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._stop_listening = self._bus.register_event_handler(TurnEvent, self._on_event)

    async def recover(self) -> None:
        """Begin to show what an earlier process owes; what is new in these channels waits for it.

        Raises:
            StoreError: It cannot be looked up.
        """
        owed, unfinished = await self._store.undelivered(SOURCE), await self._store.turns.unfinished_of({SOURCE})
        self._tools.unsettled.update(turn.id for turn in (*owed, *unfinished))
        for turn in owed:
            self._channel(Origin.of(turn).channel_id).owe(turn)
        for turn in unfinished:
            if turn.state == "queued":
                self._queued.setdefault(turn.session_id, set()).add(turn.id)

    def look_again(self) -> None:
        """Try what could not be shown before: some time has passed, or permissions have changed."""
        for channel_id, channel in list(self._channels.items()):
            channel.look_again()
            self._drop(channel_id)

    def removed(self, channel_id: int) -> None:
        """A channel was deleted: what is owed there is given up."""
        if channel_id in self._channels:
            self._channels[channel_id].removed()

    @property
    def active(self) -> int:
        """How many turns are being shown."""
        return sum(len(channel.state.answers) for channel in self._channels.values())

    @property
    def is_busy(self) -> bool:
        """Whether so many turns are active that their previews are to have what is left of the budget."""
        return self.active > _MANY

    def is_typing_in(self, channel_id: int) -> bool:
        """Whether people see in a channel that an answer is being written."""
        return channel_id in self._channels and self._channels[channel_id].is_typing

    async def rested(self) -> None:
        """Wait until every outcome that is on its way is shown, or is left for later, and each part of a turn that
        runs shows what it should at present.
        """
        while moving := [channel for channel in self._channels.values() if not channel.rested.is_set()]:
            await moving[0].rested.wait()

    async def pause(self, seconds: float) -> None:
        """Let what has ended be shown, and say of the rest that it will go on; at most so long."""
        for channel in self._channels.values():
            channel.pause(_PAUSED)
        await asyncio.wait({asyncio.ensure_future(self.rested())}, timeout=seconds)

    async def close(self) -> None:
        """Stop showing; what is missing is shown after the next start."""
        if self._stop_listening is not None:
            self._stop_listening()
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
        await self._retirement.close()

    def _on_event(self, event: TurnEvent) -> None:
        if event.source != SOURCE:
            return
        channel_id = Origin.of(event).channel_id
        match event:
            case TurnAdmittedEvent():
                self._queued.setdefault(event.session_id, set()).add(event.turn_id)
            case TurnDeliveredEvent(turn=Turn() as turn):
                self._retirement.delivered(turn, event.ending)
                self._drop(channel_id)
            case TurnStartedEvent(turn=Turn() as turn):
                self._not_queued(event)
                self._channel(channel_id).begin(turn, event, others_wait=event.session_id in self._queued)
                self._retirement.begun(turn)
            case TurnFinishedEvent() | TurnForgottenEvent():
                self._not_queued(event)
                self._channel(channel_id).handle(event)
                if isinstance(event, TurnForgottenEvent):
                    self._retirement.forgotten(event.session_id)
            case _ if channel_id in self._channels:
                self._channels[channel_id].handle(event)
        if isinstance(event, TurnAdmittedEvent | TurnFinishedEvent | TurnForgottenEvent):
            self._tell_of_wait(event.session_id)

    def _not_queued(self, event: TurnEvent) -> None:
        """A turn does not wait for others any more."""
        queued = self._queued.get(event.session_id, set())
        queued.discard(event.turn_id)
        if not queued:
            self._queued.pop(event.session_id, None)

    def _tell_of_wait(self, session_id: str) -> None:
        """Questions may wait behind a turn that runs, or do not any more."""
        for channel in self._channels.values():
            channel.others_wait(session_id, yes=session_id in self._queued)

    def _channel(self, channel_id: int) -> ChannelDelivery:
        if channel_id not in self._channels:
            self._channels[channel_id] = ChannelDelivery(channel_id, self._tools)
        return self._channels[channel_id]

    def _drop(self, channel_id: int) -> None:
        """Forget a channel in which nothing is to be done."""
        channel = self._channels.get(channel_id)
        if channel is not None and not channel.state.answers and channel.rested.is_set():
            del self._channels[channel_id]
