"""A conversation that is too long for the model is shortened: in every service's words, and whatever its count."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from llmgine.errors import ContextOverflowError, ProviderError
from llmgine.messages.chat_messages import ChatMessage
from llmgine.providers.base import ChatRequest
from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.llmgine.engine.chat import Chat
from tests.llmgine.services.talk import is_answered, provider_for
from tests.services.catalogue import Api, Entry
from tests.services.refusal import Kind, Refusal
from tests.services.service import KEY, Service
from tests.services.wordings import LOOKALIKES, WORDINGS, Lookalike, Wording

WINDOW = 6_000
TURNS = 36


class Worded(Service):
    """A service that refuses what is too long in the words of any other."""

    wording = WORDINGS[0]

    def overflow(self, window: int, requested: int) -> Refusal:
        """The wording's refusal."""
        return Refusal(Kind.OVERFLOW, "overflow", self.wording.status, self.wording.body(window, requested))


class WithoutUsage(Service):
    """A service that never tells how many tokens it counted."""

    async def reply(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        """Stream the reply without the count."""
        return await super().reply(request, {**body, "stream_options": None})


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def start(
    stack: AsyncExitStack, service: Service, path: Path, *, context_tokens: int = 32_000, api: Api = "auto"
) -> Chat:
    """A chat with a service; the context window that is set is far above its window unless told otherwise."""
    await stack.enter_async_context(service)
    provider = provider_for(service, api)
    stack.push_async_callback(provider.aclose)
    chat = await Chat.start(path, provider, window=context_tokens)
    stack.push_async_callback(chat.close)
    return chat


def texts(turns: int, longest: int, seed: int = 7) -> list[str]:
    """Prompts of mixed sizes: most are short, some are pages."""
    sizes = random.Random(seed)  # noqa: S311  # a mixture that is the same each time
    words = ("the", "weather", "in", "Łódź", "is", "fine", "天気", "today", "{}", "\n")
    lengths = [sizes.choice((20, 80, 300, longest)) for _ in range(turns)]
    return ["".join(f"{sizes.choice(words)} " for _ in range(length // 5)) for length in lengths]


@pytest.mark.parametrize("kind", [Service, WithoutUsage], ids=["usage", "no usage"])
@pytest.mark.parametrize("context_tokens", [WINDOW, 32_000], ids=["as set", "more is set"])
@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.3, 1.6])
async def test_no_refusal_reaches_a_person(
    stack: AsyncExitStack, tmp_path: Path, factor: float, context_tokens: int, kind: type[Service]
) -> None:
    """However the service counts, every turn of a long conversation is answered, and few requests are sent twice."""
    service = kind(window=WINDOW, tokens_per_estimate=factor)
    chat = await start(stack, service, tmp_path / "test.db", context_tokens=context_tokens)

    outcomes = [await chat.say(text) for text in texts(TURNS, 4_000)]

    overflows = len(service.refused(Kind.OVERFLOW))
    share = overflows / len(service.requests)
    told = f"{kind.__name__}, count {factor}, {context_tokens} tokens: {overflows} of {len(service.requests)} refused"
    print(f"{told}, {share:.0%}")  # noqa: T201  # `pytest -s` shows it
    assert [(one.state, one.notice) for one in outcomes if not is_answered(one)] == []
    assert service.broken == []
    assert share <= 0.25


async def test_each_service_is_sent_less_in_its_own_way(stack: AsyncExitStack, tmp_path: Path, entry: Entry) -> None:
    """Also where it says so by an event, or by an empty answer cut by its length, every turn is answered."""
    service = entry.make(window=WINDOW)
    chat = await start(stack, service, tmp_path / "test.db", api=entry.api)

    outcomes = [await chat.say(text) for text in texts(20, 4_000)]

    assert [(one.state, one.notice) for one in outcomes if not is_answered(one)] == []
    assert service.broken == []
    assert 0 < len(service.refused(Kind.OVERFLOW)) <= 5


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: wording.service)
async def test_every_wording_ends_in_an_answer(stack: AsyncExitStack, tmp_path: Path, wording: Wording) -> None:
    """What is too long is understood in the words of each service, and answered with less."""
    service = Worded(window=WINDOW)
    service.wording = wording
    chat = await start(stack, service, tmp_path / "test.db")

    outcomes = [await chat.say(text) for text in texts(20, 4_000)]

    assert [(one.state, one.notice) for one in outcomes if not is_answered(one)] == []
    overflows = len(service.refused(Kind.OVERFLOW))
    assert overflows
    # A window that is named is learnt from the first refusal, but for the limit of a minute, which is no window.
    if wording.names_window and "minute" not in wording.service:
        assert overflows <= 2


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: wording.service)
async def test_the_window_is_read_from_the_words(wording: Wording) -> None:
    """The error has the window and nothing else that is a number; where the words name none, it has none."""
    error = await refused(wording.status, wording.body(6_144, 9_217))

    assert isinstance(error, ContextOverflowError)
    assert error.window == (6_144 if wording.names_window else None)
    assert error.requested is None or 9_217 <= error.requested <= 9_217 + 512  # some add what the answer may take
    assert error.lasting == ("minute" not in wording.service) or not wording.names_window


@pytest.mark.parametrize("lookalike", LOOKALIKES, ids=lambda lookalike: lookalike.name)
async def test_what_only_sounds_like_it_is_not_taken_for_it(lookalike: Lookalike) -> None:
    """A limit on requests, on tokens a minute, on a name or an image says nothing of the window."""
    error = await refused(lookalike.status, lookalike.body)

    assert not isinstance(error, ContextOverflowError), error


async def refused(status: int, body: object) -> ProviderError:
    """What a provider raises when a service answers with this, as often as it is asked."""

    async def in_stream(exchange: Exchange) -> web.StreamResponse:
        await exchange.data(json.dumps(body))
        return await exchange.close()

    async with ChatCompletionsServer() as server:
        for _ in range(6):
            server.answer(in_stream) if status == 200 else server.fail(status, body)
        provider = OpenAIProvider("a-model", KEY, server.base_url)
        try:
            with pytest.raises(ProviderError) as caught:
                await provider.reply(ChatRequest(messages=(ChatMessage(role="user", content="hello"),)), lambda _: None)
        finally:
            await provider.aclose()
    return caught.value


async def test_one_message_that_is_too_long_fails_and_the_next_is_answered(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    """People are told that their message is too long, and it is not in the way of the next question."""
    service = Worded(window=WINDOW)
    chat = await start(stack, service, tmp_path / "test.db")
    await chat.say("hello")

    failed = await chat.say("word " * 8_000)
    following = [await chat.say("and now?"), await chat.say("and then?")]

    assert failed.state == "failed"
    assert "too long" in (failed.notice or "")
    assert all(is_answered(one) for one in following)
    assert len(service.refused(Kind.OVERFLOW)) <= 4
