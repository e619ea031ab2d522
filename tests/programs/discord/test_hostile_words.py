"""A scene in which everybody's words are hostile, and all that the bot sends to Discord is looked at."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.visible_text import visible_text
from programs.bench.safety.discord_markdown import findings
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, Flag
from programs.playground.posting import Upload
from tests.programs.discord.scene import MENTION, Scene
from tests.programs.discord.test_approval_buttons import script, with_button

CORPUS = (Path(__file__).parent / "data" / "hostile.txt").read_text(encoding="utf-8").split("\n%%\n")
ALL = "\n\n".join(CORPUS)
NAME = "**Ada** [x](https://evil.example)\u202e </approve:1>\u200b discord.gg/abc"
TEXTS = {"content", "title", "description", "name", "value", "text", "label", "placeholder"}  # what people are shown
OURS = re.compile(
    r"^small: -# (?:.*\d s$|💭 |✏️ |⏳ |✋ |📎 |ℹ️ |used |Round \d|This answer is long|.*\d turns? · <t:)|^small: -#$"
    r"|^(?:bare link|masked link|masked_link|bare_link): .*127\.0\.0\.1"
)


def texts(body: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts of a body that people are shown, with their keys."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from texts(value, name)
    elif isinstance(body, list):
        for one in body:
            yield from texts(one, key)
    elif isinstance(body, str) and key in TEXTS:
        yield key, body


def assert_safe(scene: Scene) -> int:
    """Nothing that was sent is more than text, hides anything, or has a preview; returns how many texts there were."""
    seen = 0
    for record in scene.playground.requests:
        body = record.request
        if not isinstance(body, dict) or record.method not in ("POST", "PATCH") or "commands" in record.path:
            continue
        plain = "threads" in record.path or re.fullmatch(r".*/channels/\d+", record.path)  # names have no Markdown
        for key, text in texts(body):
            seen += 1
            assert visible_text(text) == text, (record.path, text)
            if not plain and key not in ("label", "placeholder", "text"):
                more = [one.strip() for one in findings(text) if not OURS.search(one.strip())]
                assert more == [], (record.path, key, text)
        if body.get("content") and not body.get("embeds") and "webhooks" not in record.path:
            assert body.get("flags", 0) & Flag.SUPPRESS_EMBEDS, (record.path, body)
    return seen


@pytest.fixture
async def hostile(unstarted: Scene) -> Scene:
    """People with hostile names."""
    for person in (ADA_ID, GRACE_ID):
        unstarted.playground.state.users[person].global_name = NAME
    return unstarted


@pytest.mark.parametrize(
    "text", [ALL, *CORPUS[:8], "\u200b\u202e" * 50 + "hi", "Z" + "\u0301" * 500], ids=lambda t: ascii(t[:20])
)
async def test_the_words_of_the_model(hostile: Scene, text: str) -> None:
    """Its answer, while it streams and whole, its title, and what is said of it afterwards."""
    scene = await hostile.start(titles=True)
    scene.model.reply(text)
    scene.model.reply(text)
    scene.ask("hello")
    await scene.outcome()
    scene.command("sessions")
    await scene.until(lambda: any(message.embeds for message in scene.private(ADA_ID)))
    scene.click(scene.outcomes()[0], "Details")
    await scene.until(lambda: any("Round" in message.content for message in scene.private(ADA_ID)))

    assert assert_safe(scene) > 4
    stored = await scene.app.store.turns.history(f"discord:{GENERAL_ID}")
    assert stored[0].state.replies[0].text == text.replace("\0", "")


@pytest.mark.parametrize("cards", ["quiet", "normal", "verbose"])
async def test_the_names_arguments_and_results_of_tools(hostile: Scene, cards: str) -> None:
    """Calls of tools that exist and that do not, an approval, a denial with its reason, and the details of all."""

    def note(text: str) -> str:
        """Note.

        Args:
            text: What.
        """
        return text + ALL

    scene = await hostile.start(
        provider=script(
            ToolCall(name=CORPUS[0], arguments=json.dumps({"a": ALL})),
            ToolCall(name=f"x{NAME}", arguments="{" + ALL),
            ToolCall(name="note", arguments=json.dumps({"text": ALL})),
            "Noted. " + ALL,
        ),
        tools=(note,),
        tool_options={"requires_approval": True},
    )
    scene.command("cards", {"value": cards})
    scene.ask("note")
    scene.click(await with_button(scene, "Approve"), "Approve")
    await scene.outcome()
    scene.click(scene.outcomes()[0], "Details")
    await scene.until(lambda: any("Round" in message.content for message in scene.private(ADA_ID)))

    assert assert_safe(scene) > 4


async def test_the_names_of_people_files_and_threads(hostile: Scene) -> None:
    """What people are called, what they send, and what they set is repeated as text."""
    scene = await hostile.start()
    scene.command("threads", {"value": "auto"})
    scene.command("system", {"prompt": ALL[:900]})
    scene.say(
        f"{MENTION} look [x](https://evil.example) \u202e<@{GRACE_ID}>",
        uploads=(Upload(0, "a`[b](https://evil.example)`\u202e.bin", b"\0\1"),),
    )
    await scene.until(lambda: len(scene.playground.state.threads(GENERAL_ID)) == 1)
    [thread] = scene.playground.state.threads(GENERAL_ID)
    await scene.outcome(channel=thread.id)
    scene.command("clear")
    scene.command("sessions")
    await scene.until(lambda: any(message.embeds for message in scene.private(ADA_ID)))

    assert assert_safe(scene) > 4
    said = scene.model.requests[-1]["messages"][-1]["content"]
    told = json.loads(said)
    assert told["text"].endswith(f"<@{GRACE_ID}>")
    assert told["mentions"] == {f"<@{GRACE_ID}>": visible_text(NAME)}
    assert told["from"]["name"] == visible_text(NAME)
