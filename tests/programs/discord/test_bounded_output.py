"""Bounds on what the model writes: no text blocks the event loop, replies and calls are limited."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web

from llmgine.engine.tool_calls import MOST_CALLS
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.events import AnswerProgressEvent
from llmgine.messages.steps import PromptStep, ReplyStep, StartedStep, Turn, WaitingStep
from llmgine.sessions.records import TurnSteps
from programs.discord.delivery import rendering, splitting
from programs.discord.delivery.bodies import MOST_MESSAGES, Body, bodies_of, plain_form, prepare_plain_form, preview_of
from programs.playground.entities import RANDOM_ID
from tests.chat_completions import Exchange
from tests.cpu import moments
from tests.programs.discord.delivery.delivery_scene import stages
from tests.programs.discord.scene import Scene, labels
from tests.waiting import patience

MOST_CPU = 5.0  # moments at a stretch: a tenth of a second
LONG = 200_000  # characters
MOST_TEXT = 100_000  # characters of a reply, unless set otherwise

UNITS = {
    "brackets": "[",
    "images": "![",
    "items": "- a\n",
    "numbered items": "1. \n",
    "paragraphs": "\n\nx",
    "lines": "x\n",
    "emphasis": "*a_ ",
    "underscores": "_a",
    "prose": "word ",
    "letters": "a",
    "blanks": " ",
    "emoji": "😀",
    "joined emoji": "👩\u200d👧",
    "combining marks": "e\u0301",
    "fences": "```py\nx = 1\n```\n",
    "bare fences": "```\n",
    "backticks": "`",
    "uneven backticks": "``` ` ",
    "quotes": "> ",
    "lines of quotes": ">\n> x\n",
    "nested items": "- ",
    "tabs": "\t",
    "pipes": "|",
    "tables": "|a\n|-\n",
    "rules": "-|: ",
    "html": "<b><!--",
    "links": "[a](b)",
    "headings": "# ",
    "carriage returns": "x\r\n",
    "invisible": "\u200b",
    "invisible between letters": "a\u200b",
    "joiners": "\u200d",
    "stacked marks": "\u0301",
    "letters with stacked marks": "e" + "\u0301" * 6,
    "unfinished flags": "🏴\U000e0067",
    "masked links": "[a](https://b.c)",
    "nested masked links": "[a](https://b",
    "bare links": "https://a.b ",
    "one long link": "https://a.b/)))",
    "unclosed spans": "``a`",
    "short fences": "```a",
    "growing fences": "```` ``` `",
    "commands": "</a:1>",
    "small print": "-# ",
    "backslashes": "\\",
    "mixed": "> - `[*a_](|\n\t1. ![\n```\n\n",
}


def long_text(unit: str, characters: int = LONG) -> str:
    """So many characters of the same."""
    return (unit * (characters // len(unit) + 1))[:characters]


def turn_of(*steps: PromptStep | ReplyStep | StartedStep | WaitingStep) -> TurnSteps:
    """A turn that runs, with these steps."""
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
        created_at=datetime.now(UTC),
    )
    return TurnSteps(turn=turn, steps=(PromptStep(text="look"), *steps))


def calling(*calls: ToolCall) -> ReplyStep:
    """A reply that calls these."""
    return ReplyStep(round=0, text="", tool_calls=calls, finish="tool_calls", model="m", usage=None, seconds=0.1)


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_no_text_blocks_the_loop(unit: str) -> None:
    """To cut 200,000 characters of anything into messages takes five moments of CPU at most, growing and whole."""
    text = long_text(unit)

    assert moments(lambda: preview_of(text), MOST_CPU) <= MOST_CPU
    assert moments(lambda: bodies_of(text), MOST_CPU) <= MOST_CPU


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_no_text_without_its_file_blocks_the_loop(unit: str) -> None:
    """The longest reply, shown in fifty messages where no file can be sent, takes at most five moments of CPU."""
    whole = bodies_of(long_text(unit, MOST_TEXT))

    async def shown() -> list[list[Body]]:
        for body in whole:
            await prepare_plain_form(body)  # as is done when Discord did not take it
        return [plain_form(body) for body in whole]

    assert moments(lambda: asyncio.run(shown()), MOST_CPU) <= MOST_CPU


def test_a_preview_of_ten_megabytes_does_not_block_the_loop() -> None:
    """A preview of ten megabytes of plain text takes at most five moments of CPU."""
    text = long_text("word ", 10_000_000)

    assert moments(lambda: preview_of(text), MOST_CPU) <= MOST_CPU


def test_no_more_is_cut_than_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a text is, a preview costs as many cuts as it has messages, and an outcome one more."""
    cuts, cut = 0, splitting._cut

    def counting(window: str, earliest: int) -> int:
        nonlocal cuts
        cuts += 1
        return cut(window, earliest)

    monkeypatch.setattr(splitting, "_cut", counting)
    text = long_text("- a\n")

    preview_of(text)
    assert cuts == MOST_MESSAGES
    bodies_of(text)
    assert cuts == MOST_MESSAGES + MOST_MESSAGES + 1


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [
        "{}",
        '{"a": "' + "x" * 3_000,
        json.dumps({"a": "x" * 3_000}),
        '{"a": ' + "[" * 60 + ",".join(["[" * 800 + "]" * 800] * 2) + "]" * 60 + "}",
        '{"a": ' + "[" * 30 + "1," * 1_500 + "1" + "]" * 30 + "}",
        "\u202e" * 3_000,
    ],
    ids=["none", "cut", "long", "nested", "many lines", "invisible"],
)
def test_a_thousand_calls_do_not_block_the_loop(arguments: str, wait: bool) -> None:
    """Drawing a turn whose model called a thousand tools at once takes at most five moments of CPU."""
    now = datetime.now(UTC)
    calls = [ToolCall(id=f"call_{number}", name="look", arguments=arguments) for number in range(30)]
    calls += [ToolCall(id=f"call_{number}", name="look") for number in range(30, 1_000)]
    begun: list[StartedStep | WaitingStep] = [StartedStep(round=0, call_id=call.id, at=now) for call in calls]
    if wait:
        begun = [WaitingStep(round=0, call_id=call.id, deadline=now) for call in calls[:MOST_CALLS]]
    steps = turn_of(calling(*calls), *begun)

    assert moments(lambda: rendering.render(steps), MOST_CPU) <= MOST_CPU


