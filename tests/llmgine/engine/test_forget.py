"""Forgetting one turn of a conversation."""

from collections.abc import Sequence

import pytest

from llmgine.errors import StoreError
from llmgine.messages.commands import ForgetTurnCommand
from llmgine.messages.deliveries import Delivery, DeliveryKey
from llmgine.messages.events import TurnFinishedEvent, TurnForgottenEvent
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.records import TurnSteps
from tests.llmgine.engine.chat import Chat, Held, call
from tests.llmgine.engine.conftest import StartChat


async def forget(chat: Chat, turn_id: str) -> bool:
    """Forget a turn; whether there was one."""
    there: bool = (await chat.bus.execute(ForgetTurnCommand(session_id="s", turn_id=turn_id))).unwrap()
    return there


def replies(*texts: str) -> list[ChatReply]:
    return [ChatReply(text=text, model="m") for text in texts]


async def test_the_model_sees_nothing_of_it(start_chat: StartChat) -> None:
    """What was said in a forgotten turn is in no later call, though the turn was remembered; the others stay."""
    provider = ScriptedProvider(replies("one", "two", "three", "four"))
    chat = await start_chat(provider)
    await chat.say("first")
    second = await chat.say("second")
    await chat.say("third")

    assert await forget(chat, second.turn_id)

    await chat.say("fourth")
    seen = [message.content for message in provider.requests[-1].messages[1:]]
    assert seen == ["first", "one", "third", "three", "fourth"]
    assert (await chat.store.sessions.get("s")).turns == 3


async def test_its_texts_are_gone(start_chat: StartChat) -> None:
    """No step of any attempt is left in the store, and the turn cannot be read."""
    chat = await start_chat(list(replies("one")))
    turn_id = (await chat.say("first")).turn_id

    await forget(chat, turn_id)

    assert await chat.store.turns.history("s") == []
    with pytest.raises(StoreError):
        await chat.store.turns.get(turn_id)


async def test_a_turn_that_runs_is_stopped_first(start_chat: StartChat) -> None:
    """A running turn ends as stopped, and then it is forgotten."""
    held = Held(partial="I was")
    chat = await start_chat([held])
    turn_id = (await chat.admit("first")).turn_id
    await held.reached.wait()

    assert await forget(chat, turn_id)

    assert (await chat.told(TurnFinishedEvent, turn_id)).state == "stopped"
    assert await chat.store.turns.history("s") == []


async def test_a_turn_that_is_queued_never_runs(start_chat: StartChat) -> None:
    """It is forgotten at once, though the turn before it takes its time."""
    held = Held()
    chat = await start_chat([held, *replies("three")])
    await chat.admit("first")
    await held.reached.wait()
    second = (await chat.admit("second")).turn_id

    assert await forget(chat, second)

    held.open.set()
    assert (await chat.say("third")).text == "three"
    assert chat.of(TurnFinishedEvent, second) == []


async def test_twice_is_once(start_chat: StartChat) -> None:
    """Once its messages are gone, whoever is late hears that there was nothing to forget; it is told once."""
    chat = await start_chat(list(replies("one")))
    turn_id = (await chat.say("first")).turn_id

    assert await forget(chat, turn_id)
    forgotten = (await chat.told(TurnForgottenEvent, turn_id)).turn
    assert forgotten is not None
    await chat.store.deliveries.settle(forgotten, [], 0)

    assert [await forget(chat, turn_id), await forget(chat, "nothing")] == [False, False]
    await chat.bus.wait_until_idle()
    assert len(chat.of(TurnForgottenEvent)) == 1


async def test_what_was_posted_is_to_be_taken_away(start_chat: StartChat) -> None:
    """The store holds what was posted as undelivered and without a body until it is taken away."""

    def renderer(steps: TurnSteps) -> Sequence[Delivery]:
        key = DeliveryKey(kind="text", round=0, part=0)
        return [
            Delivery(turn_id=steps.turn.id, attempt=1, key=key, body={"content": steps.state.text}),
            Delivery(turn_id=steps.turn.id, attempt=1, key=key.model_copy(update={"part": 1}), body={"content": "x"}),
        ]

    chat = await start_chat([call("nothing"), *replies("one")], renderers={"test": renderer})
    turn_id = (await chat.say("first")).turn_id
    [turn] = await chat.store.undelivered("test")
    key = DeliveryKey(kind="text", round=0, part=0)
    await chat.store.deliveries.place(turn, [(key, "123")], 1)

    await forget(chat, turn_id)

    assert [turn.id for turn in await chat.store.undelivered("test")] == [turn_id]
    left = [(one.message_id, one.body, one.sent) for one in await chat.store.deliveries.of(turn_id) if one.message_id]
    assert left == [("123", {}, False)]
