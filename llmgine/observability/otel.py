"""OpenTelemetry: turns, model calls and tools as spans, and all metrics as histograms. Needs the extra `otel`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from llmgine.errors import ConfigurationError
from llmgine.messages.chat_messages import Usage
from llmgine.messages.events import (
    LLMResponseEvent,
    ModelAskedEvent,
    ModelFailedEvent,
    ModelRetryEvent,
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.observability import names
from llmgine.observability.observer import ObservedBus, all_of
from llmgine.observability.telemetry import MetricEvent
from llmgine.turn_state import CallState, TurnState, fold, fold_all, step_of

try:
    from opentelemetry import metrics, trace
    from opentelemetry.context import Context
    from opentelemetry.metrics import Histogram, MeterProvider
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
except ImportError as error:
    raise ConfigurationError("OpenTelemetry needs an extra; install it with `uv sync --extra otel`") from error

_SCOPE = "llmgine"
_MOST_TURNS = 10_000  # turns open at once, each of another session; one whose runner died must not be kept forever

# The bucket boundaries that the conventions ask for, seconds and tokens.
_CALL = tuple(0.01 * 2**n for n in range(14))
_BOUNDARIES: Mapping[str, tuple[float, ...]] = {
    names.CHAT_DURATION: _CALL,
    names.TOOL_DURATION: _CALL,
    names.CHAT_FIRST_CHUNK: _CALL,
    names.FIRST_TEXT: _CALL,
    names.LOOP_LAG: _CALL,
    names.AGENT_DURATION: tuple(0.1 * 2**n for n in range(13)),
    names.TOKEN_USAGE: tuple(4.0**n for n in range(14)),
    names.CACHED_TOKEN_USAGE: tuple(4.0**n for n in range(14)),
}

Attributes = dict[str, str | int | float | bool | list[str]]


@dataclass
class _OpenTurn:
    """A turn whose span has not ended, its state, and what runs in it: spans and since when."""

    turn_id: str
    span: Span
    context: Context
    state: TurnState
    chat: tuple[Span, datetime] | None = None
    tools: dict[str, tuple[Span, datetime]] = field(default_factory=dict)
    error: str = names.OTHER_ERROR

    def end(self, at: datetime | None = None) -> None:
        """End the span, now unless a time is given; what still runs in it is cancelled."""
        end = None if at is None else _ns(at)
        for span, _ in [*self.tools.values(), *([self.chat] if self.chat else [])]:
            _fail(span, names.CANCELLED)
            span.end(end)
        self.span.end(end)


class OpenTelemetrySink:
    """Reports what happens on a bus to OpenTelemetry, with a trace for each turn.

        invoke_agent {agent_name}
        ├── chat {model}            one for each round, with its retries as span events
        └── execute_tool {tool}     one for each call that ran

    Every `MetricEvent`, whoever published it, is recorded in a histogram of its name. A `TraceEvent` is not exported: a
    program's own spans go to OpenTelemetry by its own API.

    Args:
        tracer_provider: Where spans go; the application's global provider unless given. None is ever installed here.
        meter_provider: The same for metrics.
        capture_content: Put replies, tool arguments, tool results and the words of errors on the spans. They are
            what people and models said: without this, nothing of it is exported.
        agent_name: What the agent is called.
        provider_name: Who serves the model, as the conventions name it; "openai" for all who speak its protocol.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        capture_content: bool = False,
        agent_name: str = "llmgine",
        provider_name: str = "openai",
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        self._meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._capture_content = capture_content
        self._agent_name = agent_name
        self._provider_name = provider_name
        self._turns: dict[str, _OpenTurn] = {}  # by session, which runs one turn at a time
        self._histograms: dict[tuple[str, str], Histogram] = {}

    def attach(self, bus: ObservedBus) -> Callable[[], None]:
        """Listen to the bus; returns a function that unsubscribes and ends the spans of unfinished turns."""
        return all_of(
            bus.register_event_handler(TurnStartedEvent, self._begin_turn),
            bus.register_event_handler(ModelAskedEvent, self._begin_chat),
            bus.register_event_handler(ModelRetryEvent, self._note_retry),
            bus.register_event_handler(LLMResponseEvent, self._end_chat),
            bus.register_event_handler(ModelFailedEvent, self._fail_chat),
            bus.register_event_handler(ToolCallWaitingEvent, self._note_waiting),
            bus.register_event_handler(ToolCallDecidedEvent, self._note_decision),
            bus.register_event_handler(ToolCallStartedEvent, self._begin_tool),
            bus.register_event_handler(ToolCallFinishedEvent, self._end_tool),
            bus.register_event_handler(TurnFinishedEvent, self._end_turn),
            bus.register_event_handler(MetricEvent, self._record),
            self._abandon_all,
        )

    def _begin_turn(self, event: TurnStartedEvent) -> None:
        self._abandon(event.session_id)
        attributes: Attributes = {
            **self._common(event, "invoke_agent"),
            names.AGENT_NAME: self._agent_name,
            "llmgine.turn.id": event.turn_id,
            "llmgine.turn.attempt": event.attempt,
            "llmgine.turn.resumed": event.resumed,
            "llmgine.trace_id": event.trace_id,  # of the log, where every message of the turn carries it
        }
        span = self._tracer.start_span(
            f"invoke_agent {self._agent_name}", Context(), attributes=attributes, start_time=_ns(event.at)
        )
        context = trace.set_span_in_context(span, Context())
        self._turns[event.session_id] = _OpenTurn(event.turn_id, span, context, fold_all(event.steps))
        if len(self._turns) > _MOST_TURNS:
            self._abandon(next(iter(self._turns)))

    def _abandon(self, session_id: str) -> None:
        """End the span of a turn that will not finish here: its runner died, or the program ends."""
        turn = self._turns.pop(session_id, None)
        if turn is not None:
            _fail(turn.span, names.CANCELLED)
            turn.end()

    def _abandon_all(self) -> None:
        while self._turns:
            self._abandon(next(iter(self._turns)))

    def _begin_chat(self, event: ModelAskedEvent) -> None:
        if turn := self._turn(event):
            attributes: Attributes = {
                **self._common(event, "chat"),
                names.REQUEST_MODEL: event.model,
                names.REQUEST_STREAM: True,
            }
            name, start = f"chat {event.model}", _ns(event.at)
            span = self._tracer.start_span(name, turn.context, SpanKind.CLIENT, attributes, start_time=start)
            turn.chat = span, event.at

    def _note_retry(self, event: ModelRetryEvent) -> None:
        turn = self._turn(event)
        if turn and turn.chat:
            attributes: Attributes = {
                "llmgine.retry.next_try": event.next_try,
                "llmgine.retry.wait": event.wait_seconds,
            }
            if self._capture_content:
                attributes["llmgine.retry.reason"] = event.reason
            turn.chat[0].add_event("llmgine.model.retry", attributes, _ns(event.at))

    def _end_chat(self, event: LLMResponseEvent) -> None:
        turn = self._turn(event)
        if turn is None or turn.chat is None:
            return
        (span, begun), turn.chat, turn.error = turn.chat, None, names.OTHER_ERROR
        reason = "content_filter" if event.finish == "filtered" else event.finish
        attributes: Attributes = {names.RESPONSE_MODEL: event.model, names.FINISH_REASONS: [reason]}
        if event.usage is not None:
            attributes |= _tokens(event.usage)
        if event.first_token_seconds is not None:
            attributes[names.TIME_TO_FIRST_CHUNK] = event.first_token_seconds
        if self._capture_content:
            attributes[names.OUTPUT_MESSAGES] = _output_messages(event, reason)
        span.set_attributes(attributes)
        span.end(_end_ns(begun, event))

    def _fail_chat(self, event: ModelFailedEvent) -> None:
        turn = self._turn(event)
        if turn and turn.chat:
            turn.error = event.error
            (span, begun), turn.chat = turn.chat, None
            _fail(span, event.error, event.reason if self._capture_content else None)
            span.end(_end_ns(begun, event))

    def _note_waiting(self, event: ToolCallWaitingEvent) -> None:
        if turn := self._turn(event):
            turn.span.add_event("llmgine.approval.asked", {names.TOOL_CALL_ID: event.call.id}, _ns(event.at))

    def _note_decision(self, event: ToolCallDecidedEvent) -> None:
        if turn := self._turn(event):
            attributes: Attributes = {names.TOOL_CALL_ID: event.call.id, "llmgine.approval.approved": event.approved}
            turn.span.add_event("llmgine.approval.decided", attributes, _ns(event.at))

    def _begin_tool(self, event: ToolCallStartedEvent) -> None:
        if turn := self._turn(event):
            attributes: Attributes = {
                **self._common(event, "execute_tool"),
                names.TOOL_NAME: event.call.name,
                names.TOOL_CALL_ID: event.call.id,
                names.TOOL_TYPE: "function",
            }
            if self._capture_content:
                attributes[names.TOOL_ARGUMENTS] = event.call.arguments
            name, start = f"execute_tool {event.call.name}", _ns(event.at)
            span = self._tracer.start_span(name, turn.context, attributes=attributes, start_time=start)
            turn.tools[event.call.id] = span, event.at

    def _end_tool(self, event: ToolCallFinishedEvent) -> None:
        turn = self._turn(event)
        if turn is None or event.call.id not in turn.tools:  # the call did not run: denied, or cut off by a crash
            return
        span, begun = turn.tools.pop(event.call.id)
        if self._capture_content:
            span.set_attribute(names.TOOL_RESULT, event.result.content)
        if turn.state.calls[event.call.id].state is not CallState.DONE:
            _fail(span, names.TOOL_ERROR, event.result.content if self._capture_content else None)
        span.end(_end_ns(begun, event))

    def _end_turn(self, event: TurnFinishedEvent) -> None:
        turn = self._turn(event)
        if turn is None:
            return
        del self._turns[event.session_id]
        turn.span.set_attributes({names.REQUEST_MODEL: event.model, **_tokens(event.usage)})
        if event.state != "done":
            kind = names.CANCELLED if event.state == "stopped" else turn.error
            _fail(turn.span, kind, event.notice if self._capture_content else None)
        turn.end(event.at)

    def _record(self, event: MetricEvent) -> None:
        for metric in event.metrics:
            key = (metric.name, metric.unit or "")
            histogram = self._histograms.get(key)
            if histogram is None:
                bounds = _BOUNDARIES.get(metric.name)
                histogram = self._meter.create_histogram(*key, explicit_bucket_boundaries_advisory=bounds)
                self._histograms[key] = histogram
            histogram.record(metric.value, metric.tags)

    def _turn(self, event: TurnEvent) -> _OpenTurn | None:
        """The open turn the event belongs to, with what the event says of it; None if its start was missed."""
        turn = self._turns.get(event.session_id)
        if turn is None or turn.turn_id != event.turn_id:
            return None
        if (step := step_of(event)) is not None:
            turn.state = fold(turn.state, step)
        return turn

    def _common(self, event: TurnEvent, operation: str) -> Attributes:
        return {
            names.OPERATION_NAME: operation,
            names.PROVIDER_NAME: self._provider_name,
            names.CONVERSATION_ID: event.session_id,
        }


