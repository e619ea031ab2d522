"""Tool calls in a turn: run once, side by side or in order, asked about where need be, and always with a result."""

import asyncio
from collections.abc import Callable

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Attachment, Author, StopTurnCommand
from llmgine.messages.events import (
    ToolCallDecidedEvent,
    ToolCallEvent,
    ToolCallFinishedEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
    TurnFinishedEvent,
)
from llmgine.messages.text import clean_text
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from llmgine.tools.context import current_tool_context
from tests.llmgine.engine.chat import ADA, Chat, call, prompt
from tests.llmgine.engine.conftest import StartChat


class Dice:
    """A tool that counts how often it ran."""

    def __init__(self) -> None:
        self.rolls = 0

    async def roll(self, sides: int = 6) -> str:
        """Roll a die."""
        self.rolls += 1
        return f"a {sides}"


async def test_a_tool_is_called_and_its_result_answered(start_chat: StartChat) -> None:
    """The result goes to the model, and the life of the call is told: started, finished."""
    provider = ScriptedProvider([call("roll", arguments='{"sides": 20}'), "You rolled a 20."])
    chat = await start_chat(provider)
    await chat.engine.register_tool(Dice().roll)

    outcome = await chat.say()

    assert (outcome.state, outcome.text) == ("done", "You rolled a 20.")
    assert chat.results() == [(True, "a 20")]
    assert [type(event) for event in chat.of(ToolCallEvent)] == [ToolCallStartedEvent, ToolCallFinishedEvent]
    assert [tool.name for tool in provider.requests[0].tools] == ["roll"]
    assert [(m.role, m.content) for m in provider.requests[1].messages[-2:]] == [("assistant", ""), ("tool", "a 20")]


async def raises() -> None:
    """Fail."""
    raise ValueError("no luck")


