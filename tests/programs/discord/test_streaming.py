"""The answer as it streams in: edits, parts, footer, and whom it pings."""

import asyncio
import itertools

import pytest
from aiohttp import web

from llmgine.messages.chat_messages import ToolCall
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import OnText, ScriptedProvider
from programs.demo_texts import LONG_ANSWER
from programs.discord.delivery.channel_deliveries import EDIT_INTERVAL
from programs.playground.entities import ADA_ID, BOT_ROLE_ID, GRACE_ID, Flag
from tests.chat_completions import Exchange
from tests.programs.discord.scene import Scene, Shown, body_of, is_outcome

LONG = "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(14))
CODE = "Look:\n```python\n" + "\n".join(f"line_{number} = {number}" for number in range(300)) + "\n```\nThat was it."


def in_pieces(text: str, size: int, *, pace: float = 0.0) -> ScriptedProvider:
    """A model that streams the text in pieces of a size, `pace` seconds apart."""

    async def answer(request: ChatRequest, on_text: OnText) -> ChatReply:
        for start in range(0, len(text), size):
            on_text(text[start : start + size])
            await asyncio.sleep(pace)
        return ChatReply(text=text, model="scripted")

    return ScriptedProvider(answer)


async def test_the_text_grows_by_edits(scene: Scene) -> None:
    """What the model has said is shown while it goes on; the same message is edited into the whole answer."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="The beginning, ", after="and the end.")
    scene.ask("tell me")
    first = await scene.until(lambda: next(iter(scene.shown()), None))
    assert first is not None
    assert first.content == "The beginning,"

    go_on.set()

    outcome = await scene.outcome()
    assert outcome.id == first.id
    assert body_of(outcome.content) == "The beginning, and the end."
    assert len(scene.shown()) == 1


async def test_edits_keep_their_distance(unstarted: Scene) -> None:
    """A fast stream is shown by few edits, at least the interval apart; the final text does not wait for it."""
    interval = 0.15
    scene = await unstarted.start(interval=interval, provider=in_pieces("word " * 60, 5, pace=0.01))
    scene.ask("tell me")
    await scene.outcome()

    times = [shown.at for shown in scene.history[:-1]]
    assert len(times) > 2
    # The clock is read when a request arrives, which may take longer for the one than for the next.
    assert all(later - earlier > interval - 0.05 for earlier, later in itertools.pairwise(times))


def test_the_interval_is_discords() -> None:
    """By default edits are at least 1.2 seconds apart."""
    assert EDIT_INTERVAL >= 1.2


async def test_one_change_at_a_time_and_the_latest_text_wins(unstarted: Scene) -> None:
    """While an edit is on its way newer texts wait, and of those only the last is shown; none is shown twice."""
    scene = await unstarted.start(provider=in_pieces("word " * 200, 5, pace=0.002))
    scene.ask("tell me")
    await scene.outcome()

    contents = [shown.content for shown in scene.history]
    assert len(contents) < 50
    assert all(later != earlier for earlier, later in itertools.pairwise(contents))
    grown = [body_of(content) for content in contents]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(grown))


@pytest.mark.parametrize("text", [LONG, CODE, LONG_ANSWER, "x" * 6_000])
async def test_a_finished_part_never_changes(unstarted: Scene, text: str) -> None:
    """Once the next part is there, the parts above stay as they are, up to the footer under the last one."""
    scene = await unstarted.start(provider=in_pieces(text, 90, pace=0.004))
    scene.ask("tell me")
    await scene.outcome()

    parts = scene.shown()
    assert len(parts) > 1
    assert [is_outcome(part.content) for part in parts] == [False] * (len(parts) - 1) + [True]
    for part in parts[:-1]:
        assert changes_below(scene.history, part.id) == []
    assert all(len(part.content) <= 2_000 for part in parts)
    assert all(part.content.count("```") % 2 == 0 for part in parts)


def changes_below(history: list[Shown], message_id: int) -> list[str]:
    """What a message was changed to after a newer one had been posted and one more change had finished it."""
    newer = next(at for at, shown in enumerate(history) if shown.id > message_id)
    after = [shown.content for shown in history[newer:] if shown.id == message_id]
    return after[1:]


async def test_code_is_opened_again_with_its_language(unstarted: Scene) -> None:
    """A code block that does not fit is closed at the end of a part and opened again as the same language."""
    scene = await unstarted.start(provider=in_pieces(CODE, 500))
    scene.ask("tell me")
    await scene.outcome()

    parts = [body_of(part.content) for part in scene.shown()]
    assert all(part.startswith("```python\n") for part in parts[1:])
    assert all(part.endswith("```") for part in parts[:-1])


async def test_the_footer_says_model_tokens_and_time(scene: Scene) -> None:
    """The last line, in small print, names the model, counts the tokens and gives the time."""
    scene.model.reply("Well.", usage=(1_200, 34))
    scene.ask("tell me")

    outcome = await scene.outcome()

    assert outcome.content.startswith("Well.\n-# test-model · 1,234 tokens · ")
    assert outcome.content.endswith(" s")


async def test_an_endless_model_name_fits_beside_the_text(unstarted: Scene) -> None:
    """The footer stays small, so that text and footer fit into one message."""
    reply = ChatReply(text="a " * 935, model="m`*_" * 900)
    scene = await unstarted.start(provider=ScriptedProvider([reply]))
    scene.ask("tell me")

    outcome = await scene.outcome()

    assert len(outcome.content) <= 2_000


async def test_it_pings_only_whom_it_answers(scene: Scene) -> None:
    """Whatever the model writes, nobody is pinged but the person replied to, by no send and by no edit."""
    go_on = asyncio.Event()
    hostile = f"@everyone @here <@{GRACE_ID}> <@&{BOT_ROLE_ID}> "
    scene.model.hold(go_on, before=hostile, after=f"{hostile} again")
    scene.ask("ping them")
    await scene.until(scene.shown)
    go_on.set()
    outcome = await scene.outcome()

    assert f"<@{GRACE_ID}>" in outcome.content
    for shown in scene.history:
        assert [user["id"] for user in shown.payload["mentions"]] in ([], [str(ADA_ID)])
        assert shown.payload["mention_roles"] == []
        assert shown.payload["mention_everyone"] is False
    assert [send["allowed_mentions"] for send in scene.sends()] == [{"parse": [], "replied_user": True}]
    assert scene.edits()
    assert all(edit["allowed_mentions"]["parse"] == [] for edit in scene.edits())


async def test_links_of_the_model_are_never_previewed(scene: Scene) -> None:
    """Discord fetches no link of the model's text: embeds are suppressed from the first send, and edits keep that."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="see https://example.com/?secret=1 ", after="and https://example.com/2")
    scene.ask("link")
    await scene.until(scene.shown)
    go_on.set()
    await scene.outcome()

    assert len(scene.history) > 1
    assert all(shown.payload["flags"] & Flag.SUPPRESS_EMBEDS for shown in scene.history)
    assert all("flags" not in edit or edit["flags"] & Flag.SUPPRESS_EMBEDS for edit in scene.edits())


