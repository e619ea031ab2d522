"""Status reactions: an emoji on a person's message says how far its turn is. Every other request goes first."""

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
from programs.discord.delivery.delivered_event import TurnDeliveredEvent
from programs.discord.ids import SOURCE, Kind, Origin, Place
from programs.discord.permissions.bot import BotPermissions
from programs.discord.rate_limiter import as_courtesy

WORKING, WAITING = "⏳", "✋"
ENDED = {"done": "✅", "failed": "⚠️", "stopped": "⏹️"}
PLACES = ("1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "🔟")  # the last also says "or more"

INTERVAL = 0.3  # seconds between two requests; Discord takes four reactions a second in a channel
_STALE = 10.0  # seconds after which a reaction that is not there yet is not worth a request
_TIMEOUT = 10.0
_GRACE = 5.0  # seconds in which an outcome is delivered as a rule: until then the reaction of its turn is left as it is

_ALL = frozenset({WORKING, WAITING, *ENDED.values(), *PLACES})

_log = logging.getLogger(__name__)


class _Phase(Enum):
    """How far a turn is."""

    QUEUED = auto()  # It has not begun; its reaction says how many are before it.
    RUNNING = auto()  # It runs, or waits for somebody's approval.
    ENDED = auto()  # It has its outcome, which is not visible yet: there is nothing to say of it.
    OVER = auto()  # Its outcome is visible, or nothing of it is to be: this reaction is its last.


@dataclass
class _Reaction:
    """The reaction on one message.

    Attributes:
        session_id: The session of its turn.
        turn_id: Its turn.
        place: Where the message is.
        message_id: The message.
        phase: How far the turn is.
        wanted: What the reaction should be; None for none.
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
    def is_outdated(self) -> bool:
        """Whether leaving it as it is would say something wrong."""
        return self.shown is None or bool(self.shown - {self.wanted})


# What changes a reaction; all else that happens in a turn does not.
_News = (
    TurnAdmittedEvent
    | TurnStartedEvent
    | ToolCallWaitingEvent
    | ToolCallDecidedEvent
    | TurnFinishedEvent
    | TurnDeliveredEvent
    | TurnForgottenEvent
)


class StatusReactions:
    """Listens to turns, and changes the reactions one request at a time, the latest state first.

    Nothing depends on them: a request that fails is not repeated, and while the bot has more important things to
    send only what would be wrong is kept for later.

    Args:
        client: Who reacts.
        permissions: What it may do where.
        is_busy: Whether requests should be left to others at present.
        interval: Seconds between two requests.
        delay: Seconds until a turn that runs gets its reaction.
    """

    def __init__(
        self,
        client: discord.Client,
        permissions: BotPermissions,
        *,
        is_busy: Callable[[], bool],
        interval: float = INTERVAL,
        delay: float = 2.0,
    ) -> None:
        self._client = client
        self._permissions = permissions
        self._is_busy = is_busy
        self._interval = interval
        self._delay = delay
        self._turns: dict[str, dict[str, _Reaction]] = {}  # for each session its turns that are not over, in order
        self._pending: dict[int, _Reaction] = {}  # by message
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._work: asyncio.Task[None] | None = None
        self._under_way: tuple[_Reaction, asyncio.Timeout] | None = (
            None  # the reaction of the present request, and its limit
        )
        self._unsubscribe: Callable[[], None] | None = None

    def start(self, bus: MessageBus) -> None:
        """Begin to listen, and to work."""
        self._unsubscribe = bus.register_event_handler(TurnEvent, self.handle)
        self._work = asyncio.create_task(self._keep_right())

    async def close(self, patience: float = 0.0) -> None:
        """Stop; what would mislead people has so many seconds to be set right."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        for reaction in list(self._pending.values()):
            if not reaction.is_outdated:
                self._drop(reaction)
            elif reaction.phase is _Phase.ENDED:
                reaction.due = 0.0  # its outcome is delivered by the next process
        self._news.set()
        if self._work is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._settled.wait()
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until there is no reaction to be set, nor a turn that ended a moment ago to be delivered."""
        await self._settled.wait()

    def recover(self, turns: Iterable[Turn]) -> None:
        """Unfinished turns of an earlier process, in their order: whatever reaction it left on them is set right."""
        for turn in turns:
            origin = Origin.of(turn)
            if origin.message_id is not None:
                phase = _Phase.QUEUED if turn.state == "queued" else _Phase.RUNNING
                self._keep(_Reaction(turn.session_id, turn.id, origin.asked, origin.message_id, phase))
        for session_id in list(self._turns):
            self._show_places(session_id)

    def handle(self, event: TurnEvent) -> None:
        """Take notice of what became of a turn."""
        if event.source == SOURCE and isinstance(event, _News):
            origin = Origin.of(event)
            if origin.message_id is not None:
                self._take_notice(event, self._reaction(event, origin.asked, origin.message_id))

    def _reaction(self, event: TurnEvent, place: Place, message_id: int) -> _Reaction:
        """The reaction of a turn. One that is not known ended long ago, or in an earlier process, unless it is new.

        It stays on one message while there is something to be done about it, though the turn may have got more of them:
        else what was wanted of an earlier attempt would still be set on the first.
        """
        reaction = self._turns.get(event.session_id, {}).get(event.turn_id)
        if reaction is None:
            reaction = next((one for one in self._pending.values() if one.turn_id == event.turn_id), None)
        if reaction is None:
            reaction = _Reaction(event.session_id, event.turn_id, place, message_id, _Phase.ENDED)
            if isinstance(event, TurnAdmittedEvent):
                reaction.phase, reaction.shown = _Phase.QUEUED, set()
        return reaction

    def _take_notice(self, event: _News, reaction: _Reaction) -> None:
        match event:
            case TurnAdmittedEvent():
                self._keep(reaction)
                self._show_places(reaction.session_id)
            case TurnStartedEvent():
                self._keep(reaction)
                reaction.phase = _Phase.RUNNING
                if event.resumed or event.attempt > 1:
                    reaction.shown = None
                self._want(reaction, WORKING, delay=0.0 if reaction.shown else self._delay)
            case ToolCallWaitingEvent():
                self._want(reaction, WAITING)
            case ToolCallDecidedEvent():
                self._want(reaction, WORKING)
            case TurnFinishedEvent():
                self._keep(reaction)
                reaction.phase = _Phase.ENDED
                self._want(reaction, None, delay=_GRACE)
                self._show_places(reaction.session_id)
            case TurnDeliveredEvent() if reaction.phase is _Phase.ENDED:  # else it is answered again already
                self._end(reaction, ENDED[event.state])
            case TurnForgottenEvent():
                self._end(reaction, None)

    def _keep(self, reaction: _Reaction) -> None:
        self._turns.setdefault(reaction.session_id, {})[reaction.turn_id] = reaction

    def _forget(self, reaction: _Reaction) -> None:
        turns = self._turns.get(reaction.session_id, {})
        turns.pop(reaction.turn_id, None)
        if not turns:
            self._turns.pop(reaction.session_id, None)

    def _end(self, reaction: _Reaction, last: str | None) -> None:
        """Set the last reaction of a turn."""
        reaction.phase = _Phase.OVER
        self._want(reaction, last)
        self._forget(reaction)
        self._show_places(reaction.session_id)

    def _show_places(self, session_id: str) -> None:
        """Say of the turns that wait how many are before them."""
        turns = self._turns.get(session_id, {}).values()
        for place, reaction in enumerate(reaction for reaction in turns if reaction.phase is not _Phase.ENDED):
            if reaction.phase is _Phase.QUEUED and place:
                self._want(reaction, PLACES[min(place, len(PLACES)) - 1])

    def _want(self, reaction: _Reaction, wanted: str | None, *, delay: float = 0.0) -> None:
        if reaction.wanted in ENDED.values() and reaction.wanted != wanted:
            self._give_up(reaction)
        reaction.wanted = wanted
        reaction.due = asyncio.get_running_loop().time() + delay
        self._pending[reaction.message_id] = reaction
        self._settled.clear()
        self._news.set()

    def _give_up(self, reaction: _Reaction) -> None:
        """Its turn runs again, so a request that waits, for a limit or another try, must not say that it ended."""
        if self._under_way is not None and self._under_way[0] is reaction and not self._under_way[1].expired():
            self._under_way[1].reschedule(asyncio.get_running_loop().time())

    def _drop(self, reaction: _Reaction) -> None:
        """Nothing is to be done about a reaction at present. That of an ended turn may never be set, so it goes."""
        if reaction.phase is _Phase.ENDED:
            self._forget(reaction)
        if self._pending.get(reaction.message_id) is reaction:
            del self._pending[reaction.message_id]
        if not self._pending:
            self._settled.set()

    async def _keep_right(self) -> None:
        while True:
            reaction = self._next()
            if reaction is None:
                await self._rest()
            elif await self._step(reaction):
                await asyncio.sleep(self._interval)
            else:
                self._drop(reaction)

    async def _rest(self) -> None:
        """Wait for news, or until a reaction that waits is due, or may be for want of more important requests."""
        self._news.clear()
        now = asyncio.get_running_loop().time()
        wait = max(self._interval, min((reaction.due for reaction in self._pending.values()), default=now) - now)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait if self._pending else None):
                await self._news.wait()

    def _next(self) -> _Reaction | None:
        """The reaction to work at. What came too late, or at a busy time, is forgotten unless it would mislead."""
        now, busy = asyncio.get_running_loop().time(), self._is_busy()
        for reaction in [
            reaction for reaction in self._pending.values() if reaction.due <= now and not reaction.is_outdated
        ]:
            if busy or now - reaction.due > _STALE:
                self._drop(reaction)
        if busy:
            return None
        return next((reaction for reaction in self._pending.values() if reaction.due <= now), None)

    async def _step(self, reaction: _Reaction) -> bool:
        """Make the one request that brings a reaction nearer to what it should be; False when none does."""
        wanted = reaction.wanted
        try:
            with as_courtesy():
                async with asyncio.timeout(_TIMEOUT) as limit:
                    self._under_way = reaction, limit
                    return await self._request(reaction)
        except TimeoutError:
            reaction.shown = None
            if reaction.wanted == wanted:
                reaction.due = asyncio.get_running_loop().time() + _TIMEOUT  # it is the turn of others
            return True
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            _log.debug("The reaction on message %d stays as it is: %s", reaction.message_id, error)
        except Exception:  # a fault in one reaction must not keep the others from being set
            _log.exception("The reaction on message %d stays as it is", reaction.message_id)
        finally:
            self._under_way = None
        reaction.shown = None
        return reaction.wanted != wanted  # a failure is not repeated, but what is wanted since is tried

    async def _request(self, reaction: _Reaction) -> bool:
        """See `_step`."""
        channel_id, shown, wanted = reaction.place.channel_id, reaction.shown, reaction.wanted
        message = self._client.get_partial_messageable(channel_id).get_partial_message(reaction.message_id)
        if not self._can_be_changed(reaction):
            return False
        if shown is None:
            if not self._permissions.may_read_back(channel_id):
                return False
            reactions = (await message.fetch()).reactions
            reaction.shown = {str(reaction.emoji) for reaction in reactions if reaction.me} & _ALL
        elif wanted and wanted not in shown and self._permissions.may_react(channel_id):
            await message.add_reaction(wanted)
            shown.add(wanted)
        elif stale := sorted(shown - {wanted}):
            await message.remove_reaction(stale[0], discord.Object(self._me))
            shown.discard(stale[0])
        else:
            return False
        return True

    def _can_be_changed(self, reaction: _Reaction) -> bool:
        """Whether a reaction can be set or taken away, as far as is known without asking Discord.

        It cannot in a thread that is archived, nor where a channel was deleted: of servers, discord.py knows the
        others. Where an answer is visible it can, though discord.py may not have heard yet that its thread is open.
        """
        if reaction.place.kind in (Kind.DM, Kind.UNKNOWN) or reaction.phase is _Phase.OVER:
            return True
        return self._client.get_channel(reaction.place.channel_id) is not None

    @property
    def _me(self) -> int:
        return self._client.user.id if self._client.user else 0
