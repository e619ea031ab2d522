"""What every session store promises of turns, their steps, and what is asked of whoever runs them."""

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import pytest

from llmgine.errors import StoreError, SupersededError
from llmgine.messages.commands import PromptCommand
from llmgine.messages.steps import (
    DecisionStep,
    OutcomeStep,
    PromptStep,
    ReplyStep,
    Turn,
    WaitingStep,
)
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import microseconds
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.records import Blocked, Claimed
from tests.llmgine.sessions.conftest import Open
from tests.llmgine.sessions.examples import (
    ADA,
    DONE,
    EVERY_KIND,
    FAR_OFF,
    LONG_AGO,
    admit,
    admitted,
    append,
    begun,
    claimed,
    decide,
    ended,
    finish,
    prompt,
    said,
)

REPLY = ReplyStep(round=0, text="answer", finish="stop", model="m", usage=None, seconds=0.1)
WAITING = WaitingStep(round=0, call_id="c", deadline=FAR_OFF)


async def test_a_prompt_becomes_a_queued_turn_of_ours(store: SessionStore) -> None:
    """Everything the prompt said is kept with the turn."""
    origin = {"channel": 1, "nested": {"text": "\ud800", "none": None}}
    command = PromptCommand(
        session_id="s",
        text="hi",
        source="test",
        source_id="1",
        author=ADA,
        origin=origin,
        place="1",
        guild=2,
        session_name="general",
    )

    place = await store.turns.admit(command, "t", microseconds(LONG_AGO))
    steps = await store.turns.get("t")

    assert (place.turn_id, place.place, place.duplicate) == ("t", 0, False)
    assert (steps.turn.place, steps.turn.guild, steps.turn.claim) == ("1", 2, 0)
    assert steps.turn.created_at == LONG_AGO
    assert (steps.turn.state, steps.turn.seq, steps.turn.attempt, steps.turn.resumes) == ("queued", 1, 1, 0)
    assert (steps.turn.owner, steps.turn.source, steps.turn.origin) == (store.owners.me, "test", origin)
    assert steps.steps == (PromptStep(text="hi", source_id="1", author=ADA),)
    assert (await store.sessions.get("s")).name == "general"


async def test_what_arrives_twice_is_admitted_once(store: SessionStore) -> None:
    """The second answer names the first turn; the same id from another source is another message."""
    first = await admit(store, prompt("1"))
    again = await admit(store, prompt("1", "edited", session_id="elsewhere"))
    other = await admit(store, prompt("1", source="other"))

    assert (again.turn_id, again.duplicate) == (first.turn_id, True)
    assert other.turn_id != first.turn_id
    assert [turn.id for turn in await store.turns.unfinished("s")] == [first.turn_id, other.turn_id]
    assert await store.turns.of_message("test", "1") == first.turn_id
    assert await store.turns.of_message("test", "2") is None


async def test_two_processes_admit_the_same_messages_once(open_another: Open) -> None:
    """Of two that claim each message at the same moment, one admits it, and no place in the order is used twice."""
    stores = [await open_another(), await open_another()]

    places = await asyncio.gather(*(admit(store, prompt(str(n))) for n in range(30) for store in stores))

    assert sum(not place.duplicate for place in places) == 30
    assert len({place.turn_id for place in places}) == 30
    turns = await stores[0].turns.unfinished("s")
    assert [turn.seq for turn in turns] == list(range(1, 31))


async def test_turns_have_the_order_of_their_admission(store: SessionStore) -> None:
    """Each session counts for itself; `place` is how many unfinished ones are before."""
    places = [
        (await admit(store, prompt(f"{session}{n}", session_id=session))).place for n in range(3) for session in "ab"
    ]
    await finish(store, await claimed(store, "a"))
    last = await admit(store, prompt("last", session_id="a"))

    assert places == [0, 0, 1, 1, 2, 2]
    assert last.place == 2
    assert [turn.seq for turn in await store.turns.unfinished("a")] == [2, 3, 4]
    assert [turn.seq for turn in await store.turns.unfinished("b")] == [1, 2, 3]


