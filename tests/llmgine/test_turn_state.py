"""One fold says what each user of a turn's steps used to find out by itself."""

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings

from llmgine.context import messages_of
from llmgine.messages.chat_messages import ChatMessage, ToolCall, ToolResult
from llmgine.messages.events import AnswerProgressEvent, TurnEvent, TurnStartedEvent
from llmgine.messages.steps import DecisionStep, PromptStep, ReplyStep, ResultStep, StartedStep, Step, Turn, WaitingStep
from llmgine.observability.reader import Record, parse_line
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import Call, CallState, TurnState, fold, fold_all, step_of
from programs.logs.attempts import attempts_of
from programs.logs.spans import build, walk
from programs.logs.turn_records import summarize
from tests.llmgine.before_the_fold import (
    Before,
    asked_in_why,
    errors_in_spans,
    facts_on_card,
    lines_in_export,
    noted_in_terminal,
    sent_to_the_model,
    state_in_log,
    state_on_card,
    told_to_those_who_wait,
    word_in_details,
)
from tests.llmgine.random_turns import NOW, chances, events_of, turns

THOROUGH = settings(max_examples=500, deadline=None, derandomize=True)
OF_STATE = {  # how the span of a tool that ran ends
    CallState.RUNNING: "runs",
    CallState.DONE: "ok",
    CallState.FAILED: "tool error",
    CallState.INTERRUPTED: "cancelled",
}


def exported(state: TurnState) -> list[str]:
    parts = []
    for reply in state.replies:
        parts += [reply.text] if reply.text else []
        for call in reply.tool_calls:
            result = state.calls[call.id].result
            parts.append(f"{call.name}({call.arguments}): {result.content if result else 'no result'}")
    return parts + [text for text in (state.outcome and (state.outcome.partial, state.outcome.notice)) or () if text]


def noted(call: Call) -> str | None:
    if call.decision is None:
        return None
    words = {CallState.EXPIRED: "nobody answered in time", CallState.DENIED: "denied"}
    return words.get(call.state, "approved")


def turn(steps: Sequence[Step]) -> TurnSteps:
    facts = {
        "id": "t",
        "session_id": "s",
        "seq": 1,
        "attempt": 1,
        "claim": 1,
        "resumes": 0,
        "state": "done",
        "owner": "o",
    }
    record = Turn.model_validate({**facts, "source": "test", "origin": {}, "created_at": NOW})
    return TurnSteps(record, tuple(steps))


def written(event: TurnEvent) -> Record:
    line = event.model_dump_json().encode()
    record = parse_line(b'{"v":1,"type":"%s",%s' % (type(event).__name__.encode(), line[1:]))
    assert record is not None
    return record


def test_the_fold_says_what_each_user_of_steps_said() -> None:
    """Cards, details, /why, the queue's notice, the terminal, the model and the export find the same in any turn."""
    seen: set[CallState] = set()

    @THOROUGH
    @given(turns)
    def compare(steps: list[Step]) -> None:
        before, state = Before(steps), fold_all(steps)
        calls = state.calls
        seen.update(call.state for call in calls.values())

        assert (state.prompts, state.replies, state.outcome) == (before.prompts, before.replies, before.outcome)
        assert (state.prompt, state.text, state.usage) == (before.prompts[0], before.text, before.usage)
        assert [call.call for call in calls.values()] == before.calls
        for call in before.calls:
            now = calls[call.id]
            assert now.state.value == state_on_card(call, before)
            assert (now.waiting, now.started_at, now.seconds, now.decision) == facts_on_card(call, before)
            word = "no result yet" if now.result is None else "done" if now.result.ok else "failed"
            assert word == word_in_details(call, before)
            assert now.started == (call.id in before.started)
            assert noted(now) == noted_in_terminal(call, before)
        if before.outcome is None:  # nobody asks what an ended turn waits for
            waiting = [(one.call.name, one.waiting.deadline) for one in state.waiting if one.waiting]
            assert waiting == asked_in_why(before)
            first = next((one.call for one in calls.values() if one.state is CallState.WAITING), None)
            assert first == told_to_those_who_wait(before)
        assert exported(state) == lines_in_export(before)
        assert [(one.role, one.content) for one in of_answer(steps)] == sent_to_the_model(before)

    compare()
    assert seen == set(CallState)


def of_answer(steps: Sequence[Step]) -> list[ChatMessage]:
    return messages_of(turn(steps))[1:]


def test_events_fold_to_the_same_state_as_steps() -> None:
    """Whoever hears a turn knows as much of it as whoever reads it, but for what is only for the next request."""

    @THOROUGH
    @given(turns)
    def compare(steps: list[Step]) -> None:
        started, *events = events_of(steps)
        assert isinstance(started, TurnStartedEvent)
        state = fold_all(started.steps)
        for event in events:
            step = step_of(event)
            assert (step is None) == isinstance(event, AnswerProgressEvent)
            state = fold(state, step) if step else state

        assert told(state) == told(fold_all(steps))

    compare()


