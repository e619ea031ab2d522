"""What every session store promises to processes that do everything at once while one is killed and the server ends."""

import asyncio
import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.llmgine.sessions import storm
from tests.llmgine.sessions.contents import rows
from tests.llmgine.sessions.processes import COUNT, Processes
from tests.llmgine.sessions.storm import DAY, LAST_WORDS, MESSAGES, SERVER, SESSIONS, VICTIM, Note
from tests.postgres import PostgresServer, Stop
from tests.waiting import eventually, noted

_OPERATIONS = 60  # of each process, before it only ends what is open
_LEASE_SECONDS = 3.0  # longer than the server is away, and than a busy machine leaves a process waiting

Row = dict[str, Any]


@dataclass
class Place:
    """Where the storm is: a database, and what is done to it in the middle."""

    url: str
    disturb: Callable[[], None]


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A file, or a database of a server that breaks down and starts again."""
    if request.param == "sqlite":
        yield Place(f"sqlite:///{tmp_path / 'test.db'}", lambda: None)
        return
    # What was committed has to be there afterwards, so a commit waits until the kernel has it.
    with PostgresServer(settings={"synchronous_commit": "on"}) as server:
        yield Place(server.url(server.database()), lambda: server.restart(Stop.IMMEDIATE))


@pytest.fixture
def processes() -> Iterator[Processes]:
    running = Processes()
    yield running
    running.stop()


async def test_all_holds_in_a_storm(place: Place, processes: Processes, tmp_path: Path) -> None:
    """Eight processes do everything at once, one is killed and the server breaks down: every promise still holds."""
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 2**32)  # noqa: S311  not a secret
    print(f"SEED={seed}")  # noqa: T201  what a failure is repeated by, as far as the machine does the same again
    arguments = (tmp_path, seed, _OPERATIONS)
    running = asyncio.create_task(
        asyncio.to_thread(
            processes.run, place.url, storm.storm, *arguments, lease_seconds=_LEASE_SECONDS, killed=VICTIM
        )
    )
    await _until(lambda: _admitted(tmp_path) > MESSAGES // 2 or running.done(), tmp_path)
    await asyncio.to_thread(place.disturb)
    await _until(running.done, tmp_path)
    await running

    stored, told = Stored(rows(place.url)), storm.notes(tmp_path)
    assert list(_broken(stored, told)) == []
    kinds = Counter(note["what"] for note in told)
    assert min(kinds[kind] for kind in ("ended", "wrote", "took", "set", "died")) > 0, kinds


async def _until(state: Callable[[], bool], folder: Path) -> None:
    """Wait for it as long as the processes note something."""
    seen = [0]

    def looked() -> bool:
        size = sum(path.stat().st_size for path in folder.glob("notes-*"))
        if size != seen[-1]:
            seen.append(size)
            noted()
        return state()

    await eventually(looked, "the storm")


def _admitted(folder: Path) -> int:
    return len({note["message"] for note in storm.notes(folder) if note["what"] == "admitted"})


class Stored:
    """What is in the database in the end."""

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self.turns = {row["id"]: row for row in tables["turn"]}
        self.inbox = {row["source_id"]: row["turn_id"] for row in tables["inbox"]}
        self.places = {row["id"]: row["next_seq"] for row in tables["session"]}
        self.settings = {(row["scope"], row["name"]): row["value"] for row in tables["setting"]}
        self.spent = {row["scope"]: row["tokens"] for row in tables["spent"] if row["day"] == DAY}
        self.steps: defaultdict[str, list[tuple[int, Row]]] = defaultdict(list)  # of the present attempts, in order
        for row in sorted(tables["step"], key=lambda row: row["seq"]):
            if row["attempt"] == self.turns[row["turn_id"]]["attempt"]:
                self.steps[row["turn_id"]].append((row["seq"], json.loads(row["body"])))


def _broken(stored: Stored, told: list[Note]) -> Iterator[str]:
    """The promises that are not kept, in words."""
    yield from _admissions(stored, told)
    yield from _places(stored)
    yield from _outcomes(stored, told)
    yield from _claims(stored, told)
    yield from _tokens(stored, told)
    yield from _take_overs(stored, told)
    for note in {note["name"]: note for note in _of(told, "set")}.values():
        if stored.settings.get((SERVER, note["name"])) != note["value"]:
            yield f"the setting {note['name']!r} is not {note['value']!r}, as it was made last"


def _of(told: Iterable[Note], *kinds: str) -> list[Note]:
    return [note for note in told if note["what"] in kinds]


def _admissions(stored: Stored, told: list[Note]) -> Iterator[str]:
    """Each message is admitted once, and everybody is told of the same turn."""
    new = Counter(note["message"] for note in _of(told, "admitted") if note["new"])
    once = Counter(stored.inbox.keys())
    if new != once:
        yield f"admitted otherwise than once: {(new - once) | (once - new)}"
    for note in _of(told, "admitted"):
        if stored.inbox.get(note["message"]) != note["turn"]:
            yield f"process {note['by']} was told of another turn of the message {note['message']}"


def _places(stored: Stored) -> Iterator[str]:
    """The places of a session's turns have no gaps."""
    for session, next_seq in stored.places.items():
        seqs = sorted(turn["seq"] for turn in stored.turns.values() if turn["session_id"] == session)
        if seqs != list(range(1, next_seq)):
            yield f"the turns of {session!r} are at {seqs}, and the next one at {next_seq}"


