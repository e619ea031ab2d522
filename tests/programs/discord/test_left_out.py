"""What a model was not given is said under its answer, and a service that is not up yet is waited for in sight."""

import asyncio
import json

from aiohttp import web

from programs.playground.entities import Message
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.programs.discord.scene import Scene, body_of, labels
from tests.programs.discord.test_attachments import ask
from tests.programs.files.examples import PNG

NO_TOOLS = "-# ℹ️ This model can't use tools, so it answered without them"
SHORTENED = "-# ℹ️ This conversation is too long for the model, so older messages were left out"
TOO_LONG = {"error": {"message": "The input exceeds the context window", "code": "context_length_exceeded"}}


async def talk(scene: Scene, turns: int) -> None:
    """Fill the conversation, so that there is something to leave out."""
    for number in range(turns):
        scene.model.reply("words " * 200)
        scene.ask(f"question {number}")
        await scene.outcome(number + 1)


async def test_a_model_without_tools(scene: Scene) -> None:
    """It is said once: under the answer to the question in which the service refused them, not under the next one."""
    scene.model.fail(400, {"error": {"message": "test-model does not support tools"}})
    scene.ask("hello")
    first = await scene.outcome()
    scene.ask("and now?")
    second = await scene.outcome(2)

    assert first.content.splitlines()[1] == NO_TOOLS
    assert "ℹ️" not in second.content


async def test_a_conversation_that_is_too_long(scene: Scene) -> None:
    """The answer comes, with a line that says that older messages were left out."""
    await talk(scene, 4)
    scene.model.fail(400, TOO_LONG)

    scene.ask("and now?")

    outcome = await scene.outcome(5)
    assert body_of(outcome.content).splitlines() == ["You said: and now?", SHORTENED]


async def test_it_is_said_once_a_turn(scene: Scene) -> None:
    """However often a turn was too long, before its tool call and behind it, there is one line."""
    await talk(scene, 8)
    for _ in range(2):
        scene.model.fail(400, TOO_LONG)
        scene.model.reply(tool_calls=[("calculate", json.dumps({"expression": "6*7"}))])
    scene.model.reply("It is 42.")

    scene.ask("and now?")

    outcome = await scene.outcome(9)
    assert "".join(message.content for message in scene.shown()).count(SHORTENED) == 1
    assert outcome.content.splitlines()[:2] == ["It is 42.", SHORTENED]


async def test_a_file_and_what_was_left_out_are_two_lines(scene: Scene) -> None:
    """What is said of a model's images and of its tools is said beside each other."""
    scene.model.fail(400, {"error": {"message": "test-model does not support tools"}})
    scene.model.fail(400, {"error": {"message": "image input is not supported"}})
    scene.model.reply("I cannot see it.")
    ask(scene, ("cat.png", PNG))

    outcome = await scene.outcome()

    assert outcome.content.splitlines()[1:3] == [
        "-# 📎 This model can't read the images, so it answered without them",
        NO_TOOLS,
    ]


class TestAServiceThatStarts:
    """Connection refused, 503, "Loading model": it is asked again, in sight, until it is up or somebody stops it."""

    def starting(self, model: ChatCompletionsServer, up: asyncio.Event) -> None:
        """Refuse until it is up."""

        async def answer(exchange: Exchange) -> web.StreamResponse:
            if not up.is_set():
                model.answer(answer)
                return web.json_response({"error": {"message": "Loading model", "code": 503}}, status=503)
            await exchange.text("Here I am.")
            await exchange.chunk({}, "stop")
            return await exchange.end()

        model.answer(answer)

    async def waiting(self, scene: Scene) -> Message:
        """The message that says that the service is waited for."""
        [shown] = await scene.until(lambda: [message for message in scene.shown() if "⏳" in message.content])
        return shown

    async def test_the_wait_is_seen(self, scene: Scene) -> None:
        """The channel sees what is waited for and when the next try is, of no number; the answer takes its place."""
        up = asyncio.Event()
        self.starting(scene.model, up)
        scene.ask("hello")

        shown = await self.waiting(scene)

        assert shown.content.startswith("-# ⏳ ")
        assert shown.content.endswith("(retrying in 1 s)")
        up.set()
        outcome = await scene.outcome()
        assert outcome.id == shown.id
        assert body_of(outcome.content) == "Here I am."

    async def test_stop_ends_the_wait(self, scene: Scene) -> None:
        """Stop works while the service is waited for, and it is asked no more."""
        self.starting(scene.model, asyncio.Event())
        scene.ask("hello")
        shown = await self.waiting(scene)
        assert labels(shown) == ["Stop"]

        scene.click(shown, "Stop")

        outcome = await scene.outcome()
        asked = len(scene.model.requests)
        assert body_of(outcome.content) == "⏹️ Stopped."
        await scene.app.bus.wait_until_idle()
        assert len(scene.model.requests) == asked
