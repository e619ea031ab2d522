"""The playground's gateway where it differs from Discord's, and what the playground says in several places."""

import ast
import asyncio
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GUILD_ID, RANDOM_ID, Json, Permission
from programs.playground.server import Playground
from tests.programs.discord.open_faults.faults import SOON, open_fault
from tests.programs.playground.conftest import Bot, Connect

PLAYGROUND = Path(__file__).parents[4] / "programs" / "playground"
HIDDEN = 1 << 17  # a channel's flag
NOBODY = {"id": str(GUILD_ID), "type": 0, "allow": "0", "deny": str(int(Permission.VIEW_CHANNEL))}


@pytest.fixture
async def listener(playground: Playground, start: Connect) -> Bot:
    """discord.py, with a record of every frame."""
    return await start(playground, enable_debug_events=True)


def events(bot: Bot, name: str) -> list[Json]:
    """What the gateway told of that name, as it was on the wire."""
    frames = [json.loads(args[0]) for event, args in bot.told if event == "socket_raw_receive"]
    return [frame["d"] for frame in frames if frame["t"] == name]


def hide(playground: Playground, channel_id: int) -> None:
    """The bot cannot see the channel any more."""
    playground.world.change_channel(channel_id, {"topic": "a secret"})
    playground.world.overwrite(channel_id, BOT_ID, deny=Permission.VIEW_CHANNEL)


def assert_hidden(channel: Json) -> None:
    """Nothing is told of the channel but that it is there."""
    assert channel["name"] == "___hidden___"
    assert channel["flags"] & HIDDEN
    assert channel["topic"] is None
    assert channel["last_message_id"] is None
    assert channel["permission_overwrites"] == [NOBODY]


@open_fault("a DM is told to the bot by CHANNEL_CREATE, as it is to no bot on Discord")
async def test_a_dm_is_heard_of_by_its_first_message(playground: Playground, listener: Bot) -> None:
    """When a person opens a DM and writes, the bot hears of the message and not of the channel."""
    dm = playground.people.open_dm(ADA_ID)
    playground.people.send(dm.id, ADA_ID, "hello")
    await listener.heard("message")

    assert events(listener, "CHANNEL_CREATE") == []


class TestHiddenChannels:
    """Channels that the bot cannot see."""

    @open_fault("channels that the bot cannot see come whole with the server")
    async def test_they_come_obfuscated_with_the_server(self, playground: Playground, start: Connect) -> None:
        """GUILD_CREATE has a hidden channel without its name, topic and overwrites."""
        playground.people.send(RANDOM_ID, ADA_ID, "between us")
        hide(playground, RANDOM_ID)
        bot = await start(playground, enable_debug_events=True)

        [server] = events(bot, "GUILD_CREATE")

        assert_hidden(next(one for one in server["channels"] if one["id"] == str(RANDOM_ID)))

    @open_fault("an update of a channel that the bot cannot see is told whole")
    async def test_an_update_is_obfuscated(self, playground: Playground, listener: Bot) -> None:
        """When a channel is hidden from the bot, the update that says so has nothing else of it."""
        hide(playground, RANDOM_ID)
        await listener.heard("guild_channel_update", count=2)

        assert_hidden(events(listener, "CHANNEL_UPDATE")[-1])

    @open_fault("of a new channel that it cannot see the bot hears nothing")
    async def test_a_new_one_comes_obfuscated(self, playground: Playground, listener: Bot) -> None:
        """A channel that is made in a category which is hidden from the bot is told without what it is."""
        category = playground.world.add_category("Secret")
        hide(playground, category.id)
        playground.world.add_channel("secret", category_id=category.id)

        await asyncio.wait_for(listener.heard("guild_channel_create", count=2), SOON)

        assert_hidden(events(listener, "CHANNEL_CREATE")[-1])

    @open_fault("the list of a server's channels names those that the bot cannot see")
    async def test_the_list_leaves_them_out(self, playground: Playground, listener: Bot) -> None:
        """Asked over REST for the channels of a server, Discord does not name the hidden ones."""
        hide(playground, RANDOM_ID)

        found = await listener.guilds[0].fetch_channels()

        assert RANDOM_ID not in [channel.id for channel in found]


class TestLateServers:
    """Servers that are unavailable for a while."""

    @open_fault("a server in an outage comes with the start all the same, so none can be late")
    async def test_a_server_in_an_outage_does_not_come_with_the_start(
        self, playground: Playground, start: Connect
    ) -> None:
        """A bot that connects during an outage hears of the server when the outage is over, and not before."""
        playground.gateway.outage()
        bot = await start(playground, enable_debug_events=True)
        assert events(bot, "GUILD_CREATE") == []

        playground.gateway.restore()

        assert (await bot.heard("guild_available")).id == GUILD_ID

    async def test_a_server_that_returns_is_available(self, playground: Playground, listener: Bot) -> None:
        """After an outage the server is available again, and not joined anew."""
        playground.gateway.outage()
        await listener.heard("guild_unavailable")

        playground.gateway.restore()

        assert (await listener.heard("guild_available", count=2)).id == GUILD_ID
        assert "guild_join" not in [name for name, _ in listener.told]


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The playground's modules, by name."""
    for path in sorted(PLAYGROUND.rglob("*.py")):
        yield path.stem, ast.parse(path.read_text())


def names_of_events(node: ast.AST) -> int:
    """How many names of gateway events a collection has."""
    inside: list[ast.expr | None] = []
    if isinstance(node, ast.Dict):
        inside = [*node.keys]
    elif isinstance(node, ast.Set | ast.List | ast.Tuple):
        inside = [*node.elts]
    known = re.compile(r"(CHANNEL|GUILD|INTERACTION|MESSAGE|THREAD)_[A-Z_]+")
    values = [one.value for one in inside if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return sum(known.fullmatch(value) is not None for value in values)


@open_fault(
    "which events there are is said in four places: what they need, what is told, shown, and changes visibility"
)
def test_gateway_events_are_listed_once() -> None:
    """There is one table of the gateway's events; the schemas of Discord's document are another matter."""
    lists = [
        f"{name}:{node.lineno}"
        for name, module in modules()
        for node in ast.walk(module)
        if name != "openapi" and isinstance(node, ast.expr) and names_of_events(node) >= 5
    ]

    assert len(lists) <= 1, lists


@open_fault("the changes of the server's administration are in two classes, one of which repeats the other's methods")
def test_what_is_administered_is_in_one_class() -> None:
    """Of the classes that hold and change the playground's world, no two have methods of the same name."""
    methods = {
        node.name: {one.name for one in node.body if isinstance(one, ast.FunctionDef) and one.name[0] != "_"}
        for _, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and node.name in {"World", "State", "Moderation", "Management"}
    }

    shared = {f"{a} and {b}": methods[a] & methods[b] for a, b in itertools.combinations(methods, 2)}
    assert not any(shared.values()), shared
