"""What every session store promises of sessions, turns and their steps."""

import asyncio

import pytest

from llmgine.errors import StoreError, UnknownSessionError
from llmgine.messages.commands import Attachment, PromptCommand
from llmgine.messages.steps import (
    OutcomeStep,
    PromptStep,
    ReplyStep,
    WaitingStep,
)
from llmgine.sessions import SessionStore
from llmgine.sessions import transactions as tx
from llmgine.sessions.database import Transaction
from tests.llmgine.sessions.conftest import Open
from tests.llmgine.sessions.examples import ADA, DONE, EVERY_KIND, FAR_OFF, LONG_AGO, admitted, ended, prompt

REPLY = ReplyStep(round=0, text="answer", finish="stop", model="m", usage=None, seconds=0.1)


async def test_a_prompt_becomes_a_queued_turn_of_ours(store: SessionStore) -> None:
    """Everything the prompt said is kept with the turn."""
    origin = {"channel": 1, "nested": {"text": "\ud800", "none": None}}
    command = PromptCommand(
        session_id="s", text="hi", source="test", source_id="1", author=ADA, origin=origin, session_name="general"
    )

    place = await store.admit(command)
    steps = await store.turn(place.turn_id)

    assert (place.place, place.duplicate) == (0, False)
    assert (steps.turn.state, steps.turn.seq, steps.turn.attempt, steps.turn.resumes) == ("queued", 1, 1, 0)
    assert (steps.turn.owner, steps.turn.source, steps.turn.origin) == (store.owners.me, "test", origin)
    assert steps.steps == (PromptStep(text="hi", source_id="1", author=ADA),)
    assert (await store.session("s")).name == "general"


async def test_what_arrives_twice_is_admitted_once(store: SessionStore) -> None:
    """The second answer names the first turn; the same id from another source is another message."""
    first = await store.admit(prompt("1"))
    again = await store.admit(prompt("1", "edited", session_id="elsewhere"))
    other = await store.admit(prompt("1", source="other"))

    assert (again.turn_id, again.duplicate) == (first.turn_id, True)
    assert other.turn_id != first.turn_id
    assert [turn.id for turn in await store.unfinished("s")] == [first.turn_id, other.turn_id]
    assert await store.turn_of("test", "1") == first.turn_id
    assert await store.turn_of("test", "2") is None


async def test_two_processes_admit_the_same_messages_once(open_another: Open) -> None:
    """Of two that claim each message at the same moment, one admits it, and no place in the order is used twice."""
    stores = [await open_another(), await open_another()]

    places = await asyncio.gather(*(store.admit(prompt(str(n))) for n in range(30) for store in stores))

    assert sum(not place.duplicate for place in places) == 30
    assert len({place.turn_id for place in places}) == 30
    turns = await stores[0].unfinished("s")
    assert [turn.seq for turn in turns] == list(range(1, 31))


async def test_turns_have_the_order_of_their_admission(store: SessionStore) -> None:
    """Each session counts for itself; `place` is how many unfinished ones are before."""
    places = [
        (await store.admit(prompt(f"{session}{n}", session_id=session))).place for n in range(3) for session in "ab"
    ]
    done = (await store.unfinished("a"))[0]
    await store.finish(done, "done", [DONE], [])
    last = await store.admit(prompt("last", session_id="a"))

    assert places == [0, 0, 1, 1, 2, 2]
    assert last.place == 2
    assert [turn.seq for turn in await store.unfinished("a")] == [2, 3, 4]
    assert [turn.seq for turn in await store.unfinished("b")] == [1, 2, 3]


async def test_every_kind_of_step_comes_back_as_it_was(store: SessionStore) -> None:
    """Steps are kept in order and whole."""
    turn = await admitted(store, "1")

    for step in EVERY_KIND[1:]:
        await store.append(turn, step)

    assert (await store.turn(turn.id)).steps[1:] == EVERY_KIND[1:]


@pytest.mark.parametrize(
    "text", ["a\0b", "a\ud800b", "\U0001f642\u202e\r\n\t", "x" * 1_000_000, "'; DROP TABLE turn; --"]
)
async def test_hostile_texts_are_kept_without_what_no_database_holds(store: SessionStore, text: str) -> None:
    """NUL and lone surrogates are taken out, in text and in keys; all else stays."""
    turn = await admitted(store, "1\0", text, session_id="s\ud800")

    steps = await store.turn(turn.id)

    assert steps.prompt.text == text.replace("\0", "").replace("\ud800", "")
    assert turn.session_id == "s"
    assert await store.turn_of("test", "1") == turn.id


async def test_a_turn_is_claimed_while_it_is_open_and_ours(open_another: Open) -> None:
    """A claim marks it as running, and a resumed one is counted; nobody else can, nor anybody once it ended."""
    ours, theirs = await open_another(), await open_another()
    turn = await admitted(ours, "1")

    assert not await theirs.claim(turn.id, resumed=False)
    assert await ours.claim(turn.id, resumed=False)
    assert await ours.claim(turn.id, resumed=True)
    now = (await ours.turn(turn.id)).turn
    assert (now.state, now.resumes) == ("running", 1)
    await ours.finish(turn, "done", [DONE], [])
    assert not await ours.claim(turn.id, resumed=False)


