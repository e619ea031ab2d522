"""Asking the model again: one policy, visible to people, only where it may help."""

import pytest

from llmgine.errors import (
    EmptyReplyError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    ProviderReplyError,
    ProviderStartingError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    ReplyCutOffError,
)
from llmgine.messages.commands import StopTurnCommand
from llmgine.messages.events import LLMResponseEvent, ModelRetryEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.openai import OpenAIProvider
from llmgine.providers.scripted import ScriptedProvider
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.engine.chat import Held, OnText, roll
from tests.llmgine.engine.conftest import StartChat


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnavailableError("down"),
        ProviderReplyError("HTML"),
        ProviderBusyError("slow"),
        ProviderBusyError("slow", retry_after=0),
    ],
)
async def test_what_may_pass_is_tried_again(start_chat: StartChat, error: ProviderError) -> None:
    """Each further try is announced with its reason, and the answer comes."""
    chat = await start_chat([error, error, "at last"])

    outcome = await chat.say()

    assert (outcome.state, outcome.text) == ("done", "at last")
    retries = chat.of(ModelRetryEvent)
    assert [(retry.next_try, retry.tries, retry.reason) for retry in retries] == [
        (2, 4, str(error)),
        (3, 4, str(error)),
    ]
    assert len(chat.of(LLMResponseEvent)) == 1


async def test_tries_are_bounded(start_chat: StartChat) -> None:
    """After the last try the turn fails with the reason; the next prompt is answered."""
    provider = ScriptedProvider([*[ProviderUnavailableError("The model is down.")] * 4, "up again"])
    chat = await start_chat(provider)

    outcome, following = await chat.say(), await chat.say()

    assert (outcome.state, outcome.notice) == ("failed", "The model is down.")
    assert len(chat.of(ModelRetryEvent, outcome.turn_id)) == 3
    assert following.text == "up again"


async def test_a_long_wait_is_not_waited_for(start_chat: StartChat) -> None:
    """A service that asks for more than the limit is not asked again."""
    chat = await start_chat([ProviderBusyError("Try in an hour.", retry_after=61)], longest_wait=60)

    outcome = await chat.say()

    assert (outcome.state, outcome.notice) == ("failed", "Try in an hour.")
    assert not chat.of(ModelRetryEvent)


async def test_what_will_not_pass_is_not_tried_again(start_chat: StartChat) -> None:
    """A wrong key stays wrong."""
    chat = await start_chat([ProviderRefusedError("Check OPENAI_API_KEY.")])

    outcome = await chat.say()

    assert (outcome.state, outcome.notice) == ("failed", "Check OPENAI_API_KEY.")
    assert not chat.of(ModelRetryEvent)


async def test_a_reply_that_is_cut_off_keeps_its_text(start_chat: StartChat) -> None:
    """People have seen it: it is not asked for again, and the next turn is told of it."""
    provider = ScriptedProvider([ReplyCutOffError("The reply broke off.", partial="Once upon"), "a time"])
    chat = await start_chat(provider)

    outcome, following = await chat.say("tell"), await chat.say("go on")

    assert (outcome.state, outcome.text, outcome.notice) == ("failed", "Once upon", "The reply broke off.")
    assert following.text == "a time"
    assert [m.content for m in provider.requests[1].messages[1:]] == ["tell", "Once upon", "go on"]


@pytest.mark.parametrize(("finish", "told"), [("length", "limit"), ("filtered", "withheld")])
async def test_a_reply_that_is_not_whole_says_so(start_chat: StartChat, finish: str, told: str) -> None:
    """The answer stands, with a notice."""
    reply = ChatReply.model_validate({"text": "Once", "finish": finish, "model": "m"})
    chat = await start_chat([reply])

    outcome = await chat.say()

    assert (outcome.state, outcome.text) == ("done", "Once")
    assert told in (outcome.notice or "")


async def test_a_new_try_begins_its_text_anew(start_chat: StartChat) -> None:
    """What a failed try streamed is not part of the next one's text."""

    async def fail(request: ChatRequest, on_text: OnText) -> ChatReply:
        on_text("Hel")
        raise ProviderUnavailableError("gone")

    held = Held(partial="Hello")
    chat = await start_chat([fail, held])
    admitted = await chat.admit()
    await held.reached.wait()

    await chat.bus.execute(StopTurnCommand(session_id="s"))

    assert (await chat.outcome(admitted.turn_id)).text == "Hello"


async def test_a_real_service_that_stumbles(start_chat: StartChat) -> None:
    """Over HTTP: slowed down, then HTML, then an answer with a tool call in it."""
    async with ChatCompletionsServer() as server:
        server.fail(429, {"error": {"message": "slow down"}}, {"Retry-After": "0"})
        server.html()
        server.reply(tool_calls=[("roll", "{}")])
        server.reply("You rolled a 4.", usage=(30, 6))
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider)
        await chat.engine.register_tool(roll)

        outcome = await chat.say("roll")
        await chat.close()
        await provider.aclose()

    assert (outcome.state, outcome.text, outcome.usage.input_tokens) == ("done", "You rolled a 4.", 10 + 30)
    assert len(chat.of(ModelRetryEvent)) == 2
    assert [message["role"] for message in server.requests[-1]["messages"]] == ["system", "user", "assistant", "tool"]