async def hangs() -> None:
    """Take for ever."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (call("raises"), "ValueError: no luck"),
        (call("hangs"), "No result within 0.05 seconds"),
        (call("unheard_of"), "There is no tool 'unheard_of'"),
        (call("roll", arguments='{"sides": "many"}'), "sides: Input should be a valid integer"),
        (call("roll", arguments='{"sides": '), "Invalid JSON"),
        (call("roll", arguments="[" * 50_000), "Invalid JSON"),
    ],
)
async def test_a_call_that_fails_is_an_error_result(start_chat: StartChat, reply: ChatReply, told: str) -> None:
    """The model reads what went wrong and goes on; so do the next prompts."""
    chat = await start_chat([reply, "sorry", "fine"])
    for tool in (raises, hangs, Dice().roll):
        await chat.engine.register_tool(tool, timeout=0.05)

    outcome, following = await chat.say(), await chat.say()

    ((ok, content),) = chat.results(outcome.turn_id)
    assert not ok
    assert told in content
    assert (outcome.state, outcome.text, following.text) == ("done", "sorry", "fine")


async def test_a_tool_knows_who_asked(start_chat: StartChat) -> None:
    """The requester comes from the prompt, never from what the model wrote."""
    seen: list[object] = []

    def who(author_id: str) -> None:
        """Say who asks.

        Args:
            author_id: What the model claims.
        """
        context = current_tool_context()
        seen.append((context.session_id, context.turn_id, context.author_id, context.author_name))

    chat = await start_chat([call("who", arguments='{"author_id": "admin"}'), "ok"])
    await chat.engine.register_tool(who)

    outcome = await chat.say(author=ADA)

    assert seen == [("s", outcome.turn_id, "1", "Ada")]


async def test_a_tool_reads_the_images_of_the_question(start_chat: StartChat) -> None:
    """It gets those that came with what was said, in their order, and none of an earlier question."""
    seen: list[object] = []

    async def look() -> None:
        """Look at the images."""
        seen.append(await current_tool_context().images())

    chat = await start_chat([call("look"), "one", call("look"), "none"])
    await chat.engine.register_tool(look)
    pictures = tuple(Attachment(name=f"{n}.png", media_type="image/png", size=1, image=n) for n in range(2))
    urls = ("data:image/png;base64,AA==", "data:image/png;base64,AQ==")
    shown = prompt().model_copy(update={"attachments": pictures, "images": urls})

    admitted = (await chat.bus.execute(shown)).unwrap()
    await chat.outcome(admitted.turn_id)
    await chat.say()

    assert seen == [list(urls), []]


async def test_calls_of_a_round_overlap(start_chat: StartChat) -> None:
    """Two tools that each wait for the other come to their ends."""
    left, right = asyncio.Event(), asyncio.Event()

    async def first() -> str:
        """Wait for the second."""
        left.set()
        await right.wait()
        return "first"

    async def second() -> str:
        """Wait for the first."""
        right.set()
        await left.wait()
        return "second"

    provider = ScriptedProvider([call("first", "second"), "both"])
    chat = await start_chat(provider)
    await chat.engine.register_tool(first)
    await chat.engine.register_tool(second)

    assert (await chat.say()).text == "both"
    assert [message.content for message in provider.requests[1].messages[-2:]] == ["first", "second"]


async def test_sequential_tools_never_overlap(start_chat: StartChat) -> None:
    """They run one by one, in the order the model wrote, beside those that are not sequential."""
    log: list[str] = []
    others_ran = asyncio.Event()

    async def careful(name: str) -> None:
        """Work alone.

        Args:
            name: Which.
        """
        log.append(f"begin {name}")
        await others_ran.wait()
        log.append(f"end {name}")

    async def other() -> None:
        """Work beside."""
        others_ran.set()

    calls = [ToolCall(name="careful", arguments=f'{{"name": "{name}"}}') for name in "abc"]
    reply = ChatReply(tool_calls=(*calls, ToolCall(name="other")), finish="tool_calls", model="m")
    chat = await start_chat([reply, "done"])
    await chat.engine.register_tool(careful, sequential=True)
    await chat.engine.register_tool(other)

    await chat.say()

    assert log == ["begin a", "end a", "begin b", "end b", "begin c", "end c"]


async def test_rounds_are_bounded(start_chat: StartChat) -> None:
    """A model that only calls tools is offered none in the last round; if it calls even so, the turn fails clearly."""
    dice = Dice()
    provider = ScriptedProvider([call("roll") for _ in range(8)] + ["next"])
    chat = await start_chat(provider)
    await chat.engine.register_tool(dice.roll)

    outcome, following = await chat.say(), await chat.say()

    assert (outcome.state, outcome.notice) == (
        "failed",
        "The model used tools 8 times without answering. Ask in smaller steps.",
    )
    assert [bool(request.tools) for request in provider.requests] == [True] * 7 + [False, True]
    assert dice.rolls == 7
    assert following.text == "next"
    results = {message.tool_call_id for message in provider.requests[-1].messages if message.role == "tool"}
    assert results == {c.id for message in provider.requests[-1].messages for c in message.tool_calls}


async def test_stopping_ends_a_running_tool(start_chat: StartChat) -> None:
    """The tool is cancelled, and the model is later told that its outcome is unknown."""
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        """Take long."""
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    provider = ScriptedProvider([call("long"), "next"])
    chat = await start_chat(provider)
    await chat.engine.register_tool(long)
    admitted = await chat.admit()
    await running.wait()

    await chat.bus.execute(StopTurnCommand(session_id="s"))

    assert (await chat.outcome(admitted.turn_id)).state == "stopped"
    assert cancelled.is_set()
    await chat.say()
    assert "unknown" in next(m.content for m in provider.requests[1].messages if m.role == "tool")


async def approving(start_chat: StartChat, dice: Dice, *, seconds: float = 600.0) -> Chat:
    chat = await start_chat([call("roll"), "so be it"], approval_timeout=seconds)
    await chat.engine.register_tool(dice.roll, requires_approval=True)
    return chat


async def test_an_approved_call_runs(start_chat: StartChat) -> None:
    """Not before somebody agreed; who did is told."""
    dice = Dice()
    chat = await approving(start_chat, dice)
    admitted = await chat.admit()
    waiting = await chat.told(ToolCallWaitingEvent)
    assert dice.rolls == 0
    assert (await chat.store.turns.get(admitted.turn_id)).turn.state == "waiting"

    assert await chat.decide(waiting, approved=True)
    outcome = await chat.outcome(admitted.turn_id)

    assert (outcome.state, dice.rolls, chat.results()) == ("done", 1, [(True, "a 6")])
    assert chat.of(ToolCallDecidedEvent)[0].decided_by == ADA


async def test_a_denied_call_does_not_run(start_chat: StartChat) -> None:
    """The model is told who denied it and goes on."""
    dice = Dice()
    chat = await approving(start_chat, dice)
    admitted = await chat.admit()

    await chat.decide(await chat.told(ToolCallWaitingEvent), approved=False)

    assert (await chat.outcome(admitted.turn_id)).text == "so be it"
    assert (dice.rolls, chat.results()) == (0, [(False, "Ada denied this call. Do not try it again unless asked.")])


async def test_a_call_nobody_decides_is_denied(start_chat: StartChat) -> None:
    """At its deadline; a decision after that does not count."""
    dice = Dice()
    chat = await approving(start_chat, dice, seconds=0.05)
    admitted = await chat.admit()
    waiting = await chat.told(ToolCallWaitingEvent)
    await chat.outcome(admitted.turn_id)

    assert not await chat.decide(waiting, approved=True)
    assert dice.rolls == 0
    assert chat.of(ToolCallDecidedEvent)[0].decided_by is None
    assert "Nobody approved this in time" in chat.results()[0][1]


async def test_another_process_may_decide(start_chat: StartChat) -> None:
    """It writes a row; the turn's owner finds it."""
    dice = Dice()
    chat = await approving(start_chat, dice)
    other = await start_chat([])
    admitted = await chat.admit()

    assert await other.decide(await chat.told(ToolCallWaitingEvent), approved=True)

    assert (await chat.outcome(admitted.turn_id)).state == "done"
    assert dice.rolls == 1


