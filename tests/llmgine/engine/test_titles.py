"""Titles: one small call after the first answer, that no turn waits for or fails by."""

import asyncio

import pytest

from llmgine.engine.titles import clean_title
from llmgine.errors import ProviderUnavailableError
from llmgine.messages.commands import RenameSessionCommand
from llmgine.messages.events import SessionRenamedEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.engine.chat import Held, OnText
from tests.llmgine.engine.conftest import StartChat


class Fails:
    """A reply that does not come."""

    def __init__(self, error: Exception) -> None:
        self.reached = asyncio.Event()
        self._error = error

    async def __call__(self, request: ChatRequest, on_text: OnText) -> ChatReply:
        self.reached.set()
        raise self._error


async def test_the_first_answer_gives_a_title(start_chat: StartChat) -> None:
    """The model is shown the question and the answer, no tools, and asked once."""
    provider = ScriptedProvider(["Paris.", '**"The capital of France"**\nas asked', "Berlin."])
    chat = await start_chat(provider, titles=True)
    await chat.say("What is the capital of France?")
    renamed = await chat.told(SessionRenamedEvent)
    await chat.say("And of Germany?")

    assert renamed.title == "The capital of France"
    assert provider.requests[1].tools == ()
    assert "What is the capital of France?" in provider.requests[1].messages[1].content
    assert len(provider.requests) == 3


async def test_a_title_of_a_person_stays(start_chat: StartChat) -> None:
    """Who named the conversation before has named it."""
    provider = ScriptedProvider(["Hello.", "Hello again."])
    chat = await start_chat(provider, titles=True)
    (await chat.bus.execute(RenameSessionCommand(session_id="s", title=" Mine \n" + "x" * 100))).unwrap()
    await chat.say("hi")
    await chat.say("hi again")
    title = (await chat.store.session("s")).title

    assert title is not None
    assert title.startswith("Mine xxx")
    assert len(title) == 80
    assert len(provider.requests) == 2


async def test_a_title_that_fails_is_tried_after_the_next_turn(start_chat: StartChat) -> None:
    """No turn fails by it, and the model is not asked for it again and again."""
    failed = Fails(ProviderUnavailableError("gone"))
    provider = ScriptedProvider(["One.", failed, "Two.", "A title"])
    chat = await start_chat(provider, titles=True)
    first = await chat.say("one")
    await failed.reached.wait()
    second = await chat.say("two")
    renamed = await chat.told(SessionRenamedEvent)

    assert [first.state, second.state, renamed.title] == ["done", "done", "A title"]


async def test_a_turn_does_not_wait_for_a_title(start_chat: StartChat) -> None:
    """While the title is being made, the only call that may run beside others is free for the next turn."""
    title = Held("A title")
    provider = ScriptedProvider(["One.", title, "Two."])
    chat = await start_chat(provider, titles=True, calls_at_once=1)
    await chat.say("one")
    await title.reached.wait()

    second = await chat.say("two")

    title.open.set()
    await chat.told(SessionRenamedEvent)

    assert second.text == "Two."


async def test_a_title_on_its_way_does_not_keep_the_program(start_chat: StartChat) -> None:
    """At the end it is given up."""
    title = Held("A title")
    chat = await start_chat(ScriptedProvider(["One.", title]), titles=True)
    await chat.say("one")
    await title.reached.wait()

    await chat.close()

    assert chat.of(SessionRenamedEvent) == []


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Title: Two plus two", "Two plus two"),
        ("\n\n## “Der Mond” \n", "Der Mond"),
        ("", ""),
        ("***", ""),
        ("x" * 500, "x" * 59 + "…"),
    ],
)
def test_titles_are_made_fit(said: str, title: str) -> None:
    """Marks, further lines and length are taken off; nothing is no title."""
    assert clean_title(said) == title


async def test_an_empty_title_is_none(start_chat: StartChat) -> None:
    """A model that answers with nothing leaves the conversation without a title."""
    nothing = Held("")
    nothing.open.set()
    provider = ScriptedProvider(["One.", nothing, "Two.", "Good"])
    chat = await start_chat(provider, titles=True)
    await chat.say("one")
    await nothing.reached.wait()
    await chat.say("two")
    assert (await chat.told(SessionRenamedEvent)).title == "Good"
