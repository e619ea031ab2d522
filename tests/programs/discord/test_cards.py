"""The tool card: what people see of the calls of a round."""

import asyncio
import json
from typing import Any

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.clock import now
from llmgine.tools.result_text import NotDone
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, Json, Message, Permission
from tests.programs.discord.scene import Scene, body_of, labels
from tests.waiting import patience

RED, GREEN, BLUE = 0xD83C3E, 0x3BA55D, 0x4A7BD0


def fields(message: Message) -> list[Json]:
    found: list[Json] = message.embeds[0]["fields"]
    return found


def lines(message: Message) -> list[str]:
    """The calls of a card, a line each."""
    return list(message.embeds[0]["description"].splitlines())


def calling(*calls: ToolCall) -> ScriptedProvider:
    """A model that calls these in one round, and then says it is done."""
    return ScriptedProvider([ChatReply(tool_calls=calls, finish="tool_calls", model="m"), "All done."])


def size(message: Message) -> int:
    """The characters that Discord counts in an embed."""
    embed = message.embeds[0]
    texts = [text for field in embed["fields"] for text in (field["name"], field["value"])]
    return sum(map(len, texts)) + len(embed.get("description", "")) + len(embed.get("footer", {}).get("text", ""))


async def look_up(place: str) -> str:
    """Look something up.

    Args:
        place: Where.
    """
    return f"found in {place}"


async def explode() -> str:
    """Always fail."""
    raise RuntimeError("boom ```@everyone``` `x`")


async def hang() -> str:
    """Never end."""
    await asyncio.Event().wait()
    return ""


async def flood() -> str:
    """Give ten megabytes."""
    return "x" * 10_000_000


async def test_the_calls_of_a_round_are_one_card(unstarted: Scene) -> None:
    """One embed message for a round, a line for a finished call: its name, its arguments, and what it gave."""
    calls = [ToolCall(name="look_up", arguments=json.dumps({"place": place})) for place in ("Rome", "Oslo")]
    scene = await unstarted.start(provider=calling(*calls), tools=(look_up,))
    scene.ask("go")
    await scene.outcome()

    card, answer = scene.shown()
    assert lines(card) == [f"✅ **look\\_up** `{place}` → `found in {place}`" for place in ("Rome", "Oslo")]
    assert labels(card) == []
    assert labels(answer) == ["Regenerate", "Undo", "Details"]
    assert card.embeds[0]["color"] == GREEN
    assert body_of(answer.content) == "All done."


async def test_a_card_changes_in_place(unstarted: Scene) -> None:
    """While a tool runs the card says so; the same message becomes the result."""
    go_on = asyncio.Event()

    async def wait() -> str:
        """Wait for the test."""
        await go_on.wait()
        return "waited"

    scene = await unstarted.start(provider=calling(ToolCall(name="wait")), tools=(wait,))
    scene.ask("go")
    await scene.until(lambda: any("⏳ **wait**" in str(shown.payload["embeds"]) for shown in scene.history))
    running = await scene.card()
    assert lines(running)[0].startswith("⏳ **wait** · started <t:")
    assert running.embeds[0]["color"] == BLUE
    go_on.set()

    await scene.outcome()

    card = await scene.card()
    assert card.id == running.id
    assert lines(card) == ["✅ **wait** → `waited`"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (ToolCall(name="nothing_like_it"), "There is no tool"),
        (ToolCall(name="look_up", arguments='{"place": '), "Invalid JSON"),
        (ToolCall(name="look_up", arguments='{"plaice": "Rome"}'), "place"),
        (ToolCall(name="look_up", arguments="[" * 50_000), "JSON"),
        (ToolCall(name="explode"), "boom"),
        (ToolCall(name="hang"), "No result within"),
    ],
    ids=["unknown", "malformed", "wrong", "deep", "raises", "hangs"],
)
async def test_what_fails_is_red_and_the_talk_goes_on(unstarted: Scene, call: ToolCall, told: str) -> None:
    """A call that fails is a red card that says why; the model is told, answers, and the next message works."""
    provider = ScriptedProvider(
        [ChatReply(tool_calls=(call,), finish="tool_calls", model="m"), "I see.", "Still here."]
    )
    scene = await unstarted.start(provider=provider, tools=(look_up, explode, hang), tool_options={"timeout": 0.05})
    scene.ask("go")
    await scene.outcome()

    card = await scene.card()
    assert card.embeds[0]["color"] == RED
    assert lines(card)[0].startswith("❌ ")
    assert told in lines(card)[0]
    assert told in provider.requests[1].messages[-1].content
    scene.ask("and now?")
    assert body_of((await scene.outcome(2)).content) == "Still here."


