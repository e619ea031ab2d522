"""The audit log: each change is recorded in its own transaction, with who made it and where, and no word more."""

from datetime import timedelta
from typing import Any

import pytest

from llmgine.errors import UserError
from llmgine.messages.commands import (
    AuditOrigin,
    Author,
    ChangeSettingCommand,
    ClearSessionCommand,
    Command,
    DecideToolCallCommand,
    ForgetTurnCommand,
    RecordUseCommand,
    SetSystemPromptCommand,
)
from llmgine.messages.events import ToolCallWaitingEvent
from llmgine.messages.pausing_commands import PauseCommand, ResumeCommand
from llmgine.sessions.clock import microseconds, now
from llmgine.sessions.records import AuditEntry
from llmgine.sessions.store import SessionStore
from tests.llmgine.engine.chat import ADA, Chat, call, roll
from tests.llmgine.engine.conftest import StartChat

EVE = Author(id="2", name="Eve")
ORIGIN = AuditOrigin(by=EVE, place="s", listed_under="server")
PROMPT = "A prompt that nobody else is to read"


async def entries(store: SessionStore, listed_under: str | None = None) -> list[AuditEntry]:
    """All entries, or those of a list; the oldest first."""
    return list(reversed(await store.audit.newest(listed_under, 100)))


async def do(chat: Chat, command: Command) -> None:
    (await chat.bus.execute(command)).unwrap()


async def test_each_change_is_recorded(start_chat: StartChat) -> None:
    """Settings, prompts, pauses, what is cleared or forgotten, and the use of commands; of prompts the length."""
    chat = await start_chat(["one"])
    turn_id = (await chat.say("something private")).turn_id
    pause: dict[str, Any] = {"scope": "s", "what": "tools", "mark": "1", "audit": ORIGIN}
    for command in (
        ChangeSettingCommand(scope="s", name="style", value="brief", changed_by=EVE, audit=ORIGIN),
        ChangeSettingCommand(scope="wide", name="style", value=None, changed_by=EVE, audit=ORIGIN),
        SetSystemPromptCommand(session_id="s", system_prompt=PROMPT, audit=ORIGIN),
        ChangeSettingCommand(scope="s", name="system_prompt", value=PROMPT, audit=ORIGIN),
        PauseCommand(**pause, paused_by=EVE),
        ResumeCommand(**pause, resumed_by=EVE),
        ForgetTurnCommand(session_id="s", turn_id=turn_id, audit=ORIGIN),
        ClearSessionCommand(session_id="s", audit=ORIGIN),
        RecordUseCommand(what="/doctor", audit=ORIGIN),
    ):
        await do(chat, command)

    found = await entries(chat.store, "server")
    assert [(one.action, one.about) for one in found] == [
        ("set", "style: brief"),
        ("removed", "style (for wide)"),
        ("set", f"system_prompt: {len(PROMPT)} characters"),
        ("set", f"system_prompt: {len(PROMPT)} characters"),
        ("paused", "tools"),
        ("resumed", "tools"),
        ("forgot", turn_id),
        ("cleared", ""),
        ("used", "/doctor"),
    ]
    assert {(one.person, one.place) for one in found} == {("2", "s")}
    assert "private" not in str(found)
    assert await entries(chat.store) == found


@pytest.mark.parametrize(("approved", "always"), [(True, False), (True, True), (False, False)])
async def test_a_decision_is_recorded_once(start_chat: StartChat, *, approved: bool, always: bool) -> None:
    """With the tool, and only the one that counted: who comes second decides nothing."""
    chat = await start_chat([call("roll"), "done"])
    await chat.engine.register_tool(roll, requires_approval=True, allows_always=True)
    turn_id = (await chat.admit(author=ADA)).turn_id
    waiting = await chat.told(ToolCallWaitingEvent)
    about = {"session_id": "s", "turn_id": turn_id, "call_id": waiting.call.id, "decided_by": EVE, "audit": ORIGIN}
    for _ in range(2):
        command = DecideToolCallCommand.model_validate({**about, "approved": approved, "always": always})
        await chat.bus.execute(command)
    await chat.outcome(turn_id)

    [entry] = await entries(chat.store)
    action = ("approved always" if always else "approved") if approved else "denied"
    assert (entry.action, entry.about, entry.person) == (action, "roll", "2")


async def test_what_is_refused_is_not_recorded(start_chat: StartChat) -> None:
    """A change that was not made, a pause that there was already, and a pause that had ended leave no entry."""
    chat = await start_chat([])
    with pytest.raises(UserError):
        await do(chat, ChangeSettingCommand(scope="s", name="style", value="operatic", audit=ORIGIN))
    pause: dict[str, Any] = {"scope": "s", "what": "answers", "audit": ORIGIN}
    for mark in ("1", "2"):
        await do(chat, PauseCommand(**pause, mark=mark, paused_by=EVE))
    for mark in ("3", "4"):
        await do(chat, ResumeCommand(**pause, mark=mark, resumed_by=EVE))

    assert [one.action for one in await entries(chat.store)] == ["paused", "resumed"]


async def test_a_terminals_changes_are_recorded(start_chat: StartChat) -> None:
    """Where a front end says nothing more, the entry has the session and who changed it."""
    chat = await start_chat([])
    await do(chat, ChangeSettingCommand(scope="s", name="style", value="brief", changed_by=ADA))
    await do(chat, ClearSessionCommand(session_id="s"))

    found = await entries(chat.store, "s")
    assert [(one.action, one.person, one.place) for one in found] == [("set", ADA.id, "s"), ("cleared", "", "s")]


async def test_a_long_value_is_cut(start_chat: StartChat) -> None:
    """An entry has at most 200 characters of what was set."""
    chat = await start_chat([])
    await do(chat, ChangeSettingCommand(scope="s", name="tools", value="x" * 3_000, audit=ORIGIN))

    [entry] = await entries(chat.store)
    assert len(entry.about) == 200


async def test_old_entries_are_deleted(start_chat: StartChat) -> None:
    """What is older than a year goes at the next start, however much it is; what is newer stays."""
    chat = await start_chat([])
    await do(chat, RecordUseCommand(what="/doctor", audit=ORIGIN))
    [new] = await entries(chat.store)
    for number in range(501):
        old = {"id": f"old {number}", "at": new.at - timedelta(days=366)}
        await chat.store.audit.add(new.model_copy(update=old))
    await chat.close()

    second = await start_chat([])
    await second.engine._sweep()

    assert await entries(second.store) == [new]
    assert not await second.store.audit.sweep(now() - microseconds(new.at) + 1)
