"""The spans of turns, derived from the engine's events: for a console, and for whoever listens for `TraceEvent`s."""

from collections.abc import Callable
from datetime import timedelta

from llmgine.messages.events import (
    LLMResponseEvent,
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    TurnEvent,
    TurnFinishedEvent,
)
from llmgine.messages.message import SpanContext
from llmgine.observability.observer import ObservedBus, all_of
from llmgine.observability.telemetry import TraceEvent


class TurnSpans:
    """Publishes a `TraceEvent` for each turn, model call and tool run that ends, by OpenTelemetry's names of them."""

    def attach(self, bus: ObservedBus) -> Callable[[], None]:
        """Listen to the bus and publish on it; returns a function that unsubscribes."""
        denied: set[tuple[str, str]] = set()  # turn and call; each call that was decided on finishes soon

        async def end_chat(event: LLMResponseEvent) -> None:
            await bus.publish(_span(event, f"chat {event.model}", event.seconds, ok=True))

        async def end_tool(event: ToolCallFinishedEvent) -> None:
            call = (event.turn_id, event.call.id)
            if call in denied:  # it did not run, and nothing went wrong
                denied.discard(call)
                return
            await bus.publish(_span(event, f"execute_tool {event.call.name}", event.seconds, ok=event.result.ok))

        def deny(event: ToolCallDecidedEvent) -> None:
            if not event.approved:
                denied.add((event.turn_id, event.call.id))

        async def end_turn(event: TurnFinishedEvent) -> None:
            await bus.publish(_span(event, "invoke_agent", event.seconds, ok=event.state == "done"))

        return all_of(
            bus.register_event_handler(LLMResponseEvent, end_chat),
            bus.register_event_handler(ToolCallDecidedEvent, deny),
            bus.register_event_handler(ToolCallFinishedEvent, end_tool),
            bus.register_event_handler(TurnFinishedEvent, end_turn),
        )


def _span(event: TurnEvent, name: str, seconds: float, *, ok: bool) -> TraceEvent:
    return TraceEvent(
        session_id=event.session_id,
        name=name,
        span_context=SpanContext(trace_id=event.trace_id, span_id=event.span_id, parent_id=event.parent_id),
        start_time=(event.at - timedelta(seconds=seconds)).isoformat(),
        end_time=event.at.isoformat(),
        status="OK" if ok else "ERROR",
    )
