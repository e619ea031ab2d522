"""Registering application commands."""

from typing import Any

import pytest

from programs.playground.entities import BOT_ID, GUILD_ID
from tests.programs.playground.conftest import Raw

GLOBAL = f"/applications/{BOT_ID}/commands"
GUILD = f"/applications/{BOT_ID}/guilds/{GUILD_ID}/commands"


def command(name: str = "ask", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "d", "type": 1, **more}


def option(**more: Any) -> dict[str, Any]:
    return {"type": 3, "name": "o", "description": "d", **more}


async def test_an_overwrite_keeps_the_ids_of_known_names(raw: Raw) -> None:
    """PUT replaces the whole list; a command that stays keeps its id and gets a new version."""
    _, first = await raw.api("PUT", GLOBAL, [command("a"), command("b")])
    _, second = await raw.api("PUT", GLOBAL, [command("b", description="new"), command("c")])

    assert [one["name"] for one in second] == ["b", "c"]
    assert second[0]["id"] == first[1]["id"]
    assert second[0]["version"] != first[1]["version"]
    assert (await raw.api("GET", GLOBAL))[1] == second


async def test_global_and_guild_commands_are_apart(raw: Raw) -> None:
    """The two lists do not mix, and both are the bot's alone."""
    await raw.api("PUT", GLOBAL, [command("a")])
    status, created = await raw.api("POST", GUILD, command("b"))

    assert status == 201
    assert created["guild_id"] == str(GUILD_ID)
    assert [one["name"] for one in (await raw.api("GET", GLOBAL))[1]] == ["a"]
    assert (await raw.api("GET", GLOBAL + "/" + created["id"]))[0] == 404
    assert (await raw.api("GET", "/applications/5/commands"))[0] == 403


async def test_a_command_is_changed_and_deleted(raw: Raw) -> None:
    """PATCH changes what it names, DELETE removes, and both fail for what is unknown."""
    _, created = await raw.api("POST", GLOBAL, command(options=[option()]))
    path = f"{GLOBAL}/{created['id']}"

    _, changed = await raw.api("PATCH", path, {"description": "new"})
    assert (changed["description"], changed["options"]) == ("new", created["options"])
    assert (await raw.api("DELETE", path))[0] == 204
    assert (await raw.api("DELETE", path))[1]["code"] == 10063


@pytest.mark.parametrize(
    "bad",
    [
        command("Upper"),
        command("two words"),
        command("x" * 33),
        command(""),
        command(description=""),
        command(description="d" * 101),
        command(type=3),
        command(type=9),
        command(options=[option(name=str(n)) for n in range(26)]),
        command(options=[option(description="")]),
        command(options=[option(choices=[{"name": "n", "value": "v"}] * 26)]),
        command(options=[option(name="a"), option(name="b", required=True)]),
        command(options=[option(name=f"o{n}", choices=[{"name": "n" * 100, "value": "v" * 300}]) for n in range(25)]),
    ],
)
async def test_a_bad_command_is_refused_whole(raw: Raw, bad: dict[str, Any]) -> None:
    """One bad command in the list refuses the list, at its place."""
    status, error = await raw.api("PUT", GLOBAL, [command("good"), bad])

    assert (status, error["code"]) == (400, 50035)
    assert list(error["errors"]) == ["1"]
    assert (await raw.api("GET", GLOBAL))[1] == []


async def test_names_are_unique_and_counted(raw: Raw) -> None:
    """No two commands of a kind share a name, and there are at most 15 of a context menu."""
    assert (await raw.api("PUT", GLOBAL, [command(), command()]))[0] == 400
    menus = [{"name": str(n), "type": 3} for n in range(16)]
    assert (await raw.api("PUT", GLOBAL, menus))[1]["code"] == 30032


async def test_creations_have_a_daily_limit(raw: Raw) -> None:
    """The 201st new command of a day is refused: a bot that registers anew at each start finds out here."""
    for _ in range(2):
        await raw.api("PUT", GLOBAL, [command(f"c{n}") for n in range(100)])
        await raw.api("PUT", GLOBAL, [])

    status, error = await raw.api("POST", GLOBAL, command())
    assert (status, error["code"]) == (429, 30034)
