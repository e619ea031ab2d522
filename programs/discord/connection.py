"""discord.py's client with what it lacks: a rate limiter, a breaker, counted logins, and a clean end."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Literal

import discord
from discord.backoff import ExponentialBackoff

from llmgine.errors import ConfigurationError, StoreError
from programs.application import Application
from programs.discord.breaker import Breaker
from programs.discord.connection_status import ConnectionPhase, ConnectionStatus
from programs.discord.delivery import unanswered
from programs.discord.delivery.metrics import rate_limit_trace
from programs.discord.delivery.poster import LONGEST_LIMIT
from programs.discord.discord_time import DiscordTime
from programs.discord.ids import SOURCE
from programs.discord.rate_limiter import RATE, RateLimiter

_DAY = 86_400  # seconds
_MOST_LOGINS = 900  # in 24 hours; at 1,000 Discord resets the token
_WORN_OUT = (
    "The bot logged in to Discord 900 times in a day; at 1,000, Discord resets its token. "
    "Find out from the log why it was disconnected so often, fix that, and start it again tomorrow"
)
_START_PATIENCE = 3.0  # seconds that a start gets to finish when the bot is to end
_LONGEST_WAIT = 60.0  # seconds between two attempts to connect
_PRESENCE = "@mentions · /help"  # after "Listening to"

_log = logging.getLogger(__name__)


class WornOutError(ConfigurationError):
    """The bot logged in so often that Discord is about to reset its token."""


class _Backoff(ExponentialBackoff[Literal[False]]):
    """discord.py's waits between attempts to connect; its own grow to 17 minutes, long after Discord is back."""

    def delay(self) -> float:
        """The seconds until the next attempt."""
        return min(super().delay(), _LONGEST_WAIT)


discord.client.ExponentialBackoff = _Backoff  # type: ignore[attr-defined,assignment]  # `connect` takes no other


class Connection(discord.Client):
    """One client, from its login to its end.

    Attributes:
        breaker: Stops all requests when Discord asks for that.
        refused: Set when Discord no longer takes the token.
        limiter: How many requests there may be.
        clock: Seconds since 1970.
        connection_status: How the connection is; whoever replaces a client gives its status to the next one.

    Args:
        app: Where logins are counted and metrics go.
        guild_ready_timeout: Seconds discord.py waits for servers at the start.
        heartbeat_timeout: Seconds without a heartbeat after which the connection counts as dead.
        rate: Requests per second in total.
        clock: Seconds since 1970; Discord's own, unless given.
    """

    def __init__(
        self,
        app: Application,
        *,
        guild_ready_timeout: float = 2.0,
        heartbeat_timeout: float = 45.0,
        rate: float = RATE,
        clock: Callable[[], float] | None = None,
    ) -> None:
        # Voice is not used here, so nobody needs a warning that its libraries are missing.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        self.connection_status = ConnectionStatus()
        self.refused = asyncio.Event()
        self.breaker = Breaker(self.refused.set)
        self.limiter = RateLimiter(rate)
        trace = rate_limit_trace(app.bus)
        self.limiter.add_to(trace)
        self.breaker.add_to(trace)
        unanswered.add_to(trace)
        # The last thing before a request: a process that others may count as dead makes none.
        trace.on_request_start.append(self._hold)
        if clock is None:
            discord_time = DiscordTime()
            discord_time.add_to(trace)
            clock = discord_time.now
        self.clock = clock
        super().__init__(
            intents=_intents(),
            activity=discord.Activity(type=discord.ActivityType.listening, name=_PRESENCE),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=guild_ready_timeout,
            heartbeat_timeout=heartbeat_timeout,
            max_messages=1_000,
            http_trace=trace,
            max_ratelimit_timeout=LONGEST_LIMIT,
        )
        self._store = app.store

    @property
    def is_lost(self) -> bool:
        """Whether another process took over this one's work; then this one makes no more requests."""
        return self._store.owners.lost.is_set()

    async def _hold(self, _session: object, _context: object, _params: object) -> None:
        await self._store.owners.hold()

    async def on_ready(self) -> None:
        """The bot is in; "connect" comes before that."""
        self.connection_status.change(ConnectionPhase.READY)

    async def on_resumed(self) -> None:
        """The bot is in again, in the same gateway session."""
        self.connection_status.change(ConnectionPhase.READY)

    async def on_disconnect(self) -> None:
        """The connection ended, or could not be made."""
        self.connection_status.change(ConnectionPhase.LOST)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Before each login: count it, for Discord resets the token of a bot that logs in too often.

        Raises:
            WornOutError: It would be one too many.
        """
        try:
            at = int(time.time())
            if await self._store.logins.count(SOURCE, at, at - _DAY) > _MOST_LOGINS:
                raise WornOutError(_WORN_OUT)
        except StoreError as error:  # better an uncounted login than no bot while the disk is full
            _log.warning("A login could not be counted: %s", error)
        await super().before_identify_hook(shard_id, initial=initial)

    async def setup_hook(self) -> None:
        """Once, after the login."""
        self.http._global_over = _GlobalLimit()  # noqa: SLF001  discord.py makes its own at each login

    async def finish_start(self, begun: asyncio.Event) -> None:
        """discord.py cannot be closed while it waits for servers: it would continue with a closed client.

        Args:
            begun: Set once what follows the start has begun; it is waited for too, for 3 seconds in all.
        """
        if self.ws is None or not self.ws.open:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_PATIENCE):
                await self.wait_until_ready()
                await begun.wait()

    async def close(self) -> None:
        """Leave Discord."""
        self.connection_status.change(ConnectionPhase.LOST)
        await super().close()
        if self._connection._ready_task is not None:  # noqa: SLF001  nothing else ends its wait for servers
            self._connection._ready_task.cancel()  # noqa: SLF001  as above
        await self.close_forgotten_connections()

    async def close_forgotten_connections(self) -> None:
        """discord.py forgets a connection that ends while it is being made; its heartbeat keeps running in a thread."""
        for beat in threading.enumerate():
            if not isinstance(beat, discord.gateway.KeepAliveHandler):
                continue
            if beat.ws._connection is self._connection:  # noqa: SLF001  nothing public says whose it is
                await beat.ws.close()


class _GlobalLimit(asyncio.Event):
    """Set unless the limit over all requests was reached, which every request waits for.

    discord.py sets it again in the request that was limited, once that has waited. If that request is cancelled
    meanwhile, nothing would set it, and no request would ever be made again. So it is always set when the longest
    possible wait has passed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._timer: asyncio.TimerHandle | None = None
        self.set()

    def set(self) -> None:
        """Requests may be made."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().set()

    def clear(self) -> None:
        """No requests may be made for a while."""
        super().clear()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(LONGEST_LIMIT, self.set)


def _intents() -> discord.Intents:
    """What the bot gets events of: servers, their messages, DMs, and the text of messages (a privileged intent)."""
    intents = discord.Intents.none()
    intents.guilds = True
    intents.guild_messages = True
    intents.dm_messages = True
    intents.message_content = True
    return intents
