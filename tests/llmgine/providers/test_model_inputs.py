"""Small inputs that once failed, each played to the whole engine by a real service; their list is not in here."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from llmgine.messages.commands import Attachment, StopTurnCommand
from llmgine.messages.events import (
    AnswerProgressEvent,
    LLMResponseEvent,
    ModelRetryEvent,
    SessionRenamedEvent,
    TurnFinishedEvent,
)
from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.llmgine.deadline import deadline
from tests.llmgine.engine.chat import Chat, prompt
from tests.llmgine.providers.examples import delta

__all__ = ["deadline"]

Json = dict[str, Any]

_FILE = Path(__file__).parents[4] / "shared" / "inputs" / "models.json"
_INPUTS: list[Json] = json.loads(_FILE.read_text(encoding="utf-8")) if _FILE.is_file() else []
_PIXEL = "data:image/png;base64,iVBORw0KGgo="


def calculate(expression: str) -> int:
    """Add numbers.

    Args:
        expression: Such as 1+2.
    """
    return sum(int(number) for number in expression.split("+"))


@dataclass
class Stage:
    """A service, a chat that asks it, and the input to play.

    Attributes:
        server: The service.
        chat: The chat.
        given: The input.
        right: What must come of it, in words.
    """

    server: ChatCompletionsServer
    chat: Chat
    given: Json
    right: str

    async def play(self) -> TurnFinishedEvent:
        """Answer as the input says, then ask."""
        self.server.chunks(self.chunks())
        self.server.reply("Fine.")
        return await self.chat.say("Do it.")

    def chunks(self) -> list[Json]:
        """The stream of the input."""
        given, deltas = self.given, list[Json]()
        if "delta" in given:
            deltas.append(given["delta"])
        deltas += [{"content": text} for text in given.get("stream", ())]
        for index, (name, arguments) in enumerate(given.get("tool_calls", ())):
            deltas.append(_call(index, name, arguments))
        for one in given.get("fragments", ()):
            deltas.append(_call(one["index"], one["name"], one["arguments"]))
        calls = any("tool_calls" in one for one in deltas)
        finish = given.get("finish_reason", "tool_calls" if calls else "stop")
        return [*map(delta, deltas), delta({}, finish)]

    def asked(self, place: int = -1) -> str:
        """The messages of a request, as one text."""
        return json.dumps(self.server.requests[place]["messages"])


def _call(index: int, name: str, arguments: str) -> Json:
    return {"tool_calls": [{"index": index, "id": f"c{index}", "function": {"name": name, "arguments": arguments}}]}


@pytest.fixture
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    given: Json = request.param
    async with ChatCompletionsServer() as server:
        provider = OpenAIProvider("test-model", None, server.base_url)
        window = given["input"].get("budget", 32_000)
        chat = await Chat.start(tmp_path / "test.db", provider, window=window, titles="title" in given["right"])
        if window >= 32_000:
            await chat.engine.register_tool(calculate)
        yield Stage(server, chat, given["input"], given["right"])
        await chat.close()
        await provider.aclose()


@pytest.mark.skipif(not _INPUTS, reason="the list of inputs is not beside the code")
@pytest.mark.parametrize("stage", _INPUTS, indirect=True, ids=[one["id"] for one in _INPUTS])
async def test_what_once_failed_comes_out_right(stage: Stage, request: pytest.FixtureRequest) -> None:
    """Each input of the list ends as the list says."""
    play = _PLAYS.get(request.node.callspec.id)
    if play is not None:
        await play(stage)
    elif "people read: " in stage.right:
        await _people_read(stage, stage.right.partition("people read: ")[2])
    elif results := re.findall(r"\b\d+\b", stage.right):
        await _tools_run(stage, results)
    else:
        pytest.skip("nothing here knows how to play this input")


async def _people_read(stage: Stage, words: str) -> None:
    stage.server.fail(stage.given["status"], stage.given["body"])
    outcome = await stage.chat.say()

    assert outcome.state == "failed"
    assert words in (outcome.notice or "")


async def _tools_run(stage: Stage, results: list[str]) -> None:
    outcome = await stage.play()

    assert stage.chat.results() == [(True, result) for result in results]
    assert (outcome.state, outcome.text) == ("done", "Fine.")


async def _trim_with_usage(stage: Stage) -> None:
    async def count(exchange: Exchange) -> web.StreamResponse:
        await exchange.text("b" * 150)
        await exchange.chunk({}, "stop")
        await exchange.usage((len(json.dumps(exchange.body["messages"])) // 3, 60))
        return await exchange.end()

    kept = []
    for number in range(40):
        stage.server.answer(count)
        assert (await stage.chat.say(f"turn {number:02} " + "a" * 150)).state == "done"
        kept.append(int(re.findall(r"turn (\d\d)", stage.asked())[0]))
        assert len(stage.asked()) // 3 <= stage.given["budget"]

    assert kept == sorted(kept)
    assert kept[-1] > 0


async def _overflow_then_short(stage: Stage) -> None:
    window = stage.given["window"]

    async def bounded(exchange: Exchange) -> web.StreamResponse:
        tokens = len(json.dumps(exchange.body)) // 4
        if tokens > window:
            said = (
                f"This model's maximum context length is {window} tokens. However, your messages resulted in {tokens}."
            )
            error = {"message": said, "code": "context_length_exceeded"}
            return web.json_response({"error": error}, status=400)
        await exchange.text("4")
        await exchange.chunk({}, "stop")
        return await exchange.end()

    for _ in range(10):
        stage.server.answer(bounded)
    text = "0123456789" * 2_000
    files = tuple(
        Attachment(name=f"{name}.txt", media_type="text/plain", size=len(text), text=text)
        for name in ("a", "b", "c", "d")
    )
    admitted = (await stage.chat.bus.execute(prompt().model_copy(update={"attachments": files}))).unwrap()
    first = await stage.chat.outcome(admitted.turn_id)
    second = await stage.chat.say(stage.given["messages"][1])

    assert first.state == "done" or re.search(r"[abcd]\.txt", first.notice or "")
    assert (second.state, second.text) == ("done", "4")


async def _refused_content(stage: Stage) -> None:
    refusal = stage.given["refusal"]
    stage.server.fail(refusal["status"], {"error": refusal["error"]})
    first, second = await stage.chat.say("something refused"), await stage.chat.say(stage.given["messages"][1])

    assert (first.state, second.state) == ("failed", "done")
    assert "something refused" not in stage.asked()


async def _image_500(stage: Stage) -> None:
    refusal, picture = stage.given["refusal"], Attachment(name="a.png", media_type="image/png", size=9, image=0)
    stage.server.fail(refusal["status"], {"error": refusal["error"]})
    command = prompt("what is this?").model_copy(update={"images": (_PIXEL,), "attachments": (picture,)})
    admitted = (await stage.chat.bus.execute(command)).unwrap()
    outcomes = [await stage.chat.outcome(admitted.turn_id)]
    outcomes += [await stage.chat.say(text) for text in stage.given["messages"][1:]]

    assert [one.state for one in outcomes] == ["done"] * 3
    assert [_PIXEL in json.dumps(body) for body in stage.server.requests] == [True, False, False, False]


async def _no_tools(stage: Stage) -> None:
    refusal = stage.given["refusal"]
    stage.server.fail(refusal["status"], {"error": refusal["error"]})
    first, second = await stage.chat.say("hello"), await stage.chat.say("again")

    assert (first.state, second.state) == ("done", "done")
    assert [one.left_out for one in stage.chat.of(LLMResponseEvent)] == [("tools",), ()]
    assert ["tools" in body for body in stage.server.requests] == [True, False, False]
    assert "does not know" not in (first.notice or "")


async def _lone_closing_think(stage: Stage) -> None:
    stage.server.chunks(stage.chunks())
    stage.server.chunks(stage.chunks())  # the title
    outcome = await stage.chat.say("hi")
    renamed = await stage.chat.told(SessionRenamedEvent)
    await stage.chat.say("thanks")

    assert outcome.text == "Hello Ada!"
    assert all("Hello Ada!".startswith(one.text.strip()) for one in stage.chat.of(AnswerProgressEvent, outcome.turn_id))
    assert (renamed.title or "").rstrip("!") == "Hello Ada"
    assert "greets" not in stage.asked()
    assert "Hello Ada!" in stage.asked()


async def _done_without_finish(stage: Stage) -> None:
    outcome = await stage.play()

    assert (outcome.state, outcome.text, outcome.notice) == ("done", "".join(stage.given["stream"]), None)


async def _call_without_finish(stage: Stage) -> None:
    await _tools_run(stage, ["4"])


async def _moderation(stage: Stage) -> None:
    stage.server.fail(stage.given["status"], stage.given["body"])
    notice = (await stage.chat.say()).notice or ""

    assert "content" in notice
    assert "harassment" in notice
    assert "key" not in notice.lower()


async def _retry_delay(stage: Stage) -> None:
    stage.server.fail(stage.given["status"], stage.given["body"])
    outcome = await stage.chat.say()

    assert outcome.state == "done"
    assert [one.wait_seconds for one in stage.chat.of(ModelRetryEvent)] == [2.5]


async def _invisible(stage: Stage) -> None:
    stage.server.chunks(stage.chunks())
    stage.server.chunks(stage.chunks())
    outcome = await stage.chat.say()

    assert outcome.state == "failed"
    assert "empty" in (outcome.notice or "")
    assert len(stage.server.requests) == 2


async def _half_escapes(stage: Stage) -> None:
    first, second = (piece.encode() for piece in stage.given["stream_bytes"])

    async def in_two_writes(exchange: Exchange) -> web.StreamResponse:
        response = await exchange.stream()
        await response.write(b'data: {"choices": [{"delta": {"content": ' + first)
        await response.write(second + b'}, "finish_reason": "stop"}]}\n\n')
        return await exchange.end()

    async def in_two_events(exchange: Exchange) -> web.StreamResponse:
        for text in (first + b'"', b'"' + second):
            await exchange.data('{"choices": [{"delta": {"content": ' + text.decode() + "}}]}")
        await exchange.chunk({}, "stop")
        return await exchange.end()

    for answer in (in_two_writes, in_two_events):
        stage.server.answer(answer)
        assert (await stage.chat.say()).text == "😀 ok"


async def _stop_behind_tool(stage: Stage) -> None:
    async def strict(exchange: Exchange) -> web.StreamResponse:
        roles = [message["role"] for message in exchange.body["messages"]]
        if ("tool", "user") in itertools.pairwise(roles):
            return web.json_response({"error": {"message": "Unexpected role 'user' after role 'tool'"}}, status=400)
        await exchange.text("Hello.")
        await exchange.chunk({}, "stop")
        return await exchange.end()

    stage.server.reply(tool_calls=[("calculate", '{"expression": "1+1"}')])
    stage.server.hold(asyncio.Event(), silent=True)
    stage.server.answer(strict)
    admitted = await stage.chat.admit("use the tool")
    await stage.server.until(lambda: len(stage.server.requests) == 2)
    await stage.chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    stopped = await stage.chat.outcome(admitted.turn_id)
    following = await stage.chat.say("hello")

    assert (stopped.state, following.state, following.text) == ("stopped", "done", "Hello.")


async def _failed_then_question(stage: Stage) -> None:
    async def strict(exchange: Exchange) -> web.StreamResponse:
        roles = [message["role"] for message in exchange.body["messages"] if message["role"] != "system"]
        if roles != (["user", "assistant"] * len(roles))[: len(roles)]:
            return web.json_response({"error": {"message": "Conversation roles must alternate"}}, status=400)
        await exchange.text("Hello.")
        await exchange.chunk({}, "stop")
        return await exchange.end()

    stage.server.fail(400, {"error": {"message": "something is wrong"}})
    stage.server.answer(strict)
    failed, following = await stage.chat.say("first"), await stage.chat.say("hello")

    assert (failed.state, following.state, following.text) == ("failed", "done", "Hello.")
    assert len(stage.server.requests) == 2


_PLAYS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "trim-with-usage": _trim_with_usage,
    "overflow-then-short": _overflow_then_short,
    "refused-content-then-harmless": _refused_content,
    "image-500-then-text": _image_500,
    "no-tools-404": _no_tools,
    "lone-closing-think": _lone_closing_think,
    "done-without-finish": _done_without_finish,
    "call-without-finish": _call_without_finish,
    "moderation-403": _moderation,
    "retry-delay-in-body": _retry_delay,
    "invisible-answer": _invisible,
    "half-escapes": _half_escapes,
    "stop-behind-tool-then-question": _stop_behind_tool,
    "failed-then-question": _failed_then_question,
}
