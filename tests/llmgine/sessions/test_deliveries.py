"""What every session store promises of outcomes and their parts."""

from collections.abc import Iterator

import pytest

from llmgine.messages.commands import RegenerateTurnCommand
from llmgine.messages.deliveries import Delivery, DeliveryKey
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from tests.llmgine.sessions.conftest import Open
from tests.llmgine.sessions.examples import DONE, admitted, begun, claimed, finish, outcome, part

OLD = DeliveryKey(kind="old", round=0, part=0)


async def test_an_outcome_is_one_whole(store: SessionStore) -> None:
    """A crash in its middle leaves the turn as it was: no step, no state, no part."""
    turn = await begun(store, "1")

    def parts() -> Iterator[Delivery]:
        yield part(turn, "text", 0, 0)
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="power"):
        await store.runs.finish(turn, "done", [(2, DONE)], parts())

    steps = await store.turns.get(turn.id)
    assert (steps.turn.state, outcome(steps)) == ("running", None)
    assert await store.deliveries.of(turn.id) == []
    await finish(store, turn, part(turn, "text", 0, 0))
    assert outcome(await store.turns.get(turn.id)) == DONE


async def test_parts_come_in_the_order_they_stand_on_screen(store: SessionStore) -> None:
    """By round; in a round the text before its card; notices last; ten parts are not sorted as words."""
    turn = await begun(store, "1")
    order = [*(part(turn, "text", 0, n) for n in range(11)), part(turn, "card", 0, 0), part(turn, "text", 1, 0)]
    order.append(part(turn, "notice", 1, 0))

    await finish(store, turn, *reversed(order))

    assert await store.deliveries.of(turn.id) == order


async def test_parts_are_sent_once(store: SessionStore) -> None:
    """Ended turns with unsent parts are found, until all of it is shown."""
    turn = await begun(store, "1")
    parts = [part(turn, "text", 0, 0), part(turn, "card", 0, 0)]
    assert await store.undelivered("test") == []

    await finish(store, turn, *parts)
    await store.deliveries.place(turn, [(parts[0].key, "100")], 1)
    assert [t.id for t in await store.undelivered("test")] == [turn.id]
    assert await store.undelivered("other") == []

    await store.deliveries.settle(turn, [(parts[0].key, "100"), (parts[1].key, "200")], 2)
    assert await store.undelivered("test") == []
    assert [(d.message_id, d.sent) for d in await store.deliveries.of(turn.id)] == [("100", True), ("200", True)]


async def test_a_preview_keeps_its_place(store: SessionStore) -> None:
    """A part posted before the outcome is remembered at once, and its final body takes over the same message."""
    turn = await begun(store, "1")
    final = part(turn, "text", 0, 0, "final")

    await store.deliveries.place(turn, [(final.key, "100")], 1)
    (preview,) = await store.deliveries.of(turn.id)
    assert (preview.body, preview.message_id, preview.sent) == ({}, "100", False)
    assert await store.undelivered("test") == []

    await finish(store, turn, final)
    (delivery,) = await store.deliveries.of(turn.id)
    assert (delivery.body, delivery.message_id, delivery.sent) == ({"content": "final"}, "100", False)
    assert [t.id for t in await store.undelivered("test")] == [turn.id]


async def test_a_part_posted_again_has_its_new_place(store: SessionStore) -> None:
    """The latest message id counts; the older one is no longer ours."""
    turn = await begun(store, "1")
    key = part(turn, "text", 0, 0).key

    await store.deliveries.place(turn, [(key, "100")], 1)
    await store.deliveries.place(turn, [(key, "200")], 2)

    assert await store.deliveries.known(["100", "200"]) == {"200"}


async def standing(store: SessionStore, turn: Turn) -> list[tuple[str, int, str | None]]:
    """What stands where for the turn's present attempt."""
    return [
        (one.key.kind, one.key.part, one.message_id) for one in await store.deliveries.of(turn.id) if one.message_id
    ]