async def test_every_kind_of_step_comes_back_as_it_was(store: SessionStore) -> None:
    """Steps are kept in order and whole."""
    turn = await begun(store, "1")

    await append(store, turn, *EVERY_KIND[1:])

    assert (await store.turns.get(turn.id)).steps[1:] == EVERY_KIND[1:]


@pytest.mark.parametrize(
    "text", ["a\0b", "a\ud800b", "\U0001f642\u202e\r\n\t", "x" * 1_000_000, "'; DROP TABLE turn; --"]
)
async def test_hostile_texts_are_kept_without_what_no_database_holds(store: SessionStore, text: str) -> None:
    """NUL and lone surrogates are taken out, in text and in keys; all else stays."""
    turn = await admitted(store, "1\0", text, session_id="s\ud800")

    steps = await store.turns.get(turn.id)

    assert said(steps) == text.replace("\0", "").replace("\ud800", "")
    assert turn.session_id == "s"
    assert await store.turns.of_message("test", "1") == turn.id


async def test_the_oldest_open_turn_is_claimed_while_it_is_ours(open_another: Open) -> None:
    """A claim marks it as running and has a number of its own, and a resumed one is counted; nobody else can claim."""
    ours, theirs = await open_another(), await open_another()
    turn = await admitted(ours, "1", "first")
    await admitted(ours, "2")

    assert await theirs.turns.claim("s") is None
    first, again = await ours.turns.claim("s"), await ours.turns.claim("s", resumed=[turn.id])

    assert isinstance(first, Claimed)
    assert isinstance(again, Claimed)
    assert (said(first.turn), first.next_step, first.stop_requested) == ("first", 2, False)
    assert [one.turn.turn.id for one in (first, again)] == [turn.id, turn.id]
    assert [(one.turn.turn.state, one.turn.turn.resumes) for one in (first, again)] == [("running", 0), ("running", 1)]
    assert again.turn.turn.claim > first.turn.turn.claim > turn.claim


async def test_a_claim_finds_the_next_when_one_has_ended(store: SessionStore) -> None:
    """In the order of admission, until there is none; an ended turn is not claimed again."""
    turns = [await admitted(store, str(number)) for number in range(3)]

    for turn in turns:
        running = await claimed(store)
        assert running.id == turn.id
        await finish(store, running)

    assert await store.turns.claim("s") is None
    assert await store.turns.claim("unknown") is None


async def test_a_claim_brings_what_was_written_and_asked(store: SessionStore) -> None:
    """The steps of the attempt, the number of the next one, and whether somebody asked to stop."""
    turn = await begun(store, "1")
    await append(store, turn, REPLY)
    await store.stops.request("s", turn.id)

    found = await store.turns.claim("s", resumed=[turn.id])

    assert isinstance(found, Claimed)
    assert found.turn == await store.turns.get(turn.id)
    assert (found.turn.steps[1:], found.next_step, found.stop_requested) == ((REPLY,), 3, True)


async def test_a_turn_waits_for_one_of_another_process(open_another: Open) -> None:
    """One that runs, or that came before; a dead owner's turn is passed over and runs no more."""
    other, ours = await open_another(), await open_another()
    theirs = await begun(other, "1")
    mine = await admitted(ours, "2")

    assert await ours.turns.claim("s") == Blocked(owner=other.owners.me)
    found = await ours.turns.claim("s", dead=[other.owners.me])

    assert isinstance(found, Claimed)
    assert found.turn.turn.id == mine.id
    assert [(turn.id, turn.state) for turn in await ours.turns.unfinished("s")] == [
        (theirs.id, "queued"),
        (mine.id, "running"),
    ]
    with pytest.raises(SupersededError):
        await finish(other, theirs)


