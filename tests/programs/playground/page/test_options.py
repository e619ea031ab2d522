"""The options of slash commands: every type, required ones, choices, subcommands, completion by the bot."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from programs.playground.entities import GRACE_ID, MEMBERS_ROLE_ID, RANDOM_ID
from tests.programs.playground.page.driver import write
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")

REPLY, CHOICES = 4, 8
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = 3, 4, 5, 6, 7, 8, 9, 10


def option(kind: int, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "description": f"The {name}", **more}


def command(*options: dict[str, Any]) -> dict[str, Any]:
    return {"name": "try", "description": "Try it", "options": list(options)}


async def offered(bot: RawBot, page: Page, *options: dict[str, Any]) -> None:
    """Register /try with these options, and wait until the page knows it."""
    await bot.register(command(*options))
    await page.locator("#composer").press_sequentially("/")
    await expect(page.locator(".command-suggestion")).to_contain_text("Try it")
    await page.locator("#composer").press("Backspace")


async def used(bot: RawBot) -> list[dict[str, Any]]:
    """The options that the bot got, after its answer."""
    interaction = await bot.event("INTERACTION_CREATE")
    await bot.answer(interaction, REPLY, {"content": "ok"})
    options: list[dict[str, Any]] = interaction["data"]["options"]
    return options


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (STRING, "some words: here", "some words: here"),
        (INTEGER, "-12", -12),
        (NUMBER, "2.5", 2.5),
        (BOOLEAN, "True", True),
        (USER, "@Grace", str(GRACE_ID)),
        (CHANNEL, "#random", str(RANDOM_ID)),
        (ROLE, "@Members", str(MEMBERS_ROLE_ID)),
        (MENTIONABLE, "@Members", str(MEMBERS_ROLE_ID)),
        (MENTIONABLE, "@Grace", str(GRACE_ID)),
    ],
)
async def test_an_option_is_read_as_its_type(bot: RawBot, page: Page, kind: int, typed: str, value: object) -> None:
    """What one types for an option reaches the bot as the type that the option declares."""
    await offered(bot, page, option(kind, "thing"))

    await write(page, f"/try thing: {typed}")

    assert await used(bot) == [{"name": "thing", "type": kind, "value": value}]


@pytest.mark.parametrize(
    ("declared", "typed", "words"),
    [
        (option(INTEGER, "thing"), "many", "thing is a whole number."),
        (option(NUMBER, "thing"), "few", "thing is a number."),
        (option(BOOLEAN, "thing"), "maybe", "thing is True or False."),
        (option(USER, "thing"), "@nobody", "nobody here is called"),
        (option(CHANNEL, "thing"), "#nowhere", "there is none called"),
        (option(ROLE, "thing"), "@kings", "there is none called"),
        (option(STRING, "thing", choices=[{"name": "Red", "value": "r"}]), "green", "thing is one of: Red"),
        (option(INTEGER, "thing", min_value=1, max_value=5), "9", "outside the bounds"),
        (option(STRING, "thing", required=True), "", "/try needs thing: The thing"),
    ],
)
async def test_a_wrong_option_is_told_and_stays(
    bot: RawBot, page: Page, declared: dict[str, Any], typed: str, words: str
) -> None:
    """A value that does not fit is not sent: one sentence says why, and the words stay in the box."""
    await offered(bot, page, declared)

    await write(page, f"/try thing: {typed}")

    await expect(page.locator(".toast")).to_contain_text(words)
    await expect(page.locator("#composer")).to_have_value(f"/try thing: {typed}")


async def test_options_are_described_as_one_fills_them_in(bot: RawBot, page: Page) -> None:
    """After the name come its options with description and whether they are needed, then the choices of each."""
    colours = [{"name": "Deep red", "value": "r"}, {"name": "Blue", "value": "b"}]
    await offered(bot, page, option(STRING, "colour", required=True, choices=colours), option(BOOLEAN, "loud"))
    composer = page.locator("#composer")
    await composer.press_sequentially("/try ")
    await expect(page.locator(".option-suggestion")).to_have_text(
        ["colour:requiredThe colour", "loud:optionalThe loud"]
    )
    await expect(page.locator(".command-hint")).to_contain_text("colour *")
    await composer.press("Tab")
    await expect(page.locator(".value-suggestion strong")).to_have_text(["Deep red", "Blue"])
    await composer.press("ArrowDown")
    await composer.press("Enter")
    await composer.press("Tab")
    await expect(page.locator(".value-suggestion strong")).to_have_text(["True", "False"])
    await composer.press("Tab")
    await expect(composer).to_have_value("/try colour: Deep red loud: True ")
    await composer.press("Enter")

    assert [one["value"] for one in await used(bot)] == ["r", True]


async def test_subcommands_are_commands_of_two_or_three_words(bot: RawBot, page: Page) -> None:
    """Each subcommand is offered by its whole name, and reaches the bot nested as Discord nests it."""
    add = {"type": 1, "name": "add", "description": "Add one", "options": [option(STRING, "name", required=True)]}
    group = {"type": 2, "name": "list", "description": "Lists", "options": [add]}
    show = {"type": 1, "name": "show", "description": "Show all"}
    await bot.register(command(group, show))
    composer = page.locator("#composer")
    await composer.press_sequentially("/")
    await expect(page.locator(".command-suggestion strong")).to_have_text(["/try list add", "/try show"])
    await composer.press("Enter")
    await composer.press_sequentially("name: milk")
    await composer.press("Enter")

    inner = {"name": "add", "type": 1, "options": [{"name": "name", "type": 3, "value": "milk"}]}
    assert await used(bot) == [{"name": "list", "type": 2, "options": [inner]}]


async def test_the_bot_completes_an_option(bot: RawBot, page: Page) -> None:
    """What is typed goes to the bot; one of its names is chosen, and its value sent."""
    await offered(bot, page, option(STRING, "city", autocomplete=True))
    composer = page.locator("#composer")
    await composer.press_sequentially("/try city: Ber")
    asked = await bot.event("INTERACTION_CREATE")
    await bot.answer(asked, CHOICES, {"choices": [{"name": "Bern (CH)", "value": "bern"}]})
    await expect(page.locator(".value-suggestion strong")).to_have_text("Bern (CH)")
    await composer.press("Tab")
    await composer.press("Enter")

    assert asked["data"]["options"] == [{"name": "city", "type": 3, "value": "Ber", "focused": True}]
    assert await used(bot) == [{"name": "city", "type": 3, "value": "bern"}]


async def test_the_bot_completes_an_option_of_a_subcommand(bot: RawBot, page: Page) -> None:
    """Inside a subcommand completion works as well; the bot sees where the option stands."""
    city = option(STRING, "city", autocomplete=True)
    await bot.register(command({"type": 1, "name": "add", "description": "Add one", "options": [city]}))
    composer = page.locator("#composer")
    await composer.press_sequentially("/try a")
    await expect(page.locator(".command-suggestion")).to_have_count(1)
    await composer.press("Tab")
    await composer.press_sequentially("city: Ber")
    asked = await bot.event("INTERACTION_CREATE")
    await bot.answer(asked, CHOICES, {"choices": [{"name": "Bern (CH)", "value": "bern"}]})
    await expect(page.locator(".value-suggestion strong")).to_have_text("Bern (CH)")

    inside = [{"name": "city", "type": 3, "value": "Ber", "focused": True}]
    assert asked["data"]["options"] == [{"name": "add", "type": 1, "options": inside}]