@pytest.mark.parametrize("error", [ProviderTimeoutError("silent"), EmptyReplyError("nothing but thinking")])
async def test_what_costs_as_much_each_time_is_tried_once_more(start_chat: StartChat, error: ProviderError) -> None:
    """A time-out and an empty reply are paid for; people are told of two tries, not of four."""
    provider = ScriptedProvider([error, error, "next"])
    chat = await start_chat(provider)

    outcome = await chat.say()

    assert (outcome.state, outcome.notice) == ("failed", str(error))
    assert [(one.next_try, one.tries) for one in chat.of(ModelRetryEvent)] == [(2, 2)]
    assert len(provider.requests) == 2


@pytest.mark.parametrize("answer", ["time-out", "empty", "invisible", "thinking", "reasoning"])
async def test_a_real_service_is_asked_once_more(start_chat: StartChat, answer: str) -> None:
    """Over HTTP, each form of it; the second answer counts."""
    async with ChatCompletionsServer() as server:
        if answer == "time-out":
            server.fail(504, "<html>Gateway Time-out</html>")
        elif answer == "reasoning":
            server.chunks([{"choices": [{"delta": {"reasoning_content": "Hm."}, "finish_reason": "stop"}]}])
        else:
            server.reply({"empty": "", "invisible": "\u200b\u2060", "thinking": "<think>Hm.</think>"}[answer])
        server.reply("Here.")
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider)

        outcome = await chat.say()
        await chat.close()
        await provider.aclose()

    assert (outcome.state, outcome.text) == ("done", "Here.")
    assert [one.tries for one in chat.of(ModelRetryEvent)] == [2]


@pytest.mark.parametrize(
    "error",
    [
        ProviderBusyError("in an hour", retry_after=3600),
        ProviderUnavailableError("in an hour", retry_after=3600),
        ProviderStartingError("in an hour", retry_after=61),
        ProviderTimeoutError("in an hour", retry_after=3600),
    ],
)
async def test_nobody_waits_more_than_a_minute(start_chat: StartChat, error: ProviderError) -> None:
    """Whatever the trouble is: the turn ends at once and says when to ask again."""
    chat = await start_chat([error])

    outcome = await chat.say()

    assert (outcome.state, outcome.notice) == ("failed", "in an hour")
    assert not chat.of(ModelRetryEvent)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Retry-After": "3600"}, {}),
        ({"retry-after-ms": "3600000"}, {}),
        ({}, {"message": "Quota exceeded. Please retry in 1h0m0s."}),
        ({}, {"message": "slow", "details": [{"retryDelay": "3600s"}]}),
    ],
)
async def test_a_long_wait_is_said_in_words(start_chat: StartChat, headers: dict[str, str], body: object) -> None:
    """People read "in about an hour", however the service says it."""
    async with ChatCompletionsServer() as server:
        server.fail(429, {"error": body}, headers)
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider)

        outcome = await chat.say()
        await chat.close()
        await provider.aclose()

    assert outcome.state == "failed"
    assert "in about an hour" in (outcome.notice or "")
    assert len(server.requests) == 1


async def test_a_short_wait_is_as_long_as_the_service_says(start_chat: StartChat) -> None:
    """It is told before, and the answer comes after it."""
    async with ChatCompletionsServer() as server:
        server.fail(429, {"error": {"message": "slow down"}}, {"retry-after-ms": "30"})
        server.reply("Here.")
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider)

        outcome = await chat.say()
        await chat.close()
        await provider.aclose()

    assert outcome.text == "Here."
    assert [one.wait_seconds for one in chat.of(ModelRetryEvent)] == [0.03]


@pytest.mark.parametrize(
    "error", [ProviderBusyError("in half a minute", retry_after=30), ProviderStartingError("Nothing listens there.")]
)
async def test_stop_ends_the_waiting(start_chat: StartChat, error: ProviderError) -> None:
    """At once, as stopped; the next prompt is answered."""

    async def fail_then_answer(request: ChatRequest, on_text: OnText) -> ChatReply:
        if request.messages[-1].content == "first":
            raise error
        return ChatReply(text="Here.", model="scripted")

    chat = await start_chat(fail_then_answer)
    admitted = await chat.admit("first")
    await chat.told(ModelRetryEvent)

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))

    assert (await chat.outcome(admitted.turn_id)).state == "stopped"
    assert (await chat.say("second")).text == "Here."


@pytest.mark.parametrize("inside", [False, True])
async def test_a_call_that_the_service_could_not_read_is_asked_for_again(
    start_chat: StartChat, *, inside: bool
) -> None:
    """As an error or as an event of a stream: mostly the model writes it well the next time."""
    error = {"message": "Failed to call a function.", "code": "tool_use_failed", "failed_generation": "<function=x>"}
    async with ChatCompletionsServer() as server:
        if inside:
            server.chunks([{"error": {**error, "status_code": 400}}])
        else:
            server.fail(400, {"error": error})
        server.reply("Here.")
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider)
        await chat.engine.register_tool(roll)

        outcome = await chat.say()
        await chat.close()
        await provider.aclose()

    assert (outcome.state, outcome.text) == ("done", "Here.")
    assert ["tools" in body for body in server.requests] == [True, True]
