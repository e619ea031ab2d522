"""Waiting for one answer."""

import asyncio

import pytest

from llmgine.engine import ask
from llmgine.errors import UserError
from llmgine.messages.events import (
    TurnFinishedEvent,
)
from tests.llmgine.engine.chat import echo, prompt
from tests.llmgine.engine.conftest import StartChat


async def test_ask_waits_for_the_outcome(start_chat: StartChat) -> None:
    """One call from a prompt to its outcome, whatever else is said in the session; nothing stays registered."""
    chat = await start_chat(echo())
    before = len(chat.bus._event_handlers[TurnFinishedEvent]) if TurnFinishedEvent in chat.bus._event_handlers else 0

    outcomes = await asyncio.gather(*(ask(chat.bus, prompt(text)) for text in ("a", "b", "c")))

    assert [outcome.text for outcome in outcomes] == ["You said a", "You said b", "You said c"]
    assert len(chat.bus._event_handlers[TurnFinishedEvent]) == before


async def test_ask_does_not_wait_for_what_was_answered_before(start_chat: StartChat) -> None:
    """A duplicate's outcome has been told already: it is refused instead of waited for."""
    chat = await start_chat(["one"])
    command = prompt()
    await ask(chat.bus, command)

    with pytest.raises(UserError, match="admitted before"):
        await ask(chat.bus, command)


async def test_ask_raises_what_kept_the_prompt_out(start_chat: StartChat) -> None:
    """The handler's own exception."""
    chat = await start_chat([])

    with pytest.raises(UserError, match="no text"):
        await ask(chat.bus, prompt(""))
