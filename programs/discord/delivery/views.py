"""All turns that are shown right now: from events of the bus to what people see, also after a restart."""

import asyncio
import logging
from collections.abc import Callable

import discord

from llmgine.bus import MessageBus
from llmgine.errors import StoreError
from llmgine.messages.commands import StopTurnCommand
from llmgine.messages.events import (
    TurnAdmittedEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnForgottenEvent,
    TurnStartedEvent,
)
from llmgine.messages.steps import Turn
from llmgine.observability import MetricEvent
from llmgine.sessions import SessionStore
from programs.discord.components.retirement import Retirement
from programs.discord.delivery.editor import EDIT_INTERVAL, Editor
from programs.discord.delivery.elsewhere import Elsewhere
from programs.discord.delivery.positions import Positions
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.read_back import Orphans, ReadBack
from programs.discord.delivery.refusals import ShutOutError
from programs.discord.delivery.turn_view import TurnView
from programs.discord.ids import SOURCE, Origin

_MANY = 20  # active turns

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
        self._read_back = ReadBack(client, store, poster)
        self._retirement = Retirement(store, poster)
        self._elsewhere = Elsewhere(client, store, poster)
        self._edit_interval = edit_interval
        self._views: dict[str, TurnView] = {}
        self._tails: dict[int, Editor] = {}  # the last part in each channel, while it is on its way
        self._owing: set[int] = set()  # channels with parts that could not be shown
        self._delivering = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._stop_listening: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._stop_listening = self._bus.register_event_handler(TurnEvent, self._hear)

    async def owe_what_is_left(self) -> None:
        """In the channels of outcomes that are committed and were not shown, what is new waits for these.

        Raises:
            StoreError: They cannot be looked up.
        """
        self._owing |= {_channel_of(turn) for turn in await self._store.undelivered(SOURCE)}

    async def deliver_what_is_left(self) -> int:
        """Begin to show the outcomes that are committed and were not shown; returns how many turns."""
        async with self._delivering:
            turns = [turn for turn in await self._store.undelivered(SOURCE) if turn.id not in self._views]
            passed_over = {view.channel_id for view in self._views.values() if view.owed and view.ended}
            for turn in turns:
                if turn.id in self._views:  # it has begun to be shown meanwhile, and ends by its own event
                    continue
                channel_id = _channel_of(turn)
                shut_out = self._poster.access.shut_out(channel_id)
                if shut_out is not None:
                    passed_over.add(channel_id)  # what is below it, too, even if that changes meanwhile
                    await self._owe(turn, shut_out)
                elif channel_id in passed_over:
                    self._owing.add(channel_id)
                else:
                    await self._settle(await self._open(turn, self._last_in(channel_id), doubtful=True))
            self._owing &= passed_over | {_channel_of(turn) for turn in turns}
            self._draw()
            return len(turns)

    def _last_in(self, channel_id: int) -> Editor | None:
        """The last part in the channel that is on its way, and not lost."""
        lasts = [view.last for view in self._views.values() if view.channel_id == channel_id]
        there = [last for last in (*lasts, self._tails.get(channel_id)) if last is not None and not last.lost]
        return there[-1] if there else None

    def _draw(self) -> None:
        """Show what was not shown of running turns, where all that stands above is there now."""
        waited_for = self._owing | {view.channel_id for view in self._views.values() if view.ended}
        for view in self._views.values():
            if view.channel_id not in waited_for:
                view.draw(anew=True)
                self._remember_tail(view)

    async def _owe(self, turn: Turn, shut_out: ShutOutError) -> None:
        """Leave a turn's parts for when the bot may write there, but not for ever."""
        self._owing.add(_channel_of(turn))
        await self._elsewhere.tell(turn, shut_out)
        if self._elsewhere.is_given_up(turn):
            for part in await self._store.deliveries.of(turn.id):
                await self._store.deliveries.sent(turn, part.key)

    @property
    def active(self) -> int:
        """How many turns are being shown."""
        return len(self._views)

    @property
    def is_busy(self) -> bool:
        """Whether so many turns are active that their previews are to have what is left of the budget."""
        return self.active > _MANY

    def is_typing_in(self, channel_id: int) -> bool:
        """Whether people see in a channel that an answer is being written."""
        return any(view.is_typing for view in self._views.values() if view.channel_id == channel_id)

    async def all_delivered(self) -> None:
        """Wait until every outcome that is on its way is shown, or is left for later, and each part of a turn that
        runs shows what it should at present.
        """
        while True:
            drawing = [editor for view in self._views.values() for editor in view.drawing]
            if self._closing:
                await asyncio.wait(self._closing)
            elif drawing:
                await drawing[0].settled.wait()
            else:
                return

    async def pause(self, seconds: float) -> None:
        """Let what has ended be shown, and say of the rest that it will go on; at most so long each."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=seconds)
        if self._views:
            await asyncio.wait([asyncio.create_task(view.pause()) for view in self._views.values()], timeout=seconds)

    async def close(self) -> None:
        """Stop showing; what is missing is shown after the next start."""
        self._closed = True
        if self._stop_listening is not None:
            self._stop_listening()
        for view in list(self._views.values()):
            await view.close()
        await asyncio.gather(*self._closing)
        await self._retirement.close()

    async def _hear(self, event: TurnEvent) -> None:
        if event.source != SOURCE:
            return
        match event:
            case TurnAdmittedEvent():
                await self._tell_of_wait(event)
            case TurnForgottenEvent():
                await self._take_away(event.turn_id)
                self._retirement.forgotten(event.session_id)
            case TurnFinishedEvent():
                await self._end(event)
            case _:
                await self._go_on(event)

    async def _end(self, event: TurnFinishedEvent) -> None:
        view = self._views.get(event.turn_id)
        if view is not None and (
            view.channel_id in self._owing or view.owed
        ):  # it goes through the store, in its order
            del self._views[event.turn_id]
            await view.close()
            view = None
        await (self._settle(view) if view else self.deliver_what_is_left())

    async def _go_on(self, event: TurnEvent) -> None:
        view = self._views.get(event.turn_id)
        channel_id = Origin.of(event).channel_id
        in_debt = channel_id in self._owing  # what is above is not shown yet
        if isinstance(event, TurnStartedEvent) and in_debt:
            await self.deliver_what_is_left()
        if view is not None and isinstance(event, TurnStartedEvent) and view.turn.attempt != event.attempt:
            await self._retire(view)  # it is answered anew: the next view goes on with these messages
            view = None
        if view is None and isinstance(event, TurnStartedEvent):
            try:
                turn = event.turn or (await self._store.turns.get(event.turn_id)).turn
            except StoreError:
                return  # it has ended and was cleared since; what is left to show comes with its last event
            above = self._tails.get(channel_id)
            doubtful = event.resumed or event.attempt > 1
            view = await self._open(turn, above, doubtful=doubtful, died=event.resumed)
            self._retirement.begun(view.turn)
        if view is not None:
            await view.hear(event, draw=not in_debt)
            self._remember_tail(view)

    async def _retire(self, view: TurnView) -> None:
        """End a view in favour of another one of its turn, which stands below the same part."""
        if self._tails.get(view.channel_id) is view.last:
            self._tails.pop(view.channel_id, None)
            if view.above is not None:
                self._tails[view.channel_id] = view.above
        self._views.pop(view.turn.id, None)
        await view.retire()

    async def _tell_of_wait(self, event: TurnAdmittedEvent) -> None:
        """The turn before this one may wait for a person: it says so now that somebody waits for it."""
        waited_for = [view for view in self._views.values() if view.turn.session_id == event.session_id]
        for view in waited_for:
            if not view.ended:
                await view.hear(event, draw=view.channel_id not in self._owing)
                self._remember_tail(view)

    async def _take_away(self, turn_id: str) -> None:
        """What was posted for a forgotten turn goes; the store keeps it as undelivered until it has."""
        view = self._views.get(turn_id)
        if view is None:
            await self.deliver_what_is_left()
            return
        await self._retire(view)  # it may have been posting, so what is there now is read back
        await self._settle(await self._open(view.turn, self._tails.get(view.channel_id), doubtful=True))

    async def _open(self, turn: Turn, above: Editor | None, *, doubtful: bool, died: bool = False) -> TurnView:
        """The view of a turn. `doubtful`: parts of it may have been posted by whoever gave it up, or `died` over it.

        Where nothing is in doubt the turn begins, so nothing was posted for it yet.
        """
        died = died or turn.owner != self._store.owners.me
        orphans = await self._read_back.orphans(turn, died=died) if doubtful else Orphans()
        parts = await self._store.deliveries.of(turn.id) if doubtful else ()
        posted = {part.key: int(part.message_id) for part in parts if part.message_id}
        view = self._views.get(turn.id)
        if view is None:
            view = TurnView(
                self._client,
                self._store,
                self._poster,
                turn,
                positions=Positions(self._store, self._poster, turn, posted=posted, orphans=orphans),
                elsewhere=self._elsewhere,
                cancel=self._cancel,
                above=above,
                interval=self._edit_interval,
            )
            self._views[turn.id] = view
            if self._closed:
                await view.close()
        return view

    async def _cancel(self, turn: Turn) -> None:
        await self._bus.execute(StopTurnCommand(session_id=turn.session_id, turn_id=turn.id))

    def _remember_tail(self, view: TurnView) -> None:
        if view.last is not None:
            self._tails[view.channel_id] = view.last

    async def _settle(self, view: TurnView) -> None:
        """Show the outcome; the view goes when that is done, or cannot be done: then it is tried again another time."""
        try:
            await view.settle()
        except StoreError:
            await self._give_up(view)
            raise
        if self._closed:
            return
        self._remember_tail(view)
        task = asyncio.create_task(self._close_when_delivered(view))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _give_up(self, view: TurnView) -> None:
        """The store did not say what is to be shown; it has it as undelivered."""
        self._owing.add(view.channel_id)
        if self._views.get(view.turn.id) is view:
            del self._views[view.turn.id]
        await view.close()

    async def _close_when_delivered(self, view: TurnView) -> None:
        try:
            await self._follow(view)
        except StoreError as error:
            _log.warning("Turn %s is looked at again later: %s", view.turn.id, error)
            await self._give_up(view)
        if self._tails.get(view.channel_id) is view.last:
            self._tails.pop(view.channel_id, None)
        metrics = view.counts.metrics(view.turn.created_at)
        if metrics and not self._closed:
            await self._bus.publish(MetricEvent(session_id=view.turn.session_id, metrics=metrics))

    async def _follow(self, view: TurnView) -> None:
        """See an outcome to its end, and go on with what waited for it."""
        await view.delivered()
        while view.out_of_date and not self._closed:
            await view.settle(anew=True)
            self._remember_tail(view)
            await view.delivered()
        if self._views.get(view.turn.id) is view:
            del self._views[view.turn.id]
        if view.owed:
            self._owing.add(view.channel_id)
        elif not self._closed:
            self._retirement.delivered(view.turn, view.ending)
            if view.channel_id in self._owing:
                await self.deliver_what_is_left()
            self._draw()
            await self._elsewhere.take_back(view.turn)
            if view.waited:
                await self._elsewhere.tell_of_wait(view.turn)


def _channel_of(turn: Turn) -> int:
    return Origin.of(turn).channel_id
