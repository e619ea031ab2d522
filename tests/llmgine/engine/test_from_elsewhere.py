"""What another process writes while a turn runs, and what is owed when a write fails."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest

from llmgine.errors import StoreError
from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import EditPromptCommand
from llmgine.messages.events import ToolCallWaitingEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.sessions import sqlite
from llmgine.sessions.clock import now
from llmgine.sessions.database import Operation
from tests.llmgine.engine.chat import ADA, Chat, call, echo, prompt
from tests.llmgine.engine.conftest import StartChat
from tests.llmgine.engine.test_approvals import decide
from tests.waiting import eventually

USED = Usage(input_tokens=900, output_tokens=100)


class Held:
    """A reply that comes when it is let."""

    def __init__(self, reply: ChatReply) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self._reply = reply

    async def __call__(self, _request: ChatRequest, _on_text: Callable[[str], None]) -> ChatReply:
        self.reached.set()
        await self.open.wait()
        return self._reply


def with_usage(*, calls: bool) -> ChatReply:
    reply = call("f")
    assert isinstance(reply, ChatReply)
    return reply.model_copy(update={"usage": USED}) if calls else ChatReply(text="x", model="scripted", usage=USED)


async def used(chat: Chat) -> int:
    """The tokens that were counted today."""
    await chat.store.settings.change("s", "daily_tokens", "1000000", ADA, now())
    return (await chat.store.allowances.of(["s"], chat.store.today))[0].used


async def harmless() -> str:
    """Do nothing."""
    return "done"


def failing(name: str) -> Callable[[Operation], contextlib.AbstractAsyncContextManager[None]]:
    """An observer that lets an operation fail."""

    @contextlib.asynccontextmanager
    async def fail(operation: Operation) -> AsyncIterator[None]:
        if operation.name == name:
            raise StoreError("The session store failed: database is locked")
        yield

    return fail


@pytest.mark.parametrize("calls", [False, True])
async def test_what_a_given_up_reply_cost_is_counted(start_chat: StartChat, *, calls: bool) -> None:
    """A question that another process edits while the model answers: the answer was paid for, with calls or without."""
    held = Held(with_usage(calls=calls))
    chat, other = await start_chat([held]), await start_chat(echo())
    said = prompt("one")
    turn_id = (await chat.bus.execute(said)).unwrap().turn_id
    await held.reached.wait()
    edit = EditPromptCommand(session_id="s", turn_id=turn_id, source_id=said.source_id, version=1, text="two")
    await other.store.prompts.edit(edit)

    held.open.set()

    await eventually(lambda: _has_used(chat, 1_000))


async def _has_used(chat: Chat, tokens: int) -> bool:
    return await used(chat) == tokens


async def test_what_a_reply_cost_is_counted_when_it_cannot_be_stored(start_chat: StartChat) -> None:
    """The turn fails with the store's own words, and the reply was paid for."""
    chat = await start_chat([with_usage(calls=True)])
    chat.store.observe(failing("runs.append_reply"))

    outcome = await chat.say("one")

    assert (outcome.state, outcome.notice) == ("failed", "The session store failed: database is locked")
    assert await used(chat) == 1_000


async def test_a_step_that_cannot_be_stored_is_no_bug(start_chat: StartChat) -> None:
    """People read what the store says, not that something went wrong in the program."""
    chat = await start_chat([call("harmless"), "done"])
    await chat.engine.register_tool(harmless)
    chat.store.observe(failing("runs.append"))

    outcome = await chat.say("one")

    assert outcome.notice == "The session store failed: database is locked"


async def test_an_edit_by_another_process_is_no_bug(start_chat: StartChat, caplog: pytest.LogCaptureFixture) -> None:
    """A call that waits for approval ends without a word in the log when the question is edited elsewhere."""
    chat, other = await start_chat([call("harmless"), "done"]), await start_chat(echo())
    await chat.engine.register_tool(harmless, requires_approval=True)
    said = prompt("one")
    turn_id = (await chat.bus.execute(said)).unwrap().turn_id
    await chat.told(ToolCallWaitingEvent)
    edit = EditPromptCommand(session_id="s", turn_id=turn_id, source_id=said.source_id, version=1, text="two")

    assert (await other.bus.execute(edit)).unwrap()

    assert (await other.outcome(turn_id)).state == "done"
    await chat.close()
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_decision_between_a_read_and_its_answer_is_not_missed(
    start_chat: StartChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that was just looked at when it is approved runs at once, not at its deadline."""
    chat = await start_chat([call("harmless"), "done"], approval_timeout=60.0)
    await chat.engine.register_tool(harmless, requires_approval=True)
    plain, armed, slow = sqlite._drive, threading.Event(), threading.Event()

    def drive(connection: object, steps: object, operation: Operation) -> object:
        result: object = plain(connection, steps, operation)  # type: ignore[arg-type]  # whatever it is given
        if operation.name == "runs.decision" and armed.is_set() and not slow.is_set():
            slow.set()
            time.sleep(0.1)  # the answer is on its way while the decision is made
        return result

    monkeypatch.setattr(sqlite, "_drive", drive)
    turn_id = (await chat.bus.execute(prompt("one"))).unwrap().turn_id
    waiting = await chat.told(ToolCallWaitingEvent)
    armed.set()
    chat.engine.changes.notify()
    await eventually(slow.is_set)

    assert await decide(chat, waiting)

    async with asyncio.timeout(30):
        assert (await chat.outcome(turn_id)).state == "done"


async def test_old_rows_are_deleted_by_a_process_alone(start_chat: StartChat, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was used more than a month ago goes though nobody else writes."""
    monkeypatch.setattr("llmgine.engine.engine._SWEEP_INTERVAL", 0.01)
    chat = await start_chat(["one"])
    await chat.say("hi")
    later = chat.store.clock.today() + 32
    monkeypatch.setattr(chat.store.clock, "today", lambda: later)

    await eventually(lambda: _nothing_spent(chat))


async def _nothing_spent(chat: Chat) -> bool:
    return not await chat.store.run(_spent, Operation("test", writes=False))


def _spent():  # type: ignore[no-untyped-def]  # an operation
    return (yield "SELECT scope FROM spent", ())
