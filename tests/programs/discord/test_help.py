"""/help, and the languages of commands and fixed texts."""

import pytest

from llmgine.messages.translatable import Text
from programs.discord.slash import help as help_family
from programs.discord.slash.command_table import table
from programs.discord.translation import language_of
from programs.playground.application_commands import CommandForm
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, Json, Permission
from tests.documents import check_table
from tests.programs.discord.scene import Scene

ROUTE = "/applications/{application_id}/commands"


async def card(scene: Scene) -> Json:
    """What /help shows Ada."""
    before = len(scene.private(ADA_ID))
    scene.command("help")
    shown = await scene.until(lambda: [m for m in scene.private(ADA_ID)[before:] if m.embeds])
    found: Json = shown[0].embeds[0]
    return found


def text_of(shown: Json) -> str:
    """All that a card says."""
    return "\n".join([shown["description"], *(field["value"] for field in shown["fields"])])


async def test_help_lists_everything(scene: Scene) -> None:
    """Every command, to be clicked on, with its description, every menu and every tool: none can be forgotten."""
    shown = text_of(await card(scene))

    for command in scene.playground.state.commands.values():
        if command["type"] != 1:
            assert f"**{command['name']}**" in shown
            continue
        for name, description in leaves(command):
            assert f"</{name}:{command['id']}> {description}" in shown
    for tool in scene.app.engine.tools.names:
        assert f"`{tool}`" in shown
    assert "test-model" in shown


async def test_a_model_that_is_not_chosen_yet(unstarted: Scene) -> None:
    """Where OPENAI_MODEL is not set, nobody knows before the first question which model it will be."""
    scene = await unstarted.start(openai_model=None)

    assert "the model (chosen at the first question)" in text_of(await card(scene))


def leaves(command: Json, above: str = "") -> list[tuple[str, str]]:
    """The full names and descriptions of a command's subcommands, or its own."""
    name = f"{above}{command['name']}"
    inside = [option for option in command.get("options", []) if option["type"] in (1, 2)]
    return [leaf for option in inside for leaf in leaves(option, f"{name} ")] or [(name, command["description"])]


async def test_help_is_in_the_language_of_the_person(scene: Scene) -> None:
    """Fixed texts and descriptions follow the language of the person's Discord."""
    scene.playground.state.users[ADA_ID].locale = "de"

    shown = await card(scene)

    assert shown["title"] == language_of("de").say(help_family.TITLE)
    assert "Zeige, was ich kann" in str(shown)
    assert "Warum keine Antwort?" in str(shown)


async def test_help_is_shown_where_cards_are_not(scene: Scene) -> None:
    """Without Embed Links Discord drops cards: the same is told as text, none of it lost."""
    cards = text_of(await card(scene))
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.EMBED_LINKS)
    before = len(scene.private(ADA_ID))
    scene.command("help")

    def text() -> str:
        return "\n".join(m.content for m in scene.private(ADA_ID)[before:])

    await scene.until(lambda: all(line in text() for line in cards.splitlines()))


@pytest.mark.parametrize("locale", ["en-US", "de"])
async def test_translations_fit_into_discord(scene: Scene, locale: str) -> None:
    """Names and descriptions hold Discord's limits in every language."""
    for command in scene.playground.state.commands.values():
        form = CommandForm.model_validate({k: v for k, v in localized(command, locale).items() if k != "version"})
        assert form.name


def localized(thing: Json, locale: str) -> Json:
    """A command as somebody with this language sees it."""
    found = dict(thing)
    for key in ("name", "description"):
        found[key] = thing.get(f"{key}_localizations", {}).get(locale, thing.get(key, ""))
    for key in ("options", "choices"):
        if thing.get(key):
            found[key] = [localized(one, locale) for one in thing[key]]
    return found


@pytest.mark.parametrize("place", ["description_localizations", "name_localizations", "options"])
async def test_a_changed_translation_is_registered(scene: Scene, place: str) -> None:
    """What is registered is compared with its translations, at every depth; alike, nothing is sent."""
    commands = scene.playground.state.commands
    for command in commands.values():
        if place == "options":
            for option in command.get("options", []):
                option.pop("description_localizations", None)
        else:
            command.pop(place, None)

    await scene.restart()
    await scene.restart()

    puts = [r for r in scene.playground.requests if r.method == "PUT" and r.route == ROUTE]
    assert len(puts) == 2
    first = commands[min(commands)]
    assert first["description_localizations"]["de"] == language_of("de").say(Text(id=first["description"]))


async def test_the_documents_have_the_table_of_commands() -> None:
    """The block in docs/using.md is what `python -m programs.discord.slash.command_table` prints."""
    check_table("docs/using.md", "commands", await table())
