"""The languages of the bot: its catalogues against its code, and who is spoken to in which language."""

import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from llmgine.errors import UserError
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.steps import OutcomeStep
from llmgine.messages.translatable import ENGLISH, joined, tr, tr_many, words_of
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from programs.application import LEFT_OUT, NOT_CHOSEN
from programs.discord.delivery.notices import MISSED, is_notice, not_allowed
from programs.discord.translation import LOCALES, language_of, languages
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID
from tests.programs.discord.scene import Scene, labels
from tests.programs.discord.test_cards import calling, look_up

ROME = ToolCall(name="look_up", arguments='{"place": "Rome"}')
ROOT = Path(__file__).parents[3]
FOLDERS = ("llmgine", "programs/discord", "programs/files", "programs/tools")
MARKS = {"tr": None, "tr_many": (1, 2)}  # the functions that mark a text, and which of their arguments are texts
MARKED_ELSEWHERE = {*LEFT_OUT.values(), NOT_CHOSEN}  # what the terminal says too
CATALOGUES = sorted(LOCALES.glob("*.po"))

Id = str | tuple[str, ...]


def in_the_code() -> set[Id]:
    """The ids of all texts that can be translated."""
    files = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return {found for path in files for _, found, *_ in extract_from_file("python", path, MARKS)} | MARKED_ELSEWHERE


def catalogue(path: Path) -> dict[Id, Message]:
    """The translations of a catalogue that are used: no fuzzy and no empty ones."""
    with path.open("rb") as file:
        read: Catalog = read_po(file, locale=path.stem.replace("-", "_"))
    return {_id(one): one for one in read if one.id and not one.fuzzy and all(_strings(one))}


def _id(message: Message) -> Id:
    return tuple(message.id) if isinstance(message.id, list | tuple) else str(message.id)


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (str(message.string),)


def placeholders(template: str) -> set[str]:
    """The names in braces, with their formats."""
    return {f"{name}:{form}" for _, name, form, _ in string.Formatter().parse(template) if name is not None}


def differing(messages: dict[Id, Message]) -> Iterator[Id]:
    """The texts whose translations name other values than they do; that for one thing may leave the number out."""
    for found, message in messages.items():
        wanted = placeholders(found if isinstance(found, str) else found[-1])
        for one in _strings(message):
            if placeholders(one) != wanted and not (isinstance(found, tuple) and placeholders(one) < wanted):
                yield found


@pytest.mark.parametrize("path", CATALOGUES, ids=[path.stem for path in CATALOGUES])
def test_a_catalogue_is_complete(path: Path) -> None:
    """Every text of the code has its translation, no translation is for nothing, and all name the same values."""
    wanted, there = in_the_code(), catalogue(path)

    assert sorted(map(str, wanted - there.keys())) == []
    assert sorted(map(str, there.keys() - wanted)) == []
    assert list(differing(there)) == []


def test_a_text_is_said_in_each_language() -> None:
    """Values come after the translation, texts among them are translated, numbers look as usual there."""
    german = language_of("de")
    text = joined(" · ", tr_many("{count} turn", "{count} turns", 1), tr("{tokens} tokens", tokens=1234567), "{braces}")

    assert str(text) == "1 turn · 1,234,567 tokens · {braces}"
    assert german.say(text) == "1 Beitrag · 1.234.567 Token · {braces}"
    assert german.say(tr("{seconds:.1f} s", seconds=1.25)) == "1,2 s"
    assert german.say(tr_many("{count} turn", "{count} turns", 2)) == "2 Beiträge"


def test_an_unknown_locale_is_english() -> None:
    """Of a language that has no catalogue, and of texts that are in none, the English is shown."""
    assert language_of("fr") is language_of(None) is language_of("en-GB") is ENGLISH
    assert language_of("de").say(tr("No catalogue has {this}.", this="x")) == "No catalogue has x."


def test_a_text_is_made_part_of_no_string_by_accident() -> None:
    """It would be English from there on; what an error is for people stays a text."""
    text = tr("Stopped.")

    with pytest.raises(TypeError, match="joined"):
        f"{text}"
    assert words_of(UserError(text)) is text
    assert words_of(UserError("plain")) == "plain"


