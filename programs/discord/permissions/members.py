"""Members of servers, as Discord tells of them with live messages or when it is asked; each is remembered a while."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import discord

FRESH = 30.0  # seconds for which a member with their roles is remembered
_KNOWN, _UNKNOWN = 600.0, 120.0  # seconds for which it is remembered that somebody is a member somewhere, or nowhere
_MOST = 50  # servers that are asked whether somebody is a member
_REMEMBERED = 10_000  # people

Ask = Callable[[discord.Guild, int], Awaitable[discord.Member | None]]


class Members:
    """Finds members. The bot has no list of them: that would take a privileged intent.

    Args:
        client: The client.
        ask: Asks Discord for a member; None when there is none.
        clock: Seconds that never go back.
    """

    def __init__(self, client: discord.Client, ask: Ask, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ask = ask
        self._clock = clock
        # By server and person: when Discord told of them, and what.
        self._told: OrderedDict[tuple[int, int], tuple[float, discord.Member | None]] = OrderedDict()
        self._asking: dict[tuple[int, int], asyncio.Task[discord.Member | None]] = {}
        self._seen_in: OrderedDict[int, int] = OrderedDict()  # the server in which each person was met last
        # By person, how long it holds that they are a member of this server, or of none that was asked.
        self._somewhere: OrderedDict[int, tuple[float, int | None]] = OrderedDict()
        self._looking: dict[tuple[int, float], asyncio.Task[bool]] = {}

    def saw(self, user: discord.abc.User) -> None:
        """Discord told of somebody, with a message or an interaction."""
        if isinstance(user, discord.Member):
            self._remember(user.guild.id, user.id, user)

    async def get(
        self, guild: discord.Guild, user: discord.abc.Snowflake, *, age: float = FRESH
    ) -> discord.Member | None:
        """A person as a member of a server; None when they are none.

        Args:
            guild: The server.
            user: The person, or what has their id.
            age: How many seconds ago Discord may have told of them.

        Raises:
            UnreachableError: Discord cannot be asked.
        """
        key = (guild.id, user.id)
        told = self._told.get(key)
        if told is not None and self._clock() - told[0] < age:
            return told[1]
        if key not in self._asking:  # calls of tools that run side by side ask once
            task = self._asking[key] = asyncio.create_task(self._asked(guild, user.id))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(self._asking[key])

    async def is_in_any(self, user: discord.abc.Snowflake, guilds: Iterable[discord.Guild], *, age: float) -> bool:
        """Whether a person is a member of one of these servers.

        Where they were met is asked first, then the largest servers, 50 at most: of a member of a smaller one the bot
        knows only once they were met there.

        Nobody waits for the search for somebody else.

        Raises:
            UnreachableError: Discord cannot be asked.
        """
        among = {guild.id: guild for guild in guilds}
        until, where = self._somewhere.get(user.id, (0.0, None))
        if self._clock() < until and where is None:
            return False
        if where in among and self._clock() < until and age >= FRESH:
            return True
        key = (user.id, age)
        if key not in self._looking:  # many messages of one person search once
            task = self._looking[key] = asyncio.create_task(self._look(user, where, among, age))
            task.add_done_callback(lambda _: self._looking.pop(key, None))
        return await asyncio.shield(self._looking[key])

    async def close(self) -> None:
        """Ask nothing more. Who waits for an answer is cancelled."""
        tasks = [*self._looking.values(), *self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(
        self, user: discord.abc.Snowflake, where: int | None, among: dict[int, discord.Guild], age: float
    ) -> bool:
        met = [among[one] for one in (where, self._seen_in.get(user.id)) if one in among]
        mutual = [guild for guild in among.values() if guild.get_member(user.id) is not None]
        largest = sorted(among.values(), key=lambda guild: -(guild.member_count or 0))
        found = await self._first(user, list(dict.fromkeys([*met, *mutual, *largest]))[:_MOST], age)
        self._somewhere[user.id] = self._clock() + (_UNKNOWN if found is None else _KNOWN), found
        _bound(self._somewhere)
        return found is not None

    async def _first(self, user: discord.abc.Snowflake, guilds: Iterable[discord.Guild], age: float) -> int | None:
        for guild in guilds:
            if await self.get(guild, user, age=age) is not None:
                return guild.id
        return None

    async def _asked(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        member = await self._ask(guild, user_id)
        self._remember(guild.id, user_id, member)
        return member

    def _remember(self, guild_id: int, user_id: int, member: discord.Member | None) -> None:
        self._told[guild_id, user_id] = self._clock(), member
        self._told.move_to_end((guild_id, user_id))
        _bound(self._told)
        if member is not None:
            self._seen_in[user_id] = guild_id
            self._seen_in.move_to_end(user_id)
            _bound(self._seen_in)
            if self._somewhere.get(user_id, (0.0, 0))[1] is None:
                self._somewhere.pop(user_id, None)


def _bound(known: OrderedDict[Any, Any]) -> None:
    while len(known) > _REMEMBERED:
        known.popitem(last=False)
