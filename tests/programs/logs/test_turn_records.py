"""Which records belong to a turn, and what they add up to."""

import tracemalloc
from datetime import timedelta

import pytest

from llmgine.errors import UserError
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Author, DecideToolCallCommand, DeletePromptCommand, EditPromptCommand
from llmgine.messages.events import ToolCallDecidedEvent, ToolCallWaitingEvent, TurnStartedEvent
from llmgine.messages.message import inside
from llmgine.observability import Metric, MetricEvent
from llmgine.observability.reader import Record
from llmgine.turn_state import TurnState
from programs.logs.attempts import attempts_of
from programs.logs.spans import build
from programs.logs.turn_records import RecentTurns, find_turn, summarize
from programs.logs.waits import waits
from tests.programs.logs.story import BEGIN, Story, Turn

CALL = ToolCall(id="call00001", name="get_weather")


def recent(story: Story, **bounds: int) -> RecentTurns:
    turns = RecentTurns(**bounds)
    for record in story.records():
        turns.add(record)
    return turns


async def test_a_turn_in_one_line(story: Story) -> None:
    """Session, prompt, model, tokens, times and counts come from where each is said."""
    turn = Turn(story, "t1", "What is up?", "discord:5")
    turn.reply(first=None, tool_calls=(CALL,), finish="tool_calls")
    with turn.tool(CALL, ok=False):
        pass
    turn.reply(round_=1, first=0.5)
    turn.finish(seconds=2.5)

    (summary,) = recent(story).newest(10)

    assert summary == summarize("t1", story.records())
    assert (summary.id, summary.session, summary.prompt) == ("t1", "discord:5", "What is up?")
    assert (summary.state, summary.model, summary.seconds, summary.first_token) == ("done", "small", 2.5, 0.5)
    assert (summary.input_tokens, summary.output_tokens, summary.cached_tokens) == (100, 10, 40)
    assert (summary.rounds, summary.tools, summary.failed_tools) == (2, 1, 1)
    assert summary.at == BEGIN + timedelta(milliseconds=1)


async def test_the_state_is_the_latest(story: Story) -> None:
    """Waiting for approval, decided, ended: each is seen at once."""
    turn = Turn(story, "t1")
    assert summarize("t1", story.records()).state == "running"

    turn.approval(CALL, approved=None)
    assert summarize("t1", story.records()).state == "waiting"
    turn.approval(CALL, approved=True)
    assert summarize("t1", story.records()).state == "running"
    turn.finish("stopped", notice="Stopped.")

    summary = summarize("t1", story.records())
    assert (summary.state, summary.notice) == ("stopped", "Stopped.")


async def test_a_turn_waits_while_any_of_its_calls_does(story: Story) -> None:
    """Of two calls that people were asked about, one decision does not let the turn go on."""
    turn = Turn(story, "t1")
    turn.approval(CALL, approved=None)
    turn.approval(CALL.model_copy(update={"id": "call00002"}), approved=False)

    assert summarize("t1", story.records()).state == "waiting"


async def test_a_turn_that_is_answered_again_stands_where_its_last_attempt_does(story: Story) -> None:
    """It runs once more, and what all its attempts did is counted."""
    turn = Turn(story, "t1")
    turn.reply(tool_calls=(CALL,), finish="tool_calls")
    with turn.tool(CALL, ok=False):
        pass
    turn.reply(round_=1)
    turn.finish()
    turn.tell(TurnStartedEvent, attempt=2, resumed=False)
    turn.reply()

    summary = summarize("t1", story.records())
    assert (summary.state, summary.rounds, summary.tools, summary.failed_tools) == ("running", 3, 1, 1)


