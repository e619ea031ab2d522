"""How replies by the Responses API go wrong, each a real stream, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from llmgine.errors import (
    ContextOverflowError,
    PromptRefusedError,
    ProviderBusyError,
    ProviderError,
    ProviderUnavailableError,
    ReplyCutOffError,
)
from llmgine.providers.openai import OpenAIProvider
from tests.llmgine.providers.examples import HELLO, KEY, ask
from tests.llmgine.providers.responses_service import ResponsesService, function_call, message, stream_of
from tests.waiting import patience


@pytest.fixture
async def service() -> AsyncIterator[ResponsesService]:
    async with ResponsesService() as service:
        yield service


@pytest.fixture
async def provider(service: ResponsesService) -> AsyncIterator[OpenAIProvider]:
    provider = OpenAIProvider("gpt-test", KEY, service.base_url, api="responses")
    yield provider
    await provider.aclose()


async def fault(provider: OpenAIProvider) -> ProviderError:
    """The error of one request."""
    with pytest.raises(ProviderError) as caught:
        await provider.reply(HELLO, lambda _: None)
    return caught.value


class TestFaults:
    @pytest.mark.parametrize(
        "meaning",
        [
            ("server_error", "The model produced invalid content.", ProviderUnavailableError),
            ("rate_limit_exceeded", "Rate limit reached for requests", ProviderBusyError),
            ("context_length_exceeded", "Your input exceeds the context window of this model.", ContextOverflowError),
            ("invalid_prompt", "Invalid prompt: it may violate our usage policy.", PromptRefusedError),
        ],
    )
    @pytest.mark.parametrize("form", ["failed", "error", "nested error"])
    async def test_an_error_in_the_stream_says_what_it_means(
        self, service: ResponsesService, provider: OpenAIProvider, form: str, meaning: tuple[str, str, type]
    ) -> None:
        """A failed response and both forms of the error event are read alike, and the words are passed on."""
        code, said, becomes = meaning
        error = {"code": code, "message": said}
        begun = stream_of([])[:2]
        last: dict[str, object] = {"type": "error", **error, "param": None}
        if form == "failed":
            failed = {**begun[0]["response"], "status": "failed", "error": error}
            last = {"type": "response.failed", "response": failed}
        elif form == "nested error":
            last = {"type": "error", "error": error}
        service.events([*begun, last])

        refused = await fault(provider)

        assert type(refused) is becomes
        assert said in str(refused)

    async def test_an_error_behind_text_keeps_the_text(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """People have seen it already."""
        events = stream_of([message("Once upon a time")])[:6]
        service.events([*events, {"type": "error", "code": "server_error", "message": "gone"}])

        cut = await fault(provider)

        assert isinstance(cut, ReplyCutOffError)
        assert cut.partial == "Once upon "

    async def test_an_end_without_a_last_event_is_a_cut(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """A stream that stops early is not taken for the whole reply, and its calls are not run."""
        service.events(stream_of([message("Once"), function_call("roll", "{}")])[:-1])

        cut = await fault(provider)

        assert isinstance(cut, ReplyCutOffError)
        assert cut.partial == "Once"

    async def test_odd_events_harm_nothing(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """Whatever a service puts where an event should be, the good reply comes through."""
        odd: list[object] = [[], 7, "null", {}, {"type": 7}, {"type": "response.new_kind", "delta": "no"}]
        kinds = ("output_item.added", "output_item.done", "output_text.delta", "refusal.done", "content_part.added")
        odd += [{"type": f"response.{kind}", "item": None, "delta": None, "output_index": "x"} for kind in kinds]
        odd += [{"type": "response.output_item.done", "item": {"type": "message", "content": [None, {"text": 7}]}}]
        service.events([*odd, *stream_of([message("Fine.")])])

        assert (await ask(provider)).text == "Fine."

    async def test_cancelling_ends_the_request(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """A stopped answer costs no more."""
        seen = asyncio.Event()
        service.hold_events(stream_of([message("half an answer")])[:6], asyncio.Event())

        async with patience("the request to end"):
            asking = asyncio.create_task(provider.reply(HELLO, lambda _: seen.set()))
            await seen.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await service.until(lambda: service.aborted == 1 and service.active == 0)
