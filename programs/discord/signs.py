"""Signs: a reaction on a person's message says what became of it. They are extras, and give way to everything else."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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
from programs.discord.ids import SOURCE, Origin

WORKING, WAITING = "⏳", "✋"
ENDED = {"done": "✅", "failed": "⚠️", "stopped": "⏹️"}
PLACES = ("1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "🔟")  # the last also says "or more"

INTERVAL = 0.3  # seconds between two requests; Discord takes four reactions a second in a channel
_STALE = 10.0  # seconds after which a sign that is not there yet is not worth a request
_TIMEOUT = 10.0

_ALL = frozenset({WORKING, WAITING, *ENDED.values(), *PLACES})

_log = logging.getLogger(__name__)


@dataclass
class _Sign:
    """The sign on one message.

    Attributes:
        wanted: What it should be.
        due: When it is worth a request.
        shown: What is there, as far as is known.
        doubtful: Whether an earlier process may have left another one.
        found: Whether the message was seen, though discord.py may not know its channel, as with a DM after a restart.
        waits: Whether its turn has not begun, so that the sign is its place.
    """

    channel_id: int
    message_id: int
    wanted: str | None = None
    due: float = 0.0
    shown: set[str] = field(default_factory=set)
    doubtful: bool = False
    found: bool = False
    waits: bool = True

    @property
    def misleads(self) -> bool:
        """Whether leaving it as it is would say something wrong."""
        return self.doubtful or bool(self.shown - {self.wanted})


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
        self._open: dict[str, dict[str, _Sign]] = {}  # for each session its unfinished turns, in order
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
        for sign in [sign for sign in self._pending.values() if not sign.misleads]:
            self._drop(sign)
        if self._work is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._settled.wait()
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until there is no sign to be set."""
        await self._settled.wait()

    def recover(self, turns: Iterable[Turn]) -> None:
        """Turns that an earlier process left, in their order: whatever sign it left on them is set right."""
        for turn in turns:
            question = Origin.of(turn).question
            if question is not None:
                sign = _Sign(*question, doubtful=True, waits=turn.state == "queued")
                self._open.setdefault(turn.session_id, {})[turn.id] = sign
        for session_id in list(self._open):
            self._show_places(session_id)

    def hear(self, event: TurnEvent) -> None:
        """Take notice of what became of a turn."""
        question = Origin.of(event).question if event.source == SOURCE else None
        if question is None:
            return
        sign = self._open.get(event.session_id, {}).get(event.turn_id) or _Sign(*question)
        if isinstance(event, TurnAdmittedEvent | TurnStartedEvent):
            self._open.setdefault(event.session_id, {})[event.turn_id] = sign
        if isinstance(event, TurnAdmittedEvent):
            self._show_places(event.session_id)
        elif isinstance(event, TurnStartedEvent):
            sign.waits = False
            sign.doubtful |= event.resumed or event.attempt > 1
            self._want(sign, WORKING, delay=self._delay)
        elif isinstance(event, ToolCallWaitingEvent):
            self._want(sign, WAITING)
        elif isinstance(event, ToolCallDecidedEvent):
            self._want(sign, WORKING)
        elif isinstance(event, TurnFinishedEvent | TurnForgottenEvent):
            self._open.get(event.session_id, {}).pop(event.turn_id, None)
            sign.doubtful |= isinstance(event, TurnForgottenEvent)
            self._want(sign, ENDED[event.state] if isinstance(event, TurnFinishedEvent) else None)
            self._show_places(event.session_id)

    def _show_places(self, session_id: str) -> None:
        """Say of the turns that wait how many are before them."""
        turns = self._open.get(session_id, {})
        for place, sign in enumerate(turns.values()):
            if sign.waits and place:
                self._want(sign, PLACES[min(place, len(PLACES)) - 1])
        if not turns:
            self._open.pop(session_id, None)

    def _want(self, sign: _Sign, wanted: str | None, *, delay: float = 0.0) -> None:
        sign.wanted = wanted
        sign.due = asyncio.get_running_loop().time() + (0.0 if sign.shown else delay)
        self._pending[sign.message_id] = sign
        self._settled.clear()
        self._news.set()

    def _drop(self, sign: _Sign) -> None:
        self._pending.pop(sign.message_id, None)
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
        """Wait for news, or until a sign that waits may be due."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._interval if self._pending else None):
                await self._news.wait()

    def _next(self) -> _Sign | None:
        """The sign to work at. What came too late, or at a busy time, is forgotten unless it would mislead."""
        now, busy = asyncio.get_running_loop().time(), self._is_busy()
        for sign in list(self._pending.values()):
            if not sign.misleads and (busy or now - sign.due > _STALE):
                self._drop(sign)
        if busy:
            return None
        return next((sign for sign in self._pending.values() if sign.due <= now), None)

    async def _step(self, sign: _Sign) -> bool:
        """Make the one request that brings a sign nearer to what it should be; False when none does."""
        if sign.wanted == ENDED["done"] and not self._access.may_write(sign.channel_id):
            sign.wanted = None  # the answer is not there
        try:
            with as_courtesy():
                async with asyncio.timeout(_TIMEOUT):
                    return await self._request(sign)
        except TimeoutError:
            sign.doubtful |= bool(sign.shown)
            return True
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            _log.debug("The sign on message %d stays as it is: %s", sign.message_id, error)
            sign.shown.clear()
            return False

    async def _request(self, sign: _Sign) -> bool:
        message = self._client.get_partial_messageable(sign.channel_id).get_partial_message(sign.message_id)
        if sign.doubtful:
            sign.doubtful = False
            reactions = (await message.fetch()).reactions
            sign.shown = {str(reaction.emoji) for reaction in reactions if reaction.me} & _ALL
            sign.found = True
        elif not sign.found and self._client.get_channel(sign.channel_id) is None:
            return False  # it was deleted
        elif sign.wanted and sign.wanted not in sign.shown and self._access.may_react(sign.channel_id):
            emoji = sign.wanted
            await message.add_reaction(emoji)
            sign.shown.add(emoji)
        elif stale := sign.shown - {sign.wanted}:
            emoji = stale.pop()
            sign.shown.discard(emoji)
            await message.remove_reaction(emoji, discord.Object(self._me))
        else:
            return False
        return True

    @property
    def _me(self) -> int:
        return self._client.user.id if self._client.user else 0