def _outcomes(stored: Stored, told: list[Note]) -> Iterator[str]:
    """Each turn has ended once."""
    ended = Counter((note["turn"], note["attempt"]) for note in _of(told, "ended"))
    yield from (f"{turn} was told to have ended {count} times" for turn, count in ended.items() if count > 1)
    for turn_id, turn in stored.turns.items():
        outcomes = [step for _, step in stored.steps[turn_id] if step["kind"] == "outcome"]
        if turn["state"] not in ("done", "stopped", "forgotten") or len(outcomes) != (turn["state"] != "forgotten"):
            yield f"the turn {turn_id} is {turn['state']} and has {len(outcomes)} outcomes"
        copied = turn["copied_from"] is not None or turn["state"] == "forgotten"
        if not copied and ended[turn_id, turn["attempt"]] != 1:
            yield f"nobody was told that the turn {turn_id} has ended"


def _claims(stored: Stored, told: list[Note]) -> Iterator[str]:
    """Each step was written by one runner, whose claim was the newest."""
    wrote = Counter((note["turn"], note["attempt"], note["number"]) for note in _of(told, "wrote"))
    yield from (f"the step {key} was written {count} times" for key, count in wrote.items() if count > 1)
    writers: defaultdict[tuple[str, int, int], set[int]] = defaultdict(set)
    for note in _of(told, "writing"):
        writers[note["turn"], note["attempt"], note["number"]].add(note["claim"])
    for turn_id, turn in stored.turns.items():
        if turn["copied_from"] is not None:
            continue
        steps = [(seq, step) for seq, step in stored.steps[turn_id] if step["kind"] != "prompt"]
        claims = [int(step["partial" if step["kind"] == "outcome" else "text"]) for _, step in steps]
        if claims != sorted(claims) or any(claim > turn["claim"] for claim in claims):
            yield f"the turn {turn_id} has the claim {turn['claim']}, and its steps {claims}"
        for (seq, _), claim in zip(steps, claims, strict=True):
            if claim not in writers[turn_id, turn["attempt"], seq]:
                yield f"nobody wrote the step {seq} of {turn_id} under the claim {claim}"


def _tokens(stored: Stored, told: list[Note]) -> Iterator[str]:
    """What was spent is what was stored of the answers; of those without an answer of the database, all or nothing."""
    sessions = {note["tokens"]: note["session"] for note in _of(told, "spending")}
    sure = {note["tokens"] for note in _of(told, "spent")}
    unknown = set(sessions) - {note["tokens"] for note in _of(told, "spent", "not spent")}
    for scope, total in stored.spent.items():
        counted = [tokens for tokens, session in sessions.items() if scope in (session, SERVER, "*")]
        possible = {sum(tokens for tokens in counted if tokens in sure)}
        for tokens in unknown.intersection(counted):
            possible |= {one + tokens for one in possible}
        if total not in possible:
            yield f"{total} tokens are counted in {scope!r}, not {sorted(possible)[:9]}"
    if set(stored.spent) != {*SESSIONS, SERVER, "*"}:
        yield f"tokens are counted in {sorted(stored.spent)}"


def _take_overs(stored: Stored, told: list[Note]) -> Iterator[str]:
    """What the killed process ran goes to one other; nothing of its last transaction is there."""
    took = Counter((note["turn"], note["claim"]) for note in _of(told, "took"))
    yield from (f"{count} processes took over {key}" for key, count in took.items() if count > 1)
    [died] = _of(told, "died")
    if took[died["turn"], died["claim"] + 1] != 1 or stored.inbox[LAST_WORDS] != died["turn"]:
        yield f"nobody took over the turn of the process that was killed, {died}"
    if any(step.get("text") == str(died["claim"]) for _, step in stored.steps[died["turn"]] if "finish" in step):
        yield "half a transaction was stored"
    owners = {turn["owner"] for turn in stored.turns.values()}
    if len(owners) > COUNT:
        yield f"there were {len(owners)} owners"
