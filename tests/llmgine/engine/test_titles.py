"""Titles: one small call after the first answer, that no turn waits for or fails by."""

import asyncio

import pytest

from llmgine.engine.titles import clean_title
from llmgine.errors import ProviderUnavailableError
from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import RenameSessionCommand
from llmgine.messages.events import SessionRenamedEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.openai import OpenAIProvider
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.clock import now
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.engine.chat import Chat, Held, OnText
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
    title = (await chat.store.sessions.get("s")).title

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


async def settled(chat: Chat) -> None:
    """All that was asked of the store before is done; it works in order."""
    for _ in range(10):
        await chat.store.sessions.get("s")


async def test_a_title_waits_while_turns_need_the_model(start_chat: StartChat) -> None:
    """With one call at a time, the turns of other sessions come first, those that run and those that wait."""
    first, second, third = Held("One."), Held("Two."), Held("Three.")
    provider = ScriptedProvider([first, second, third, "A title"])
    chat = await start_chat(provider, titles=True, calls_at_once=1)
    admitted = [await chat.admit(session_id=session_id) for session_id in ("s", "t", "u")]
    # Named by people, so that one title is asked for.
    for session_id in ("t", "u"):
        (await chat.bus.execute(RenameSessionCommand(session_id=session_id, title="Mine"))).unwrap()

    first.open.set()
    await chat.outcome(admitted[0].turn_id)
    await second.reached.wait()
    await settled(chat)
    while_second_runs = len(provider.requests)
    second.open.set()
    await third.reached.wait()
    await settled(chat)
    while_third_runs = len(provider.requests)
    third.open.set()
    renamed = await chat.told(SessionRenamedEvent, times=3)

    assert (while_second_runs, while_third_runs) == (2, 3)
    assert (renamed.session_id, renamed.title) == ("s", "A title")
    assert [(await chat.outcome(one.turn_id)).text for one in admitted] == ["One.", "Two.", "Three."]


async def test_a_title_counts_in_the_budgets(start_chat: StartChat) -> None:
    """Its tokens are used like any other; where the day's are used up, it is not asked for."""
    title = ChatReply(text="A title", model="scripted", usage=Usage(input_tokens=30, output_tokens=10))
    answer = ChatReply(text="One.", model="scripted", usage=Usage(input_tokens=50, output_tokens=10))
    provider = ScriptedProvider([answer, title, answer.model_copy(update={"text": "Two."})])
    chat = await start_chat(provider, titles=True)
    await chat.store.settings.change("s", "daily_tokens", "100", None, now())
    await chat.say()
    await chat.told(SessionRenamedEvent)

    used_up = await chat.say()

    assert used_up.state == "failed"
    assert "100 tokens is used up" in (used_up.notice or "")
    assert [one.used for one in await chat.store.allowances.of(["s"], chat.store.today)] == [100]


async def test_no_title_is_asked_for_with_a_used_up_budget(start_chat: StartChat) -> None:
    """The answer that used it up stays the last call of the day."""
    answer = ChatReply(text="One.", model="scripted", usage=Usage(input_tokens=90, output_tokens=10))
    provider = ScriptedProvider([answer, "A title"])
    chat = await start_chat(provider, titles=True)
    await chat.store.settings.change("s", "daily_tokens", "100", None, now())
    await chat.say()
    await settled(chat)

    assert len(provider.requests) == 1
    assert chat.of(SessionRenamedEvent) == []


async def test_a_title_is_asked_for_with_little_effort(start_chat: StartChat) -> None:
    """Whatever the session's own effort is, and with a bound on the reply; by the session's model."""
    provider = ScriptedProvider(["One.", "A title"])
    chat = await start_chat(provider, titles=True)
    await chat.store.settings.change("s", "effort", "high", None, now())
    await chat.store.settings.change("s", "model", "large", None, now())
    await chat.say()
    await chat.told(SessionRenamedEvent)

    turn, title = provider.requests
    assert (turn.model, turn.effort, turn.max_output_tokens) == ("large", "high", None)
    assert (title.model, title.effort) == ("large", "low")
    assert title.max_output_tokens is not None


async def test_a_title_uses_what_turns_have_learnt(start_chat: StartChat) -> None:
    """What the service refused of the turn it is not sent again with the title."""
    async with ChatCompletionsServer() as server:
        server.fail(400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}})
        server.reply("One.")
        server.reply("A title")
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider, titles=True)
        await chat.say()
        await chat.told(SessionRenamedEvent)
        await chat.close()
        await provider.aclose()

    assert ["stream_options" in body for body in server.requests] == [True, False, False]


async def test_a_title_is_repaired_like_a_turn_and_teaches_nothing(start_chat: StartChat) -> None:
    """A refusal of what only titles send is answered in the same call, and not remembered."""
    async with ChatCompletionsServer() as server:
        server.reply("One.")
        server.fail(400, {"error": {"message": "Unrecognized request argument supplied: reasoning_effort"}})
        server.reply("A title")
        server.reply("Two.")
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider, titles=True)
        await chat.say()
        renamed = await chat.told(SessionRenamedEvent)
        learnt = chat.engine.model.lessons.all()
        await chat.close()
        await provider.aclose()

    assert renamed.title == "A title"
    assert ["reasoning_effort" in body for body in server.requests] == [False, True, False]
    assert learnt == []


async def test_an_overflow_of_a_title_teaches_no_window(start_chat: StartChat) -> None:
    """It is a side request: the conversation is not shortened because of it."""
    async with ChatCompletionsServer() as server:
        server.reply("One.")
        server.fail(400, {"error": {"message": "request (900 tokens) exceeds the available context size (512 tokens)"}})
        server.reply("Two.")
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider, titles=True)
        await chat.say("first")
        await server.until(lambda: len(server.requests) == 2 and server.active == 0)
        await settled(chat)
        learnt = chat.engine.model.lessons.all()
        second = await chat.say("second")
        await chat.close()
        await provider.aclose()

    assert learnt == []
    assert second.text == "Two."
    assert len(server.requests[2]["messages"]) == 4


async def test_thinking_is_no_title(start_chat: StartChat) -> None:
    """Nor is it part of one, in whichever form it comes."""
    async with ChatCompletionsServer() as server:
        server.reply("One.")
        server.reply("Okay, a title.\n</think>\n\nGreetings")
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider, titles=True)
        await chat.say()
        renamed = await chat.told(SessionRenamedEvent)
        await chat.close()
        await provider.aclose()

    assert renamed.title == "Greetings"
