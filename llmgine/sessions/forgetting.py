"""Forgetting a person in a store: every turn is looked through, a portion at a time, until nothing more is found."""

from collections.abc import AsyncIterator, Sequence

from llmgine.messages.steps import Turn
from llmgine.sessions.clock import microseconds
from llmgine.sessions.records import AnsweredAt, ErasedTurns, TheirTurn
from llmgine.sessions.store import SessionStore

_AT_ONCE = 20  # turns that are erased in one transaction


async def turns_with(store: SessionStore, person: str, until: int) -> AsyncIterator[Sequence[str]]:
    """The turns admitted until a time in which a person's id occurs, a few at a time."""
    after: str | None = ""
    while after is not None:
        found = await store.people.turns_with(person, until, after)
        for begin in range(0, len(found.turns), _AT_ONCE):
            yield found.turns[begin : begin + _AT_ONCE]
        after = found.end


async def erase_person(store: SessionStore, person: str, until: int) -> ErasedTurns:
    """Erase what is stored of a person from before a time. Killed in the middle, it is done by doing it again.

    Args:
        store: Where.
        person: The person's id.
        until: The time, in microseconds since 1970.

    Returns:
        What was erased.

    Raises:
        StoreError: The store failed.
    """
    places, dms = await _answered_at(store, person, until)
    await store.people.erase_dms(person, sorted(dms))
    for answered in places:
        end: tuple[int, str] | None = (0, "")
        while end is not None:
            end = await store.people.unquote(answered, until, end)
    total = ErasedTurns()
    while True:  # while one pass goes on, a branch may have copied what it was to find later to where it has been
        found = ErasedTurns()
        async for turn_ids in turns_with(store, person, until):
            found += await store.people.erase(person, turn_ids)
        total += found
        if not found.turns and not found.mentions:
            break
    await store.people.erase_elsewhere(person)
    await store.allowances.forget(store.today.day)
    return total


async def theirs(store: SessionStore, person: str, until: int) -> AsyncIterator[TheirTurn]:
    """The turns admitted until a time that answer a person."""
    async for turn_ids in turns_with(store, person, until):
        for found in await store.people.theirs(person, turn_ids):
            yield found


async def _answered_at(store: SessionStore, person: str, until: int) -> tuple[list[AnsweredAt], set[str]]:
    """Where a person was answered, and since when; and their DM sessions."""
    since: dict[tuple[str, str], int] = {}
    dms: set[str] = set()
    async for found in theirs(store, person, until):
        turn = found.turn
        if is_dm(turn):
            dms.add(turn.session_id)
        if turn.place is not None:
            where, asked = (turn.source, turn.place), microseconds(turn.created_at)
            since[where] = min(asked, since.get(where, asked))
    return [AnsweredAt(source=source, place=place, since=first) for (source, place), first in since.items()], dms


def is_dm(turn: Turn) -> bool:
    """Whether a turn was asked in a DM: nobody else speaks there."""
    return turn.guild is None and turn.place is not None


async def erase_own_sessions(store: SessionStore, person: str) -> bool:
    """Erase the sessions that are named by a forgotten person; False if some have to wait for their messages."""
    after: str | None = ""
    waiting = 0
    while after is not None:
        found = await store.people.own_sessions(person, after)
        for session_id in found.ready:
            await erase_session(store, session_id, settings=True)
        waiting, after = waiting + found.waiting, found.end
    return not waiting


async def erase_session(
    store: SessionStore, session_id: str, *, before: int | None = None, settings: bool = False
) -> None:
    """Erase a session, see `Purges.session`."""
    while await store.purges.session(session_id, before=before, settings=settings):
        pass
