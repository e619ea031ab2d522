"""What was read, copied or made of a forgotten person's words before: none of it comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.engine.ask import ask
from llmgine.messages.commands import (
    AuditOrigin,
    Author,
    BranchSessionCommand,
    ChangeSettingCommand,
    DecideToolCallCommand,
    DeletePromptCommand,
    ForgetTurnCommand,
    Quote,
    RenameSessionCommand,
)
from llmgine.messages.events import ToolCallWaitingEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import ScriptedProvider, ScriptedReply
from llmgine.sessions.clock import now
from llmgine.sessions.database import Operation
from llmgine.sessions.forgetting import erase_person
from llmgine.sessions.operations.rows import listed_under
from llmgine.settings import Settings
from tests.llmgine.engine.chat import Chat, Held, call, prompt
from tests.llmgine.engine.conftest import StartChat
from tests.llmgine.engine.test_forget_person import files, forget, running
from tests.llmgine.engine.test_forget_person import prompt as said_in_front

ADA = Author(id="111111111111111111", name="Ada Lovelace")
GRACE = Author(id="222222222222222222", name="Grace Hopper")
WORDS = "engine-of-brass"
REASON = "reason-of-brass"


def sent(request: ChatRequest) -> str:
    """All that the model is shown."""
    return "\n".join(message.content for message in request.messages)


async def ask_with_quote(chat: Chat) -> str:
    """Grace asks with a quote of Ada, and is being answered."""
    command = prompt("is that so?", "s", GRACE).model_copy(update={"quoted": Quote(author=ADA, text=WORDS)})
    turn_id: str = (await chat.bus.execute(command)).unwrap().turn_id
    return turn_id


@pytest.mark.parametrize("by_another_process", [False, True])
async def test_a_remembered_quote_is_not_sent(start_chat: StartChat, *, by_another_process: bool) -> None:
    """A turn that was kept at hand is read again once somebody was taken out of it, wherever that was done."""
    script: list[ScriptedReply] = ["Yes.", "Again yes.", "No."]
    provider = ScriptedProvider(script)
    chat = await start_chat(provider)
    await chat.outcome(await ask_with_quote(chat))
    await chat.say("and now?", author=GRACE)
    assert WORDS in sent(provider.requests[-1])
    eraser = await start_chat([]) if by_another_process else chat

    await erase_person(eraser.store, ADA.id, now())
    await chat.say("and now?", author=GRACE)

    assert "is that so?" in sent(provider.requests[-1])
    assert WORDS not in sent(provider.requests[-1])


async def test_a_turn_that_runs_meanwhile_ends_without_the_quote(start_chat: StartChat) -> None:
    """It is not stopped: its next call of the model is made without the quote, and so are those of later turns."""
    held = Held()

    async def call_a_tool(request: ChatRequest, on_text: object) -> ChatReply:
        await held(request, print)
        return call("roll")

    provider = ScriptedProvider([call_a_tool, "Done.", "Later."])
    chat = await start_chat(provider)
    await chat.engine.register_tool(roll)
    turn_id = await ask_with_quote(chat)
    await held.reached.wait()
    assert WORDS in sent(provider.requests[0])

    await erase_person(chat.store, ADA.id, now())
    held.open.set()

    assert (await chat.outcome(turn_id)).text == "Done."
    await chat.say("later", author=GRACE)
    assert [WORDS in sent(request) for request in provider.requests] == [True, False, False]


def roll() -> str:
    """Roll a die."""
    return "4"


@pytest.mark.parametrize("how", ["undo", "deleted", "person"])
async def test_a_branch_loses_the_title_made_of_it(start_chat: StartChat, how: str) -> None:
    """Whatever takes a turn's copies away takes the title and name of their conversation too."""
    chat = await start_chat(["Yes."])
    command = prompt(WORDS, "s", ADA)
    turn_id = (await chat.bus.execute(command)).unwrap().turn_id
    await chat.outcome(turn_id)
    (await chat.bus.execute(RenameSessionCommand(session_id="s", title=WORDS))).unwrap()
    branch = BranchSessionCommand(session_id="s", new_session_id="b", session_name=WORDS)
    (await chat.bus.execute(branch)).unwrap()
    assert (await chat.store.sessions.get("b")).title == WORDS

    if how == "undo":
        await chat.bus.execute(ForgetTurnCommand(session_id="s", turn_id=turn_id))
    elif how == "deleted":
        deleted = DeletePromptCommand(session_id="s", turn_id=turn_id, source_id=command.source_id)
        await chat.bus.execute(deleted)
    else:
        await erase_person(chat.store, ADA.id, now())

    session = await chat.store.sessions.get("b")
    assert (session.title, session.name) == (None, "b")


async def test_a_branchs_title_goes_where_the_original_was_cleared(start_chat: StartChat) -> None:
    """A message that is deleted after its conversation was cleared takes the titles of its copies."""
    chat = await start_chat(["Yes."])
    turn_id = (await chat.say(WORDS)).turn_id
    (await chat.bus.execute(RenameSessionCommand(session_id="s", title=WORDS))).unwrap()
    (await chat.bus.execute(BranchSessionCommand(session_id="s", new_session_id="b"))).unwrap()
    await chat.store.sessions.clear("s", now())

    await chat.store.prompts.delete("s", turn_id, "any")

    assert (await chat.store.sessions.get("b")).title is None


