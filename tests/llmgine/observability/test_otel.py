"""OpenTelemetry: a turn is one trace with the conventions' names, and nothing anybody said leaves unless asked for."""

import asyncio
import json
from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from llmgine.engine import ask
from llmgine.errors import ProviderRefusedError, ProviderUnavailableError
from llmgine.messages.chat_messages import ToolCall, Usage
from llmgine.messages.commands import Author, DecideToolCallCommand, StopTurnCommand
from llmgine.messages.events import ToolCallWaitingEvent, TurnStartedEvent
from llmgine.observability import Metric, MetricEvent
from llmgine.observability.otel import OpenTelemetrySink
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedReply
from llmgine.settings import Settings
from tests.llmgine.engine.chat import call, prompt, roll
from tests.llmgine.observability.application import application
from tests.llmgine.observability.export import Export, attributes, parent, times


async def test_a_turn_is_one_trace(tmp_path: Path, export: Export) -> None:
    """The turn is the root; its model calls and its tools, parallel ones too, are its children, inside its time."""
    usage = Usage(input_tokens=40, output_tokens=2, cached_tokens=30)
    script = [call("meet", "meet"), ChatReply(text="Done.", usage=usage, model="scripted")]
    both = asyncio.Barrier(2)

    async def meet() -> str:
        """Waits for the other call."""
        await both.wait()
        return "met"

    async with application(tmp_path, script, observers=[export.sink()]) as app:
        await app.engine.register_tool(meet)
        finished = await ask(app.bus, prompt())

    agent = export.one("invoke_agent llmgine")
    first, second = export.named("chat scripted")
    tools = export.named("execute_tool meet")
    children = [first, second, *tools]
    assert agent.parent is None
    assert len(tools) == 2
    assert {parent(span) for span in children} == {agent.context.span_id}
    assert {span.context.trace_id for span in children} == {agent.context.trace_id}
    assert len(export.spans.get_finished_spans()) == 5
    begin, end = times(agent)
    assert all(begin - 1000 <= times(span)[0] <= times(span)[1] <= end for span in children)
    # Side by side: each waited for the other. A tool's time is measured from a moment after its start was told.
    slack = 50_000_000  # nanoseconds
    assert max(times(tool)[0] for tool in tools) < min(times(tool)[1] for tool in tools) + slack
    assert times(first)[1] <= min(times(tool)[0] for tool in tools) + slack
    assert (end - begin) / 1e9 == pytest.approx(finished.seconds, abs=0.2)
    assert {span.status.status_code for span in (agent, *children)} == {StatusCode.UNSET}


async def test_the_attributes_are_those_of_the_conventions(tmp_path: Path, export: Export) -> None:
    """Each kind of span says its operation, conversation, model, tokens, tool and how to find it in the log."""
    usage = Usage(input_tokens=40, output_tokens=2, cached_tokens=30)
    wanted = ToolCall(name="roll")
    script = [
        ChatReply(tool_calls=(wanted,), finish="tool_calls", model="scripted"),
        ChatReply(text="Four.", usage=usage, finish="length", model="scripted"),
    ]

    async def roll() -> int:
        """Roll a die."""
        return 4

    async with application(tmp_path, script, observers=[export.sink()]) as app:
        await app.engine.register_tool(roll)
        started: list[TurnStartedEvent] = []
        app.bus.register_event_handler(TurnStartedEvent, started.append)
        finished = await ask(app.bus, prompt())

    common = {"gen_ai.provider.name": "openai", "gen_ai.conversation.id": "s"}
    tokens = {
        "gen_ai.usage.input_tokens": 40,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 30,
    }
    assert attributes(export.one("invoke_agent llmgine")) == common | tokens | {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "llmgine",
        "gen_ai.request.model": "scripted",
        "llmgine.turn.id": finished.turn_id,
        "llmgine.turn.attempt": 1,
        "llmgine.turn.resumed": False,
        "llmgine.trace_id": started[0].trace_id,
    }
    chat = export.named("chat scripted")[1]
    seen = attributes(chat)
    assert isinstance(seen.pop("gen_ai.response.time_to_first_chunk"), float)
    assert chat.kind is SpanKind.CLIENT
    assert seen == common | tokens | {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "scripted",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "scripted",
        "gen_ai.response.finish_reasons": ("length",),
    }
    assert attributes(export.one("execute_tool roll")) == common | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "roll",
        "gen_ai.tool.call.id": wanted.id,
        "gen_ai.tool.type": "function",
    }


