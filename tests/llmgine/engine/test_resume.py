"""What a process leaves unfinished is finished by the next one: once, and without a second effect."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NoReturn, Unpack

import pytest

from llmgine.errors import StoreError
from llmgine.messages.commands import StopTurnCommand
from llmgine.messages.events import ToolCallWaitingEvent, TurnFinishedEvent, TurnStartedEvent
from llmgine.messages.steps import StartedStep, Turn
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.database import Operation
from llmgine.tools.declared import ToolOptions
from tests.llmgine.engine.chat import Chat, Held, call, echo
from tests.llmgine.engine.conftest import StartChat
from tests.processes import ending


class Mail:
    """A tool with an effect, which can be held in the middle of it."""

    def __init__(self, *, held: bool = False) -> None:
        self.sent = 0
        self.began = asyncio.Event()
        self._held = held

    async def send(self) -> str:
        """Send a mail."""
        self.sent += 1
        self.began.set()
        if self._held:
            await asyncio.Event().wait()
        return "sent"


async def crash_in_tool(start_chat: StartChat, *, idempotent: bool = False) -> str:
    """A process ends in the middle of a tool call; the id of its turn."""
    mail = Mail(held=True)
    chat = await start_chat([call("send")])
    await chat.engine.register_tool(mail.send, idempotent=idempotent)
    admitted = await chat.admit()
    await mail.began.wait()
    await chat.close()
    assert not chat.of(TurnFinishedEvent)
    return admitted.turn_id


async def recovered(
    start_chat: StartChat, provider: ScriptedProvider, mail: Mail, **options: Unpack[ToolOptions]
) -> Chat:
    heir = await start_chat(provider)
    await heir.engine.register_tool(mail.send, **options)
    assert await heir.engine.recover(["test"]) == 1
    return heir


async def test_what_a_process_left_comes_before_what_waited_for_it(start_chat: StartChat) -> None:
    """A question waits for one that another process runs; when that process ends, both are answered here, in order."""
    mail = Mail(held=True)
    first = await start_chat([call("send")])
    await first.engine.register_tool(mail.send)
    left = await first.admit()
    await mail.began.wait()
    heir = await start_chat(ScriptedProvider(["one", "two"]))
    await heir.engine.register_tool(mail.send)
    assert await heir.engine.recover(["test"]) == 0
    waiting = await heir.admit()

    await first.close()
    await heir.outcome(waiting.turn_id)

    assert [event.turn_id for event in heir.of(TurnFinishedEvent)] == [left.turn_id, waiting.turn_id]


async def test_a_tool_in_doubt_is_not_run_again(start_chat: StartChat) -> None:
    """Its outcome is said to be unknown, to the model and to people, and the turn ends."""
    turn_id = await crash_in_tool(start_chat)
    mail, provider = Mail(), ScriptedProvider(["I am not sure it was sent."])

    heir = await recovered(start_chat, provider, mail)
    outcome = await heir.outcome(turn_id)

    assert (outcome.state, outcome.text, mail.sent) == ("done", "I am not sure it was sent.", 0)
    ((ok, content),) = heir.results()
    assert not ok
    assert "unknown" in content
    assert "unknown" in provider.requests[0].messages[-1].content
    assert heir.of(TurnStartedEvent)[0].resumed


async def test_an_idempotent_tool_in_doubt_is_run_again(start_chat: StartChat) -> None:
    """Declared harmless to repeat, it gives its result after all."""
    turn_id = await crash_in_tool(start_chat, idempotent=True)
    mail = Mail()

    heir = await recovered(start_chat, ScriptedProvider(["done"]), mail, idempotent=True)

    assert (await heir.outcome(turn_id)).state == "done"
    assert (mail.sent, heir.results()) == (1, [(True, "sent")])


async def test_a_tool_that_never_began_is_run(start_chat: StartChat) -> None:
    """A process ends between the reply and the call: the reply is not asked for again, the tool runs once."""
    mail, between = Mail(), asyncio.Event()
    chat = await start_chat([call("send")])
    await chat.engine.register_tool(mail.send)

    @contextlib.asynccontextmanager
    async def stop_before_start(operation: Operation) -> AsyncIterator[None]:
        if any(isinstance(one, StartedStep) for one in operation.about):
            between.set()
            await asyncio.Event().wait()
        yield

    chat.store.observe(stop_before_start)
    admitted = await chat.admit()
    await between.wait()
    await chat.close()

    provider = ScriptedProvider(["done"])
    heir = await recovered(start_chat, provider, mail)
    outcome = await heir.outcome(admitted.turn_id)

    assert (outcome.text, mail.sent, len(provider.requests)) == ("done", 1, 1)


async def test_a_result_is_used_again(start_chat: StartChat) -> None:
    """A process ends after the tool, while the model answers: the tool is not run again."""
    mail, held = Mail(), Held(partial="It is se")
    chat = await start_chat([call("send"), held])
    await chat.engine.register_tool(mail.send)
    admitted = await chat.admit()
    await held.reached.wait()
    await chat.close()

    provider = ScriptedProvider(["It is sent."])
    heir = await recovered(start_chat, provider, mail)

    assert (await heir.outcome(admitted.turn_id)).text == "It is sent."
    assert mail.sent == 1
    assert provider.requests[0].messages[-1].content == "sent"


async def test_a_waiting_call_waits_on(start_chat: StartChat) -> None:
    """Asked again with the deadline it had; approved, it runs once."""
    mail = Mail()
    chat = await start_chat([call("send")])
    await chat.engine.register_tool(mail.send, requires_approval=True)
    admitted = await chat.admit()
    before = await chat.told(ToolCallWaitingEvent)
    await chat.close()

    heir = await recovered(start_chat, ScriptedProvider(["done"]), mail, requires_approval=True)
    waiting = await heir.told(ToolCallWaitingEvent)
    assert waiting.deadline == before.deadline
    assert mail.sent == 0
    await heir.decide(waiting, approved=True)

    assert (await heir.outcome(admitted.turn_id)).state == "done"
    assert mail.sent == 1


async def test_a_decision_made_meanwhile_holds(start_chat: StartChat) -> None:
    """Approved while its process was down, the call runs at the next start without asking again."""
    mail = Mail()
    chat = await start_chat([call("send")])
    await chat.engine.register_tool(mail.send, requires_approval=True)
    admitted = await chat.admit()
    waiting = await chat.told(ToolCallWaitingEvent)
    await chat.close()
    bystander = await start_chat([])
    assert await bystander.decide(waiting, approved=True)

    heir = await recovered(start_chat, ScriptedProvider(["done"]), mail, requires_approval=True)

    assert (await heir.outcome(admitted.turn_id)).state == "done"
    assert (mail.sent, heir.of(ToolCallWaitingEvent)) == (1, [])


async def test_a_queue_is_taken_up_in_order(start_chat: StartChat) -> None:
    """The running turn and those behind it: each has one outcome, in the order of admission."""
    held = Held()
    chat = await start_chat([held])
    admitted = [await chat.admit(str(number)) for number in range(5)]
    await held.reached.wait()
    await chat.close()

    heir = await start_chat(echo())
    assert await heir.engine.recover(["test"]) == 5
    await heir.told(TurnFinishedEvent, times=5)

    told = [(event.turn_id, event.text) for event in heir.of(TurnFinishedEvent)]
    assert told == [(place.turn_id, f"You said {number}") for number, place in enumerate(admitted)]
    assert await heir.engine.recover(["test"]) == 0


async def test_a_stop_requested_meanwhile_holds(start_chat: StartChat) -> None:
    """Stopped while its process was down, the turn ends as stopped without a model call."""
    held = Held()
    chat = await start_chat([held])
    admitted = await chat.admit()
    await held.reached.wait()
    await chat.close()
    bystander = await start_chat([])
    await bystander.bus.execute(StopTurnCommand(session_id="s"))

    provider = ScriptedProvider([])
    heir = await start_chat(provider)
    await heir.engine.recover(["test"])

    assert (await heir.outcome(admitted.turn_id)).state == "stopped"
    assert not provider.requests


async def test_resumes_are_bounded(start_chat: StartChat) -> None:
    """A turn that takes its process down each time ends with a notice after three more tries."""
    held = Held()
    chat = await start_chat([held])
    admitted = await chat.admit()
    await held.reached.wait()
    await chat.close()
    for _ in range(3):
        held = Held()
        chat = await start_chat([held])
        await chat.engine.recover(["test"])
        await held.reached.wait()
        await chat.close()

    provider = ScriptedProvider(["next"])
    heir = await start_chat(provider)
    await heir.engine.recover(["test"])
    outcome = await heir.outcome(admitted.turn_id)

    assert (outcome.state, outcome.notice) == (
        "failed",
        "The program stopped 3 times while answering this. Ask again.",
    )
    assert not provider.requests
    assert (await heir.say()).text == "next"


async def test_the_turns_of_a_living_process_are_left_alone(start_chat: StartChat) -> None:
    """Recovery beside a process that runs takes nothing; both answer in the session, in order."""
    held = Held()
    one, other = await start_chat([held]), await start_chat(["second"])
    first = await one.admit("1")
    await held.reached.wait()

    assert await other.engine.recover(["test"]) == 0
    second = await other.admit("2")
    assert second.place == 1
    assert not other.of(TurnStartedEvent)
    held.open.set()

    assert (await one.outcome(first.turn_id)).text == "the end"
    assert (await other.outcome(second.turn_id)).text == "second"
    assert not one.of(TurnFinishedEvent, second.turn_id)
    history = await one.store.turns.history("s")
    assert [past.turn.id for past in history] == [first.turn_id, second.turn_id]


async def test_a_dead_process_holds_up_nobody(start_chat: StartChat, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt that waits for another process's turn is answered when that one dies, whose turn is left to its heir."""
    monkeypatch.setattr("llmgine.engine.session_runners._LOOK_AGAIN", 0.05)
    held = Held()
    one, other = await start_chat([held]), await start_chat(["second"])
    first = await one.admit("1")
    await held.reached.wait()
    second = await other.admit("2")

    await one.close()

    assert (await other.outcome(second.turn_id)).text == "second"
    assert [turn.id for turn in await other.store.turns.unfinished("s")] == [first.turn_id]