def test_records_that_cannot_be_read_as_events_change_no_turn() -> None:
    """A field that a newer program added is no hindrance, one of another kind than expected is."""
    about = {
        "session_id": "s",
        "turn_id": "t",
        "source": "test",
        "origin": {},
        "round": 0,
        "call": {"id": "c", "name": "x"},
    }
    odd = Record(1, "ToolCallStartedEvent", None, {**about, "call": 3}, 0)
    newer = Record(1, "ToolCallStartedEvent", None, {**about, "colour": "red"}, 0)

    (state,) = attempts_of([odd, Record(1, "SomebodysEvent", None, about, 0)])
    assert state == TurnState()
    (state,) = attempts_of([odd, newer])
    assert state.calls["c"].started


async def test_a_denied_call_is_no_failed_call(story: Story) -> None:
    """It has a result that is no success, and nothing went wrong."""
    turn = Turn(story, "t1")
    turn.reply(tool_calls=(CALL,), finish="tool_calls")
    turn.approval(CALL, approved=False)
    turn.end_tool(CALL, seconds=0.0, ok=False)

    summary = summarize("t1", story.records())

    assert (summary.tools, summary.failed_tools) == (1, 0)


async def test_the_title_is_the_message_as_it_was_last_edited(story: Story) -> None:
    """An edit that comes late and out of order changes nothing; of several messages the first that is left counts."""
    Turn(story, "t1", "Frist")
    about = {"session_id": "test:1", "turn_id": "t1"}
    story.tell(EditPromptCommand, **about, source_id="t1", version=2, text="First")
    story.tell(EditPromptCommand, **about, source_id="t1", version=1, text="Fist")
    story.tell(EditPromptCommand, **about, source_id="other", version=1, text="Second")
    assert summarize("t1", story.records()).prompt == "First"

    story.tell(DeletePromptCommand, **about, source_id="t1")

    assert [turn.prompt for turn in recent(story).newest(1)] == ["Second"]


async def test_what_a_turn_worked_leaves_out_the_time_it_waited_for_people(story: Story) -> None:
    """A wait in which another call ran is work; an open turn has not worked any known time yet."""
    turn = Turn(story, "t1")
    turn.reply(seconds=1.0, tool_calls=(CALL,), finish="tool_calls")
    other = CALL.model_copy(update={"id": "call00002"})
    with inside(turn.started):
        turn.tell(ToolCallWaitingEvent, round=0, call=CALL, deadline=BEGIN)
    with turn.tool(other, seconds=5.0):
        pass
    story.wait(100)
    with inside(turn.started):
        turn.tell(ToolCallDecidedEvent, round=0, call=CALL, approved=True, decided_by=None)
    assert summarize("t1", story.records()).worked is None

    turn.finish(seconds=106.0)

    summary = summarize("t1", story.records())
    assert summary.seconds == 106.0
    assert summary.worked == pytest.approx(6.0, abs=0.1)


async def test_time_between_two_answers_is_no_work(story: Story) -> None:
    """A turn that is regenerated an hour later is shown without that hour."""
    turn = Turn(story, "t1")
    turn.reply(seconds=1.0)
    turn.finish(seconds=1.0)
    story.wait(3_600)
    turn.tell(TurnStartedEvent, attempt=2, resumed=False)
    turn.reply(seconds=2.0)
    turn.finish(seconds=2.0)

    roots = build(story.records())

    assert [round((end - start).total_seconds()) for start, end in waits(roots)] == [3_600]
    assert summarize("t1", story.records()).worked == 2.0


async def test_tokens_are_unknown_where_the_service_does_not_count(story: Story) -> None:
    """No count is not a count of zero."""
    turn = Turn(story, "t1")
    turn.reply(usage=None)
    turn.finish()

    assert summarize("t1", story.records()).input_tokens is None