async def test_the_second_decision_does_not_count(start_chat: StartChat) -> None:
    """Of two at once the first holds, and the call runs once."""
    dice = Dice()
    chat = await approving(start_chat, dice)
    other = await start_chat([])
    admitted = await chat.admit()
    waiting = await chat.told(ToolCallWaitingEvent)

    eve = Author(id="2", name="Eve")
    counted = await asyncio.gather(
        chat.decide(waiting, approved=True),
        chat.decide(waiting, approved=True),
        other.decide(waiting, approved=True, by=eve),
    )
    await chat.outcome(admitted.turn_id)

    assert sorted(counted) == [False, False, True]
    assert dice.rolls == 1
    assert len(chat.of(ToolCallDecidedEvent)) == 1


@pytest.mark.parametrize("arguments", ['{"sides": "many"}', "{", '{"faces": 6}'])
async def test_nobody_is_asked_about_a_call_that_cannot_run(start_chat: StartChat, arguments: str) -> None:
    """Malformed arguments go back to the model at once."""
    chat = await start_chat([call("roll", arguments=arguments), "sorry"])
    await chat.engine.register_tool(Dice().roll, requires_approval=True)

    await chat.say()

    assert not chat.of(ToolCallWaitingEvent)
    assert chat.results()[0][0] is False


async def test_a_waiting_call_can_be_stopped(start_chat: StartChat) -> None:
    """The turn ends, and approving it afterwards does nothing."""
    dice = Dice()
    chat = await approving(start_chat, dice)
    admitted = await chat.admit()
    waiting = await chat.told(ToolCallWaitingEvent)

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    await chat.outcome(admitted.turn_id)

    assert not await chat.decide(waiting, approved=True)
    assert dice.rolls == 0


async def test_waiting_in_one_session_holds_up_no_other(start_chat: StartChat) -> None:
    """A model call's place is not kept while people think."""
    chat = await start_chat([call("roll"), "elsewhere"], calls_at_once=1)
    await chat.engine.register_tool(Dice().roll, requires_approval=True)
    await chat.admit(session_id="a")
    await chat.told(ToolCallWaitingEvent)

    assert (await chat.say(session_id="b")).text == "elsewhere"


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 1_000_000])
async def test_hostile_results_are_stored_and_told(start_chat: StartChat, text: str) -> None:
    """Whatever a tool returns, the result is clean, bounded, and the turn goes on."""

    def give() -> str:
        """Give something."""
        return text

    chat = await start_chat([call("give"), "ok"])
    await chat.engine.register_tool(give)

    await chat.say()

    ((ok, content),) = chat.results()
    assert ok
    assert content == clean_text(content)
    assert len(content) <= 16_000


async def test_registering_takes_functions_and_options(start_chat: StartChat) -> None:
    """A lambda without a docstring is refused with what to do; a good function becomes a tool."""
    chat = await start_chat([])
    nameless: Callable[[], int] = lambda: 4  # noqa: E731  a function without name and docstring is the case

    with pytest.raises(ValueError, match="name="):
        await chat.engine.register_tool(nameless)
    tool = await chat.engine.register_tool(raises, name="other", idempotent=True)

    assert (tool.name, tool.idempotent, chat.engine.tools.names) == ("other", True, ("other",))
    assert not chat.of(TurnFinishedEvent)