async def test_an_ended_turn_does_not_change(store: SessionStore) -> None:
    """Whatever still runs late cannot open it again or add to it; only its own outcome may be said again."""
    turn = await ended(store, "1")
    before = await store.turns.get(turn.id)

    with pytest.raises(SupersededError):
        await store.runs.set_status(turn, "waiting")
    with pytest.raises(SupersededError):
        await store.runs.append(turn, 3, REPLY)
    with pytest.raises(SupersededError):
        await store.runs.finish(turn, "failed", [(3, DONE)], [])
    await store.runs.finish(turn, "done", [(2, DONE)], [])

    after = await store.turns.get(turn.id)
    assert (after.turn.state, after.steps) == ("done", before.steps)


async def test_a_turn_that_nobody_claimed_is_not_written(store: SessionStore) -> None:
    """Whoever only admitted it has no right to write of it."""
    turn = await admitted(store, "1")

    with pytest.raises(SupersededError):
        await finish(store, turn)

    assert [turn.state for turn in await store.turns.unfinished("s")] == ["queued"]


async def test_the_turns_of_the_dead_are_taken_over_once(open_another: Open) -> None:
    """Those of a living process are not; of two that take over at once, each turn goes to one."""
    dead, alive, one, other = [await open_another() for _ in range(4)]
    lost = [await admitted(dead, str(n), session_id=f"s{n}") for n in range(20)]
    kept = await admitted(alive, "kept")
    foreign = await admit(dead, prompt("foreign", source="elsewhere"))
    await dead.close()

    taken, also_taken = await asyncio.gather(one.take_over(["test"]), other.take_over(["test"]))

    assert sorted(turn.id for turn in [*taken, *also_taken]) == sorted(turn.id for turn in lost)
    assert {turn.claim for turn in [*taken, *also_taken]} == {1}
    assert (await one.turns.get(kept.id)).turn.owner == alive.owners.me
    assert (await one.turns.get(foreign.turn_id)).turn.owner == dead.owners.me
    assert not await one.take_over(["test"])


async def test_a_take_over_may_be_of_one_session(open_another: Open) -> None:
    """The other sessions' turns stay where they are."""
    dead, heir = await open_another(), await open_another()
    mine = await admitted(dead, "1", session_id="mine")
    await admitted(dead, "2", session_id="other")
    await dead.close()

    assert [turn.id for turn in await heir.take_over(["test"], "mine")] == [mine.id]


