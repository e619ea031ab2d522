"""The line that says that the model thinks: when people see it, what becomes of it, and what it costs."""

import asyncio
import json
import math
import re

import pytest
from aiohttp import web

from llmgine.engine.fair_slots import FairSlots
from programs.discord.delivery import thinking_line
from programs.discord.delivery.thinking_line import ThinkingLine
from programs.playground.entities import ADA_ID, GENERAL_ID, RANDOM_ID, Message
from programs.playground.errors import ApiError
from programs.playground.forms import MessageForm
from tests.chat_completions import Exchange
from tests.programs.discord.delivery.delivery_scene import refuse_posts, soon, unavailable
from tests.programs.discord.scene import Scene, body_of, labels

LINE = re.compile(r"-# 💭 Thinking … (\d+) s")
AFTER, EVERY = 0.05, 0.1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line comes soon, and counts fast."""
    monkeypatch.setattr(thinking_line, "AFTER", AFTER)
    monkeypatch.setattr(thinking_line, "EVERY", EVERY)


def lines(scene: Scene) -> list[Message]:
    """The messages that say that the model thinks."""
    return [message for message in scene.shown() if LINE.fullmatch(message.content)]


async def line(scene: Scene) -> Message:
    """Wait until people see that the model thinks."""
    return (await soon(scene, lambda: lines(scene)))[0]


def looks(scene: Scene) -> list[str]:
    """All that was ever shown of the line."""
    return [shown.content for shown in scene.history if LINE.fullmatch(shown.content)]


async def look_up() -> str:
    """Look something up."""
    return "Found it."


class TestInDiscord:
    """Through the real bot."""

    pytestmark = pytest.mark.usefixtures("quick")

    async def test_the_line_becomes_the_answer(self, scene: Scene) -> None:
        """It is one message with Stop, which the answer takes by an edit; it refers to the question."""
        go_on = asyncio.Event()
        scene.model.hold(go_on, after="The answer.")
        asked = scene.ask("think")

        shown = await line(scene)
        assert labels(shown) == ["Stop"]
        assert shown.reference is not None
        assert shown.reference.message_id == asked.id

        go_on.set()
        outcome = await scene.outcome()
        assert outcome.id == shown.id
        assert body_of(outcome.content) == "The answer."
        assert len(scene.shown()) == 1

    async def test_the_seconds_are_counted(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is edited from time to time, and what it says grows."""
        monkeypatch.setattr(thinking_line, "int", lambda seconds: round(seconds * 100), raising=False)
        go_on = asyncio.Event()
        scene.model.hold(go_on, silent=True)
        scene.ask("think")
        await scene.until(lambda: len(looks(scene)) >= 4)
        go_on.set()
        await scene.outcome()

        seconds = [int(LINE.fullmatch(content)[1]) for content in looks(scene)]  # type: ignore[index]  # they match
        assert seconds == sorted(seconds)
        assert len(set(seconds)) == len(seconds)

    async def test_a_fast_answer_costs_no_request(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing of it is seen where text comes at once, and the answer takes one request as ever."""
        monkeypatch.setattr(thinking_line, "AFTER", 3.0)
        scene.model.reply("At once.")
        scene.ask("hello")
        await scene.outcome()

        assert looks(scene) == []
        assert len(scene.sends()) == 1

    async def test_thinking_between_rounds_is_shown_below_the_card(self, unstarted: Scene) -> None:
        """After tool calls the line stands under their card, and the answer takes its place."""
        scene = await unstarted.start(tools=(look_up,))
        go_on = asyncio.Event()
        scene.model.reply(tool_calls=[("look_up", "{}")])
        scene.model.hold(go_on, after="Here it is.")
        scene.ask("look it up")

        await scene.card()
        shown = await line(scene)
        assert [bool(message.embeds) for message in scene.shown()] == [True, False]
        go_on.set()

        outcome = await scene.outcome()
        assert outcome.id == shown.id
        assert body_of(outcome.content) == "Here it is."

    async def test_a_card_takes_the_place_of_the_line(self, unstarted: Scene) -> None:
        """Where thinking led to calls and no text, the message of the line becomes their card."""
        scene = await unstarted.start(tools=(look_up,))
        go_on = asyncio.Event()

        async def calls(exchange: Exchange) -> web.StreamResponse:
            await go_on.wait()
            await exchange.call(0, "call_0", "look_up", "{}")
            await exchange.chunk({}, "tool_calls")
            return await exchange.end()

        scene.model.answer(calls)
        scene.model.reply("Here it is.")
        scene.ask("look it up")
        shown = await line(scene)
        go_on.set()
        await scene.outcome()

        card, answer = scene.shown()
        assert card.id == shown.id
        assert card.embeds
        assert body_of(answer.content) == "Here it is."

    async def test_no_line_while_a_person_is_waited_for(self, unstarted: Scene) -> None:
        """While a call waits for approval nobody thinks."""
        scene = await unstarted.start(tools=(look_up,), tool_options={"requires_approval": True})
        scene.model.reply(tool_calls=[("look_up", "{}")])
        scene.ask("look it up")
        card = await scene.card()
        before = looks(scene)
        await asyncio.sleep(4 * AFTER)

        assert looks(scene) == before
        scene.click(card, "Approve")
        await scene.outcome()

    async def test_no_line_while_the_model_is_busy_with_others(
        self, unstarted: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who waits for a free place at the model is not told that it thinks."""
        monkeypatch.setattr("llmgine.engine.model.FairSlots", lambda _count: FairSlots(1))
        scene = await unstarted.start()
        go_on = asyncio.Event()
        scene.model.hold(go_on, before="The first ", after="answer.")
        scene.ask("one")
        await soon(scene, scene.shown)
        scene.ask("two", channel=RANDOM_ID)
        await asyncio.sleep(4 * AFTER)

        assert scene.shown(RANDOM_ID) == []
        go_on.set()
        await scene.outcome(channel=RANDOM_ID)

    async def test_stop_takes_it_away(self, scene: Scene) -> None:
        """Stop on the line ends the turn; the line becomes the notice of that."""
        scene.model.hold(asyncio.Event(), silent=True)
        scene.ask("think")
        shown = await line(scene)
        scene.click(shown, "Stop")
        await scene.until(lambda: any("⏹️" in message.content for message in scene.shown()))
        await scene.delivered()

        assert [message.id for message in scene.shown()] == [shown.id]
        assert lines(scene) == []

    async def test_a_model_that_is_tried_again(self, scene: Scene) -> None:
        """A wait for the service is said as such; once it is asked again, it thinks."""
        go_on = asyncio.Event()
        scene.model.fail(503)
        scene.model.hold(go_on, silent=True, after="At last.")
        scene.ask("think")
        shown = await line(scene)
        go_on.set()

        assert (await scene.outcome()).id == shown.id

    async def test_what_looked_like_text_was_thinking(self, scene: Scene) -> None:
        """Text that turns out to be thinking is replaced by the line, which never shows what is thought."""
        go_on, end = asyncio.Event(), asyncio.Event()

        async def answer(exchange: Exchange) -> web.StreamResponse:
            await exchange.text("I wonder about secrets. ")
            await go_on.wait()
            await exchange.text("\n</think>\n")
            await end.wait()
            await exchange.text("The answer.")
            await exchange.chunk({}, "stop")
            return await exchange.end()

        scene.model.answer(answer)
        scene.ask("think")
        await soon(scene, lambda: any("secrets" in message.content for message in scene.shown()))
        go_on.set()
        shown = await line(scene)
        end.set()

        outcome = await scene.outcome()
        assert outcome.id == shown.id
        assert body_of(outcome.content) == "The answer."

    async def test_a_bot_that_ends_while_it_is_shown(self, scene: Scene) -> None:
        """After a restart the message of the line becomes the answer; nothing is left behind."""
        scene.model.hold(asyncio.Event(), silent=True)
        scene.ask("think")
        shown = await line(scene)
        scene.model.reply("After all.")
        await scene.restart()

        outcome = await scene.outcome()
        assert outcome.id == shown.id
        assert len(scene.shown()) == 1

    async def test_a_line_that_discord_does_not_take(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """An outage while it is posted costs nothing: there is one message in the end."""
        go_on, tried = asyncio.Event(), asyncio.Event()

        def refusal(_form: MessageForm, _files: object) -> ApiError | None:
            tried.set()
            return None if go_on.is_set() else unavailable()

        refuse_posts(monkeypatch, refusal)
        scene.model.hold(go_on, silent=True, after="The answer.")
        scene.ask("think")
        await asyncio.wait_for(tried.wait(), 5)
        go_on.set()
        await scene.outcome()

        assert len(scene.shown()) == 1

    async def test_the_tokens_of_thinking_are_told(self, scene: Scene) -> None:
        """The footer and the details say how many of the tokens were thinking; never more than there were."""
        await scene.app.bus.wait_until_idle()

        async def answer(exchange: Exchange) -> web.StreamResponse:
            await exchange.text("The answer.")
            await exchange.chunk({}, "stop")
            details = {"completion_tokens_details": {"reasoning_tokens": 800}}
            usage = {"prompt_tokens": 34, "completion_tokens": 1_200, "total_tokens": 1_234, **details}
            await exchange.data(
                json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": usage})
            )
            return await exchange.end()

        scene.model.answer(answer)
        scene.ask("think")
        outcome = await scene.outcome()
        assert "1,234 tokens (800 thinking)" in outcome.content
        scene.click(outcome, "Details")
        (details,) = await scene.until(lambda: scene.private(ADA_ID))
        assert "800 of them thinking" in details.content
        assert "34 + 1,200 tokens (800 thinking)" in details.content

    async def test_several_at_once(self, scene: Scene) -> None:
        """Each answer has its own line, in its own channel."""
        go_on = asyncio.Event()
        channels = (GENERAL_ID, RANDOM_ID)
        for channel in channels:
            scene.model.hold(go_on, silent=True, after="Done.")
            scene.ask("think", channel=channel)
        for channel in channels:
            await scene.until(lambda channel=channel: any(LINE.fullmatch(m.content) for m in scene.shown(channel)))  # type: ignore[misc]  # bound above
        go_on.set()
        for channel in channels:
            await scene.outcome(channel=channel)
            assert len(scene.shown(channel)) == 1


class TestLine:
    """When the line is due, and what it says, on a clock of the test's."""

    @staticmethod
    def drawn(line: ThinkingLine, until: float) -> list[tuple[float, str]]:
        """When the line was drawn up to a moment, and what it said."""
        found = []
        while line.due_at <= until:
            now = line.due_at
            live = line.draw(now)
            assert live is not None
            found.append((now, str(live.status)))
        return found

    def test_a_minute_costs_one_post_and_eleven_edits(self) -> None:
        """First after three seconds, then every five."""
        line = ThinkingLine(1.2)
        line.begin(0, 100.0)
        shown = self.drawn(line, 160.0)
        assert [now for now, _words in shown] == [103.0 + 5 * number for number in range(12)]
        assert shown[0][1] == "-# 💭 Thinking … 3 s"
        assert shown[-1][1] == "-# 💭 Thinking … 58 s"

    def test_a_slower_pace_of_edits_holds(self) -> None:
        """Where messages may be changed more seldom, the line is too."""
        line = ThinkingLine(20.0)
        line.begin(0, 0.0)
        assert [now for now, _words in self.drawn(line, 60.0)] == [3.0, 23.0, 43.0]

    def test_what_else_is_drawn_does_not_change_it(self) -> None:
        """Between two looks it stays as it is, so that it costs no request."""
        line = ThinkingLine(1.2)
        line.begin(0, 0.0)
        assert line.draw(2.9) is None
        first = line.draw(3.0)
        assert line.draw(7.9) == first
        assert line.draw(8.0) != first

    def test_it_ends(self) -> None:
        """Once there is text nothing is due any more."""
        line = ThinkingLine(1.2)
        line.begin(0, 0.0)
        assert line.draw(3.0) is not None
        line.end()
        assert line.draw(100.0) is None
        assert math.isinf(line.due_at)

    def test_the_next_round_begins_again(self) -> None:
        """Each round counts its own seconds, for its own message."""
        line = ThinkingLine(1.2)
        line.begin(0, 0.0)
        line.draw(3.0)
        line.begin(1, 50.0)
        assert line.draw(51.0) is None
        live = line.draw(53.0)
        assert live is not None
        assert (live.round, str(live.status)) == (1, "-# 💭 Thinking … 3 s")