def _fail(span: Span, kind: str, description: str | None = None) -> None:
    span.set_attribute(names.ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR, description))


def _tokens(usage: Usage) -> Attributes:
    return {
        names.INPUT_TOKENS: usage.input_tokens,
        names.OUTPUT_TOKENS: usage.output_tokens,
        names.CACHED_TOKENS: usage.cached_tokens,
    }


def _output_messages(event: LLMResponseEvent, reason: str) -> str:
    """The reply in the conventions' JSON form."""
    parts: list[dict[str, object]] = [{"type": "text", "content": event.text}] if event.text else []
    parts += [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        for call in event.tool_calls
    ]
    return json.dumps([{"role": "assistant", "parts": parts, "finish_reason": reason}], ensure_ascii=False)


def _end_ns(begun: datetime, event: LLMResponseEvent | ModelFailedEvent | ToolCallFinishedEvent) -> int:
    """When that ended, in nanoseconds since 1970. Its seconds may be counted from before its first event, so that
    they end after its last one, or even after its turn: it ended before that was told.
    """
    return min(_ns(begun, event.seconds), _ns(event.at))


def _ns(at: datetime, seconds: float = 0.0) -> int:
    """Nanoseconds since 1970, some seconds later."""
    return int((at.timestamp() + seconds) * 1e9)