async def test_an_ended_turn_does_not_change_its_state(store: SessionStore) -> None:
    """Whatever still runs late cannot open it again."""
    turn = await ended(store, "1")

    await store.set_state(turn, "waiting")

    assert (await store.turn(turn.id)).turn.state == "done"


async def test_the_turns_of_the_dead_are_taken_over_once(open_another: Open) -> None:
    """Those of a living process are not; of two that take over at once, each turn goes to one."""
    dead, alive, one, other = [await open_another() for _ in range(4)]
    lost = [await admitted(dead, str(n), session_id=f"s{n}") for n in range(20)]
    kept = await admitted(alive, "kept")
    foreign = await dead.admit(prompt("foreign", source="elsewhere"))
    await dead.close()

    taken, also_taken = await asyncio.gather(one.take_over(["test"]), other.take_over(["test"]))

    assert sorted(turn.id for turn in [*taken, *also_taken]) == sorted(turn.id for turn in lost)
    assert (await one.turn(kept.id)).turn.owner == alive.owners.me
    assert (await one.turn(foreign.turn_id)).turn.owner == dead.owners.me
    assert not await one.take_over(["test"])


async def test_a_take_over_may_be_of_one_session(open_another: Open) -> None:
    """The other sessions' turns stay where they are."""
    dead, heir = await open_another(), await open_another()
    mine = await admitted(dead, "1", session_id="mine")
    await admitted(dead, "2", session_id="other")
    await dead.close()

    assert [turn.id for turn in await heir.take_over(["test"], "mine")] == [mine.id]


async def test_a_stop_is_a_request_to_the_owner(open_another: Open) -> None:
    """Any process may ask; the owner finds it, for one turn or for all that are open."""
    owner, other = await open_another(), await open_another()
    first, second, third = [await admitted(owner, str(n)) for n in range(3)]
    await owner.finish(first, "done", [DONE], [])

    assert [turn.id for turn in await other.request_stop("s", second.id)] == [second.id]
    assert await owner.stop_requested() == [second.id]
    assert await other.stop_requested() == []
    assert [turn.id for turn in await other.request_stop("s", None)] == [second.id, third.id]
    assert await other.request_stop("s", first.id) == []
    assert await other.request_stop("another", third.id) == []


async def test_the_first_decision_counts(open_another: Open) -> None:
    """Of two decisions at the same moment by two processes, one counts."""
    stores = [await open_another(), await open_another()]
    turn = await admitted(stores[0], "1")
    await stores[0].append(turn, WaitingStep(round=0, call_id="c", deadline=FAR_OFF))

    counted = await asyncio.gather(
        *(store.decide(turn.id, "c", approved=n == 0, decided_by=ADA) for n, store in enumerate(stores))
    )

    assert sorted(counted) == [False, True]
    decisions = (await stores[0].turn(turn.id)).decisions
    assert decisions["c"].approved is counted[0]


async def test_only_what_waits_can_be_decided(store: SessionStore) -> None:
    """A call nobody asked about, one of an unknown turn, and one of an ended turn cannot."""
    turn = await admitted(store, "1")

    assert not await store.decide(turn.id, "c", approved=True, decided_by=ADA)
    assert not await store.decide("unknown", "c", approved=True, decided_by=ADA)
    await store.append(turn, WaitingStep(round=0, call_id="c", deadline=FAR_OFF))
    await store.finish(turn, "stopped", [OutcomeStep(state="stopped", seconds=0)], [])
    assert not await store.decide(turn.id, "c", approved=True, decided_by=ADA)


async def test_after_its_deadline_nobody_can_approve(store: SessionStore) -> None:
    """Also while the process that would have denied it is down; the deadline itself still decides."""
    turn = await admitted(store, "1")
    await store.append(turn, WaitingStep(round=0, call_id="c", deadline=LONG_AGO))

    assert not await store.decide(turn.id, "c", approved=True, decided_by=ADA)
    assert await store.decide(turn.id, "c", approved=False, decided_by=None)


async def test_history_is_the_ended_turns_before(store: SessionStore) -> None:
    """In order, without the open ones, without other sessions, and up to where it is asked for."""
    turns = [await ended(store, str(n), f"text {n}") for n in range(4)]
    await admitted(store, "open")
    await ended(store, "other", session_id="other")

    assert [past.prompt.text for past in await store.history("s")] == [f"text {n}" for n in range(4)]
    assert await store.ended("s", turns[2].seq, 10) == [(turns[1].id, 1), (turns[0].id, 1)]
    assert await store.ended("s", turns[2].seq, 1) == [(turns[1].id, 1)]
    assert await store.history("unknown") == []