async def test_what_was_not_done_has_no_check_mark(unstarted: Scene) -> None:
    """A tool that ran and did not do what it was asked is no failure, and nothing that people take for done."""

    async def send() -> str:
        """Send."""
        return NotDone("Not sent: it is Sunday")

    scene = await unstarted.start(provider=calling(ToolCall(name="send")), tools=(send,))
    scene.ask("go")
    answer = await scene.outcome()

    assert lines(await scene.card()) == ["⚠️ **send** → `Not sent: it is Sunday`"]
    scene.click(answer, "Details")
    [details] = await scene.until(lambda: scene.private(ADA_ID))
    assert "**`send`** · not done" in details.content


async def test_what_the_model_is_told_of_a_denial_is_not_shown(unstarted: Scene) -> None:
    """People read who denied the call; that it is not to be tried again is for the model alone."""
    call = ToolCall(name="look_up", arguments='{"place": "Rome"}')
    provider = calling(call)
    options = {"requires_approval": True}
    scene = await unstarted.start(provider=provider, tools=(look_up,), tool_options=options)
    scene.ask("go")
    card = await scene.card()
    await scene.until(lambda: "Deny" in labels(card))
    scene.click(card, "Deny")
    answer = await scene.outcome()

    assert lines(card) == [f"🚫 **look\\_up** `Rome` · denied by <@{ADA_ID}>"]
    assert "Do not try it again" in provider.requests[1].messages[-1].content
    scene.click(answer, "Details")
    [details] = await scene.until(lambda: scene.private(ADA_ID))
    assert "Ada denied this." in details.content
    assert "Do not" not in details.content


async def test_a_huge_result_is_cut(unstarted: Scene) -> None:
    """Ten megabytes become a short line on the card and a bounded text for the model."""
    provider = calling(ToolCall(name="flood"))
    scene = await unstarted.start(provider=provider, tools=(flood,))
    scene.ask("go")
    await scene.outcome()

    card = await scene.card()
    assert len(lines(card)[0]) < 400
    assert len(provider.requests[1].messages[-1].content) < 20_000


@pytest.mark.parametrize(
    "call",
    [
        ToolCall(name="look_up", arguments=json.dumps({"place": "P" * 2_000})),
        ToolCall(name="N" * 3_000, arguments="{}"),
        ToolCall(name="`@everyone`\n**x**" * 40, arguments="`" * 500),
        ToolCall(name="look_up", arguments='{"place": "\\ud800\\u0000```"}'),
        ToolCall(name="", arguments=""),
    ],
    ids=["long arguments", "long name", "marks", "surrogates", "empty"],
)
@pytest.mark.parametrize("count", [1, 30])
async def test_any_round_fits_into_a_card(unstarted: Scene, call: ToolCall, count: int) -> None:
    """A card has 25 calls at most and Discord takes 4,096 characters for their lines: what is longer is cut."""
    calls = [call.model_copy(update={"id": f"call{number:05}"}) for number in range(count)]
    scene = await unstarted.start(provider=calling(*calls), tools=(look_up,))
    scene.ask("go")
    await scene.outcome()

    card = await scene.card()
    assert len(lines(card)) == min(count, 25)
    assert len(card.embeds[0]["description"]) <= 4_096
    assert all(line.startswith(("✅", "❌")) for line in lines(card))
    assert ("footer" in card.embeds[0]) is (count > 25)
    assert all(record.status < 400 for record in scene.playground.requests)


async def test_cards_ping_nobody_and_run_nothing(unstarted: Scene) -> None:
    """Arguments and results stand in code on the card: they cannot mention, link or format."""
    call = ToolCall(name="look_up", arguments=json.dumps({"place": "`@everyone` [a](https://example.com)"}))
    scene = await unstarted.start(provider=calling(call), tools=(look_up,))
    scene.ask("go")
    await scene.outcome()

    [line] = lines(await scene.card())
    assert "** `ˋ@everyoneˋ [a](https://example.com)` → `" in line
    assert line.count("`") == 4