async def test_a_denial_has_neither_name_nor_reason(start_chat: StartChat, tmp_path: Path) -> None:
    """What the model was told of it is without the person too; that it was denied stays."""
    chat = await start_chat([call("roll"), "Very well."])
    await chat.engine.register_tool(roll, requires_approval=True)
    turn_id = (await chat.admit("roll", author=GRACE)).turn_id
    waiting = await chat.told(ToolCallWaitingEvent)
    about = {"session_id": "s", "turn_id": turn_id, "call_id": waiting.call.id}
    decision = DecideToolCallCommand.model_validate({**about, "approved": False, "decided_by": ADA, "reason": REASON})
    assert (await chat.bus.execute(decision)).unwrap()
    await chat.outcome(turn_id)
    assert REASON in str(await chat.store.turns.get(turn_id))

    await erase_person(chat.store, ADA.id, now())

    left = await chat.store.turns.get(turn_id)
    assert [word for word in (REASON, ADA.name, ADA.id) if word in str(left)] == []
    [result] = [one.result for one in left.state.calls.values()]
    assert result is not None
    assert result.content.startswith("This call was denied.")
    assert result.for_people == "forgotten denied this."
    await chat.store.overwrite_deleted()
    database = b"".join(data for name, data in files(tmp_path).items() if name.startswith("test.db"))
    assert REASON.encode() not in database


async def test_a_title_comes_too_late(start_chat: StartChat) -> None:
    """One that is made while the turn is forgotten is not written, and a session that was erased stays erased."""
    chat = await start_chat(["Yes."])
    turn_id = (await chat.say(WORDS)).turn_id
    assert (await chat.bus.execute(ForgetTurnCommand(session_id="s", turn_id=turn_id))).unwrap()

    assert not await chat.store.sessions.give_title(turn_id, WORDS)
    assert (await chat.store.sessions.get("s")).title is None
    while await chat.store.purges.session("s"):
        pass
    assert not await chat.store.sessions.give_title(turn_id, WORDS)
    assert (await chat.store.sessions.page(most=5)).sessions == ()


async def test_what_is_deleted_by_its_author_is_in_no_audit_log(start_chat: StartChat) -> None:
    """A deleted message and a forgotten answer are nobody's use of a command."""
    chat = await start_chat(["Yes."])
    command = prompt(WORDS, "s", ADA)
    turn_id = (await chat.bus.execute(command)).unwrap().turn_id
    await chat.outcome(turn_id)

    await chat.bus.execute(DeletePromptCommand(session_id="s", turn_id=turn_id, source_id=command.source_id))

    assert await chat.store.audit.newest(None, 10) == []


@pytest.mark.parametrize("asked", [True, False])
async def test_a_dm_loses_its_settings_and_name(tmp_path: Path, *, asked: bool) -> None:
    """What a person set in their DM is erased, also where they said nothing; other places keep theirs."""
    here = AuditOrigin(by=ADA, place="front:dm", listed_under=listed_under("front:dm", ()))
    there = AuditOrigin(by=ADA, place="front:channel", listed_under="front:server:7")
    async with running(tmp_path) as app:
        if asked:
            dm: dict[str, Any] = {
                "place": "dm",
                "guild": None,
                "session_name": f"DM with {ADA.name}",
                "scopes": ("front:dm",),
            }
            await ask(app.bus, said_in_front("hello", 1, session="front:dm", **dm))
        for origin in (here, there):
            command = ChangeSettingCommand(
                scope=origin.place, name="system_prompt", value=WORDS, changed_by=ADA, audit=origin
            )
            (await app.bus.execute(command)).unwrap()

        await forget(app)

        left = await app.store.settings.of(["front:dm", "front:channel"])
        assert [(one.scope, one.value) for one in left] == [("front:channel", WORDS)]
        names = [one.name for one in (await app.store.sessions.page(most=9)).sessions]
        assert names == (["front:dm"] if asked else [])


async def test_asked_for_many_times_it_is_done_at_most_twice(tmp_path: Path) -> None:
    """Who asks while it is under way gets the same answer; what they said meanwhile is forgotten too."""
    async with running(tmp_path) as app:
        await ask(app.bus, said_in_front(WORDS, 1))
        looked: list[str] = []

        @contextlib.asynccontextmanager
        async def note(operation: Operation) -> AsyncIterator[None]:
            yield
            looked.append(operation.name)

        app.store.observe(note)
        found = await asyncio.gather(*(forget(app) for _ in range(20)))

        assert {one.turns for one in found} == {1}
        assert looked.count("people.erase_elsewhere") <= 2
        assert not await app.store.people.unfinished()


async def test_a_denial_in_the_log_has_no_reason(tmp_path: Path) -> None:
    """Neither the line of the decision nor that of the result has it, whose line does not have the person's id."""
    provider = ScriptedProvider([call("roll"), "Very well."])
    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/test.db", log_dir=tmp_path / "logs")
    async with ApplicationBootstrap(ApplicationConfig(settings=settings), provider=provider) as app:
        await app.engine.register_tool(roll, requires_approval=True)
        waits: asyncio.Queue[ToolCallWaitingEvent] = asyncio.Queue()
        app.bus.register_event_handler(ToolCallWaitingEvent, waits.put_nowait)
        asked = asyncio.create_task(ask(app.bus, said_in_front("roll", 1, GRACE)))
        waiting = await waits.get()
        about = {"session_id": waiting.session_id, "turn_id": waiting.turn_id, "call_id": waiting.call.id}
        decision = {**about, "approved": False, "decided_by": ADA, "reason": REASON}
        (await app.bus.execute(DecideToolCallCommand.model_validate(decision))).unwrap()
        await asked
        app.bus.flush_log()
        log = tmp_path / "logs" / "events.jsonl"
        assert log.read_text().count(REASON) > 1

        await forget(app)

        assert [word for word in (REASON, ADA.name, ADA.id) if word in log.read_text()] == []