async def test_a_take_over_that_nobody_heard_of_is_done_again(
    open_another: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store fails after turns were taken over, the next call gives them, and only that one."""
    dead, heir = await open_another(), await open_another()
    lost = [await admitted(dead, str(n), session_id=f"s{n}") for n in range(3)]
    await dead.close()
    take_over = heir.turns.take_over

    async def take_over_and_fail(turns: Sequence[Turn]) -> NoReturn:
        await take_over(turns)
        raise StoreError("nobody knows whether it was committed")

    monkeypatch.setattr(heir.turns, "take_over", take_over_and_fail)
    with pytest.raises(StoreError):
        await heir.take_over(["test"])
    monkeypatch.setattr(heir.turns, "take_over", take_over)

    taken = await heir.take_over(["test"])

    assert [turn.id for turn in taken] == [turn.id for turn in lost]
    assert await heir.take_over(["test"]) == []


async def test_a_stop_is_a_request_to_the_owner(open_another: Open) -> None:
    """Any process may ask; the owner finds it, for one turn or for all that are open."""
    owner, other = await open_another(), await open_another()
    first, second, third = [await admitted(owner, str(n)) for n in range(3)]
    await finish(owner, await claimed(owner))

    assert [turn.id for turn in await other.stops.request("s", second.id)] == [second.id]
    assert await owner.stops.mine() == [second.id]
    assert await other.stops.mine() == []
    assert [turn.id for turn in await other.stops.request("s", None)] == [second.id, third.id]
    assert await other.stops.request("s", first.id) == []
    assert await other.stops.request("another", third.id) == []


async def test_the_first_decision_counts(open_another: Open) -> None:
    """Of two decisions at the same moment by two processes, one counts, and the turn's runner reads that one."""
    stores = [await open_another(), await open_another()]
    turn = await begun(stores[0], "1")
    await append(stores[0], turn, WAITING)
    assert await stores[0].runs.decision(turn, "c") is None

    counted = await asyncio.gather(
        *(decide(store, turn, "c", approved=n == 0, by=ADA) for n, store in enumerate(stores))
    )

    assert sorted(counted) == [False, True]
    decision = await stores[0].runs.decision(turn, "c")
    assert decision == DecisionStep(call_id="c", approved=counted[0], decided_by=ADA)
    assert await stores[0].runs.decision(turn, "another") is None


async def test_decisions_of_the_same_microsecond_are_two(store: SessionStore) -> None:
    """A second decision does not count because the clock says the same; only the first one, repeated, does."""
    turn = await begun(store, "1")
    await append(store, turn, WAITING)
    yes = DecisionStep(call_id="c", approved=True, decided_by=ADA)
    no = DecisionStep(call_id="c", approved=False, decided_by=ADA)

    assert [await store.decisions.decide(turn.id, one, 7) for one in (yes, no, yes)] == [True, False, True]


async def test_only_the_runner_reads_a_decision(store: SessionStore) -> None:
    """Whoever has lost the turn is told so in place of it."""
    turn = await begun(store, "1")
    await append(store, turn, WAITING)
    await decide(store, turn, "c", approved=True)
    await claimed(store)

    with pytest.raises(SupersededError):
        await store.runs.decision(turn, "c")


async def test_only_what_waits_can_be_decided(store: SessionStore) -> None:
    """A call nobody asked about, one of an unknown turn, one that was decided, and one of an ended turn cannot."""
    turn = await begun(store, "1")

    assert not await decide(store, turn, "c", approved=True)
    assert not await decide(store, turn.model_copy(update={"id": "unknown"}), "c", approved=True)
    await append(store, turn, WAITING, WaitingStep(round=0, call_id="d", deadline=FAR_OFF))
    assert await decide(store, turn, "c", approved=True)
    assert not await decide(store, turn, "c", approved=False)
    await finish(store, turn, status="stopped", steps=[OutcomeStep(state="stopped", seconds=0)])
    assert not await decide(store, turn, "d", approved=True)


async def test_after_its_deadline_nobody_can_approve(store: SessionStore) -> None:
    """Also while the process that would have denied it is down; the deadline itself still decides."""
    turn = await begun(store, "1")
    await append(store, turn, WaitingStep(round=0, call_id="c", deadline=LONG_AGO))

    assert not await decide(store, turn, "c", approved=True)
    assert await decide(store, turn, "c", approved=False, by=None)


async def test_an_unknown_turn_is_an_error(store: SessionStore) -> None:
    """It names the id."""
    with pytest.raises(StoreError, match="'nope'"):
        await store.turns.get("nope")


async def test_a_step_for_no_turn_is_a_store_error(store: SessionStore) -> None:
    """Nothing is written of a turn that is not there."""
    turn = await begun(store, "1")

    with pytest.raises(StoreError):
        await store.runs.append(turn.model_copy(update={"id": "nope"}), 1, DONE)


async def test_two_turns_of_a_session_never_run_at_once(store: SessionStore) -> None:
    """The database itself refuses a second running turn, whoever writes it."""
    await begun(store, "1")
    second = await admitted(store, "2")

    def run_it_too() -> Steps[None]:
        yield "UPDATE turn SET state = 'running' WHERE id = $1", (second.id,)

    with pytest.raises(StoreError, match=r"(?i)unique"):
        await store.run(run_it_too, Operation("test"))

    assert (await store.turns.get(second.id)).turn.state == "queued"


async def test_where_it_was_said_is_stored(store: SessionStore) -> None:
    """The place and the server that a prompt names are facts of its turn."""
    command = prompt("1").model_copy(update={"place": "12", "guild": 2**62})

    await admit(store, command)

    turn = await claimed(store)
    assert (turn.place, turn.guild) == ("12", 2**62)
