"""What people say to a tool call that asks: why not, always, and to which call exactly."""

import pytest

from llmgine.errors import UserError
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Author, ClearSessionCommand, DecideToolCallCommand
from llmgine.messages.events import ToolCallDecidedEvent, ToolCallWaitingEvent
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedReply
from llmgine.sessions.database import Operation
from tests.llmgine.engine.chat import ADA, Chat, call
from tests.llmgine.engine.conftest import StartChat

EVE = Author(id="2", name="Eve")


async def pay(amount: int = 1) -> str:
    """Pay.

    Args:
        amount: How much.
    """
    return f"paid {amount}"


def payments(times: int) -> list[ScriptedReply]:
    """A model that calls the tool in each turn, and is done."""
    return [reply for _ in range(times) for reply in (call("pay"), ChatReply(text="done", model="m"))]


async def decide(chat: Chat, waiting: ToolCallWaitingEvent, **decision: object) -> bool:
    """Decide a call; whether it counted."""
    about = {"session_id": waiting.session_id, "turn_id": waiting.turn_id, "call_id": waiting.call.id}
    command = DecideToolCallCommand.model_validate({"approved": True, "decided_by": ADA, **about, **decision})
    counted: bool = (await chat.bus.execute(command)).unwrap()
    return counted


async def test_a_reason_is_told_to_the_model(start_chat: StartChat) -> None:
    """Who denies a call may say why, and the model reads it."""
    chat = await start_chat(payments(1))
    await chat.engine.register_tool(pay, requires_approval=True)
    turn_id = (await chat.admit()).turn_id

    await decide(chat, await chat.told(ToolCallWaitingEvent), approved=False, reason="Too much\0 money")

    await chat.outcome(turn_id)
    [(ok, told)] = chat.results()
    assert not ok
    assert "Ada denied this call. The reason given: Too much money" in told
    assert chat.of(ToolCallDecidedEvent)[0].reason == "Too much money"


async def test_always_holds_for_the_asker_in_the_session(start_chat: StartChat) -> None:
    """Later calls that the same person causes there run at once; other people's and other sessions' ask."""
    chat = await start_chat(payments(4))
    await chat.engine.register_tool(pay, requires_approval=True, allows_always=True)
    turn_id = (await chat.admit(author=ADA)).turn_id
    waiting = await chat.told(ToolCallWaitingEvent)
    assert waiting.allows_always
    await decide(chat, waiting, always=True)
    await chat.outcome(turn_id)

    await chat.say(author=ADA)

    assert len(chat.of(ToolCallWaitingEvent)) == 1
    turn_id = (await chat.admit(author=EVE)).turn_id
    await decide(chat, await chat.told(ToolCallWaitingEvent, times=2), approved=False)
    await chat.outcome(turn_id)
    await chat.admit(session_id="another", author=ADA)
    await chat.told(ToolCallWaitingEvent, times=3)


async def test_always_ends_with_the_conversation(start_chat: StartChat) -> None:
    """Once the session is cleared, the tool asks again."""
    chat = await start_chat(payments(2))
    await chat.engine.register_tool(pay, requires_approval=True, allows_always=True)
    turn_id = (await chat.admit(author=ADA)).turn_id
    await decide(chat, await chat.told(ToolCallWaitingEvent), always=True)
    await chat.outcome(turn_id)

    (await chat.bus.execute(ClearSessionCommand(session_id="s"))).unwrap()

    await chat.admit(author=ADA)
    await chat.told(ToolCallWaitingEvent, times=2)


async def test_a_tool_that_asks_each_time_cannot_be_approved_for_always(start_chat: StartChat) -> None:
    """The decision is refused as a whole, and the call waits on."""
    chat = await start_chat(payments(1))
    await chat.engine.register_tool(pay, requires_approval=True)
    turn_id = (await chat.admit()).turn_id
    waiting = await chat.told(ToolCallWaitingEvent)

    with pytest.raises(UserError, match="every time"):
        await decide(chat, waiting, always=True)

    assert await decide(chat, waiting)
    await chat.outcome(turn_id)


async def test_only_the_call_that_was_shown_runs(start_chat: StartChat) -> None:
    """A call that is not the one people decided on does not run, whatever was approved."""
    chat = await start_chat(payments(1))
    await chat.engine.register_tool(pay, requires_approval=True)
    turn_id = (await chat.admit()).turn_id
    waiting = await chat.told(ToolCallWaitingEvent)
    await chat.store.run(lambda: _asked_about_another(turn_id, waiting.call.fingerprint), Operation("test"))
    await chat.close()
    heir = await start_chat(["done"])
    await heir.engine.register_tool(pay, requires_approval=True)
    await heir.engine.recover(["test"])

    await decide(heir, await heir.told(ToolCallWaitingEvent))

    await heir.outcome(turn_id)
    [(ok, told)] = heir.results()
    assert not ok
    assert "not the call that was approved" in told


def _asked_about_another(turn_id: str, fingerprint: str):  # type: ignore[no-untyped-def]  # a transaction
    yield "UPDATE step SET body = replace(body, $2, 'another') WHERE turn_id = $1", (turn_id, fingerprint)


async def test_nobody_is_asked_about_what_is_unclear(start_chat: StartChat) -> None:
    """The call does not run, the model is told why, and the same text in a tool that asks nobody is no matter."""
    chat = await start_chat([call("send_text", "post", arguments='{"text": "xn--strae-oqa.de"}'), "done"])
    await chat.engine.register_tool(send_text, requires_approval=True)
    await chat.engine.register_tool(send_text, name="post")

    await chat.say()

    assert chat.of(ToolCallWaitingEvent) == []
    assert sorted(chat.results()) == [
        (False, "This did not run: programs decode a text in its arguments differently. Write it in plain letters."),
        (True, "sent xn--strae-oqa.de"),
    ]


async def send_text(text: str) -> str:
    """Send.

    Args:
        text: What.
    """
    return f"sent {text}"


def test_a_fingerprint_is_of_what_is_meant() -> None:
    """Order and white space make no other call; other values, other tools and broken JSON do."""

    def fingerprint(arguments: str, name: str = "pay") -> str:
        return ToolCall(name=name, arguments=arguments).fingerprint

    assert fingerprint('{"a": 1, "b": 2}') == fingerprint('{"b":2,"a":1}')
    others = ['{"a": 1, "b": 3}', '{"a": 1, "b": "2"}', '{"a": 1, "b": 2', "null", "", "[" * 50_000]
    different = [fingerprint(arguments) for arguments in others] + [fingerprint('{"a": 1, "b": 2}', "send")]
    assert len({*different, fingerprint('{"a": 1, "b": 2}')}) == len(others) + 2
