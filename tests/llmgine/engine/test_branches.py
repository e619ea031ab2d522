"""Branches: a conversation that goes on somewhere else with a copy of its turns."""

import pytest

from llmgine.errors import UserError
from llmgine.messages.commands import BranchSessionCommand, ClearSessionCommand, ForgetTurnCommand
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.engine.chat import Chat, Held, echo
from tests.llmgine.engine.conftest import StartChat


async def branch(chat: Chat, **facts: str | None) -> int:
    command = BranchSessionCommand.model_validate({"session_id": "s", "new_session_id": "b", **facts})
    turns: int = (await chat.bus.execute(command)).unwrap()
    return turns


async def said(chat: Chat, session_id: str) -> list[str]:
    return [turn.state.prompt.text for turn in await chat.store.turns.history(session_id)]


@pytest.fixture
async def chat(start_chat: StartChat) -> Chat:
    return await start_chat(ScriptedProvider(echo()))


async def test_both_go_their_own_way(start_chat: StartChat) -> None:
    """The branch knows what was said before it, and neither hears of the other after it."""
    provider = ScriptedProvider(echo())
    chat = await start_chat(provider)
    await chat.say("one")
    await chat.say("two")

    assert await branch(chat) == 2

    await chat.say("three in the branch", "b")
    await chat.say("three")
    assert await said(chat, "s") == ["one", "two", "three"]
    assert await said(chat, "b") == ["one", "two", "three in the branch"]
    asked = [message.content for message in provider.requests[2].messages if message.role == "user"]

    assert asked == ["one", "two", "three in the branch"]


async def test_it_may_begin_earlier(chat: Chat) -> None:
    """Up to a turn means with that turn and nothing after it."""
    first = await chat.say("one")
    await chat.say("two")

    assert await branch(chat, up_to_turn=first.turn_id) == 1

    assert await said(chat, "b") == ["one"]


async def test_asked_twice_it_is_made_once(chat: Chat) -> None:
    """The same copy is not made again: a button may be pressed twice."""
    await chat.say("one")

    assert [await branch(chat), await branch(chat, keep_as="old")] == [1, 0]

    assert await said(chat, "b") == ["one"]
    assert "old" not in [session.id for session in (await chat.store.sessions.page(most=100)).sessions]


async def test_what_was_there_is_kept(chat: Chat) -> None:
    """The conversation that made room can be gone on with later; without a name for it, it stays where it is."""
    await chat.say("one")
    await chat.say("other", "b")
    with pytest.raises(UserError):
        await branch(chat)

    await branch(chat, keep_as="old")

    assert await said(chat, "b") == ["one"]
    assert await said(chat, "old") == ["other"]
    await branch(chat, session_id="old", new_session_id="b", keep_as="older")
    assert await said(chat, "b") == ["other"]
    assert await said(chat, "older") == ["one"]
    await chat.say("further", "b")
    assert await said(chat, "b") == ["other", "further"]


async def test_what_is_under_way_is_not_pushed_aside(start_chat: StartChat) -> None:
    """A conversation in which something is being answered makes no room, and nothing changes."""
    held = Held()
    chat = await start_chat(ScriptedProvider(["one", held]))
    await chat.say("one")
    admitted = await chat.admit("busy", "b")
    await held.reached.wait()

    with pytest.raises(UserError, match="being written"):
        await branch(chat, keep_as="old")

    held.open.set()
    await chat.outcome(admitted.turn_id)
    assert await said(chat, "b") == ["busy"]


async def test_nothing_cannot_be_gone_on_with(chat: Chat) -> None:
    """A cleared conversation, one that is not there, and a turn that is not of it have nothing to copy."""
    await chat.say("one")
    other = await chat.say("elsewhere", "t")
    for facts in ({"session_id": "nobody"}, {"up_to_turn": other.turn_id}):
        with pytest.raises(UserError):
            await branch(chat, **facts)
    (await chat.bus.execute(ClearSessionCommand(session_id="s"))).unwrap()
    with pytest.raises(UserError):
        await branch(chat)
    assert await said(chat, "b") == []


async def test_a_copy_outlives_the_original(chat: Chat) -> None:
    """Clearing the one leaves the other whole."""
    await chat.say("one")
    await branch(chat)

    (await chat.bus.execute(ClearSessionCommand(session_id="s"))).unwrap()

    assert await said(chat, "b") == ["one"]


async def test_what_is_forgotten_is_forgotten_in_copies_too(chat: Chat) -> None:
    """A turn that is taken back goes from every branch, and from the branches of these; the others stay."""
    first = await chat.say("taken back")
    await chat.say("two")
    await branch(chat)
    await branch(chat, session_id="b", new_session_id="c")

    (await chat.bus.execute(ForgetTurnCommand(session_id="s", turn_id=first.turn_id))).unwrap()

    assert [await said(chat, one) for one in "sbc"] == [["two"], ["two"], ["two"]]