CANARIES = ["canary-prompt", "canary-answer", "canary-argument", "canary-result", "canary-person", "canary-reason"]


async def content_turns(tmp_path: Path, sink: OpenTelemetrySink) -> None:
    """Turns that say a canary wherever something can be said."""
    script: list[ScriptedReply] = [
        ProviderUnavailableError("canary-reason"),
        ChatReply(
            text="canary-answer",
            tool_calls=(
                ToolCall(name="look", arguments='{"what": "canary-argument"}'),
                ToolCall(name="break_it", arguments='{"what": "canary-argument"}'),
            ),
            finish="tool_calls",
            model="scripted",
        ),
        "canary-answer",
        ProviderRefusedError("canary-reason"),
    ]

    async def look(what: str) -> str:
        """Look."""
        return f"canary-result {what}"

    async def break_it(what: str) -> None:
        """Break."""
        raise ValueError(f"canary-result {what}")

    async with application(tmp_path, script, observers=[sink]) as app:
        await app.engine.register_tool(look)
        await app.engine.register_tool(break_it)
        person = Author(id="1", name="canary-person")
        await ask(app.bus, prompt("canary-prompt", author=person))
        await ask(app.bus, prompt("canary-prompt", author=person))


async def test_nothing_anybody_said_is_exported(tmp_path: Path, export: Export) -> None:
    """By default no prompt, answer, argument, result, name or error text is anywhere in spans or metrics."""
    await content_turns(tmp_path, export.sink())

    assert export.one("execute_tool break_it").status.status_code is StatusCode.ERROR
    assert [canary for canary in CANARIES if canary in export.text()] == []


async def test_content_is_exported_when_asked_for(tmp_path: Path, export: Export) -> None:
    """With `capture_content`, answers, arguments, results and reasons are exported; prompts and people never are."""
    await content_turns(tmp_path, export.sink(capture_content=True))

    exported = export.text()
    assert [canary for canary in CANARIES if canary in exported] == CANARIES[1:4] + CANARIES[5:]
    look = attributes(export.one("execute_tool look"))
    assert look["gen_ai.tool.call.arguments"] == '{"what": "canary-argument"}'
    assert look["gen_ai.tool.call.result"] == "canary-result canary-argument"
    (message,) = json.loads(str(attributes(export.named("chat scripted")[0])["gen_ai.output.messages"]))
    assert message["role"] == "assistant"
    assert [part["type"] for part in message["parts"]] == ["text", "tool_call", "tool_call"]
    assert export.named("invoke_agent llmgine")[1].status.description == "canary-reason"


async def test_retries_are_events_of_the_model_call(tmp_path: Path, export: Export) -> None:
    """A call that was tried twice is one span over both tries, with an event for the wait between them."""
    script: list[ScriptedReply] = [ProviderUnavailableError("down"), "Hello."]
    async with application(tmp_path, script, observers=[export.sink()]) as app:
        await ask(app.bus, prompt())

    chat = export.one("chat scripted")
    (retry,) = chat.events
    assert (retry.name, dict(retry.attributes or {})) == (
        "llmgine.model.retry",
        {"llmgine.retry.next_try": 2, "llmgine.retry.wait": 0.0},
    )
    assert times(chat)[0] <= retry.timestamp <= times(chat)[1]
    assert chat.status.status_code is StatusCode.UNSET


async def test_failures_are_marked(tmp_path: Path, export: Export) -> None:
    """A model call without a reply and its turn are errors, and say which class of ours it was."""
    async with application(tmp_path, [ProviderRefusedError("no")], observers=[export.sink()]) as app:
        await ask(app.bus, prompt())

    for span in (export.one("chat scripted"), export.one("invoke_agent llmgine")):
        assert span.status.status_code is StatusCode.ERROR
        assert attributes(span)["error.type"] == "ProviderRefusedError"


