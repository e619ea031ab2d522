"""What a read found and what was told live become one queue: in order, each message once, cursors after their due."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import discord
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.discord.incoming.feed_items import Covered, Created, Deleted, Edited, GivenUp, Item, merged
from programs.discord.incoming.history import Found
from tests.programs.discord.incoming.messages import message

_ids = st.integers(min_value=1, max_value=30)
_few = st.lists(_ids, unique=True, max_size=8).map(sorted)


@dataclass(frozen=True)
class _Read:
    """A read of a place from its cursor on, and the queue when it ends."""

    cursor: int
    found: Found
    live: list[Item]


@st.composite
def _reads(draw: st.DrawFn) -> _Read:
    """What a read may find: it ends before the first message that was told live when it began.

    The queue has any order, and messages twice. Of what is after the cursor and was not seen, all is after the end.
    """
    cursor, seen = draw(_ids), draw(_few)
    after = [one for one in seen if one > cursor]
    new = [one for one in after if draw(st.booleans())]
    given_up = draw(st.sampled_from([None, *(one for one in after if not new or one < new[0])]))
    end = max([cursor, *seen]) + draw(st.integers(0, 3))
    told = st.integers(min_value=1, max_value=40).filter(lambda one: one <= cursor or one in seen or one > end)
    changed = st.tuples(st.sampled_from([Created, Edited, Deleted]), told)
    found = Found(
        edited=[message(one) for one in seen if one not in new and draw(st.booleans())],
        deleted=draw(_few.map(lambda ids: [one for one in ids if one not in seen])),
        given_up=None if given_up is None else message(given_up),
        new=[message(one) for one in new],
        seen=set(seen),
        position=draw(st.sampled_from([None, end])) if not new else end,
    )
    return _Read(cursor, found, [_item(*one) for one in draw(st.lists(changed, max_size=10))])


def _item(kind: type[Item], message_id: int) -> Item:
    return Deleted((message_id,)) if kind is Deleted else kind(message(message_id))  # type: ignore[arg-type]


def _queue(read: _Read) -> list[Item]:
    return list(merged(read.live, read.found))


_thorough = settings(max_examples=100, deadline=None)


def _created(queue: Iterable[Item]) -> list[int]:
    return [item.message.id for item in queue if isinstance(item, Created)]


@_thorough
@given(_reads())
def test_messages_are_in_the_order_of_their_ids(read: _Read) -> None:
    """Whatever order they were told and read in."""
    created = _created(_queue(read))
    assert created == sorted(created)


@_thorough
@given(_reads())
def test_what_is_read_and_told_live_is_there_once(read: _Read) -> None:
    """A read adds no message that was told already; one that Discord told twice is dropped when it is admitted."""
    told, created = _created(read.live), _created(_queue(read))
    assert all(created.count(one) <= max(1, told.count(one)) for one in created)


@_thorough
@given(_reads())
def test_all_that_is_to_be_answered_is_there(read: _Read) -> None:
    """What the read says is to be answered, and what it has not seen; it has decided about all else."""
    wanted = {one.id for one in read.found.new} | {one for one in _created(read.live) if one not in read.found.seen}
    assert set(_created(_queue(read))) == wanted


@_thorough
@given(_reads())
def test_only_what_the_read_decided_about_is_read(read: _Read) -> None:
    """A message that was told live is judged as it is processed, and no message is judged twice."""
    read_ones = {item.message.id for item in _queue(read) if isinstance(item, Created) and item.read}
    assert read_ones == {one.id for one in read.found.new} - set(_created(read.live))


@_thorough
@given(_reads())
def test_a_cursor_is_after_all_it_covers(read: _Read) -> None:
    """A process that dies before a message is processed has no cursor after it; what an earlier one covers may come."""
    queue = _queue(read)
    for number, item in enumerate(queue):
        if isinstance(item, Covered):
            assert all(one > item.position or one <= read.cursor for one in _created(queue[number:]))
    positions = [item.position for item in queue if isinstance(item, Covered)]
    assert all(one <= other for one, other in pairwise(positions))


@_thorough
@given(_reads())
def test_changes_keep_their_order(read: _Read) -> None:
    """Edits and deletions that were told live come after the messages, as they were told."""
    queue = _queue(read)
    told = [item for item in read.live if not isinstance(item, Created)]
    assert queue[len(queue) - len(told) :] == told


@_thorough
@given(_reads())
def test_a_notice_comes_first_and_is_told_once(read: _Read) -> None:
    """What is given up is covered at once after its notice, so that no later read answers it."""
    queue = _queue(read)
    notices = [number for number, item in enumerate(queue) if isinstance(item, GivenUp)]
    assert len(notices) == (read.found.given_up is not None)
    for number in notices:
        assert isinstance(queue[number + 1], Covered)
        assert _created(queue[:number]) == []


def test_messages_are_real_ones() -> None:
    """The messages of these tests are discord.py's own."""
    assert isinstance(message(7), discord.Message)