async def test_clearing_hides_and_deletes(store: SessionStore) -> None:
    """Later turns see nothing of the conversation and its texts are gone; the gate still knows the messages."""
    old = await ended(store, "1", "a secret plan")
    running = await admitted(store, "2", "still running")

    await store.clear("s")

    assert await store.history("s") == []
    with pytest.raises(StoreError, match="cleared"):
        await store.turn(old.id)
    assert (await store.turn(running.id)).prompt.text == "still running"
    assert (await store.admit(prompt("1"))).duplicate
    assert (await store.session("s")).turns == 0
    await store.finish(running, "done", [DONE], [])
    assert await store.history("s") == []
    new = await ended(store, "3", "a new start")
    assert [past.turn.id for past in await store.history("s")] == [new.id]


async def test_clearing_and_forgetting_delete_images(store: SessionStore) -> None:
    """What people sent is gone with what they said."""
    picture = Attachment(id="1", name="cat.png", media_type="image/png", size=3, image=0)
    turns = []
    for number, session_id in enumerate(("cleared", "forgotten", "kept")):
        sent = prompt(str(number), session_id=session_id)
        sent = sent.model_copy(update={"attachments": (picture,), "images": ("data:image/png;base64,AAAA",)})
        turn = (await store.turn((await store.admit(sent)).turn_id)).turn
        await store.finish(turn, "done", [DONE], [])
        turns.append(turn)

    await store.clear("cleared")
    await store.forget("forgotten", turns[1].id)

    assert [len(await store.images(turn.id, [0])) for turn in turns] == [0, 0, 1]


async def test_clearing_spares_other_sessions(store: SessionStore) -> None:
    """Each session is forgotten alone; one that does not exist can be cleared too."""
    await ended(store, "1", session_id="other")

    await store.clear("s")

    assert len(await store.history("other")) == 1


async def test_sessions_are_listed_last_used_first(store: SessionStore) -> None:
    """With their names and numbers of turns."""
    await store.ensure_session("a", "first")
    await ended(store, "1", session_id="b")
    await ended(store, "2", session_id="a")

    assert [(session.id, session.name, session.turns) for session in await store.sessions()] == [
        ("a", "first", 1),
        ("b", "b", 1),
    ]


async def test_an_unknown_session_is_an_error_that_says_what_to_do(store: SessionStore) -> None:
    """It names the id and how to find the right one."""
    with pytest.raises(UnknownSessionError, match=r"'nope'.*--list-sessions"):
        await store.session("nope")


async def test_an_unknown_turn_is_an_error(store: SessionStore) -> None:
    """It names the id."""
    with pytest.raises(StoreError, match="'nope'"):
        await store.turn("nope")


async def test_a_system_prompt_is_set_and_taken_away(store: SessionStore) -> None:
    """An empty one is a prompt too; None is none. A name once given stays until another is."""
    seen = []
    for system_prompt in ("Be kind.", "", None):
        await store.set_system_prompt("s", system_prompt, "general" if system_prompt else None)
        session = await store.session("s")
        seen.append((session.system_prompt, session.name))

    assert seen == [("Be kind.", "general"), ("", "general"), (None, "general")]


async def test_the_version_changes_when_another_process_writes(open_another: Open) -> None:
    """And stays when nobody does."""
    ours, theirs = await open_another(), await open_another()
    before = await ours.version()
    same = await ours.version()

    await theirs.ensure_session("new")

    assert before == same
    assert await ours.version() != before


async def test_everything_is_there_after_reopening(open_another: Open) -> None:
    """What was committed by a store that closed is what the next one finds."""
    first = await open_another()
    turn = await ended(first, "1", "remember me")
    await first.close()
    await first.close()

    (past,) = await (await open_another()).history("s")

    assert (past.turn.id, past.prompt.text, past.outcome) == (turn.id, "remember me", DONE)


async def test_a_closed_store_says_so(store: SessionStore) -> None:
    """Not a crash of the database library."""
    await store.close()

    with pytest.raises(StoreError):
        await store.sessions()
    with pytest.raises(StoreError):
        await store.version()


async def test_a_step_for_no_turn_is_a_store_error(store: SessionStore) -> None:
    """The database's own refusal comes as ours."""
    turn = await admitted(store, "1")

    with pytest.raises(StoreError):
        await store.append(turn.model_copy(update={"id": "nope"}), DONE)


async def test_a_long_session_is_whole(store: SessionStore) -> None:
    """Ten thousand turns come back complete and in order, and the next prompt is the next turn."""
    now = LONG_AGO.isoformat()

    def fill() -> Transaction[None]:
        # In one transaction: ten thousand durable commits would test the disk.
        for number in range(10_000):
            place = yield from tx.admission.admit(
                prompt(str(number), str(number)), f"turn{number}", store.owners.me, now
            )
            yield from tx.steps.append(place.turn_id, 1, REPLY)
            yield "UPDATE turn SET state = 'done' WHERE id = $1", (place.turn_id,)

    await store._database.run(fill())

    history = await store.history("s")
    last = await admitted(store, "last")

    assert [past.prompt.text for past in history] == [str(number) for number in range(10_000)]
    assert last.seq == 10_001
    assert [turn.id for turn in await store.unfinished("s")] == [last.id]