@pytest.mark.parametrize(("rounds", "state"), [(8, StatusCode.UNSET), (1, StatusCode.ERROR)])
async def test_a_fallback_is_a_call_of_its_own(tmp_path: Path, export: Export, rounds: int, state: StatusCode) -> None:
    """The call that failed is an error, the one that answered is none; nor is their turn, unless something else was."""
    database = f"sqlite:///{tmp_path}/test.db"
    settings = Settings(
        _env_file=None,
        database_url=database,
        log_dir=tmp_path / "logs",
        fallback_models=("other",),
        turn_rounds=rounds,
    )
    script: list[ScriptedReply] = [ProviderRefusedError("no"), call("roll"), "It is a 4."]
    async with application(tmp_path, script, observers=[export.sink()], settings=settings) as app:
        await app.engine.register_tool(roll)
        await ask(app.bus, prompt())

    turn = export.one("invoke_agent llmgine")
    assert export.one("chat scripted").status.status_code is StatusCode.ERROR
    assert {span.status.status_code for span in export.named("chat other")} == {StatusCode.UNSET}
    assert turn.status.status_code is state
    assert attributes(turn).get("error.type") == (None if rounds > 1 else "_OTHER")


async def test_a_stopped_turn_is_marked_with_its_tools(tmp_path: Path, export: Export) -> None:
    """Stop ends the turn's span, and those of the tools that ran, as cancelled."""
    runs = asyncio.Event()

    async def wait() -> None:
        """Wait for ever."""
        runs.set()
        await asyncio.Event().wait()

    async with application(tmp_path, [call("wait")], observers=[export.sink()]) as app:
        await app.engine.register_tool(wait)
        answer = asyncio.create_task(ask(app.bus, prompt()))
        await runs.wait()
        await app.bus.execute(StopTurnCommand(session_id="s"))
        await answer

    for span in (export.one("execute_tool wait"), export.one("invoke_agent llmgine")):
        assert span.status.status_code is StatusCode.ERROR
        assert attributes(span)["error.type"] == "cancelled"


async def test_a_denied_call_is_no_execution(tmp_path: Path, export: Export) -> None:
    """A call that waited and was denied did not run: it is two events of the turn, and no span."""
    async with application(tmp_path, [call("delete"), "As you wish."], observers=[export.sink()]) as app:

        async def delete() -> None:
            """Delete everything."""

        async def deny(event: ToolCallWaitingEvent) -> None:
            who = Author(id="1", name="Ada")
            about = {"session_id": event.session_id, "turn_id": event.turn_id, "call_id": event.call.id}
            await app.bus.execute(DecideToolCallCommand(**about, approved=False, decided_by=who))

        await app.engine.register_tool(delete, requires_approval=True)
        app.bus.register_event_handler(ToolCallWaitingEvent, deny)
        await ask(app.bus, prompt())

    asked, decided = export.one("invoke_agent llmgine").events
    assert (asked.name, decided.name) == ("llmgine.approval.asked", "llmgine.approval.decided")
    assert dict(decided.attributes or {})["llmgine.approval.approved"] is False
    assert not export.named("execute_tool delete")


async def test_metrics_become_histograms(tmp_path: Path, export: Export) -> None:
    """The conventions' histograms have their buckets and attributes; a metric of anybody's becomes one too."""
    usage = Usage(input_tokens=40, output_tokens=2)
    script = [ChatReply(text="Hi.", usage=usage, model="scripted")]
    async with application(tmp_path, script, observers=[export.sink()]) as app:
        await app.bus.publish(MetricEvent(metrics=[Metric(name="files_processed", value=10, tags={"kind": "csv"})]))
        await ask(app.bus, prompt())

    found = export.histograms()
    (duration,) = found["gen_ai.client.operation.duration"]
    assert duration.count == 1
    assert duration.explicit_bounds[0] == 0.01
    assert duration.explicit_bounds[-1] == pytest.approx(81.92)
    sums = {dict(p.attributes or {})["gen_ai.token.type"]: p.sum for p in found["gen_ai.client.token.usage"]}
    assert sums == {"input": 40, "output": 2}
    assert found["gen_ai.client.token.usage"][0].explicit_bounds[-1] == 67108864
    assert "gen_ai.invoke_agent.duration" in found
    (files,) = found["files_processed"]
    assert (files.sum, dict(files.attributes or {})) == (10, {"kind": "csv"})