async def test_a_message_shows_one_part(store: SessionStore) -> None:
    """Where each message is told, all of them are: what is not told of shows nothing any more, also of the outcome."""
    turn = await begun(store, "1")
    note, card = part(turn, "text", 1, 0), part(turn, "card", 1, 0)

    await store.deliveries.place(turn, [(note.key, "100"), (card.key, "200")], 2)
    await store.deliveries.place(turn, [(card.key, "100"), (OLD, "200")], 2)
    assert await standing(store, turn) == [("card", 0, "100"), ("old", 0, "200")]

    await finish(store, turn, note, card)
    await store.deliveries.place(turn, [(note.key, "100"), (card.key, "200")], 2)
    assert await standing(store, turn) == [("text", 0, "100"), ("card", 0, "200")]


async def test_a_turn_is_loaded_with_its_messages(store: SessionStore) -> None:
    """With how many there ever were, and the parts of its present attempt; one that does not exist with nothing."""
    turn = await begun(store, "1")
    text = part(turn, "text", 0, 0)
    await finish(store, turn, text)
    await store.deliveries.place(turn, [(text.key, "100")], 3)

    loaded = await store.deliveries.load(turn.id)

    assert loaded is not None
    found, (only,) = loaded
    assert (found.id, found.posts, found.state) == (turn.id, 3, "done")
    assert (only.key, only.message_id, only.body) == (text.key, "100", text.body)
    assert await store.deliveries.load("nothing") is None


async def test_an_old_answer_is_left_to_the_next_attempt(store: SessionStore) -> None:
    """In its order, and with what was under way while it was given up; what shows a part again is not old."""
    turn = await begun(store, "1")
    parts = [part(turn, "text", 0, 0), part(turn, "card", 0, 0), part(turn, "notice", 1, 0)]
    await finish(store, turn, *parts)
    places = [(one.key, message_id) for one, message_id in zip(parts, ("100", "200", "300"), strict=True)]
    await store.deliveries.place(turn, places, 3)

    await store.turns.regenerate(RegenerateTurnCommand(session_id="s", turn_id=turn.id))
    assert await standing(store, turn) == [("old", 0, "100"), ("old", 1, "200"), ("old", 2, "300")]

    await store.deliveries.settle(turn, [*places, (OLD, "400")], 4)  # said late: three of them are left already
    assert await standing(store, turn) == [("old", number, f"{number + 1}00") for number in range(4)]
    again = (await store.turns.get(turn.id)).turn
    await store.deliveries.place(again, [(parts[0].key, "100"), (OLD, "300")], 4)
    assert await standing(store, turn) == [("text", 0, "100"), ("old", 0, "300")]
    assert again.posts == 4


async def test_a_forgotten_turn_is_owed_until_its_messages_are_gone(store: SessionStore) -> None:
    """Also where its outcome is said to be settled at that moment; then nothing is left of it."""
    turn = await begun(store, "1")
    text = part(turn, "text", 0, 0)
    await finish(store, turn, text)
    await store.deliveries.place(turn, [(text.key, "100")], 1)
    assert await store.forget("s", turn.id)

    await store.deliveries.settle(turn, [(text.key, "100")], 1)
    assert [t.id for t in await store.undelivered("test")] == [turn.id]

    await store.deliveries.settle(turn, [], 1)
    assert await store.undelivered("test") == []
    assert await store.deliveries.of(turn.id) == []


async def test_another_living_process_sends_its_own_parts(open_another: Open) -> None:
    """Undelivered turns are those of this process and of dead ones."""
    owner, other = await open_another(), await open_another()
    turn = await begun(owner, "1")
    await finish(owner, turn, part(turn, "text", 0, 0))

    assert await other.undelivered("test") == []
    await owner.close()
    assert [t.id for t in await other.undelivered("test")] == [turn.id]


async def test_clearing_keeps_what_still_has_to_be_sent(store: SessionStore) -> None:
    """An outcome on its way reaches its reader; those that arrived are deleted."""
    sent, unsent = await admitted(store, "1"), await admitted(store, "2")
    for turn in (sent, unsent):
        await finish(store, await claimed(store), part(turn, "text", 0, 0))
    await store.deliveries.settle(sent, [(part(sent, "text", 0, 0).key, "100")], 1)

    await store.sessions.clear("s", now())

    assert await store.deliveries.of(sent.id) == []
    assert len(await store.deliveries.of(unsent.id)) == 1
    assert [t.id for t in await store.undelivered("test")] == [unsent.id]
