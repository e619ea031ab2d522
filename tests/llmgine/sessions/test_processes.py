"""What every session store promises to several processes that use it at once."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from llmgine.errors import SupersededError
from llmgine.messages.commands import EditPromptCommand, RegenerateTurnCommand
from llmgine.messages.steps import DecisionStep, Turn, WaitingStep
from llmgine.sessions import SessionStore
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.records import Blocked
from tests.llmgine.sessions.conftest import Open
from tests.llmgine.sessions.examples import (
    ADA,
    FAR_OFF,
    admit,
    append,
    begun,
    claimed,
    decide,
    ended,
    finish,
    prompt,
    spent,
)
from tests.llmgine.sessions.processes import COUNT, Processes
from tests.llmgine.sessions.test_late_writes import WRITES, Write, stored

MESSAGES = 50
EACH = 12  # different messages that each process admits
QUEUED = 4  # turns that each process runs

TakeAway = Callable[[SessionStore, Turn], Awaitable[None]]


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    """Processes beside this one; they end with the last test."""
    running = Processes()
    try:
        yield running
    finally:
        running.stop()


async def admit_the_same(store: SessionStore, number: int) -> list[tuple[str, bool]]:
    places = [await admit(store, prompt(str(message))) for message in range(MESSAGES)]
    return [(place.turn_id, place.duplicate) for place in places]


async def test_a_message_is_admitted_by_one(store: SessionStore, url: str, processes: Processes) -> None:
    """Of eight that admit a message, one makes its turn and seven are told of it; no place is used twice or left."""
    answers = processes.run(url, admit_the_same)

    for of_message in zip(*answers, strict=True):
        assert sorted(duplicate for _, duplicate in of_message) == [False, *[True] * (COUNT - 1)]
        assert len({turn_id for turn_id, _ in of_message}) == 1
    turns = await store.turns.unfinished("s")
    assert [turn.seq for turn in turns] == list(range(1, MESSAGES + 1))
    assert [turn.id for turn in turns] == [of_message[0][0] for of_message in zip(*answers, strict=True)]


async def admit_others(store: SessionStore, number: int) -> list[str]:
    return [(await admit(store, prompt(f"{number}.{message}"))).turn_id for message in range(EACH)]


async def test_no_message_is_lost(store: SessionStore, url: str, processes: Processes) -> None:
    """Different messages to one session are all admitted, each at a place of its own, in their order."""
    answers = processes.run(url, admit_others)

    turns = await store.turns.unfinished("s")
    assert [turn.seq for turn in turns] == list(range(1, COUNT * EACH + 1))
    places = {turn.id: turn.seq for turn in turns}
    for ours in answers:
        assert sorted(ours, key=lambda turn_id: places[turn_id]) == ours


async def take_over(store: SessionStore, number: int) -> list[str]:
    return [turn.owner for turn in await store.take_over(["test"]) if turn.owner == store.owners.me]


async def test_a_dead_owners_turn_goes_to_one(open_another: Open, url: str, processes: Processes) -> None:
    """Eight see that its owner is dead; one is told that the turn is its own, and it is."""
    dead, other = await open_another(), await open_another()
    turn = await begun(dead, "1")
    await dead.close()

    answers = processes.run(url, take_over)

    [heir] = [owner for owners in answers for owner in owners]
    found = (await other.turns.get(turn.id)).turn
    assert (found.owner, found.claim) == (heir, turn.claim + 1)


async def run_turns(store: SessionStore, number: int) -> list[tuple[int, str, float, float]]:
    """Admit turns, and run them as soon as it is their time; the place and the times of each."""
    for message in range(QUEUED):
        await admit(store, prompt(f"{number}.{message}"))
    ran: list[tuple[int, str, float, float]] = []
    while (found := await store.turns.claim("s")) is not None:
        if isinstance(found, Blocked):
            await asyncio.sleep(0.005)
            continue
        turn, begin = found.turn.turn, time.monotonic()
        open_turns = await store.turns.unfinished("s")
        assert [one.id for one in open_turns if one.state != "queued"] == [turn.id]
        ran.append((turn.seq, turn.owner, begin, time.monotonic()))
        await finish(store, turn)
    return ran


async def test_a_session_runs_one_turn_at_a_time(store: SessionStore, url: str, processes: Processes) -> None:
    """Each turn runs once, by its owner, the oldest first, and none begins before the one before it has ended."""
    answers = processes.run(url, run_turns)

    ran = sorted((turn for turns in answers for turn in turns), key=lambda turn: turn[2])
    assert [seq for seq, *_ in ran] == list(range(1, COUNT * QUEUED + 1))
    assert all(before[3] <= after[2] for before, after in itertools.pairwise(ran))
    history = await store.turns.history("s")
    assert [(past.turn.seq, past.turn.owner, past.turn.claim) for past in history] == [
        (seq, owner, 1) for seq, owner, *_ in ran
    ]


async def approve(store: SessionStore, number: int, turn: Turn) -> bool:
    by = ADA.model_copy(update={"id": str(number)})
    return await decide(store, turn, "c", approved=number % 2 == 0, by=by)


async def test_a_call_is_decided_by_one(store: SessionStore, url: str, processes: Processes) -> None:
    """Of eight people one is told that it counts, and what that one decided is what the runner reads."""
    turn = await begun(store, "1")
    await append(store, turn, WaitingStep(round=0, call_id="c", deadline=FAR_OFF))

    answers = processes.run(url, approve, turn)

    [winner] = [number for number, counts in enumerate(answers) if counts]
    by = ADA.model_copy(update={"id": str(winner)})
    assert await store.runs.decision(turn, "c") == DecisionStep(call_id="c", approved=winner % 2 == 0, decided_by=by)


async def spend(store: SessionStore, number: int) -> None:
    for _ in range(10):
        await store.allowances.settle(spent(1 + number, "s", "server", day=20_000))


async def test_tokens_add_up(store: SessionStore, url: str, processes: Processes) -> None:
    """What eight processes spend is counted in every scope, and nothing of it is lost or counted twice."""
    await store.sessions.ensure("s", 0, scopes=("server",))

    processes.run(url, spend)

    def spent() -> Steps[dict[str, int]]:
        rows = yield "SELECT scope, tokens FROM spent WHERE day = 20000", ()
        return {row["scope"]: row["tokens"] for row in rows}

    every = 10 * sum(range(1, COUNT + 1))
    assert await store.run(spent, Operation("test.spent", writes=False)) == {"s": every, "server": every, "*": every}


async def taken_over(other: SessionStore, turn: Turn) -> None:
    [taken] = await other.turns.take_over([turn])
    assert taken.id == turn.id


async def edited(other: SessionStore, turn: Turn) -> None:
    edit = EditPromptCommand(session_id="s", turn_id=turn.id, source_id="1", version=1, text="other")
    await other.prompts.edit(edit)
    await claimed(other)


async def forgotten(other: SessionStore, turn: Turn) -> None:
    assert await other.turns.forget("s", turn.id, turn.owner)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("take_away", [taken_over, edited, forgotten])
async def test_a_stale_owner_writes_nothing(open_another: Open, url: str, take_away: TakeAway, write: Write) -> None:
    """Whoever lost its turn to another process is told so, whatever it writes, and the database stays as it was."""
    stale, other = await open_another(), await open_another()
    turn = await begun(stale, "1")
    await take_away(other, turn)
    before = stored(url)

    with pytest.raises(SupersededError):
        await write(stale, turn)

    assert stored(url) == before


@pytest.mark.parametrize("write", WRITES)
async def test_a_regenerated_turn_is_not_written_late(open_another: Open, url: str, write: Write) -> None:
    """The runner of the answer before has nothing to say while another process answers again."""
    stale, other = await open_another(), await open_another()
    turn = await ended(stale, "1")
    await other.turns.regenerate(RegenerateTurnCommand(session_id="s", turn_id=turn.id))
    await claimed(other)
    before = stored(url)

    with pytest.raises(SupersededError):
        await write(stale, turn)

    assert stored(url) == before


@pytest.mark.parametrize("write", WRITES)
async def test_a_claim_ends_for_good(open_another: Open, url: str, write: Write) -> None:
    """A turn that went to another process and came back has a new claim: under the first one nothing is written."""
    first, second = await open_another(), await open_another()
    stale = await begun(first, "1")
    await second.turns.take_over([stale])
    await first.turns.take_over([await claimed(second)])
    present = await claimed(first)
    before = stored(url)

    with pytest.raises(SupersededError):
        await write(first, stale)

    assert stored(url) == before
    assert present.owner == stale.owner
    await write(first, present)
