"""The records of a turn become one tree, whatever they hold."""

import random
from datetime import timedelta

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Author
from llmgine.messages.events import ModelAskedEvent, ModelFailedEvent, ModelRetryEvent, ToolCallDecidedEvent
from llmgine.messages.message import inside
from llmgine.observability import Metric, MetricEvent, SpanContext, TraceEvent
from llmgine.observability.reader import Record
from programs.logs.spans import Span, build, walk
from programs.logs.waits import waits
from tests.programs.logs.story import BEGIN, Story, Turn

CALL = ToolCall(id="call00001", name="get_weather", arguments='{"location": "Paris"}')


def outline(roots: list[Span]) -> list[str]:
    return [f"{'  ' * depth}{span.kind} {span.state}".rstrip() for depth, span in walk(roots)]


def lengths(roots: list[Span], kind: str) -> list[float | None]:
    return [None if span.seconds is None else round(span.seconds, 2) for _, span in walk(roots) if span.kind == kind]


async def test_a_turn_is_a_tree_from_its_prompt_to_its_outcome(story: Story) -> None:
    """Rounds hold their model call and tool calls; what happened in a tool is under it; durations are the real ones."""
    turn = Turn(story, "t1")
    turn.reply(tool_calls=(CALL,), finish="tool_calls")
    with turn.tool(CALL, seconds=0.5):
        story.tell(MetricEvent, metrics=[Metric(name="bytes", value=3)])
    turn.reply(round_=1, seconds=2.0)
    turn.finish(seconds=3.5)

    roots = build(story.records())

    assert outline(roots) == [
        "prompt",
        "  event",
        "  turn done",
        "    round",
        "      model",
        "      tool ok",
        "        event",
        "    round",
        "      model",
    ]
    assert lengths(roots, "model") == [1.0, 2.0]
    assert lengths(roots, "tool") == [0.5]
    assert lengths(roots, "turn") == [3.51]


async def test_parallel_calls_are_told_apart(story: Story) -> None:
    """Calls that overlap, of the same tool, each have their own end."""
    turn = Turn(story, "t1")
    other = CALL.model_copy(update={"id": "call00002"})
    with turn.tool(CALL, seconds=1.0, ok=False), turn.tool(other, seconds=2.0):
        pass

    tools = [span for _, span in walk(build(story.records())) if span.kind == "tool"]

    assert [(span.state, round(span.seconds or 0)) for span in tools] == [("failed", 3), ("ok", 2)]


@pytest.mark.parametrize(("approved", "state"), [(True, "approved"), (False, "denied"), (None, "waiting")])
async def test_waiting_for_approval_is_a_span(story: Story, *, approved: bool | None, state: str) -> None:
    """How long people took to decide is seen; while they have not, it has no end."""
    turn = Turn(story, "t1")
    turn.approval(CALL, approved=approved)

    (approval,) = [span for _, span in walk(build(story.records())) if span.kind == "approval"]

    assert approval.state == state
    assert approval.name == "approval get_weather"
    assert approval.seconds == (None if approved is None else pytest.approx(3.001))


async def test_a_running_turn_has_no_end(story: Story) -> None:
    """What is under way is shown as such."""
    turn = Turn(story, "t1")
    turn.reply()

    (span,) = [span for _, span in walk(build(story.records())) if span.kind == "turn"]

    assert (span.state, span.seconds) == ("running", None)


async def test_a_stopped_turn_leaves_nothing_open(story: Story) -> None:
    """What it did when it was stopped ended there."""
    turn = Turn(story, "t1")
    with inside(turn.started):
        turn.tell(ModelAskedEvent, round=0, model="small")
    assert outline(build(story.records()))[-1].strip() == "model running"
    story.wait(2)
    turn.finish("stopped")

    assert outline(build(story.records()))[-1].strip() == "model stopped"
    assert lengths(build(story.records()), "model") == [2.0]


async def test_failures_of_the_model_are_in_their_round(story: Story) -> None:
    """Tries and the last failure stand where the reply would be."""
    turn = Turn(story, "t1")
    with inside(turn.started):
        turn.tell(ModelRetryEvent, round=0, next_try=2, tries=2, wait_seconds=1, reason="busy")
        turn.tell(ModelFailedEvent, round=0, model="small", error="ProviderBusyError", reason="busy", seconds=0.001)
    turn.finish("failed")

    assert outline(build(story.records())) == [
        "prompt",
        "  event",
        "  turn failed",
        "    round",
        "      event retried",
        "      model failed",
    ]


async def test_a_programs_own_spans_hold_what_happened_in_them(story: Story) -> None:
    """A span is told at its end, after its children, and says itself when it was."""
    turn = Turn(story, "t1")
    with turn.tool(CALL):
        here = SpanContext(trace_id=turn.prompt.trace_id, span_id="feed", parent_id=turn.started.span_id)
        with inside(here):
            story.tell(MetricEvent, metrics=[])
        times = {"start_time": BEGIN.isoformat(), "end_time": "2026-01-01T12:00:07Z"}
        story.tell(TraceEvent, name="import", span_context=here, **times)

    roots = build(story.records())

    (own,) = [span for _, span in walk(roots) if span.kind == "span"]
    assert (own.name, own.seconds, [child.name for child in own.children]) == ("import", 7.0, ["metrics"])


