"""Servers that are unavailable for a while: late at the start, away in between, or new to the bot in an outage."""

from programs.playground.entities import ADA_ID, GENERAL_ID, GUILD_ID, RANDOM_ID
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Connect, Raw

UNAVAILABLE = {"id": str(GUILD_ID), "unavailable": True}


async def test_a_server_in_an_outage_does_not_come_with_the_start(playground: Playground, start: Connect) -> None:
    """A bot that connects during an outage hears of the server when the outage is over, and not before."""
    playground.gateway.outage()
    bot = await start(playground, enable_debug_events=True)
    assert bot.frames("READY")[0]["guilds"] == [UNAVAILABLE]
    assert bot.frames("GUILD_CREATE") == []
    assert [guild.unavailable for guild in bot.guilds] == [True]

    playground.gateway.restore()

    assert (await bot.heard("guild_available")).id == GUILD_ID
    assert bot.general.name == "general"


async def test_a_server_that_returns_is_available(playground: Playground, listener: Bot) -> None:
    """After an outage the server is available again, and not joined once more."""
    playground.gateway.outage()
    await listener.heard("guild_unavailable")

    playground.gateway.restore()

    assert (await listener.heard("guild_available", count=2)).id == GUILD_ID
    assert "guild_join" not in [name for name, _ in listener.told]


async def test_a_bot_may_be_added_in_an_outage(playground: Playground, start: Connect) -> None:
    """READY does not name the server then; the bot hears that it is unavailable, and later that it is there."""
    playground.gateway.outage(listed=False)
    bot = await start(playground, enable_debug_events=True)
    assert bot.frames("READY")[0]["guilds"] == []
    assert bot.frames("GUILD_CREATE") == [UNAVAILABLE]
    assert list(bot.guilds) == []

    playground.gateway.restore()

    assert (await bot.heard("guild_available")).id == GUILD_ID
    assert [guild.id for guild in bot.guilds] == [GUILD_ID]


async def test_events_of_an_outage_are_never_told(playground: Playground, listener: Bot) -> None:
    """What happens in a server in the meantime can only be read; direct messages are told as ever."""
    playground.gateway.outage()
    playground.people.send(GENERAL_ID, ADA_ID, "in the dark")
    playground.admin.add_channel("new")
    playground.people.send(playground.people.open_dm(ADA_ID).id, ADA_ID, "psst")
    assert (await listener.heard("message")).content == "psst"

    playground.gateway.restore()
    playground.people.send(RANDOM_ID, ADA_ID, "light")

    assert (await listener.heard("message", count=2)).content == "light"
    assert listener.frames("CHANNEL_CREATE") == []
    assert "new" in [channel.name for channel in listener.general.guild.channels]
    assert [one.content async for one in listener.general.history()] == ["in the dark"]


async def test_a_session_that_resumes_misses_the_outage(playground: Playground, listener: Bot) -> None:
    """A RESUME brings back what was told while the connection was away, the outage and its end included."""
    playground.gateway.drop()
    await playground.wait_for(lambda state: not state.bot_online)
    playground.people.send(GENERAL_ID, ADA_ID, "before")
    playground.gateway.outage()
    playground.people.send(GENERAL_ID, ADA_ID, "during")
    playground.gateway.restore()
    playground.people.send(GENERAL_ID, ADA_ID, "after")

    await listener.heard("message", count=2)

    assert [args[0].content for name, args in listener.told if name == "message"] == ["before", "after"]


async def test_an_outage_is_asked_for_over_http(start: Connect, raw: Raw) -> None:
    """A program in another process begins and ends an outage as a test does."""
    async with Playground(fault_api=True) as playground:
        other = Raw(raw.session, playground)
        assert (await other.page("POST", "/faults", {"effect": "outage", "listed": False}))[0] == 204
        bot = await start(playground, enable_debug_events=True)
        assert (bot.frames("READY")[0]["guilds"], bot.frames("GUILD_CREATE")) == ([], [UNAVAILABLE])

        assert (await other.page("POST", "/faults", {"effect": "restore"}))[0] == 204

        assert (await bot.heard("guild_available")).id == GUILD_ID
        await bot.close()
