"""Which commands are registered again: those of which anything that is sent has changed, and no others."""

from collections.abc import Callable, Iterator
from typing import Any

import discord
import pytest
from discord import app_commands

from programs.application import Application
from programs.discord.slash import tree
from programs.discord.slash.registration import Phase
from programs.playground.entities import Json
from tests.programs.discord.registrations import COMMANDS, answer, commands, outdate, registrations
from tests.programs.discord.scene import Scene
from tests.programs.discord.served import served


def of_option(name: str, value: object) -> Callable[[Json], None]:
    """Change a limit of the first option of a command."""

    def change(command: Json) -> None:
        command["options"][0][name] = value

    return change


def of_command(name: str, value: object) -> Callable[[Json], None]:
    """Change a field of a command."""

    def change(command: Json) -> None:
        command[name] = value

    return change


def zoo(_app: Application) -> Iterator[tree.AnyCommand]:
    """Commands that use all that Discord offers."""
    zoo = app_commands.Group(
        name="zoo",
        description="Animals",
        nsfw=True,
        default_permissions=discord.Permissions(manage_messages=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
    )
    inner = app_commands.Group(name="inner", description="Animals inside", parent=zoo)

    @inner.command(name="feed", description="Feed one")
    @app_commands.choices(food=[app_commands.Choice(name="hay", value="h"), app_commands.Choice(name="no", value="0")])
    async def feed(
        _interaction: discord.Interaction,
        food: str,
        where: discord.TextChannel | discord.VoiceChannel | None,
        grams: app_commands.Range[int, 0, 9] = 0,
        share: app_commands.Range[float, 0.0, 0.5] = 0.0,
        name: app_commands.Range[str, 1, 20] = "it",
    ) -> None: ...

    @zoo.command(name="count", description="Count them")
    async def count(_interaction: discord.Interaction, kind: str, *, aloud: bool = False) -> None: ...

    @count.autocomplete("kind")
    async def kinds(_interaction: discord.Interaction, _typed: str) -> list[app_commands.Choice[str]]:
        return []

    @app_commands.command(name="nobody", description="For no one")
    @app_commands.default_permissions()
    @app_commands.allowed_contexts(guilds=True)
    async def nobody(_interaction: discord.Interaction) -> None: ...

    @app_commands.context_menu(name="Feed this")
    @app_commands.allowed_contexts(dms=True, private_channels=True)
    @app_commands.allowed_installs(users=True)
    async def menu(_interaction: discord.Interaction, _member: discord.User) -> None: ...

    yield from (zoo, nobody, menu)


@pytest.fixture
async def keeper(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene whose bot had the commands of the zoo too, and is stopped."""
    monkeypatch.setattr(tree, "FAMILIES", (*tree.FAMILIES, zoo))
    await unstarted.start()
    await unstarted.stop()
    assert registrations(unstarted) == 1
    return unstarted


async def test_what_has_not_changed_is_not_registered_again(keeper: Scene) -> None:
    """Commands of every kind are registered once, and recognized at the next start."""
    await keeper.start()

    assert registrations(keeper) == 1


def as_discord(command: Json) -> Json:
    """A command with all that Discord adds to its answers, and fills in where nothing was sent."""
    inside = {"options": [as_discord(one) for one in command["options"]]} if command.get("options") else {}
    named = {"name_localized": command["name"], "description_localized": command.get("description", "")}
    empty = {"name_localizations": None, "description_localizations": None}
    if "id" not in command:
        return {"required": False, "autocomplete": False, **empty, **command, **inside, **named}
    filled_in = {"contexts": None, "integration_types": [0], "nsfw": False, "handler": 1, "something_new": {"a": 1}}
    found = {**empty, **filled_in, **command, **inside, **named}
    for name in ("contexts", "integration_types"):
        found[name] = found[name] and found[name][::-1]
    return found


async def test_what_discord_adds_is_no_change(keeper: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, defaults, nulls, derived fields, sets in another order, and fields to come are not the bot's."""
    answer(keeper, monkeypatch, lambda right: [as_discord(one) for one in right])

    await keeper.start()

    assert registrations(keeper) == 1


async def test_all_contexts_are_none_in_particular(keeper: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no contexts are sent Discord may answer all of them."""
    answer(keeper, monkeypatch, lambda right: [{"contexts": [0, 1, 2], **one} for one in right])

    await keeper.start()

    assert registrations(keeper) == 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("doctor", of_command("contexts", [0, 1]), id="contexts"),
        pytest.param("doctor", of_command("integration_types", [1]), id="installs"),
        pytest.param("doctor", of_command("nsfw", value=True), id="age-restricted"),
        pytest.param("doctor", of_command("dm_permission", value=True), id="in DMs"),
        pytest.param("doctor", of_command("default_member_permissions", "8"), id="permissions"),
        pytest.param("doctor", of_command("default_member_permissions", "0"), id="nobody's"),
        pytest.param("doctor", of_command("description", "Another"), id="description"),
        pytest.param("doctor", of_command("description_localizations", {"de": "Anders"}), id="translation"),
        pytest.param("nobody", of_command("default_member_permissions", None), id="everybody's"),
        pytest.param("Feed this", of_command("integration_types", [0]), id="installs of a menu"),
        pytest.param("zoo", of_command("integration_types", [0]), id="installs of a group"),
        pytest.param("zoo", of_command("contexts", None), id="contexts of a group"),
        pytest.param("zoo", lambda zoo: zoo["options"].reverse(), id="order"),
        pytest.param("zoo", lambda zoo: zoo["options"].pop(), id="subcommand"),
        pytest.param("zoo", lambda zoo: inside(zoo)[0]["choices"].reverse(), id="order of choices"),
        pytest.param("zoo", lambda zoo: inside(zoo)[0]["choices"][0].update(value="H"), id="choice"),
        pytest.param("zoo", lambda zoo: inside(zoo)[2].pop("min_value"), id="a least number of 0"),
        pytest.param("zoo", lambda zoo: inside(zoo)[2].update(max_value=10), id="greatest number inside"),
        pytest.param("zoo", lambda zoo: inside(zoo)[1]["channel_types"].pop(), id="types inside"),
        pytest.param("zoo", lambda zoo: zoo["options"][1]["options"][0].pop("autocomplete"), id="completion"),
        pytest.param("budget", of_option("min_value", 7), id="least number"),
        pytest.param("budget", of_option("max_value", 7), id="greatest number"),
        pytest.param("branch", of_option("channel_types", [2]), id="types"),
        pytest.param("thread", of_option("max_length", 7), id="length"),
    ],
)
async def test_a_changed_command_is_registered_again(keeper: Scene, name: str, change: Callable[[Json], None]) -> None:
    """A registered command that differs in anything that is sent is registered anew at the next start."""
    before = commands(keeper)
    registered = next(one for one in keeper.playground.state.commands.values() if one["name"] == name)
    change(registered)
    assert commands(keeper) != before

    await keeper.start()

    assert commands(keeper) == before


def inside(zoo: Json) -> list[Json]:
    """The options of `/zoo inner feed`."""
    feed: Json = zoo["options"][0]["options"][0]
    options: list[Json] = feed["options"]
    return options


async def test_a_command_that_is_gone_is_taken_away(keeper: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier version had registered goes."""
    monkeypatch.setattr(tree, "FAMILIES", tuple(one for one in tree.FAMILIES if one is not zoo))

    await keeper.start()

    assert "zoo" not in commands(keeper)


async def test_the_entry_point_of_an_activity_is_kept(keeper: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord makes such a command itself and refuses an overwrite without it; it is no change, and is sent along."""
    launch = {"id": "7", "application_id": "1", "version": "1", "name": "launch", "type": 4, "handler": 2}
    answer(keeper, monkeypatch, lambda right: [launch, *right])
    await keeper.start()
    assert registrations(keeper) == 1
    await outdate(keeper)

    async with served(keeper) as bot:
        await bot.is_in()
        await keeper.until(lambda: registrations(keeper) == 2)

    sent: Any = keeper.sends("PUT", COMMANDS)[-1]
    assert sent[-1] == {"name": "launch", "type": 4, "handler": 2}
    keeper.playground.violations.clear()  # the playground has no Activities, so it refuses such a command


async def test_discord_names_the_command_it_refuses(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord counts the commands; what is shown and logged has their names."""

    def big(_app: Application) -> Iterator[tree.AnyCommand]:
        @app_commands.command(name="big", description="Too big")
        @app_commands.choices(one=[app_commands.Choice(name=f"{n}", value=f"{n}" + 400 * "x") for n in range(25)])
        async def big(_interaction: discord.Interaction, one: str) -> None: ...

        yield big

    monkeypatch.setattr(tree, "FAMILIES", (*tree.FAMILIES, big))

    await unstarted.start()

    status = unstarted.bot.commands.registration.status
    assert (status.phase, status.code) == (Phase.REFUSED, 400)
    assert "In big" in status.why
    unstarted.playground.violations.clear()  # the refusal that this is about
