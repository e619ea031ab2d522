"""Bounds on what the model writes: no text blocks the event loop, replies and calls are limited."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web

from llmgine.messages.chat import ToolCall
from llmgine.messages.events import AnswerProgressEvent
from llmgine.messages.steps import PromptStep, ReplyStep, StartedStep, Turn
from llmgine.sessions.records import TurnSteps
from programs.discord.delivery import rendering
from programs.discord.delivery.bodies import Body, bodies_of, preview_of
from tests.chat_completions import Exchange
from tests.programs.discord.open_faults.delivery_scene import soon, stages
from tests.programs.discord.scene import Scene

MOST_CPU = 0.1  # seconds at a stretch
LONG = 200_000  # characters
MOST_TEXT = 100_000  # characters of a reply, unless set otherwise
MOST_CALLS = 32  # of a reply

SLOW = {
    "brackets": "[",
    "images": "![",
    "items": "- a\n",
    "paragraphs": "\n\nx",
    "emphasis": "*a_ ",
    "underscores": "_a",
}
FAST = {
    "prose": "word ",
    "letters": "a",
    "emoji": "😀",
    "fences": "```py\nx = 1\n```\n",
    "backticks": "`",
    "quotes": "> ",
    "nested items": "- ",
    "tabs": "\t",
}


def cpu(work: Callable[[], object]) -> float:
    """The seconds of CPU that a piece of work takes this thread."""
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def long_text(unit: str, characters: int = LONG) -> str:
    """So many characters of the same."""
    return (unit * (characters // len(unit) + 1))[:characters]


@pytest.mark.xfail(
    strict=True,
    raises=(AssertionError, TimeoutError),
    reason="The whole text is parsed for each preview, in seconds for some texts.",
)
@pytest.mark.parametrize("unit", SLOW.values(), ids=SLOW)
def test_no_text_blocks_the_loop(unit: str) -> None:
    """Cutting 200,000 characters of anything into messages takes less than 100 ms of CPU."""
    text = long_text(unit)

    assert cpu(lambda: preview_of(text)) < MOST_CPU


@pytest.mark.parametrize("unit", FAST.values(), ids=FAST)
def test_plain_text_does_not_block_the_loop(unit: str) -> None:
    """Cutting 200,000 characters that need no care into messages takes less than 100 ms of CPU."""
    text = long_text(unit)

    assert cpu(lambda: preview_of(text)) < MOST_CPU


@pytest.mark.xfail(
    strict=True, raises=(AssertionError, TimeoutError), reason="The text is parsed anew for each of its messages."
)
def test_no_outcome_blocks_the_loop() -> None:
    """Cutting a whole answer of 200,000 characters into messages takes less than 100 ms of CPU."""
    text = long_text("- a\n")

    assert cpu(lambda: bodies_of(text)) < MOST_CPU


@pytest.mark.xfail(
    strict=True,
    raises=(AssertionError, TimeoutError),
    reason="A preview cuts all of the text, however little of it is shown.",
)
def test_a_preview_of_ten_megabytes_does_not_block_the_loop() -> None:
    """A preview of ten megabytes of plain text takes less than 100 ms of CPU."""
    text = long_text("word ", 10_000_000)

    assert cpu(lambda: preview_of(text)) < MOST_CPU


@pytest.mark.xfail(
    strict=True,
    raises=(AssertionError, TimeoutError),
    reason="A preview cuts all of the text, however little of it is shown.",
)
def test_a_preview_cuts_no_more_than_is_shown() -> None:
    """A preview of a text that is far longer than what is shown of it costs no more than what is shown."""
    shown, whole = long_text("- a\n", 12_000), long_text("- a\n")

    assert cpu(lambda: preview_of(whole)) < 4 * cpu(lambda: preview_of(shown))


def test_a_thousand_calls_do_not_block_the_loop() -> None:
    """Drawing a turn whose model called a thousand tools at once takes less than 100 ms of CPU."""
    now = datetime.now(UTC)
    calls = tuple(ToolCall(id=f"call_{number}", name="look", arguments="{}") for number in range(1_000))
    reply = ReplyStep(round=0, text="", tool_calls=calls, finish="tool_calls", model="m", usage=None, seconds=0.1)
    begun = [StartedStep(round=0, call_id=call.id, at=now) for call in calls]
    turn = Turn(
        id="0123456789abcdef",
        session_id="discord:1",
        seq=1,
        attempt=1,
        claim=1,
        resumes=0,
        state="running",
        owner="",
        source="discord",
        origin={"channel_id": "1"},
        created_at=now,
    )
    steps = TurnSteps(turn=turn, steps=(PromptStep(text="look"), reply, *begun))

    assert cpu(lambda: rendering.render(steps)) < MOST_CPU


@pytest.mark.xfail(
    strict=True, raises=(AssertionError, TimeoutError), reason="Each event of the model's progress draws a preview."
)
async def test_previews_are_drawn_at_the_pace_of_edits(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two edits of a message no preview is drawn, however often the model is heard of."""
    drawn = 0

    def drawing(text: str) -> list[Body]:
        nonlocal drawn
        drawn += 1
        return preview_of(text)

    monkeypatch.setattr(rendering, "preview_of", drawing)
    scene = await unstarted.start(interval=60.0)
    told = asyncio.Event()
    scene.app.bus.register_event_handler(AnswerProgressEvent, lambda _event: told.set())
    pieces = stages(scene, *(f"piece {number} " for number in range(9)))
    scene.ask("tell me")
    for piece in pieces:
        async with asyncio.timeout(2.0):
            await told.wait()
        told.clear()
        piece.set()

    await scene.outcome()

    assert drawn <= len(scene.sends()) + len(scene.edits()) + 1


@pytest.mark.xfail(strict=True, raises=(AssertionError, TimeoutError), reason="A reply has no bound.")
async def test_a_reply_is_bounded(unstarted: Scene) -> None:
    """A reply that goes on past 100,000 characters is ended there, shown, and a notice says so."""
    scene, over = await unstarted.start(), asyncio.Event()

    async def endless(exchange: Exchange) -> web.StreamResponse:
        for _ in range(15):
            await exchange.chunk({"content": long_text("word ", MOST_TEXT // 10)})
        await over.wait()
        return await exchange.end()

    scene.model.answer(endless)
    scene.ask("tell me all")
    try:
        await soon(scene, scene.outcomes)
    finally:
        over.set()

    files = [file for message in scene.shown() for file in message.attachments]
    assert [len(file.content) <= MOST_TEXT for file in files] == [True]
    assert any("⚠️" in message.content for message in scene.shown())


@pytest.mark.xfail(strict=True, raises=(AssertionError, TimeoutError), reason="All calls of a reply run.")
async def test_only_the_first_calls_of_a_reply_run(unstarted: Scene) -> None:
    """Of one reply's calls the first 32 run; for each of the rest the model is told of an error."""
    ran: list[int] = []

    async def look(number: int) -> str:
        """Look.

        Args:
            number: Where.
        """
        ran.append(number)
        return "seen"

    scene = await unstarted.start(tools=(look,))
    scene.model.reply(tool_calls=[("look", f'{{"number": {number}}}') for number in range(MOST_CALLS + 8)])
    scene.model.reply("Done.")
    scene.ask("look everywhere")
    await scene.outcome()

    results = [message["content"] for message in scene.model.requests[-1]["messages"] if message["role"] == "tool"]
    assert sorted(ran) == list(range(MOST_CALLS))
    assert ["seen" in result for result in results] == [True] * MOST_CALLS + [False] * 8