def told(state: TurnState) -> object:
    """All of a state that events tell: not when a tool began where only its event says so."""
    calls = {call_id: (call.state, call.started, told_of(call)) for call_id, call in state.calls.items()}
    return state.prompts, state.replies, calls, state.asked, state.outcome, state.text, state.usage


def told_of(call: Call) -> object:
    return call.call, call.round, call.waiting, call.decision, call.result, call.seconds, call.ended


def test_logs_and_spans_say_what_the_fold_says() -> None:
    """A turn's one line, its tree and OpenTelemetry's spans are the fold of its events."""

    @THOROUGH
    @given(turns)
    def compare(steps: list[Step]) -> None:
        before, state, events = Before(steps), fold_all(steps), events_of(steps)
        records = [written(event) for event in events if event.logged]

        (logged,) = attempts_of(records)
        assert {call_id: call.state for call_id, call in logged.calls.items()} == {
            call_id: call.state for call_id, call in state.calls.items()
        }
        line = summarize("t", records)
        assert line.state == state_in_log(events)
        refused = {id_ for id_, call in state.calls.items() if call.state in (CallState.DENIED, CallState.EXPIRED)}
        failed = sum(not step.result.ok for id_, step in before.results.items() if id_ not in refused)
        assert (line.rounds, line.tools, line.failed_tools) == (len(before.replies), len(before.results), failed)
        ran = {call_id: OF_STATE[call.state] for call_id, call in state.calls.items() if call.started}
        assert ran == errors_in_spans(events)
        tree = [span.state for _, span in walk(build(records)) if span.kind == "turn"]
        assert tree == [before.outcome.state if before.outcome else "running"]

    compare()


def test_a_step_that_is_told_twice_changes_nothing() -> None:
    """Steps never change, so what is known already stays as it is, wherever it is heard again."""

    @THOROUGH
    @given(turns, chances)
    def compare(steps: list[Step], chance: random.Random) -> None:
        state = fold_all(steps)
        for step in [*chance.sample(steps, len(steps)), *(step_of(event) or steps[0] for event in events_of(steps))]:
            state = fold(state, step)

        assert state == fold_all(steps)

    compare()


def test_a_turn_goes_on_as_if_it_had_been_read() -> None:
    """A turn with one more step is the turn that the store gives with that step in it."""

    @THOROUGH
    @given(turns)
    def compare(steps: list[Step]) -> None:
        grown = turn(steps[:1])
        for step in steps[1:]:
            grown = grown.plus(step)

        assert grown == turn(steps)
        assert grown.state == turn(steps).state

    compare()


def test_what_a_turn_has_so_far_is_in_no_dump() -> None:
    """Its beginning carries its steps to whoever shows it, and neither the log nor a repr has what was said."""
    about: dict[str, Any] = {"session_id": "s", "turn_id": "t", "source": "test", "origin": {}}

    event = TurnStartedEvent(**about, attempt=1, resumed=False, steps=(PromptStep(text="a secret"),))

    assert event.steps[0].kind == "prompt"
    assert "secret" not in event.model_dump_json() + repr(event)
    assert "steps" not in event.model_dump()


def test_a_call_that_nobody_asked_for_is_known_by_what_became_of_it() -> None:
    """A log may begin in the middle of a turn: what is told of a call whose reply is lost is not."""
    result = ToolResult(call_id="c", name="roll", content="4")

    state = fold_all(
        [DecisionStep(call_id="b", approved=False, decided_by=None), ResultStep(round=2, result=result, seconds=1)]
    )

    assert {call_id: (call.call.name, call.state) for call_id, call in state.calls.items()} == {
        "b": ("a tool", CallState.EXPIRED),
        "c": ("roll", CallState.DONE),
    }


def test_a_call_that_ran_unasked_waits_no_more() -> None:
    """After a restart its tool may be gone, so that it fails at once although nobody decided."""
    call = ToolCall(id="c", name="roll")
    steps: list[Step] = [
        PromptStep(text="go"),
        ReplyStep(round=0, text="", tool_calls=(call,), finish="tool_calls", model="m", usage=None, seconds=1),
        WaitingStep(round=0, call_id="c", deadline=NOW),
    ]
    assert [one.call for one in fold_all(steps).waiting] == [call]

    gone = ToolResult(call_id="c", name="roll", content="There is no such tool.", ok=False)
    state = fold_all([*steps, StartedStep(round=0, call_id="c"), ResultStep(round=0, result=gone, seconds=0)])

    assert state.waiting == ()
    assert state.calls["c"].state is CallState.FAILED