async def test_it_types_while_it_works(scene: Scene) -> None:
    """The typing indicator shows as soon as a turn runs, before there is any text."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, silent=True)
    scene.ask("think")

    await scene.until(lambda: scene.sends("POST", "/channels/{channel_id}/typing"))

    assert scene.shown() == []
    go_on.set()
    await scene.outcome()


async def test_the_demo_model_is_labelled(unstarted: Scene) -> None:
    """Every answer of the demo model says in its footer that it is one."""
    scene = await unstarted.start(demo=True)
    scene.ask("hello")

    outcome = await scene.outcome()

    assert "-# offline demo model · " in outcome.content


async def test_texts_and_cards_stand_in_their_order(unstarted: Scene) -> None:
    """Each round's text stands above its card, and the next round below, also in the order of the messages."""

    def first() -> str:
        """Look at the first."""
        return "one"

    call = ToolCall(name="first")
    script = [
        ChatReply(text="I look.", tool_calls=(call,), finish="tool_calls", model="m"),
        ChatReply(tool_calls=(call,), finish="tool_calls", model="m"),
        ChatReply(text="Found.", model="m"),
    ]
    scene = await unstarted.start(provider=ScriptedProvider(script), tools=(first,))
    scene.ask("go")
    await scene.outcome()

    looks = [message.content or "card" for message in scene.shown()]
    assert looks[:3] == ["I look.", "card", "card"]
    assert body_of(looks[3]) == "Found."


async def test_answers_in_a_channel_stand_in_the_order_of_the_questions(scene: Scene) -> None:
    """Nothing of a turn is posted above anything of the turn before it."""
    for number in range(5):
        scene.ask(f"question {number}", by=ADA_ID if number % 2 else GRACE_ID)
    await scene.outcome(5)

    assert [f"question {n}" in message.content for n, message in enumerate(scene.shown())] == [True] * 5


async def test_a_preview_that_turns_out_to_be_thinking_leaves_the_screen(scene: Scene) -> None:
    """Nobody reads on in it while the model takes its time; the answer comes in the same message."""
    close, go_on = asyncio.Event(), asyncio.Event()

    async def think(exchange: Exchange) -> web.StreamResponse:
        await exchange.text("Der Nutzer grüßt, ganz geheim.\n")
        await close.wait()
        await exchange.text("</think>\n")
        await go_on.wait()
        await exchange.text("Hallo Ada!")
        await exchange.chunk({}, "stop")
        return await exchange.end()

    scene.model.answer(think)
    scene.ask("hallo")
    await scene.until(lambda: any("geheim" in message.content for message in scene.shown()))

    close.set()
    await scene.until(lambda: not any("geheim" in message.content for message in scene.shown()))
    go_on.set()

    outcome = await scene.outcome()
    assert body_of(outcome.content) == "Hallo Ada!"
    assert len(scene.shown()) == 1
