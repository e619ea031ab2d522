"""What the log says of commands and turns, read back with its own reader."""

import asyncio
from pathlib import Path

import pytest

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.bus import MessageBus
from llmgine.engine.ask import ask
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import PromptCommand
from llmgine.messages.events import Event, ToolCallStartedEvent
from llmgine.observability.reader import Record, read_log
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from llmgine.settings import Settings
from tests.llmgine.bus.messages import Add, Noted


class Drawn(Event):
    """A tool's own event."""

    card: str


def roots(records: list[Record]) -> list[Record]:
    """The roots of these lines, after checking that they are a forest: ids are unique, parents known, no cycles."""
    by_span = {record.text("span_id"): record for record in records}
    assert len(by_span) == len(records)
    found = []
    for record in records:
        path = [record]
        while parent := path[-1].text("parent_id"):
            assert parent in by_span, f"{path[-1].data} has an unknown parent"
            assert by_span[parent] not in path, f"{record.data} is its own ancestor"
            path.append(by_span[parent])
        if path == [record]:
            found.append(record)
        assert path[-1].text("trace_id") == record.text("trace_id")
    return found


def prompt(number: int) -> PromptCommand:
    return PromptCommand(session_id="s", text=f"Draw {number}.", source="test", source_id=str(number))


def calls(number: int) -> ChatReply:
    drawing = tuple(ToolCall(name=name, arguments=f'{{"card": "{number}{name}"}}') for name in ("draw", "draw_slowly"))
    return ChatReply(
        tool_calls=(*drawing, ToolCall(name="draw_in_thread", arguments=f'{{"card": "{number}"}}')), model="m"
    )


async def play(app: ApplicationBootstrap, turns: int) -> None:
    """Turns of one session, asked for at once, with tools that run side by side and tell of what they do."""
    loop = asyncio.get_running_loop()
    both = asyncio.Barrier(2)

    async def draw(card: str) -> str:
        """Draw a card while the other tool is at it."""
        async with both:
            await app.bus.publish(Drawn(card=card))
        return card

    async def draw_slowly(card: str) -> str:
        """Draw a card from a task of its own."""
        async with both, asyncio.TaskGroup() as group:
            group.create_task(app.bus.publish(Drawn(card=f"{card} before")))
            task = group.create_task(asyncio.to_thread(lambda: Drawn(card=f"{card} after")))
        await app.bus.publish(task.result())
        return card

    def draw_in_thread(card: str) -> str:
        """Draw a card from a thread."""
        asyncio.run_coroutine_threadsafe(app.bus.publish(Drawn(card=card)), loop).result()
        return card

    async def react(event: Drawn) -> None:
        await asyncio.create_task(app.bus.publish(Noted(number=len(event.card), session_id="another")))

    for tool in (draw, draw_slowly, draw_in_thread):
        await app.engine.register_tool(tool)
    app.bus.register_event_handler(Drawn, react)
    await asyncio.gather(*(ask(app.bus, prompt(number)) for number in range(turns)))


@pytest.fixture
async def records(tmp_path: Path) -> list[Record]:
    """The log of an application that ran three turns of one session, each with three tools at once."""
    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/test.db", log_dir=tmp_path / "logs")
    script = [reply for number in range(3) for reply in (calls(number), f"Drawn {number}.")]
    config = ApplicationConfig(settings=settings)
    async with ApplicationBootstrap(config, provider=ScriptedProvider(script)) as app:
        await play(app, 3)
    return list(read_log(tmp_path / "logs" / "events.jsonl"))


async def test_the_lines_of_a_turn_are_one_tree(records: list[Record]) -> None:
    """Each turn has one root, its prompt, though its lines come from many tasks, threads, lanes and sessions."""
    prompts = [record for record in records if record.type == "PromptCommand"]

    assert len(prompts) == 3
    for root in prompts:
        tree = [record for record in records if record.text("trace_id") == root.text("trace_id")]
        assert roots(tree) == [root]
        assert {record.text("turn_id") for record in tree if record.text("turn_id")} == {
            record.text("turn_id") for record in tree if record.type == "TurnFinishedEvent"
        }
        assert [record.type for record in tree].count("TurnFinishedEvent") == 1
        assert [record.type for record in tree].count("Noted") == 4


async def test_no_line_of_a_turn_is_outside_of_a_tree(records: list[Record]) -> None:
    """All roots of the log are prompts, or what the application measures of itself."""
    assert {record.type for record in roots(records)} <= {"PromptCommand", "MetricEvent"}
    assert not [record for record in roots(records) if record.type == "MetricEvent" and record.text("session_id")]


async def test_what_a_tool_tells_hangs_under_its_own_call(records: list[Record]) -> None:
    """Of tools that run side by side, each one's events are children of the event of its start."""
    by_span = {record.text("span_id"): record for record in records}
    drawn = [record for record in records if record.type == "Drawn"]

    assert len(drawn) == 3 * 4
    for record in drawn:
        start = by_span[record.text("parent_id")]
        assert start.type == ToolCallStartedEvent.__name__
        assert f'"{record.text("card").split()[0]}"' in start.text("call", "arguments")
    reactions = [by_span[record.text("parent_id")].type for record in records if record.type == "Noted"]
    assert reactions == ["Drawn"] * len(drawn)


async def test_the_line_of_a_command_whose_caller_is_cancelled(tmp_path: Path) -> None:
    """The log has the command, what it did until then, and exactly one end, which says that it was cancelled."""
    bus = MessageBus(log_dir=tmp_path)
    await bus.start()
    running = asyncio.Event()

    async def hang(_: Add) -> None:
        await bus.publish(Noted(number=1))
        running.set()
        await asyncio.Event().wait()

    bus.register_command_handler(Add, hang)
    command = Add(session_id="s")
    caller = asyncio.create_task(bus.execute(command))
    await running.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await bus.stop()

    records = list(read_log(tmp_path / "events.jsonl"))
    assert [record.type for record in records] == ["Add", "Noted", "CommandErrorEvent"]
    assert [record.text("span_id") for record in roots(records)] == [command.span_id]
    end = records[-1]
    assert (end.text("error"), end.text("session_id")) == ("cancelled", "s")
    assert (end.part("command_id"), end.text("command_type")) == (command.id, "Add")
    assert end.text("parent_id") == command.span_id


async def test_the_line_of_a_handler_that_failed(tmp_path: Path) -> None:
    """A failure hangs under the event it is about, in lanes and inline alike."""
    bus = MessageBus(log_dir=tmp_path)
    await bus.start()

    def fail(_: Noted) -> None:
        raise ValueError

    async def fail_later(_: Noted) -> None:
        raise KeyError

    bus.register_event_handler(Noted, fail)
    bus.register_event_handler(Noted, fail_later)
    event = Noted()
    await bus.publish(event)
    await bus.stop()

    records = list(read_log(tmp_path / "events.jsonl"))
    assert [(record.type, record.text("error"), record.text("parent_id")) for record in records[1:]] == [
        ("HandlerFailedEvent", "ValueError()", event.span_id),
        ("HandlerFailedEvent", "KeyError()", event.span_id),
    ]