@pytest.mark.parametrize("blanks", [10, 50_000])
def test_no_blanks_hide_what_is_decided_on(blanks: int) -> None:
    """Whoever approves a call sees what it would do, however it is written."""
    call = ToolCall(id="a", name="send", arguments=f'{{{" " * blanks}"to": "eve"}}')
    steps = turn_of(calling(call), WaitingStep(round=0, call_id="a", deadline=datetime.now(UTC)))

    ((_, body),) = rendering.render(steps)

    assert "**to** `eve`" in str(body["embed"])


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
        async with patience("the model to be heard of"):
            await told.wait()
        told.clear()
        piece.set()

    await scene.outcome()

    assert drawn <= len(scene.sends()) + len(scene.edits()) + 1


def without_end(scene: Scene, mark: str = "word ") -> None:
    """Have the model answer without an end."""

    async def endless(exchange: Exchange) -> web.StreamResponse:
        while True:
            await exchange.chunk({"content": long_text(mark, MOST_TEXT // 10)})

    scene.model.answer(endless)


async def test_a_reply_is_bounded(scene: Scene) -> None:
    """A reply that goes on past 100,000 characters is ended there, shown, and a notice says so."""
    without_end(scene)
    scene.ask("tell me all")

    outcome = await scene.outcome()

    await scene.model.until(lambda: not scene.model.active)
    files = [file.content.decode() for message in scene.shown() for file in message.attachments]
    assert files == [long_text("word ", MOST_TEXT)]
    assert "⚠️ The answer was stopped at 100,000 characters. Ask it to continue." in outcome.content
    assert "Continue" in labels(outcome)


async def test_the_model_is_reminded_of_what_was_kept(unstarted: Scene) -> None:
    """What people saw is what the next request has; the bound is a setting."""
    scene = await unstarted.start(max_reply_characters=1_000)
    without_end(scene)
    scene.ask("tell me all")
    assert "at 1,000 characters" in (await scene.outcome()).content

    scene.ask("go on")
    await scene.outcome(2)

    said = [one["content"] for one in scene.model.requests[-1]["messages"] if one["role"] == "assistant"]
    assert said == [long_text("word ", 1_000)]


async def test_two_bounded_replies_at_once(scene: Scene) -> None:
    """Each channel gets its own answer, ended by itself."""
    without_end(scene, "a ")
    without_end(scene, "b ")
    scene.ask("first?")
    scene.ask("second?", channel=RANDOM_ID)

    await scene.outcome()
    await scene.outcome(channel=RANDOM_ID)

    shown = [*scene.shown(), *scene.shown(RANDOM_ID)]
    files = [file.content.decode() for message in shown for file in message.attachments]
    assert sorted(files) == [long_text("a ", MOST_TEXT), long_text("b ", MOST_TEXT)]


async def test_a_bounded_reply_survives_a_restart(unstarted: Scene) -> None:
    """Ended in its middle, the bot asks again after the restart, and the reply is ended at the same bound."""
    scene, never = await unstarted.start(max_reply_characters=1_000), asyncio.Event()
    scene.model.hold(never, before="word " * 100)
    scene.ask("tell me all")
    await scene.until(scene.shown)
    without_end(scene)
    await scene.restart(max_reply_characters=1_000)

    outcome = await scene.outcome()

    assert [message.content for message in scene.shown()] == [long_text("word ", 1_000).rstrip(), outcome.content]
    assert "at 1,000 characters" in outcome.content


async def test_arguments_that_are_too_long_are_an_error_for_the_model(scene: Scene) -> None:
    """The tool does not run, the calls before do, and the model is told; in the history it was a short call."""
    ran: list[str] = []

    async def look(where: str) -> str:
        """Look.

        Args:
            where: Where.
        """
        ran.append(where)
        return "seen"

    await scene.app.engine.register_tool(look)
    too_long = json.dumps({"where": "x" * 2 * MOST_TEXT})
    scene.model.reply(tool_calls=[("look", '{"where": "here"}'), ("look", too_long)])
    scene.model.reply("Done.")
    scene.ask("look everywhere")
    await scene.outcome()

    messages = scene.model.requests[-1]["messages"]
    results = [message["content"] for message in messages if message["role"] == "tool"]
    assert ran == ["here"]
    assert "seen" in results[0]
    assert "too long and were cut, so this did not run" in results[1]
    assert len(json.dumps(messages)) < 10_000


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
    card = await scene.card()
    assert card.embeds[0]["footer"]["text"] == "and 15 more calls; 8 beyond the first 32 do not run"


async def test_nobody_is_asked_about_calls_that_do_not_run(unstarted: Scene) -> None:
    """Of the calls that wait for approval there are as many as may run; decided, the turn goes on."""

    async def send(number: int) -> str:
        """Send.

        Args:
            number: What.
        """
        return f"sent {number}"

    scene = await unstarted.start(tools=(send,), tool_options={"requires_approval": True})
    others = [("now", "{}")] * (MOST_CALLS - 1)
    scene.model.reply(tool_calls=[*others, ("send", '{"number": 1}'), ("send", '{"number": 2}')])
    scene.model.reply("Done.")
    scene.ask("send both")
    card = await scene.until(lambda: next((one for one in scene.shown() if "Approve" in labels(one)), None))
    assert card is not None

    scene.click(card, "Approve")

    await scene.outcome()
    results = [message["content"] for message in scene.model.requests[-1]["messages"] if message["role"] == "tool"]
    assert "sent 1" in results[MOST_CALLS - 1]
    assert "Only 32 calls of one reply run" in results[MOST_CALLS]
