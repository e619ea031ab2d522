"""What every session store promises of conversations: their history, what is forgotten of them, and their names."""

import functools
from typing import Any

import pytest

from llmgine.errors import StoreError, UnknownSessionError, UserError
from llmgine.messages.commands import Attachment
from llmgine.messages.steps import (
    PromptStep,
    ReplyStep,
)
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.operations.rows import add_steps
from llmgine.sessions.operations.sessions import MAX_COUNTED, SEARCHED
from llmgine.sessions.records import EndedTurn, Position
from tests.llmgine.sessions.conftest import Open
from tests.llmgine.sessions.examples import (
    DONE,
    admit,
    admitted,
    claimed,
    ended,
    finish,
    outcome,
    prompt,
    said,
)

REPLY = ReplyStep(round=0, text="answer", finish="stop", model="m", usage=None, seconds=0.1)


async def test_so_many_turns_wait_at_most(store: SessionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said beyond that is refused until one has ended, and then may be said again; other sessions are free."""
    monkeypatch.setattr("llmgine.sessions.operations.turns.MAX_OPEN", 2)
    await admitted(store, "1")
    await admitted(store, "2")

    with pytest.raises(UserError, match="2 messages are already waiting"):
        await admit(store, prompt("3"))

    await admitted(store, "3", session_id="other")
    await finish(store, await claimed(store))
    assert (await admit(store, prompt("4"))).place == 1


async def test_history_is_the_ended_turns_before(store: SessionStore) -> None:
    """In order, without the open ones, without other sessions, and up to where it is asked for."""
    turns = [await ended(store, str(n), f"text {n}") for n in range(4)]
    await admitted(store, "open")
    await ended(store, "other", session_id="other")

    assert [said(past) for past in await store.turns.history("s")] == [f"text {n}" for n in range(4)]
    assert await store.turns.ended("s", turns[2].seq, 10) == [
        EndedTurn(turns[1].id, 1, 0),
        EndedTurn(turns[0].id, 1, 0),
    ]
    assert await store.turns.ended("s", turns[2].seq, 1) == [EndedTurn(turns[1].id, 1, 0)]
    assert await store.turns.history("unknown") == []


async def test_clearing_hides_and_deletes(store: SessionStore) -> None:
    """Later turns see nothing of the conversation and its texts are gone; the gate still knows the messages."""
    old = await ended(store, "1", "a secret plan")
    running = await admitted(store, "2", "still running")

    await store.sessions.clear("s", now())

    assert await store.turns.history("s") == []
    with pytest.raises(StoreError, match="cleared"):
        await store.turns.get(old.id)
    assert said(await store.turns.get(running.id)) == "still running"
    assert (await admit(store, prompt("1"))).duplicate
    assert (await store.sessions.get("s")).turns == 0
    await finish(store, await claimed(store))
    assert await store.turns.history("s") == []
    new = await ended(store, "3", "a new start")
    assert [past.turn.id for past in await store.turns.history("s")] == [new.id]


async def test_clearing_and_forgetting_delete_images(store: SessionStore) -> None:
    """What people sent is gone with what they said."""
    picture = Attachment(id="1", name="cat.png", media_type="image/png", size=3, image=0)
    turns = []
    for number, session_id in enumerate(("cleared", "forgotten", "kept")):
        sent = prompt(str(number), session_id=session_id)
        sent = sent.model_copy(update={"attachments": (picture,), "images": ("data:image/png;base64,AAAA",)})
        await admit(store, sent)
        turns.append(await claimed(store, session_id))
        await finish(store, turns[-1])

    await store.sessions.clear("cleared", now())
    await store.forget("forgotten", turns[1].id)

    assert [len(await store.turns.images(turn.id, [0])) for turn in turns] == [0, 0, 1]


async def test_clearing_spares_other_sessions(store: SessionStore) -> None:
    """Each session is forgotten alone; one that does not exist can be cleared too."""
    await ended(store, "1", session_id="other")

    await store.sessions.clear("s", now())

    assert len(await store.turns.history("other")) == 1


async def test_sessions_are_listed_last_used_first(store: SessionStore) -> None:
    """With their names and numbers of turns."""
    await store.sessions.ensure("a", now(), "first")
    await ended(store, "1", session_id="b")
    await ended(store, "2", session_id="a")

    found = (await store.sessions.page(most=100)).sessions
    assert [(one.id, one.name, one.turns) for one in found] == [("a", "first", 1), ("b", "b", 1)]


async def used(store: SessionStore, *sessions: tuple[str, int, tuple[str, ...]]) -> None:
    """Use sessions, each at its time and with its scopes; its name is its id with "named" before it."""
    for session_id, moment, scopes in sessions:
        await store.sessions.ensure(session_id, moment, f"Named {session_id}", scopes)


async def paged(store: SessionStore, most: int, **options: Any) -> list[list[str]]:
    """The ids on each page of a list."""
    pages: list[list[str]] = []
    end: Position | None = None
    while not pages or end is not None:
        read = await store.sessions.page(end, most=most, **options)
        pages.append([one.id for one in read.sessions])
        end = read.end
    return pages


async def test_a_list_has_pages_that_do_not_shift(store: SessionStore) -> None:
    """Each session is on one page, also those used at the same moment, and whatever is used in between."""
    await used(store, *((f"s{number}", number // 3, ()) for number in range(9)))
    first = await store.sessions.page(most=4)

    await used(store, ("s0", 50, ()), ("new", 60, ()))
    second = await store.sessions.page(first.end, most=4)

    assert [one.id for one in first.sessions] == ["s8", "s7", "s6", "s5"]
    assert [one.id for one in second.sessions] == ["s4", "s3", "s2", "s1"]
    back = await store.sessions.page(Position(updated_at=1, id="s4"), most=4, newer=True)
    assert [one.id for one in back.sessions] == ["s5", "s6", "s7", "s8"]


async def test_a_list_is_of_one_place_in_the_world(store: SessionStore) -> None:
    """Sessions are listed under the widest of their scopes; of several lists the sessions are in one order."""
    await used(
        store, ("a", 1, ("a", "server")), ("dm", 2, ("dm",)), ("b", 3, ("b", "other")), ("c", 4, ("c", "server"))
    )
    await store.sessions.rename("d", "Without scopes", 5)

    assert await paged(store, 2, under=["server", "dm"]) == [["c", "dm"], ["a"]]
    assert await paged(store, 5, under=["d"]) == [["d"]]
    await used(store, ("a", 6, ("a", "other")))
    assert await paged(store, 5, under=["server"]) == [["c"]]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("budget", ["s1"]),
        ("BUDGET for", ["s1"]),
        ("for budget", ["s1"]),
        ("named S2", ["s2"]),
        ("Straße", ["s2"]),
        ("STRASSE", ["s2"]),
        ("%", ["s3"]),
        ("_", []),
        ("'; DROP TABLE session; --", []),
        ("x" * 4_000, []),
        ("a\x00b", []),
        (" \n", ["s3", "s2", "s1"]),
    ],
)
async def test_a_search_finds_words_of_title_and_name(store: SessionStore, words: str, found: list[str]) -> None:
    """In any order and case, and nothing in them has a meaning of its own."""
    titles = {"s1": "The Budget for May", "s2": "Die Straße", "s3": "100% sure"}
    for moment, (session_id, title) in enumerate(titles.items()):
        await used(store, (session_id, moment, ()))
        await store.sessions.rename(session_id, title, moment)

    assert await paged(store, 10, words=words) == [found]


async def test_a_search_looks_at_so_many_and_goes_on(store: SessionStore) -> None:
    """One that finds nothing reads a bounded number of sessions, and says where the next one begins."""

    def fill() -> Steps[None]:
        for number in range(SEARCHED + 5):
            yield (
                """
                INSERT INTO session (id, name, scopes, listed_under, cleared_seq, next_seq, updated_at)
                VALUES ($1, $1, '[]', $1, 0, 1, $2)
                """,
                (f"s{number:05}", number),
            )

    await store.run(fill, Operation("test.fill"))

    first = await store.sessions.page(most=10, words="s00003")
    second = await store.sessions.page(first.end, most=10, words="s00003")

    assert (first.sessions, first.end) == ((), Position(updated_at=5, id="s00005"))
    assert ([one.id for one in second.sessions], second.end) == (["s00003"], None)


async def test_so_many_turns_are_counted(store: SessionStore) -> None:
    """A list does not take longer the longer the conversations are."""

    def fill() -> Steps[None]:
        for number in range(2, MAX_COUNTED + 10):
            yield (
                """
                INSERT INTO turn (id, session_id, seq, attempt, claim, resumes, state, owner, source, origin, posts,
                    created_at)
                VALUES ($1, 's', $2, 1, 0, 0, 'done', '', 'test', '{}', 0, 0)
                """,
                (f"t{number}", number),
            )

    await ended(store, "1")
    await store.run(fill, Operation("test.fill"))

    assert (await store.sessions.get("s")).turns == MAX_COUNTED


async def test_an_unknown_session_is_an_error_that_says_what_to_do(store: SessionStore) -> None:
    """It names the id and how to find the right one."""
    with pytest.raises(UnknownSessionError, match=r"'nope'.*--list-sessions"):
        await store.sessions.get("nope")


async def test_a_system_prompt_is_set_and_taken_away(store: SessionStore) -> None:
    """An empty one is a prompt too; None is none. A name once given stays until another is."""
    seen = []
    for system_prompt in ("Be kind.", "", None):
        await store.sessions.set_system_prompt("s", system_prompt, now(), "general" if system_prompt else None)
        session = await store.sessions.get("s")
        seen.append((session.system_prompt, session.name))

    assert seen == [("Be kind.", "general"), ("", "general"), (None, "general")]


async def test_the_version_changes_when_another_process_writes(open_another: Open) -> None:
    """And stays when nobody does."""
    ours, theirs = await open_another(), await open_another()
    before = await ours.version()
    same = await ours.version()

    await theirs.settings.change("s", "language", "de", None, now())

    assert before == same
    assert await ours.version() != before


async def test_everything_is_there_after_reopening(open_another: Open) -> None:
    """What was committed by a store that closed is what the next one finds."""
    first = await open_another()
    turn = await ended(first, "1", "remember me")
    await first.close()
    await first.close()

    (past,) = await (await open_another()).turns.history("s")

    assert (past.turn.id, said(past), outcome(past)) == (turn.id, "remember me", DONE)


async def test_a_closed_store_says_so(store: SessionStore) -> None:
    """Not a crash of the database library."""
    await store.close()

    with pytest.raises(StoreError):
        await store.sessions.page(most=100)
    with pytest.raises(StoreError):
        await store.version()


async def test_a_long_session_is_whole(store: SessionStore) -> None:
    """Ten thousand turns come back complete and in order, and the next prompt is the next turn."""

    def fill(begin: int) -> Steps[None]:
        # Many rows in a statement: sixty thousand of them would test the network.
        numbers = range(begin + 1, begin + 501)
        columns = "id, session_id, seq, attempt, claim, resumes, state, owner, source, origin, posts, created_at"
        rows = ", ".join(f"($1 || '{n}', $2, {n}, 1, 1, 0, 'done', '', 'test', '{{}}', 0, 0)" for n in numbers)
        yield f"INSERT INTO turn ({columns}) VALUES {rows}", ("turn", "s")  # noqa: S608  numbers
        for number in numbers:
            yield from add_steps(f"turn{number}", 1, [(1, PromptStep(text=str(number))), (2, REPLY)])
        yield "UPDATE session SET next_seq = $1 WHERE id = $2", (numbers.stop, "s")

    await store.sessions.ensure("s", 0)
    for begin in range(0, 10_000, 500):
        await store.run(functools.partial(fill, begin), Operation("test.fill"))

    history = await store.turns.history("s")
    last = await admitted(store, "last")

    assert [said(past) for past in history] == [str(number) for number in range(1, 10_001)]
    assert last.seq == 10_001
    assert [turn.id for turn in await store.turns.unfinished("s")] == [last.id]