def test_notices_are_known_in_all_languages() -> None:
    """When a channel is read back, what the bot said there outside of any turn is no answer, whatever its language."""
    for language in languages().values():
        assert is_notice(language.say(MISSED))
        assert is_notice(language.say(not_allowed(123)))
    assert is_notice("⚠️ I cannot write in <#5>: ask for the permission Send Messages there, and my answer will follow.")
    assert not is_notice("The answer is 42.")


async def reply(scene: Scene, by: int = ADA_ID, channel: int = GENERAL_ID) -> str:
    """What only this person sees next, after /stop."""
    before = len(scene.private(by, channel))
    scene.command("stop", by=by, channel=channel)
    return (await scene.until(lambda: [one.content for one in scene.private(by, channel)[before:] if one.content]))[0]


async def test_private_replies_are_in_the_language_of_the_person(scene: Scene) -> None:
    """The locale of each interaction decides, whatever the server's language is."""
    scene.playground.state.users[ADA_ID].locale = "de"

    assert await reply(scene) == "Hier entsteht gerade keine Antwort."
    assert await reply(scene, GRACE_ID) == "No answer is being written here."


async def test_a_server_is_spoken_to_in_its_language(unstarted: Scene) -> None:
    """Buttons and footers follow the server's preferred language, whoever asks, until /language says another."""
    unstarted.playground.state.guild.locale = "de"
    scene = await unstarted.start()
    scene.ask("hello")
    first = await scene.outcome()
    assert labels(first) == ["Neu erstellen", "Rückgängig", "Details"]

    scene.command("language", {"value": "en"})
    await scene.until(lambda: any("set /language here to `en`" in one.content for one in scene.shown()))
    scene.ask("hello again")
    await scene.until(lambda: any(labels(one) == ["Regenerate", "Undo", "Details"] for one in scene.shown()))


async def test_a_dm_is_in_the_language_last_seen(scene: Scene) -> None:
    """A person's last locale is remembered for their DM, over a restart too; before any is known, it is English."""
    dm = scene.playground.people.open_dm(ADA_ID).id
    scene.say("hello", channel=dm)
    assert "Regenerate" in labels(await scene.outcome(channel=dm))
    scene.playground.state.users[ADA_ID].locale = "de"
    await reply(scene)

    await scene.restart()
    scene.say("hello again", channel=dm)

    await scene.until(lambda: any("Neu erstellen" in labels(one) for one in scene.shown(dm)))


async def test_a_notice_of_the_engine_is_translated(unstarted: Scene) -> None:
    """What the engine says of an answer comes out in the turn's language, on the card of a turn and by /why."""
    reply_at_limit = ChatReply(text="And so", finish="length", model="m")
    unstarted.playground.state.guild.locale = "de"
    scene = await unstarted.start(provider=ScriptedProvider([reply_at_limit]))
    asked = scene.ask("go on and on")

    await scene.until(lambda: any("Das Modell hat seine Längengrenze erreicht" in one.content for one in scene.shown()))
    await scene.delivered()
    scene.command("why", {"message": str(asked.id)})
    told = await scene.until(lambda: [one.content for one in scene.private(ADA_ID) if one.content])
    assert "The model reached its length limit" in told[0]


async def test_a_card_is_in_the_language_of_its_turn(unstarted: Scene) -> None:
    """Words of state and buttons are German where the server is."""
    unstarted.playground.state.guild.locale = "de"
    scene = await unstarted.start(provider=calling(ROME), tools=(look_up,), tool_options={"requires_approval": True})
    scene.ask("go")

    card = await scene.card()
    await scene.until(lambda: "Genehmigen" in labels(card))
    assert "wartet auf Genehmigung durch" in str(card.embeds)


def test_an_older_notice_stays_as_it_was_stored() -> None:
    """A row of an earlier version has only the English sentence; a newer one has the English beside its text."""
    old = OutcomeStep.model_validate({"kind": "outcome", "state": "failed", "notice": "It broke.", "seconds": 1.0})
    new = OutcomeStep(state="stopped", notice="Stopped.", notice_text=tr("Stopped."), seconds=1.0)

    assert (old.notice, old.notice_text) == ("It broke.", None)
    assert OutcomeStep.model_validate_json(new.model_dump_json()) == new
