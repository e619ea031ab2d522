"""Answering anew: one more attempt at the last turn."""

import pytest

from llmgine.errors import UserError
from llmgine.messages.commands import Admitted, RegenerateTurnCommand
from llmgine.messages.events import TurnFinishedEvent
from llmgine.providers.base import ChatReply
from tests.llmgine.engine.chat import Chat, Held, call
from tests.llmgine.engine.conftest import StartChat


async def again(chat: Chat, turn_id: str) -> Admitted:
    """Ask for another answer."""
    admitted = (await chat.bus.execute(RegenerateTurnCommand(session_id="s", turn_id=turn_id))).unwrap()
    assert isinstance(admitted, Admitted)
    return admitted


async def test_the_last_prompt_is_answered_anew(start_chat: StartChat) -> None:
    """The model is asked the same once more, and sees nothing of its first answer, also later."""
    replies = [ChatReply(text=text, model="m") for text in ("one", "two", "three")]
    chat = await start_chat(list(replies))
    first = await chat.say("hello")

    await again(chat, first.turn_id)

    second = await chat.told(TurnFinishedEvent, first.turn_id, times=2)
    assert second.text == "two"
    await chat.say("and now?")
    shown = [step.text for turn in await chat.store.turns.history("s") for step in turn.state.replies]
    assert shown == ["two", "three"]


async def test_only_the_last_answer(start_chat: StartChat) -> None:
    """An earlier turn, one that runs, one of another session and a cleared one are refused in words."""
    held = Held()
    chat = await start_chat([ChatReply(text="one", model="m"), held])
    first = await chat.say("one")
    running = await chat.admit("two")
    await held.reached.wait()

    for turn_id in (first.turn_id, running.turn_id, "nothing"):
        with pytest.raises(UserError, match="last answer"):
            await again(chat, turn_id)

    held.open.set()
    await chat.outcome(running.turn_id)


async def test_it_survives_the_end_of_the_process(start_chat: StartChat) -> None:
    """A second attempt that was cut off by the end of the process is taken up by the next one, tools and all."""

    def count() -> str:
        """Count."""
        return "counted"

    held = Held()
    chat = await start_chat([ChatReply(text="one", model="m"), call("count"), held])
    await chat.engine.register_tool(count)
    turn = await chat.say()
    await again(chat, turn.turn_id)
    await held.reached.wait()
    await chat.close()

    other = await start_chat([ChatReply(text="two", model="m")])
    await other.engine.register_tool(count)
    assert await other.engine.recover({"test"}) == 1

    assert (await other.outcome(turn.turn_id)).text == "two"
    assert (await other.store.turns.get(turn.turn_id)).turn.attempt == 2
    assert other.results(turn.turn_id) == []