async def test_a_turn_is_resumed_though_nobody_heard_that_it_was_taken_over(
    start_chat: StartChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store fails after a dead process's turn became ours, it is resumed, not run as if it were new."""
    monkeypatch.setattr("llmgine.engine.session_runners._LOOK_AGAIN", 0.05)
    held = Held()
    one, other = await start_chat([held]), await start_chat(["first", "second"])
    first = await one.admit("1")
    await held.reached.wait()
    await other.engine.recover(["test"])
    take_over = other.store.turns.take_over

    async def take_over_and_fail(turns: Sequence[Turn]) -> NoReturn:
        monkeypatch.setattr(other.store.turns, "take_over", take_over)
        await take_over(turns)
        raise StoreError("nobody knows whether it was committed")

    monkeypatch.setattr(other.store.turns, "take_over", take_over_and_fail)
    second = await other.admit("2")

    await one.close()

    await other.outcome(second.turn_id)
    assert [(event.turn_id, event.resumed) for event in other.of(TurnStartedEvent)] == [
        (first.turn_id, True),
        (second.turn_id, False),
    ]


CHAT_AND_HANG = """
import asyncio, sys
from pathlib import Path
from typing import Unpack
from llmgine.providers.scripted import ScriptedProvider
from tests.processes import ending
from tests.llmgine.engine.chat import Chat, call

async def main():
    chat = await Chat.start(Path(sys.argv[1]), ScriptedProvider([call("send")]))

    async def send():
        "Send a mail."
        print((await chat.store.turns.unfinished("s"))[0].id, flush=True)
        await asyncio.Event().wait()

    await chat.engine.register_tool(send)
    await chat.admit()
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_process_leaves_one_outcome(start_chat: StartChat, tmp_path: Path) -> None:
    """SIGKILL in the middle of a tool: nothing lost, nothing twice."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHAT_AND_HANG, str(tmp_path / "test.db")),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    async with ending(process):
        turn_id = (await process.stdout.readline()).decode().strip()
        mail, provider = Mail(), ScriptedProvider(["unsure"])
        early = await start_chat([])
        assert await early.engine.recover(["test"]) == 0

    heir = await recovered(start_chat, provider, mail)

    assert (await heir.outcome(turn_id)).text == "unsure"
    assert mail.sent == 0
    assert await early.engine.recover(["test"]) == 0
