"""Turns that are stopped: here, from another process, or with all of their session."""

from llmgine.messages.commands import (
    ClearSessionCommand,
    StopTurnCommand,
)
from llmgine.messages.events import (
    AnswerProgressEvent,
    Event,
    SessionClearedEvent,
    TurnFinishedEvent,
)
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.engine.chat import Held
from tests.llmgine.engine.conftest import StartChat


async def test_stopping_keeps_what_was_streamed(start_chat: StartChat) -> None:
    """The outcome is "stopped" with the partial text; the next prompt is told of it."""
    provider = ScriptedProvider([Held(partial="Once upon a"), "next"])
    chat = await start_chat(provider)
    admitted = await chat.admit("tell me")
    await chat.told(AnswerProgressEvent)

    stopped = (await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))).unwrap()
    outcome = await chat.outcome(admitted.turn_id)
    following = await chat.say("go on")

    assert stopped == 1
    assert (outcome.state, outcome.text, outcome.notice) == ("stopped", "Once upon a", "Stopped.")
    assert following.text == "next"
    assert [m.content for m in provider.requests[1].messages[1:]] == ["tell me", "Once upon a", "go on"]


async def test_a_queued_turn_can_be_stopped(start_chat: StartChat) -> None:
    """It ends as stopped without asking the model; the one before it and the one after it are answered."""
    held = Held()
    provider = ScriptedProvider([held, "third"])
    chat = await start_chat(provider)
    first, second, third = [await chat.admit(text) for text in "123"]
    await held.reached.wait()

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=second.turn_id))
    held.open.set()

    assert [(await chat.outcome(a.turn_id)).state for a in (first, second, third)] == ["done", "stopped", "done"]
    assert len(provider.requests) == 2


async def test_stopping_a_session_stops_all_its_turns(start_chat: StartChat) -> None:
    """And no other session's; stopping where nothing runs is zero."""
    one, other = Held(), Held()
    chat = await start_chat([one, other])
    first = await chat.admit(session_id="s")
    await one.reached.wait()
    elsewhere = await chat.admit(session_id="other")
    await other.reached.wait()
    second = await chat.admit(session_id="s")

    assert (await chat.bus.execute(StopTurnCommand(session_id="s"))).unwrap() == 2

    assert [(await chat.outcome(a.turn_id)).state for a in (first, second)] == ["stopped", "stopped"]
    other.open.set()
    assert (await chat.outcome(elsewhere.turn_id)).state == "done"
    assert (await chat.bus.execute(StopTurnCommand(session_id="s"))).unwrap() == 0


async def test_a_stop_from_another_process_is_obeyed(start_chat: StartChat) -> None:
    """It is a row in the store; the owner finds it."""
    held = Held(partial="so far")
    chat = await start_chat([held])
    other = await start_chat([])
    admitted = await chat.admit()
    await held.reached.wait()

    await other.bus.execute(StopTurnCommand(session_id="s"))

    assert (await chat.outcome(admitted.turn_id)).state == "stopped"


async def test_clearing_while_it_runs(start_chat: StartChat) -> None:
    """What runs is stopped, then forgotten; the next prompt begins a new conversation."""
    held = Held()
    provider = ScriptedProvider([held, "fresh"])
    chat = await start_chat(provider)
    running, queued = await chat.admit("old"), await chat.admit("old too")
    await held.reached.wait()

    assert (await chat.bus.execute(ClearSessionCommand(session_id="s"))).success
    outcome = await chat.say("new")

    assert {(await chat.outcome(a.turn_id)).state for a in (running, queued)} == {"stopped"}
    assert [type(e) for e in chat.of(Event) if isinstance(e, SessionClearedEvent | TurnFinishedEvent)] == [
        TurnFinishedEvent,
        TurnFinishedEvent,
        SessionClearedEvent,
        TurnFinishedEvent,
    ]
    assert outcome.text == "fresh"
    assert [message.content for message in provider.requests[-1].messages] == ["Be brief.", "new"]
