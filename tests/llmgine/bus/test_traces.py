"""One cause, one tree: messages built while another is handled are its children."""

import asyncio

from llmgine.bus import MessageBus
from llmgine.messages.events import CommandResultEvent, Event
from llmgine.messages.message import Message, current_span
from tests.llmgine.bus.messages import Add, LoudlyNoted, Noted


async def test_all_that_a_command_causes_is_one_tree(bus: MessageBus) -> None:
    """Command, its events, the events of their handlers and of the tasks these start: one root, known parents."""
    heard: list[Message] = []
    done = asyncio.Event()

    async def add(command: Add) -> int:
        await bus.publish(Noted(number=command.left, session_id="s"))
        return 0

    async def elsewhere() -> None:
        await bus.publish(LoudlyNoted(session_id="other"))
        done.set()

    async def react(event: Noted) -> None:
        if type(event) is Noted:
            await asyncio.create_task(elsewhere())

    bus.register_command_handler(Add, add)
    bus.register_event_handler(Noted, react)
    bus.register_event_handler(Event, heard.append)

    command = Add()
    await bus.execute(command)
    await done.wait()
    await bus.wait_until_idle()

    by_type = {type(message): message for message in heard}
    assert command.parent_id is None
    assert {message.trace_id for message in heard} == {command.trace_id}
    assert by_type[Noted].parent_id == command.span_id
    assert by_type[CommandResultEvent].parent_id == command.span_id
    assert by_type[LoudlyNoted].parent_id == by_type[Noted].span_id


async def test_causes_do_not_leak_from_one_event_to_the_next(bus: MessageBus) -> None:
    """A lane carries each event's own place; outside of handlers there is none."""
    places: list[tuple[str, str]] = []

    async def look(_: Noted) -> None:
        span = current_span()
        assert span is not None
        places.append((span.trace_id, span.span_id))

    bus.register_event_handler(Noted, look)
    events = [Noted(), Noted()]
    for event in events:
        await bus.publish(event)
    await bus.wait_until_idle()

    assert places == [(event.trace_id, event.span_id) for event in events]
    assert events[0].trace_id != events[1].trace_id
    assert current_span() is None
