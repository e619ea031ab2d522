"""The tokens of a day: what model calls used is counted with their replies, and bounds hold before each call."""

import pytest

from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import StopTurnCommand
from llmgine.providers.base import ChatReply
from llmgine.sessions.clock import SteadyClock, now
from llmgine.sessions.costs import Today
from tests.llmgine.engine.chat import Chat, Held, call, prompt, roll
from tests.llmgine.engine.conftest import StartChat

USED_UP = "The daily limit of 100 tokens is used up. It resets at midnight UTC: ask again then."


class Day(SteadyClock):
    """A day in May."""

    def __init__(self, day: int) -> None:
        super().__init__()
        self._day = day

    def today(self) -> int:
        """The day."""
        return 20_574 + self._day


def costing(tokens: int, text: str = "fine") -> ChatReply:
    """A reply of a call that used so many tokens."""
    return ChatReply(text=text, model="scripted", usage=Usage(input_tokens=tokens - 10, output_tokens=10))


async def bound(chat: Chat, scope: str = "s", tokens: str = "100") -> None:
    """Let a scope have so many tokens a day."""
    await chat.store.settings.change(scope, "daily_tokens", tokens, None, now())


async def notices(chat: Chat, *sessions: str) -> list[str | None]:
    """What comes of a prompt in each of these sessions, one after the other."""
    return [(await chat.say(session_id=session_id)).notice for session_id in sessions]


async def test_what_is_used_up_is_said_and_costs_nothing(start_chat: StartChat) -> None:
    """The call that passes the bound still answers; the next turn ends in words that say why, without a call."""
    chat = await start_chat([costing(60), costing(60)])
    await bound(chat)

    assert await notices(chat, "s", "s", "s") == [None, None, USED_UP]


async def test_other_sessions_are_not_meant(start_chat: StartChat) -> None:
    """A bound of a session is for that session alone."""
    chat = await start_chat([costing(100), costing(100)])
    await bound(chat)

    assert await notices(chat, "s", "t", "s") == [None, None, USED_UP]


async def test_a_bound_of_a_wider_scope_is_for_all_inside(start_chat: StartChat) -> None:
    """Sessions of one server use its tokens together, and a nearer bound that is larger does not lift its bound."""
    chat = await start_chat([costing(60), costing(60)])
    await bound(chat, "server")
    await bound(chat, "t", "1000000")
    told = []
    for session_id in ("s", "t", "t"):
        command = prompt(session_id=session_id).model_copy(update={"scopes": (session_id, "server")})
        turn_id = (await chat.bus.execute(command)).unwrap().turn_id
        told.append((await chat.outcome(turn_id)).notice)

    assert told == [None, None, USED_UP]


async def test_a_bound_of_the_program_is_for_everything(start_chat: StartChat) -> None:
    """DAILY_TOKENS holds in every session, whatever is set in it."""
    chat = await start_chat([costing(100)])
    chat.store.limits = Today(day=0, tokens=100)

    assert await notices(chat, "s", "t") == [None, USED_UP]


async def test_a_turn_ends_between_its_rounds(start_chat: StartChat) -> None:
    """A turn that calls tools asks the model no further once the tokens are used up."""
    first = call("roll").model_copy(update={"usage": Usage(input_tokens=100)})
    chat = await start_chat([first])
    await chat.engine.register_tool(roll)
    await bound(chat)

    assert await notices(chat, "s") == [USED_UP]
    assert chat.results() == [(True, "4")]


async def test_each_day_begins_anew(start_chat: StartChat) -> None:
    """What was used counts until midnight, UTC."""
    chat = await start_chat([costing(100), costing(100)])
    await bound(chat)
    told = []
    for day in (1, 1, 2, 2):
        chat.store.clock = Day(day)
        told += await notices(chat, "s")

    assert told == [None, USED_UP, None, USED_UP]


async def test_a_restart_forgets_nothing(start_chat: StartChat) -> None:
    """What was used today is still used after a restart."""
    chat = await start_chat([costing(100)])
    await bound(chat)
    await notices(chat, "s")
    await chat.close()

    assert await notices(await start_chat([]), "s") == [USED_UP]


@pytest.mark.parametrize("text", ["x" * 400, "ü" * 200])
async def test_what_a_service_does_not_tell_is_estimated(start_chat: StartChat, text: str) -> None:
    """A service that tells of no tokens does not make the bound void."""
    chat = await start_chat([text])
    await bound(chat)

    assert await notices(chat, "s", "s") == [None, USED_UP]


async def test_stopping_a_call_does_not_make_it_free(start_chat: StartChat) -> None:
    """What was streamed of a reply that was stopped is counted, about as much as it was."""
    held = Held(partial="word " * 100)
    chat = await start_chat([held])
    await bound(chat)
    admitted = await chat.admit()
    await held.reached.wait()
    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    await chat.outcome(admitted.turn_id)

    assert await notices(chat, "s") == [USED_UP]


async def test_those_that_wait_for_a_call_are_bounded_too(start_chat: StartChat) -> None:
    """A turn that waited while others used the tokens up makes no call after them."""
    chat = await start_chat([costing(100)], calls_at_once=1)
    chat.store.limits = Today(day=0, tokens=100)
    turns = [await chat.admit(session_id=f"s{number}") for number in range(3)]

    found = [(await chat.outcome(turn.turn_id)).notice for turn in turns]

    assert found == [None, USED_UP, USED_UP]


@pytest.mark.parametrize("value", ["20.0", "0", "-1", "many", ""])
async def test_a_bound_that_is_none_does_not_break_turns(start_chat: StartChat, value: str) -> None:
    """Whatever was written as a setting, a turn has an outcome."""
    chat = await start_chat([costing(100), costing(100)])
    await bound(chat, tokens=value)

    assert await notices(chat, "s") == [None]