@pytest.mark.parametrize(("status", "state"), [("OK", "ok"), ("ERROR", "failed")])
async def test_a_programs_own_start_and_end_are_one_span(story: Story, status: str, state: str) -> None:
    """Published apart they are matched by their span, hold what happened in it, and local times are read as such."""
    Turn(story, "t1")
    here = SpanContext(trace_id="mine", span_id="import")
    begin = BEGIN.astimezone().replace(tzinfo=None)
    story.tell(TraceEvent, name="import", span_context=here, start_time=begin.isoformat())
    with inside(here):
        story.tell(MetricEvent, metrics=[])
    assert (lengths(build(story.records()), "span"), outline(build(story.records()))[0]) == ([None], "span running")

    end = begin + timedelta(seconds=7)
    story.tell(TraceEvent, name="import ended", span_context=here, end_time=end.isoformat(), status=status)

    (own,) = [span for _, span in walk(build(story.records())) if span.kind == "span"]
    assert (own.name, own.state, own.start, own.seconds) == ("import", state, BEGIN, 7.0)
    assert [child.name for child in own.children] == ["metrics"]


async def test_an_end_alone_is_a_moment(story: Story) -> None:
    """Where the log does not have its start, nothing is made up."""
    here = SpanContext(trace_id="mine", span_id="import")
    ended = story.tell(TraceEvent, name="import", span_context=here, end_time=BEGIN.isoformat(), status="OK")

    (own,) = build(story.records())

    assert (own.kind, own.start, own.seconds) == ("span", ended.at, 0.0)


@pytest.mark.parametrize(("by", "state"), [(Author(id="1", name="Ada"), "denied"), (None, "expired")])
async def test_a_denied_call_did_not_fail(story: Story, by: Author | None, state: str) -> None:
    """That nobody let it run is said of the wait and of the call, and of no other call."""
    turn = Turn(story, "t1")
    turn.approval(CALL, approved=None)
    with inside(turn.started):
        turn.tell(ToolCallDecidedEvent, round=0, call=CALL, approved=False, decided_by=by)
    turn.end_tool(CALL, seconds=0.0, ok=False)
    turn.end_tool(CALL.model_copy(update={"id": "call00002"}), seconds=0.0, ok=False)

    roots = build(story.records())

    states = {kind: [span.state for _, span in walk(roots) if span.kind == kind] for kind in ("approval", "tool")}
    assert states == {"approval": [state], "tool": [state, "failed"]}


def hostile(number: int, draw: random.Random) -> Record:
    ids = [*"abcdef", "", None, 7]
    kinds = ["PromptCommand", "TurnStartedEvent", "TurnFinishedEvent", "ToolCallStartedEvent", "ToolCallFinishedEvent"]
    data = {
        "id": number,
        "span_id": draw.choice(ids),
        "parent_id": draw.choice(ids),
        "turn_id": draw.choice(ids),
        "call": draw.choice([None, {"id": "a"}, {"id": []}, 3]),
        "round": draw.choice([None, 0, 1, "x", 1.5]),
        "seconds": draw.choice([None, -1, 1e300, "x"]),
        "span_context": draw.choice([None, {"span_id": draw.choice(ids), "parent_id": draw.choice(ids)}]),
        "start_time": draw.choice([None, "", "2026-01-01", "0001-01-01T00:00:00+14:00"]),
        "end_time": draw.choice([None, "", "2026-01-02", 7]),
    }
    kind = draw.choice([*kinds, "TraceEvent", "MetricEvent", "LLMResponseEvent", "X", ""])
    return Record(1, kind, draw.choice([None, BEGIN]), data, 0)


@pytest.mark.parametrize("seed", range(50))
def test_any_records_make_a_finite_tree(seed: int) -> None:
    """Rings of parents, repeated ids and odd values lose no span, double none and never hang."""
    draw = random.Random(seed)  # noqa: S311  made-up logs, the same in every run
    records = [hostile(number, draw) for number in range(60)]

    spans = [span for _, span in walk(build(records))]

    assert len(spans) == len({id(span) for span in spans})
    ends = {"TurnFinishedEvent", "ToolCallFinishedEvent", "TraceEvent"}
    assert len(spans) >= sum(record.type not in ends for record in records)


def test_a_chain_of_any_depth_is_walked() -> None:
    """A tree deeper than Python's stack is no error."""
    records = [Record(1, "X", BEGIN, {"span_id": f"{n}", "parent_id": f"{n - 1}"}, 0) for n in range(20_000)]

    assert max(depth for depth, _ in walk(build(records))) == 19_999


async def test_metrics_that_are_derived_from_the_turn_are_left_out(story: Story) -> None:
    """They say again what the spans say, and would bury them; somebody's own metric stays."""
    turn = Turn(story, "t1")
    with turn.tool(CALL, seconds=0.5):
        story.tell(MetricEvent, metrics=[Metric(name="gen_ai.execute_tool.duration", value=3)])
        story.tell(MetricEvent, metrics=[Metric(name="files_processed", value=10)])

    (tool,) = [span for _, span in walk(build(story.records())) if span.kind == "tool"]

    assert [child.name for child in tool.children] == ["metrics"]


async def test_spans_that_are_derived_from_the_turn_are_left_out(story: Story) -> None:
    """With traces on the console the log has them; one that is as long as its turn would hide its waits."""
    turn = Turn(story, "t1")
    turn.approval(CALL, approved=True, seconds=60.0)
    finished = turn.finish(seconds=61.0)
    here = SpanContext(trace_id=finished.trace_id, span_id=finished.span_id, parent_id=finished.parent_id)
    times = {"start_time": BEGIN.isoformat(), "end_time": finished.at.isoformat()}
    story.tell(TraceEvent, name="invoke_agent", span_context=here, **times)

    roots = build(story.records())

    assert [span.kind for _, span in walk(roots) if span.kind == "span"] == []
    assert [round((end - start).total_seconds()) for start, end in waits(roots)] == [60]