async def test_what_names_no_turn_belongs_to_that_of_its_trace(story: Story) -> None:
    """The prompt, the answer to it, metrics, and a decision made elsewhere are all the turn's."""
    one, two = Turn(story, "t1"), Turn(story, "t2")
    with inside(one.started):
        story.tell(MetricEvent, metrics=[Metric(name="n", value=1)])
    ada = Author(id="1", name="Ada")
    decide = story.tell(DecideToolCallCommand, session_id="s", turn_id="t2", call_id="c", approved=True, decided_by=ada)
    with inside(decide):
        story.tell(MetricEvent, metrics=[Metric(name="n", value=2)])
    two.finish()
    turns = recent(story)

    kinds = {turn: [record.type for record in turns.records(turn)] for turn in ("t1", "t2")}

    begin = ["PromptCommand", "TurnAdmittedEvent", "CommandResultEvent", "TurnStartedEvent"]
    assert kinds["t1"] == [*begin, "MetricEvent"]
    assert kinds["t2"] == [*begin, "DecideToolCallCommand", "MetricEvent", "TurnFinishedEvent"]
    for turn in ("t1", "t2"):
        assert find_turn(story.path, turn) == (turn, turns.records(turn))


async def test_a_turn_that_went_on_after_a_restart_is_one(story: Story) -> None:
    """Its second part is in a trace of its own, and still its."""
    Turn(story, "t1").reply()
    started = story.tell(
        TurnStartedEvent, session_id="test:1", turn_id="t1", source="test", origin={}, attempt=1, resumed=True
    )
    with inside(started):
        story.tell(MetricEvent, metrics=[])

    assert len(find_turn(story.path, "t1")[1]) == len(story.records()) == len(recent(story).records("t1"))


async def test_memory_is_bounded_by_turns_and_bytes(story: Story) -> None:
    """The oldest turns are forgotten, with all their records; late records of theirs do not bring them back."""
    turns = [Turn(story, f"t{number}", "x" * 2_000) for number in range(20)]
    turns[0].finish()

    few = recent(story, most=3)
    small = recent(story, most_bytes=20_000)

    assert [turn.id for turn in few.newest(10)] == ["t19", "t18", "t17"]
    assert len(few._turn_of_trace) == 3
    assert 3 < len(list(small.newest(100))) < 10
    assert not few.records("t0")


def test_records_of_no_turn_are_not_kept_for_ever() -> None:
    """A million commands and metrics outside turns leave a few hundred records."""
    turns = RecentTurns()

    for number in range(5_000):
        turns.add(Record(1, "MetricEvent", None, {"trace_id": f"{number}"}, 10))
        turns.add(Record(1, "MetricEvent", None, {"trace_id": "same"}, 10))

    assert sum(map(len, turns._waiting.values())) < 500


async def test_a_turn_is_found_by_the_beginning_of_its_id(story: Story) -> None:
    """As much as tells it from the others is enough; a whole id is always enough; last is the newest."""
    for turn_id in ("abc1", "abd2", "abc12"):
        Turn(story, turn_id)

    assert find_turn(story.path, "abd")[0] == "abd2"
    assert find_turn(story.path, "abc1")[0] == "abc1"
    assert find_turn(story.path, "last")[0] == "abc12"
    with pytest.raises(UserError, match="3 turns begin with 'ab', among them abc1, abd2, abc12: give more of the id"):
        find_turn(story.path, "ab")
    with pytest.raises(UserError, match="no turn in the log whose id begins with 'x'"):
        find_turn(story.path, "x")


async def test_a_turn_is_found_in_a_long_log_in_bounded_memory(story: Story) -> None:
    """Only the turn itself is held, not the 50,000 lines around it."""
    Turn(story, "t1").finish()
    line = b'{"v":1,"type":"TurnStartedEvent","turn_id":"other%d","trace_id":"%d","text":"' + b"x" * 200 + b'"}\n'
    with story.path.open("ab") as file:
        file.writelines(line % (number, number) for number in range(50_000))
    tracemalloc.start()
    try:
        _, records = find_turn(story.path, "t1")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(records) == 5
    assert peak < 2**20


async def test_an_empty_log_has_no_last_turn(story: Story) -> None:
    """It is said, with what to do."""
    with pytest.raises(UserError, match="no turn in the log yet"):
        find_turn(story.path, "last")
