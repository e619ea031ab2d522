"""Signs: a reaction on a person's message says what became of it. They are extras, and give way to everything else."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto

import aiohttp
import discord

from llmgine.bus import MessageBus
from llmgine.messages.events import (
    ToolCallDecidedEvent,
    ToolCallWaitingEvent,
    TurnAdmittedEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnForgottenEvent,
    TurnStartedEvent,
)
from llmgine.messages.steps import Turn
from programs.discord.delivery.access import Access
from programs.discord.delivery.budget import as_courtesy
from programs.discord.delivery.events import TurnDeliveredEvent
from programs.discord.ids import SOURCE, Kind, Origin, Place

WORKING, WAITING = "⏳", "✋"
ENDED = {"done": "✅", "failed": "⚠️", "stopped": "⏹️"}
PLACES = ("1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "🔟")  # the last also says "or more"

INTERVAL = 0.3  # seconds between two requests; Discord takes four reactions a second in a channel
_STALE = 10.0  # seconds after which a sign that is not there yet is not worth a request
_TIMEOUT = 10.0
_GRACE = 5.0  # seconds in which an outcome is delivered as a rule: until then the sign of its turn is left as it is

_ALL = frozenset({WORKING, WAITING, *ENDED.values(), *PLACES})

_log = logging.getLogger(__name__)


class _Phase(Enum):
    """How far a turn is."""

    QUEUED = auto()  # It has not begun; its sign says how many are before it.
    RUNNING = auto()  # It runs, or waits for somebody's approval.
    ENDED = auto()  # It has its outcome, which is not visible yet: there is nothing to say of it.
    OVER = auto()  # Its outcome is visible, or nothing of it is to be: this sign is its last.


@dataclass
class _Sign:
    """The sign on one message.

    Attributes:
        session_id: The session of its turn.
        turn_id: Its turn.
        place: Where the message is.
        message_id: The message.
        phase: How far the turn is.
        wanted: What the sign should be; None for none.
        due: When it is worth a request.
        shown: What is there; None where that has to be read, as an earlier process may have left something, or a
            request may have arrived whose answer did not.
    """

    session_id: str
    turn_id: str
    place: Place
    message_id: int
    phase: _Phase = _Phase.QUEUED
    wanted: str | None = None
    due: float = 0.0
    shown: set[str] | None = None

    @property
    def misleads(self) -> bool:
        """Whether leaving it as it is would say something wrong."""
        return self.shown is None or bool(self.shown - {self.wanted})


# What changes a sign; all else that happens in a turn does not.
_News = (
    TurnAdmittedEvent
    | TurnStartedEvent
    | ToolCallWaitingEvent
    | ToolCallDecidedEvent
    | TurnFinishedEvent
    | TurnDeliveredEvent
    | TurnForgottenEvent
)


class Signs:
    """Listens to turns, and changes the signs one request at a time, the latest state first.

    Nothing depends on them: a request that fails is not repeated, and while the bot has more important things to
    send only what would be wrong is kept for later.

    Args:
        client: Who reacts.
        access: What it may do where.
        is_busy: Whether requests should be left to others at present.
        interval: Seconds between two requests.
        delay: Seconds until a turn that runs gets its sign.
    """

    def __init__(
        self,
        client: discord.Client,
        access: Access,
        *,
        is_busy: Callable[[], bool],
        interval: float = INTERVAL,
        delay: float = 2.0,
    ) -> None:
        self._client = client
        self._access = access
        self._is_busy = is_busy
        self._interval = interval
        self._delay = delay
        self._turns: dict[str, dict[str, _Sign]] = {}  # for each session its turns that are not over, in order
        self._pending: dict[int, _Sign] = {}  # by message
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._work: asyncio.Task[None] | None = None
        self._deaf: Callable[[], None] | None = None

    def start(self, bus: MessageBus) -> None:
        """Begin to listen, and to work."""
        self._deaf = bus.register_event_handler(TurnEvent, self.hear)
        self._work = asyncio.create_task(self._keep_right())

    async def close(self, patience: float = 0.0) -> None:
        """Stop; what would mislead people has so many seconds to be set right."""
        if self._deaf is not None:
            self._deaf()
        for sign in list(self._pending.values()):
            if not sign.misleads:
                self._drop(sign)
            elif sign.phase is _Phase.ENDED:
                sign.due = 0.0  # its outcome is delivered by the next process
        self._news.set()
        if self._work is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._settled.wait()
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until there is no sign to be set, nor a turn that ended a moment ago to be delivered."""
        await self._settled.wait()

    def recover(self, turns: Iterable[Turn]) -> None:
        """Unfinished turns of an earlier process, in their order: whatever sign it left on them is set right."""
        for turn in turns:
            origin = Origin.of(turn)
            if origin.message_id is not None:
                phase = _Phase.QUEUED if turn.state == "queued" else _Phase.RUNNING
                self._keep(_Sign(turn.session_id, turn.id, origin.asked, origin.message_id, phase))
        for session_id in list(self._turns):
            self._show_places(session_id)

    def hear(self, event: TurnEvent) -> None:
        """Take notice of what became of a turn."""
        if event.source == SOURCE and isinstance(event, _News):
            origin = Origin.of(event)
            if origin.message_id is not None:
                self._take_notice(event, self._sign(event, origin.asked, origin.message_id))

    def _sign(self, event: TurnEvent, place: Place, message_id: int) -> _Sign:
        """The sign of a turn. One that is not known ended long ago, or in an earlier process, unless it is new."""
        sign = self._turns.get(event.session_id, {}).get(event.turn_id)
        if sign is None:
            sign = _Sign(event.session_id, event.turn_id, place, message_id, _Phase.ENDED)
            if isinstance(event, TurnAdmittedEvent):
                sign.phase, sign.shown = _Phase.QUEUED, set()
        return sign

    def _take_notice(self, event: _News, sign: _Sign) -> None:
        match event:
            case TurnAdmittedEvent():
                self._keep(sign)
                self._show_places(sign.session_id)
            case TurnStartedEvent():
                self._keep(sign)
                sign.phase = _Phase.RUNNING
                if event.resumed or event.attempt > 1:
                    sign.shown = None
                self._want(sign, WORKING, delay=0.0 if sign.shown else self._delay)
            case ToolCallWaitingEvent():
                self._want(sign, WAITING)
            case ToolCallDecidedEvent():
                self._want(sign, WORKING)
            case TurnFinishedEvent():
                self._keep(sign)
                sign.phase = _Phase.ENDED
                self._want(sign, None, delay=_GRACE)
                self._show_places(sign.session_id)
            case TurnDeliveredEvent() if sign.phase is _Phase.ENDED:  # else it is answered again already
                self._end(sign, ENDED[event.state])
            case TurnForgottenEvent():
                self._end(sign, None)

    def _keep(self, sign: _Sign) -> None:
        self._turns.setdefault(sign.session_id, {})[sign.turn_id] = sign

    def _forget(self, sign: _Sign) -> None:
        turns = self._turns.get(sign.session_id, {})
        turns.pop(sign.turn_id, None)
        if not turns:
            self._turns.pop(sign.session_id, None)

    def _end(self, sign: _Sign, last: str | None) -> None:
        """Set the last sign of a turn."""
        sign.phase = _Phase.OVER
        self._want(sign, last)
        self._forget(sign)
        self._show_places(sign.session_id)

    def _show_places(self, session_id: str) -> None:
        """Say of the turns that wait how many are before them."""
        turns = self._turns.get(session_id, {}).values()
        for place, sign in enumerate(sign for sign in turns if sign.phase is not _Phase.ENDED):
            if sign.phase is _Phase.QUEUED and place:
                self._want(sign, PLACES[min(place, len(PLACES)) - 1])

    def _want(self, sign: _Sign, wanted: str | None, *, delay: float = 0.0) -> None:
        sign.wanted = wanted
        sign.due = asyncio.get_running_loop().time() + delay
        self._pending[sign.message_id] = sign
        self._settled.clear()
        self._news.set()

    def _drop(self, sign: _Sign) -> None:
        """Nothing is to be done about a sign at present. That of a turn that has ended may never be set, so it goes."""
        if sign.phase is _Phase.ENDED:
            self._forget(sign)
        if self._pending.get(sign.message_id) is sign:
            del self._pending[sign.message_id]
        if not self._pending:
            self._settled.set()

    async def _keep_right(self) -> None:
        while True:
            sign = self._next()
            if sign is None:
                await self._rest()
            elif await self._step(sign):
                await asyncio.sleep(self._interval)
            else:
                self._drop(sign)

    async def _rest(self) -> None:
        """Wait for news, or until a sign that waits is due, or may be for want of more important requests."""
        self._news.clear()
        now = asyncio.get_running_loop().time()
        wait = max(self._interval, min((sign.due for sign in self._pending.values()), default=now) - now)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait if self._pending else None):
                await self._news.wait()

    def _next(self) -> _Sign | None:
        """The sign to work at. What came too late, or at a busy time, is forgotten unless it would mislead."""
        now, busy = asyncio.get_running_loop().time(), self._is_busy()
        for sign in [sign for sign in self._pending.values() if sign.due <= now and not sign.misleads]:
            if busy or now - sign.due > _STALE:
                self._drop(sign)
        if busy:
            return None
        return next((sign for sign in self._pending.values() if sign.due <= now), None)

    async def _step(self, sign: _Sign) -> bool:
        """Make the one request that brings a sign nearer to what it should be; False when none does."""
        wanted = sign.wanted
        try:
            with as_courtesy():
                async with asyncio.timeout(_TIMEOUT):
                    return await self._request(sign)
        except TimeoutError:
            sign.shown = None
            sign.due = asyncio.get_running_loop().time() + _TIMEOUT  # it is the turn of others
            return True
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            _log.debug("The sign on message %d stays as it is: %s", sign.message_id, error)
        except Exception:  # a fault in one sign must not keep the others from being set
            _log.exception("The sign on message %d stays as it is", sign.message_id)
        sign.shown = None
        return sign.wanted != wanted  # a failure is not repeated, but what is wanted since is tried

    async def _request(self, sign: _Sign) -> bool:
        """See `_step`."""
        channel_id, shown, wanted = sign.place.channel_id, sign.shown, sign.wanted
        message = self._client.get_partial_messageable(channel_id).get_partial_message(sign.message_id)
        if not self._can_be_changed(sign):
            return False
        if shown is None:
            if not self._access.may_read_back(channel_id):
                return False
            reactions = (await message.fetch()).reactions
            sign.shown = {str(reaction.emoji) for reaction in reactions if reaction.me} & _ALL
        elif wanted and wanted not in shown and self._access.may_react(channel_id):
            await message.add_reaction(wanted)
            shown.add(wanted)
        elif stale := sorted(shown - {wanted}):
            await message.remove_reaction(stale[0], discord.Object(self._me))
            shown.discard(stale[0])
        else:
            return False
        return True

    def _can_be_changed(self, sign: _Sign) -> bool:
        """Whether a sign can be set or taken away, as far as is known without asking Discord.

        It cannot in a thread that is archived, nor where a channel was deleted: of servers, discord.py knows the
        others. Where an answer is visible it can, though discord.py may not have heard yet that its thread is open.
        """
        if sign.place.kind in (Kind.DM, Kind.UNKNOWN) or sign.phase is _Phase.OVER:
            return True
        return self._client.get_channel(sign.place.channel_id) is not None

    @property
    def _me(self) -> int:
        return self._client.user.id if self._client.user else 0
