"""The bot on a database in which many conversations are stored, beside one on a fresh database."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from llmgine.messages.commands import PromptCommand
from llmgine.messages.steps import OutcomeStep, PromptStep, ReplyStep
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.clock import now
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.records import Claimed
from llmgine.sessions.store import sqlite_path
from programs.bench.discord import application, joining
from programs.bench.measure import alone, median_and_worst
from programs.bench.start import watched
from programs.bench.visit import CALLS, Visit, visit
from programs.discord.ids import SOURCE, Kind, Place, server_scope

_PLACES = 20  # channels there are, with a conversation each; the other conversations are of old threads and DMs
_PORTION = 50_000  # conversations stored by one transaction
_FIRST_ID = 10**18  # of a place that is older than the playground
_SECOND = 1_000_000  # microseconds
_PATIENCE = 3_600.0  # seconds for all of it
_LONG_AGO = 1_600_000_000 * _SECOND  # when the first conversation was
_REPLY = ReplyStep(round=0, text="About this. " * 5, finish="stop", model="m", usage=None, seconds=1.0)
_DONE = OutcomeStep(state="done", seconds=1.0)


@dataclass(frozen=True)
class Stored:
    """What people wait for, with so many conversations stored. Seconds, each from the beginning of the start or use.

    Attributes:
        sessions: How many are stored.
        gigabytes: How large the database is.
        ready: Until what comes in is processed.
        first_turn: Until the first text of an answer to what was asked at READY.
        megabytes: The most memory the bot had, above what it had before.
        listed: From /sessions, used by a plain member, to the list; median and worst.
        searched: From /sessions with words that no conversation has; median and worst.
        requests: How often Discord was asked for the uses of /sessions, for each of them.
        turn: From a question to its first text, while nobody uses /sessions; median and worst.
        turn_beside: The same while somebody does.
    """

    sessions: int
    gigabytes: float
    ready: float
    first_turn: float
    megabytes: float
    listed: tuple[float, float]
    searched: tuple[float, float]
    requests: float
    turn: tuple[float, float]
    turn_beside: tuple[float, float]


async def measure_store(sessions: int, *, rounds: int) -> Stored:
    """Start the bot where so many conversations are stored, ask it, and look through them.

    Args:
        sessions: How many are stored.
        rounds: How often /sessions is used, and turns are run beside it.

    Raises:
        TimeoutError: Something did not come to an end.
    """
    async with asyncio.timeout(_PATIENCE), visit("channels", _PLACES) as there:
        await alone(_fill, there.settings.database_url, sessions, there.facts["guild"], there.facts["places"])
        size = sqlite_path(there.settings.database_url).stat().st_size / 1e9
        async with application(there.settings, calls_at_once=CALLS) as app, watched() as used:
            begun = time.monotonic()
            async with joining(app) as client:
                await client.wait_until_in()
                ready = time.monotonic() - begun
                first = await there.do("ask")
                await client.commands.registration.known()
                seen = await _looked_through(there, rounds)
    return Stored(
        sessions=sessions,
        gigabytes=size,
        ready=ready,
        first_turn=first["first_text"] - begun,
        megabytes=used.megabytes,
        **seen,
    )


async def _looked_through(there: Visit, rounds: int) -> dict[str, Any]:
    """Use /sessions, ask, and do both at once, in turns: a slow moment of the machine is one of all of them."""
    times: dict[str, list[float]] = {"listed": [], "searched": [], "turn": [], "turn_beside": []}
    requests = 0
    for _ in range(rounds):
        listed = await there.do("use_sessions", "")
        searched = await there.do("use_sessions", "zebra")
        alone_ = await there.do("ask")
        beside = await there.do("ask_beside_sessions")
        times["listed"].append(listed["seconds"])
        times["searched"].append(searched["seconds"])
        times["turn"].append(alone_["first_text"] - alone_["asked"])
        times["turn_beside"].append(beside["first_text"] - beside["asked"])
        requests += listed["requests"]
    return {name: median_and_worst(found) for name, found in times.items()} | {"requests": requests / rounds}


async def _fill(url: str, sessions: int, guild: int, places: list[int]) -> None:
    """Store conversations: so many old ones, in threads of the first place and in DMs, and a new one in each place."""
    store = await open_store(url)
    try:
        for first in range(0, sessions, _PORTION):
            await store_old(store, first, min(first + _PORTION, sessions), guild, places[0])
        for place in places if sessions else ():
            await _store_new(store, Place(Kind.CHANNEL, place, guild_id=guild))
    finally:
        await store.close()


async def _store_new(store: SessionStore, place: Place) -> None:
    """One conversation as the bot stores it."""
    prompt = PromptCommand(
        session_id=place.session_id(),
        session_name=f"#bench-{place.channel_id}",
        scopes=place.scopes,
        text="What is it about?",
        source=SOURCE,
        source_id=f"m{place.channel_id}",
    )
    await store.turns.admit(prompt, f"{place.channel_id:016x}", now())
    claimed = await store.turns.claim(prompt.session_id)
    if isinstance(claimed, Claimed):
        await store.runs.finish(claimed.turn.turn, "done", [(2, _REPLY), (3, _DONE)], [])


async def store_old(store: SessionStore, first: int, last: int, guild: int, parent: int) -> None:
    """Many conversations at once, each with an answered question; every second one is of a DM."""
    place, thread = f"CAST({_FIRST_ID} + i AS TEXT)", "i % 2 = 0"
    session, turn = f"'{SOURCE}:' || {place}", "printf('%016x', i)"
    around = json.dumps([f"{SOURCE}:{parent}", server_scope(guild)])[1:]
    tables: dict[str, tuple[str, tuple[object, ...]]] = {
        "session (id, name, title, scopes, listed_under, cleared_seq, next_seq, updated_at)": (
            f"""{session}, 'A place ' || i, 'About ' || i,
                '["' || {session} || '"' || CASE WHEN {thread} THEN ', ' || $3 ELSE ']' END,
                CASE WHEN {thread} THEN $4 ELSE {session} END, 0, 2, $5 + i * {_SECOND}""",
            (around, server_scope(guild), _LONG_AGO),
        ),
        "turn (id, session_id, seq, attempt, claim, resumes, state, owner, source, origin, place, guild, posts,"
        " created_at)": (
            f"""{turn}, {session}, 1, 1, 1, 0, 'done', 'bench', $3, '{{}}', {place},
                CASE WHEN {thread} THEN $4 END, 1, $5 + i * {_SECOND}""",
            (SOURCE, guild, _LONG_AGO),
        ),
        "inbox (source, source_id, turn_id)": (f"$3, 'm' || i, {turn}", (SOURCE,)),
        "delivery (turn_id, attempt, kind, round, part, body, message_id, final, sent)": (
            f"{turn}, 1, 'text', 0, 0, '{{}}', 'a' || i, 1, $3",
            (1,),
        ),
        "cursor_of_place (source, place, position, kind, parent, guild)": (
            f"""$3, {place}, {_FIRST_ID} + i + 1, CASE WHEN {thread} THEN 'thread' ELSE 'dm' END,
                CASE WHEN {thread} THEN $4 END, CASE WHEN {thread} THEN $5 END""",
            (SOURCE, str(parent), guild),
        ),
    }

    def write() -> Steps[None]:
        numbers = "WITH RECURSIVE numbers (i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < $2)"
        for table, (columns, values) in tables.items():
            # Only names and expressions of this function are put into the text.
            yield f"INSERT INTO {table} {numbers} SELECT {columns} FROM numbers", (first, last, *values)  # noqa: S608
        for seq, step in enumerate((PromptStep(text="What is it about?"), _REPLY, _DONE), 1):
            yield (
                f"INSERT INTO step (turn_id, attempt, seq, body) {numbers} SELECT {turn}, 1, {seq}, $3 FROM numbers",  # noqa: S608
                (first, last, step.model_dump_json()),
            )

    await store.run(write, Operation("bench.store"))
