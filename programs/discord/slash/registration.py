"""The registration of the commands with Discord: beside the start, and tried again until Discord takes it."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import aiohttp
import discord
from discord import app_commands

from programs.discord.rate_limiter import as_courtesy
from programs.discord.slash.command_payloads import Payload, differing, ids, kept, payloads

_FIRST_WAIT, _LONGEST_WAIT = 5.0, 3600.0  # seconds until the next try; doubled each time
_DAY = 86_400.0  # seconds; Discord counts registrations by the day, so it asks for no longer wait
# Seconds without a byte. A limit on the whole request would count the time in which it waits for answers to go first,
# and would cut discord.py off while it waits for the end of a rate limit over all routes, which it then never ends.
_PATIENCE = aiohttp.ClientTimeout(total=None, connect=30.0, sock_read=30.0)
_PATH = "/applications/{application_id}/commands"

_log = logging.getLogger(__name__)


class Phase(Enum):
    """How far the registration is."""

    WAITING = "Discord has not said yet which commands it knows."
    REGISTERED = "Discord knows all commands as they are; nothing is left to do."
    REFUSED = "Discord refused the commands, and will refuse them again until somebody changes something."
    LIMITED = "Discord takes no registration before a time that it named."
    UNANSWERED = "Discord could not be reached, failed, or answered what cannot be read."
    FAILED = "This program failed; its log has the traceback."
    CLOSED = "The bot is leaving Discord; nothing is tried any more."


class _UnreadableError(Exception):
    """Discord answered with something of another form than it documents."""


@dataclass(frozen=True)
class Status:
    """What is known of the registration.

    Attributes:
        phase: How far it is.
        code: The HTTP status of Discord's answer, when it was an error.
        why: What Discord, or the connection, said.
        again_at: When it is tried again, in seconds since 1970.
    """

    phase: Phase
    code: int | None = None
    why: str = ""
    again_at: float | None = None


class Registration:
    """Sees that Discord knows the commands of a tree. It has a task while that is not so.

    Nothing waits for it: the bot comes in and answers whatever becomes of the registration. It begins once the gateway
    has let the bot in, so that a block by Cloudflare that it meets does not keep the bot from connecting.

    Attributes:
        status: What is known of it.
        ids: The ids of the registered slash commands, by name; empty before anything is known.

    Args:
        tree: The commands.
    """

    def __init__(self, tree: app_commands.CommandTree[discord.Client]) -> None:
        self.status = Status(Phase.WAITING)
        self.ids: Mapping[str, int] = {}
        self._tree = tree
        self._client = tree.client
        self._task: asyncio.Task[None] | None = None
        self._again = asyncio.Event()  # "try again": read by the task before it waits
        self._known = asyncio.Event()
        self._wait = _FIRST_WAIT
        self._told = ""

    def start(self) -> None:
        """Begin, once; to be called between the login and the connection to the gateway."""
        if self._task is None and self.status.phase is not Phase.CLOSED:
            self._task = asyncio.create_task(self._work())

    def try_again(self) -> None:
        """Do not wait for the time of the next try, unless it is Discord that named it."""
        self._again.set()

    async def known(self) -> None:
        """Wait until the first try is over, whatever came of it."""
        await self._known.wait()

    async def close(self) -> None:
        """End it as it is; the next start compares again."""
        self.status = Status(Phase.CLOSED)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        await self._client.wait_for("connect")
        with as_courtesy():
            while True:
                self._again.clear()
                self.status = await self._try()
                self._tell()
                self._known.set()
                if self.status.again_at is None:
                    return
                await self._pause(self.status.again_at - time.time())

    async def _try(self) -> Status:
        """One try, which raises nothing, and what is known after it."""
        try:
            await self._register()
        except discord.RateLimited as error:
            return self._later(Phase.LIMITED, "too many requests", code=429, seconds=error.retry_after)
        except discord.HTTPException as error:
            return self._refused(error)
        except (aiohttp.ClientError, OSError, _UnreadableError) as error:
            return self._later(Phase.UNANSWERED, str(error) or type(error).__name__)
        except Exception as error:  # a bug of ours must neither end the bot nor the tries that are to come
            why = f"{type(error).__name__}: {error}"
            if why != self.status.why:
                _log.exception("The slash commands could not be registered")
            return self._later(Phase.FAILED, why)
        return Status(Phase.REGISTERED)

    def _refused(self, error: discord.HTTPException) -> Status:
        seconds = _seconds(error.response.headers.get("Retry-After"))
        if error.status == 429:
            return self._later(Phase.LIMITED, "too many requests", code=429, seconds=seconds)
        phase = Phase.UNANSWERED if error.status >= 500 else Phase.REFUSED
        return self._later(phase, self._named(str(error)), code=error.status, seconds=seconds)

    def _later(self, phase: Phase, why: str, *, code: int | None = None, seconds: float | None = None) -> Status:
        wait = max(self._wait, min(seconds or 0.0, _DAY))
        self._wait = min(2 * self._wait, _LONGEST_WAIT)
        return Status(phase, code, why, time.time() + wait)

    def _named(self, words: str) -> str:
        """Discord's words, in which it counts the commands, with their names instead."""
        sent = [one.name for kind in discord.AppCommandType for one in self._tree.get_commands(type=kind)]

        def name(found: re.Match[str]) -> str:
            index = int(found[1])
            return f"In {sent[index]}" if index < len(sent) else found[0]

        return re.sub(r"\bIn (\d+)(?=[.:])", name, words)

    async def _register(self) -> None:
        """Register the commands unless Discord knows them as they are; Discord counts registrations."""
        sent = await payloads(self._tree)
        registered = await self._request("GET", params={"with_localizations": "true"})
        changed = differing(registered, sent, _installs(self._client.application))
        if changed:
            registered = await self._request("PUT", json=[*sent, *kept(registered)])
            _log.info("Registered the slash commands; new, changed or gone: %s", ", ".join(changed))
        self.ids = ids(registered)

    async def _request(self, method: str, **options: Any) -> list[Payload]:
        """Ask for, or overwrite, all commands; the items of what comes back may be anything."""
        route = discord.http.Route(method, _PATH, application_id=self._client.application_id)
        try:
            answer: object = await self._client.http.request(route, timeout=_PATIENCE, **options)
        except (KeyError, TypeError, ValueError) as error:  # discord.py trusts the form of what it is answered
            raise _UnreadableError(f"an answer that cannot be read ({error!r})") from error
        if not isinstance(answer, list):
            raise _UnreadableError(f"a list of commands that cannot be read ({str(answer)[:100]})")
        return answer

    def _tell(self) -> None:
        """Log what is new."""
        status = self.status
        news = f"{status.phase.name} {status.why}"
        if status.phase is Phase.REGISTERED and self._told:
            _log.info("The slash commands are registered now")
        elif status.again_at is not None and news != self._told:
            seconds = status.again_at - time.time()
            _log.warning(
                "The slash commands are not registered%s: %s; the next try is in %.0f s",
                "" if status.code is None else f" (HTTP {status.code})",
                status.why,
                seconds,
            )
        self._told = news

    async def _pause(self, seconds: float) -> None:
        """Until the next try. A time that Discord named is kept."""
        if self.status.phase is Phase.LIMITED:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()


def _installs(application: discord.AppInfo | None) -> list[int]:
    """How the application can be installed: in servers (0), by users (1)."""
    if application is None:
        return []
    configured = (application.guild_integration_config, application.user_integration_config)
    return [number for number, config in enumerate(configured) if config is not None]


def _seconds(told: str | None) -> float | None:
    try:
        return None if told is None else float(told)
    except ValueError:
        return None
