"""A service that is not up yet: it is looked at until it is, and not for ever."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from llmgine.engine.retries import RetryPolicy
from llmgine.errors import ProviderError, ProviderStartingError, ProviderUnavailableError
from llmgine.messages.events import ModelRetryEvent
from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.engine.conftest import StartChat


class Failing:
    """A model call that fails with these errors in turn, the last of them for ever or, with `then`, a result."""

    def __init__(self, *errors: ProviderError, then: str | None = None) -> None:
        self.calls = 0
        self.announced: list[tuple[int, int | None, float]] = []
        self._errors, self._then = errors, then

    async def __call__(self) -> str:
        self.calls += 1
        if self._then is not None and self.calls > len(self._errors):
            return self._then
        raise self._errors[min(self.calls, len(self._errors)) - 1]

    async def announce(self, _reason: object, next_try: int, tries: int | None, wait: float) -> None:
        self.announced.append((next_try, tries, wait))


@contextlib.asynccontextmanager
async def listening(server: ChatCompletionsServer, port: int) -> AsyncIterator[None]:
    """The same service at this port too."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server._handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def test_a_service_that_is_not_up_yet_is_tried_until_it_is(start_chat: StartChat) -> None:
    """However often it says that it is loading; each look is told of, without a number of tries."""
    async with ChatCompletionsServer() as server:
        for _ in range(6):
            server.fail(503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}})
        server.reply("Up.")
        provider = OpenAIProvider("gpt", api_key=None, base_url=server.base_url)
        chat = await start_chat(provider)

        outcome = await chat.say()
        await chat.close()
        await provider.aclose()

    assert (outcome.state, outcome.text) == ("done", "Up.")
    assert [(one.next_try, one.tries) for one in chat.of(ModelRetryEvent)] == [(n, None) for n in range(2, 8)]
    assert "starting" in chat.of(ModelRetryEvent)[0].reason


async def test_a_service_that_is_started_later_answers(start_chat: StartChat, unused_tcp_port: int) -> None:
    """A question asked while nothing listens is answered once something does."""
    async with ChatCompletionsServer() as server:
        server.reply("Good morning.")
        provider = OpenAIProvider("gpt", api_key=None, base_url=f"http://127.0.0.1:{unused_tcp_port}/v1")
        chat = await start_chat(provider)
        admitted = await chat.admit()
        waiting = await chat.told(ModelRetryEvent, times=2)

        async with listening(server, unused_tcp_port):
            outcome = await chat.outcome(admitted.turn_id)
            await chat.close()
            await provider.aclose()

    assert (outcome.state, outcome.text, waiting.tries) == ("done", "Good morning.", None)


async def test_a_service_that_never_starts_is_given_up() -> None:
    """After its time, with the last reason; the looks do not come closer than the shortest wait."""
    failing = Failing(ProviderStartingError("Nothing listens there."))

    with pytest.raises(ProviderStartingError):
        await RetryPolicy(first_wait=0, starting=0.3).run(failing, failing.announce)

    assert 4 < failing.calls <= 16


@pytest.mark.parametrize("retry_after", [0.0, 0.001])
async def test_a_service_that_starts_is_not_asked_without_a_pause(retry_after: float) -> None:
    """Also where it says that it may be asked at once."""
    failing = Failing(ProviderStartingError("Loading.", retry_after=retry_after))

    with pytest.raises(ProviderStartingError):
        await RetryPolicy(first_wait=0, starting=0.2).run(failing, failing.announce)

    assert failing.calls <= 11


async def test_tries_while_a_service_starts_are_not_counted() -> None:
    """Once it is up, it has as many tries as any other."""
    starting, down = ProviderStartingError("Loading."), ProviderUnavailableError("down")
    failing = Failing(*[starting] * 6, *[down] * 3, then="up")

    assert await RetryPolicy(first_wait=0).run(failing, failing.announce) == "up"
    assert [tries for _, tries, _ in failing.announced] == [None] * 6 + [4] * 3
