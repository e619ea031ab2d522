"""The metrics of turns: derived once, named as the conventions name them, children of what they measure."""

import json
from pathlib import Path

from llmgine.bus import MessageBus
from llmgine.engine import ask
from llmgine.errors import ProviderRefusedError
from llmgine.messages.chat_messages import Usage
from llmgine.messages.events import (
    AnswerProgressEvent,
    LLMResponseEvent,
    ToolCallFinishedEvent,
    TurnAdmittedEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.observability import MetricEvent, metrics
from llmgine.observability.metrics import TurnMetrics
from llmgine.providers.base import ChatReply
from tests.llmgine.engine.chat import call, prompt
from tests.llmgine.observability.application import Collected, application

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "custom", "gen_ai.request.model": "scripted"}
TOOL = "gen_ai.execute_tool.duration"


async def test_a_turn_is_measured_from_its_events(tmp_path: Path) -> None:
    """Model calls, tokens, tools, the first text and the whole turn: each is one metric with the event's own value."""
    usage = Usage(input_tokens=40, output_tokens=2, cached_tokens=30)
    script = [call("add", "fail"), ChatReply(text="It is 3.", usage=usage, model="scripted")]
    heard = Collected()
    replies: list[LLMResponseEvent] = []
    tools: list[ToolCallFinishedEvent] = []

    async def add() -> int:
        """Add."""
        return 3

    async def fail() -> None:
        """Fail."""
        raise ValueError

    async with application(tmp_path, script) as app:
        app.bus.register_event_handler(MetricEvent, heard.keep)
        app.bus.register_event_handler(LLMResponseEvent, replies.append)
        app.bus.register_event_handler(ToolCallFinishedEvent, tools.append)
        await app.engine.register_tool(add)
        await app.engine.register_tool(fail)
        finished = await ask(app.bus, prompt())

    durations = heard.named("gen_ai.client.operation.duration")
    assert [(m.value, m.unit, m.tags) for m in durations] == [(reply.seconds, "s", CHAT) for reply in replies]
    (first_chunk,) = heard.named("gen_ai.client.operation.time_to_first_chunk")
    assert first_chunk.value == replies[1].first_token_seconds
    assert [(m.value, m.unit, m.tags) for m in heard.named("gen_ai.client.token.usage")] == [
        (40, "{token}", {**CHAT, "gen_ai.token.type": "input"}),
        (2, "{token}", {**CHAT, "gen_ai.token.type": "output"}),
    ]
    assert [m.value for m in heard.named("llmgine.client.cached_tokens")] == [30]
    assert {(m.tags["gen_ai.tool.name"], m.value, m.tags.get("error.type")) for m in heard.named(TOOL)} == {
        (tool.call.name, tool.seconds, None if tool.result.ok else "tool_error") for tool in tools
    }
    (turn,) = heard.named("gen_ai.invoke_agent.duration")
    assert (turn.value, turn.tags) == (finished.seconds, {"gen_ai.agent.name": "llmgine"})
    (first_text,) = heard.named("llmgine.turn.time_to_first_text")
    assert first_text.value > 0


async def test_a_failed_turn_is_measured_too(tmp_path: Path) -> None:
    """A model call that gave no reply has its duration and the class of its error; so has its turn its state."""
    heard = Collected()
    async with application(tmp_path, [ProviderRefusedError("No such model.")]) as app:
        app.bus.register_event_handler(MetricEvent, heard.keep)
        await ask(app.bus, prompt())

    (chat,) = heard.named("gen_ai.client.operation.duration")
    (turn,) = heard.named("gen_ai.invoke_agent.duration")
    assert chat.tags["error.type"] == "ProviderRefusedError"
    assert turn.tags["error.type"] == "failed"


async def test_the_log_shows_what_a_metric_belongs_to(tmp_path: Path) -> None:
    """In the log, the metrics of a model call are children of its event, in the turn's trace and session."""
    async with application(tmp_path, ["Hi."]) as app:
        await ask(app.bus, prompt())

    lines = [json.loads(line) for line in (tmp_path / "logs" / "events.jsonl").read_text().splitlines()]
    (reply,) = [line for line in lines if line["type"] == "LLMResponseEvent"]
    children = [line for line in lines if line["parent_id"] == reply["span_id"]]
    assert [(line["type"], line["session_id"], line["trace_id"]) for line in children] == [
        ("MetricEvent", "s", reply["trace_id"])
    ]


class Turn:
    """The events of one turn, by hand."""

    def __init__(self, turn_id: str) -> None:
        self._about = {"session_id": "s", "turn_id": turn_id, "source": "test", "origin": {}}

    def admitted(self) -> TurnAdmittedEvent:
        return TurnAdmittedEvent.model_validate({**self._about, "place": 0})

    def started(self) -> TurnStartedEvent:
        return TurnStartedEvent.model_validate({**self._about, "attempt": 1, "resumed": False})

    def grew(self, text: str) -> AnswerProgressEvent:
        return AnswerProgressEvent.model_validate({**self._about, "round": 0, "text": text})

    def finished(self) -> TurnFinishedEvent:
        facts = {"state": "done", "text": "x", "notice": None, "model": "m", "usage": Usage(), "seconds": 1.0}
        return TurnFinishedEvent.model_validate({**self._about, **facts})


async def test_the_first_text_counts_from_the_prompt() -> None:
    """Time in the queue counts, blank text does not, and later text changes nothing."""
    bus, heard, turn = MessageBus(), Collected(), Turn("t")
    TurnMetrics().attach(bus)
    bus.register_event_handler(MetricEvent, heard.keep)
    await bus.start()
    events = [turn.admitted(), turn.started(), turn.grew(" \n"), turn.grew("Yes"), turn.grew("Yes."), turn.finished()]

    for event in events:
        await bus.publish(event)
    await bus.stop()

    (first_text,) = heard.named("llmgine.turn.time_to_first_text")
    assert first_text.value == (events[3].at - events[0].at).total_seconds()


async def test_turns_that_never_end_are_forgotten() -> None:
    """What is kept for the first text of turns is bounded, whatever becomes of them."""
    bus = MessageBus()
    observer = TurnMetrics()
    observer.attach(bus)
    await bus.start()

    for number in range(metrics._MOST_TURNS + 5):
        await bus.publish(Turn(str(number)).started())
    await bus.stop()

    assert len(observer._turns) == metrics._MOST_TURNS
    assert "0" not in observer._turns


async def test_detached_metrics_are_silent() -> None:
    """After its undo, nothing is heard and nothing published."""
    bus, heard = MessageBus(), Collected()
    detach = TurnMetrics().attach(bus)
    bus.register_event_handler(MetricEvent, heard.keep)
    await bus.start()

    detach()
    await bus.publish(Turn("t").started())
    await bus.publish(Turn("t").finished())
    await bus.stop()

    assert not heard.events