async def test_without_the_permission_to_embed_a_card_is_text(unstarted: Scene) -> None:
    """Discord drops embeds silently where the bot may not send them; the card is written out there."""
    unstarted.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.EMBED_LINKS)
    call = ToolCall(name="look_up", arguments=json.dumps({"place": "Rome"}))
    scene = await unstarted.start(provider=calling(call), tools=(look_up,))
    scene.ask("go")
    await scene.outcome()

    card = scene.shown()[0]
    assert card.embeds == []
    assert "look\\_up" in card.content
    assert "found in Rome" in card.content


async def set_cards(scene: Scene, how: str) -> None:
    """Say how much the channel shows of tool calls."""
    await scene.app.store.settings.change(f"discord:{GENERAL_ID}", "cards", how, None, now())


async def test_a_quiet_channel_has_a_line_in_place_of_cards(unstarted: Scene) -> None:
    """Which tools were used stands in small print under the answer, each once; while they run there is no card."""
    calls = [ToolCall(name="look_up", arguments=json.dumps({"place": place})) for place in ("Rome", "Oslo")]
    scene = await unstarted.start(provider=calling(*calls, ToolCall(name="explode")), tools=(look_up, explode))
    await set_cards(scene, "quiet")
    scene.ask("go")
    answer = await scene.outcome()

    assert answer.content.splitlines()[:2] == ["All done.", "-# used look_up, explode"]
    assert [one for one in scene.history if one.payload["embeds"]] == []


async def test_a_quiet_channel_still_asks(unstarted: Scene) -> None:
    """A call that waits for somebody has its card in every channel."""
    scene = await unstarted.start(
        provider=calling(ToolCall(name="look_up", arguments='{"place": "Rome"}')),
        tools=(look_up,),
        tool_options={"requires_approval": True},
    )
    await set_cards(scene, "quiet")
    scene.ask("go")

    card = await scene.card()
    await scene.until(lambda: "Approve" in labels(card))
    scene.click(card, "Approve")

    await scene.outcome()
    assert "found in Rome" in lines(card)[0]


async def test_what_was_asked_quietly_stays_quiet(unstarted: Scene) -> None:
    """How a turn looks is settled when it is asked: a change of the setting, and a restart, do not change it."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> str:
        """Wait for the test."""
        began.set()
        await go_on.wait()
        return "waited"

    provider = calling(ToolCall(name="wait"))
    options: dict[str, Any] = {"provider": provider, "tools": (wait,), "tool_options": {"idempotent": True}}
    scene = await unstarted.start(**options)
    await set_cards(scene, "quiet")
    scene.ask("go")
    async with patience("the tool to begin"):
        await began.wait()
    await set_cards(scene, "verbose")
    await scene.restart(**options)
    go_on.set()

    assert "-# used wait" in (await scene.outcome()).content
    assert [one for one in scene.history if one.payload["embeds"]] == []


async def test_a_verbose_channel_shows_as_much_as_fits(unstarted: Scene) -> None:
    """Arguments and results stand on the card in full, up to Discord's limits."""

    async def long(text: str) -> str:
        """Give much.

        Args:
            text: Some text.
        """
        return text * 100

    call = ToolCall(name="long", arguments=json.dumps({"text": "word " * 50, "other": 1}))
    good = ToolCall(name="long", arguments=json.dumps({"text": "word " * 50}))
    scene = await unstarted.start(provider=calling(good, call), tools=(long,))
    await set_cards(scene, "verbose")
    scene.ask("go")
    await scene.outcome()

    card = await scene.card()
    first = fields(card)[0]["value"]
    assert "word " * 49 in first
    assert first.startswith("```json\n")
    assert 900 < len(first) <= 1_024
    assert size(card) <= 6_000


async def test_details_of_a_card_are_its_rounds(unstarted: Scene) -> None:
    """While a tool runs, there is one Details with the whole arguments, for whoever presses it alone."""
    never = asyncio.Event()

    async def wait(text: str) -> str:
        """Wait.

        Args:
            text: Some text.
        """
        await never.wait()
        return text

    call = ToolCall(name="wait", arguments=json.dumps({"text": "word " * 100}))
    scene = await unstarted.start(provider=calling(call), tools=(wait,))
    scene.ask("go")
    await scene.until(lambda: any("started <t:" in str(shown.payload["embeds"]) for shown in scene.history))
    card = await scene.card()
    assert labels(card) == ["Stop", "Details"]

    scene.click(card, "Details")

    await scene.until(lambda: any("word " * 100 in one.content for one in scene.private(ADA_ID)))
    assert "no result yet" in scene.private(ADA_ID)[0].content
    never.set()
    await scene.outcome()
