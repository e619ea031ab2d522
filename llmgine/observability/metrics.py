"""The metrics of turns, derived from the engine's events in one place."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from llmgine.messages.events import (
    AnswerProgressEvent,
    LLMResponseEvent,
    ModelFailedEvent,
    ToolCallFinishedEvent,
    TurnAdmittedEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.observability import names
from llmgine.observability.observer import ObservedBus, all_of
from llmgine.observability.telemetry import Metric, MetricEvent

_MOST_TURNS = 10_000  # turns watched for their first text; a turn that never ends must not be kept forever


@dataclass
class _Watched:
    """A turn that has no outcome yet: since when somebody waits for it, and how long the first text took."""

    since: datetime
    first_text: float | None = None


class TurnMetrics:
    """Publishes what turns, model calls and tools took, as `MetricEvent`s that are children of what they measure.

    Args:
        agent_name: The name that the metrics of whole turns carry.
        provider_name: Who serves the model, as OpenTelemetry's conventions name it; "openai" for services that
            speak its protocol.
    """

    def __init__(self, *, agent_name: str = "llmgine", provider_name: str = "openai") -> None:
        self._agent = {names.AGENT_NAME: agent_name}
        self._provider_name = provider_name
        self._turns: dict[str, _Watched] = {}

    def attach(self, bus: ObservedBus) -> Callable[[], None]:
        """Listen to the bus and publish on it; returns a function that unsubscribes."""

        async def measure_reply(event: LLMResponseEvent) -> None:
            await _publish(bus, event, self._of_reply(event))

        async def measure_failure(event: ModelFailedEvent) -> None:
            tags = {**self._chat_tags(event.model), names.ERROR_TYPE: event.error}
            took = Metric(name=names.CHAT_DURATION, value=event.seconds, unit="s", tags=tags)
            await _publish(bus, event, [took])

        async def measure_tool(event: ToolCallFinishedEvent) -> None:
            if event.seconds:  # else it did not run
                await _publish(bus, event, [_of_tool(event)])

        async def measure_turn(event: TurnFinishedEvent) -> None:
            await _publish(bus, event, self._of_turn(event))

        return all_of(
            bus.register_event_handler(TurnAdmittedEvent, self._watch),
            bus.register_event_handler(TurnStartedEvent, self._watch),
            bus.register_event_handler(AnswerProgressEvent, self._see_text),
            bus.register_event_handler(LLMResponseEvent, measure_reply),
            bus.register_event_handler(ModelFailedEvent, measure_failure),
            bus.register_event_handler(ToolCallFinishedEvent, measure_tool),
            bus.register_event_handler(TurnFinishedEvent, measure_turn),
        )

    def _watch(self, event: TurnEvent) -> None:
        """Somebody waits from here on; a turn that runs again without being admitted again, from its start."""
        self._turns.setdefault(event.turn_id, _Watched(event.at))
        if len(self._turns) > _MOST_TURNS:
            del self._turns[next(iter(self._turns))]

    def _see_text(self, event: AnswerProgressEvent) -> None:
        watched = self._turns.get(event.turn_id)
        if watched is not None and watched.first_text is None and event.text.strip():
            watched.first_text = _seconds(watched.since, event.at)

    def _chat_tags(self, model: str) -> dict[str, str]:
        return {
            names.OPERATION_NAME: "chat",
            names.PROVIDER_NAME: self._provider_name,
            names.REQUEST_MODEL: model,
        }

    def _of_reply(self, event: LLMResponseEvent) -> list[Metric]:
        tags = self._chat_tags(event.model)
        metrics = [Metric(name=names.CHAT_DURATION, value=event.seconds, unit="s", tags=tags)]
        if event.first_token_seconds is not None:
            metrics.append(Metric(name=names.CHAT_FIRST_CHUNK, value=event.first_token_seconds, unit="s", tags=tags))
        if event.usage is not None:
            for kind, count in (("input", event.usage.input_tokens), ("output", event.usage.output_tokens)):
                of_kind = {**tags, names.TOKEN_TYPE: kind}
                metrics.append(Metric(name=names.TOKEN_USAGE, value=count, unit="{token}", tags=of_kind))
            cached = event.usage.cached_tokens
            metrics.append(Metric(name=names.CACHED_TOKEN_USAGE, value=cached, unit="{token}", tags=tags))
        return metrics

    def _of_turn(self, event: TurnFinishedEvent) -> list[Metric]:
        error = {} if event.state == "done" else {names.ERROR_TYPE: event.state}
        metrics = [Metric(name=names.AGENT_DURATION, value=event.seconds, unit="s", tags=self._agent | error)]
        watched = self._turns.pop(event.turn_id, None)
        if watched is not None:  # a turn that streamed nothing shows its outcome first
            first = _seconds(watched.since, event.at) if watched.first_text is None else watched.first_text
            metrics.append(Metric(name=names.FIRST_TEXT, value=first, unit="s", tags=self._agent))
        return metrics


async def _publish(bus: ObservedBus, event: TurnEvent, metrics: list[Metric]) -> None:
    await bus.publish(MetricEvent(session_id=event.session_id, metrics=metrics))


def _of_tool(event: ToolCallFinishedEvent) -> Metric:
    tags = {names.TOOL_NAME: event.call.name, names.TOOL_TYPE: "function"}
    if not event.result.ok:
        tags[names.ERROR_TYPE] = names.TOOL_ERROR
    return Metric(name=names.TOOL_DURATION, value=event.seconds, unit="s", tags=tags)


def _seconds(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())  # clocks are set back now and then
