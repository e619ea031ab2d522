"""Links in the words of the model and of people: Discord fetches none of them for a preview, whoever repeats them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import programs.discord
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, RANDOM_ID, Flag, Message, Permission
from tests.programs.discord.scene import Scene
from tests.programs.discord.test_sessions import opened
from tests.programs.discord.test_slash import modal, said, text_input, told
from tests.programs.discord.test_why import why

LINK = "https://example.com/page"
BOT = Path(programs.discord.__file__).parent

# Who sends texts in other people's words, and hides the previews of links in them. What is told of a press has such
# words in code alone, where Discord knows no links.
MODULES_THAT_SEND = {"replies.py", "delivery/poster.py", "delivery/requests.py", "components/button_press.py"}
SENDING = {"send", "send_message", "edit_original_response", "edit_message", "reply"}


def previews_suppressed(message: Message) -> bool:
    """Whether Discord shows no previews of the links in a message; its cards it does not show then either."""
    return bool(message.flags & Flag.SUPPRESS_EMBEDS)


async def test_a_system_prompt_that_is_told(scene: Scene) -> None:
    """The announcement of a system prompt quotes it without previews, as a command's answer and as a form's."""
    scene.command("system", {"prompt": f"Read {LINK}."})
    assert previews_suppressed(await said(scene, LINK))

    scene.command("system")
    form = await modal(scene)
    words = f"Read {LINK} well."
    scene.playground.people.submit_modal(ADA_ID, int(form["modal_id"]), {text_input(form)["custom_id"]: words})
    assert previews_suppressed(await said(scene, f"Read <{LINK}> well."))


async def test_a_question_about_a_message(scene: Scene) -> None:
    """The question that was written into the form stands in the channel without previews."""
    about = scene.say("Look at this.")
    scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=about.id)
    form = await modal(scene)
    words = {text_input(form)["custom_id"]: f"Is it as in {LINK}?"}
    scene.playground.people.submit_modal(ADA_ID, int(form["modal_id"]), words)

    assert previews_suppressed(await said(scene, "asks about"))
    await scene.outcome()


async def test_the_title_of_a_resumed_conversation(scene: Scene) -> None:
    """The title of a conversation that is resumed is announced without previews."""
    scene.ask("hello", channel=RANDOM_ID)
    await scene.outcome(channel=RANDOM_ID)
    scene.click(await opened(scene, f"discord:{RANDOM_ID}"), "Rename")
    form = await modal(scene)
    title = {text_input(form)["custom_id"]: f"About {LINK}"}
    scene.playground.people.submit_modal(ADA_ID, int(form["modal_id"]), title)
    await scene.until(lambda: any("About" in str(card) for m in scene.private(ADA_ID) for card in m.embeds))
    scene.click(await opened(scene, f"discord:{RANDOM_ID}"), "Resume here")

    announced = await said(scene, "resumed the conversation")

    assert "example.com" in announced.content
    assert previews_suppressed(announced)


async def test_a_refusal_repeats_no_link_with_a_preview(scene: Scene) -> None:
    """A value that cannot be set is repeated without previews."""
    scene.command("tools", {"names": LINK})

    assert previews_suppressed(await told(scene, LINK))


async def test_a_refusal_without_a_deferred_answer(scene: Scene) -> None:
    """What is refused at once is told without previews too."""
    scene.no_moderators()

    scene.command("doctor", by=GRACE_ID)

    assert previews_suppressed(await told(scene, "can use /doctor", GRACE_ID))


async def test_a_message_of_its_own(scene: Scene) -> None:
    """What is announced apart from the answer to a command has no previews: people choose their names."""
    scene.command("clear")
    question = await told(scene, "Clear this channel's conversation?")
    scene.click(question, "Clear it")

    assert previews_suppressed(await said(scene, "cleared the conversation"))


async def test_why_repeats_the_words_of_a_service(scene: Scene) -> None:
    """What a service said of a failure is repeated by /why without previews."""
    scene.model.fail(401, {"error": {"message": f"see {LINK}"}})
    asked = scene.ask("hello")
    await scene.outcome()

    assert "couldn't answer" in await why(scene, str(asked.id))
    assert previews_suppressed(await told(scene, "couldn't answer"))


async def test_a_card_in_words(scene: Scene) -> None:
    """Where the bot may send no cards their words have no previews; where it may, the card is to be seen."""
    scene.command("help")
    await scene.until(lambda: any(message.embeds for message in scene.private(ADA_ID)))
    [card] = scene.private(ADA_ID)
    assert not previews_suppressed(card)
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.EMBED_LINKS)

    scene.command("help")

    words = await told(scene, "What I can do")
    assert words.content
    assert previews_suppressed(words)


def sends_of_others_words(module: Path) -> Iterator[ast.Call]:
    """Where a module sends or edits a text that is not all its own."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDING:
            texts = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "content")]
            if not all(map(is_own, texts)):
                yield node


def is_own(text: ast.expr) -> bool:
    """Whether a text is all the module's own: a literal, or the translation of one without values."""
    if not isinstance(text, ast.Call):
        return isinstance(text, ast.Constant)
    last = text.args[-1] if text.args else None
    if not (isinstance(last, ast.Call) and isinstance(last.func, ast.Name) and last.func.id == "tr"):
        return False
    return len(last.args) == 1 and not last.keywords


@pytest.mark.parametrize("module", sorted(BOT.rglob("*.py")), ids=lambda path: str(path.relative_to(BOT)))
def test_texts_are_sent_in_few_places(module: Path) -> None:
    """What is not a text of its own a module leaves to those that hide previews; nobody has to think of it."""
    if str(module.relative_to(BOT)) not in MODULES_THAT_SEND:
        assert [f"{module.name}:{call.lineno}" for call in sends_of_others_words(module)] == []
