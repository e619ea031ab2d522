"""Every way a service fails, and the one error of ours that it becomes."""

import asyncio
import contextlib
import socket
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from llmgine.errors import (
    ContextOverflowError,
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
from llmgine.providers.openai import OpenAIProvider
from llmgine.providers.streams import Timeouts
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.llmgine.providers.examples import HELLO, KEY
from tests.waiting import patience


async def fault(provider: OpenAIProvider, pieces: list[str] | None = None) -> ProviderError:
    """The error of one request."""
    with pytest.raises(ProviderError) as caught:
        async with patience("the request to fail"):
            await provider.reply(HELLO, (pieces if pieces is not None else []).append)
    return caught.value


def chunk(text: str | None, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def error(message: str, **rest: object) -> dict[str, object]:
    return {"error": {"message": message, **rest}}


FUNCTION = {"name": "delete", "arguments": '{"path": "/"}'}
CALL = {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "1", "function": FUNCTION}]}, "finish_reason": None}]}


class TestRefused:
    @pytest.mark.parametrize("status", [401, 403])
    async def test_a_wrong_key_names_its_setting(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, status: int
    ) -> None:
        """The text says which setting to look at."""
        server.fail(status, error("Incorrect API key provided"))

        refused = await fault(provider)

        assert type(refused) is ProviderRefusedError
        assert "OPENAI_API_KEY" in str(refused)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (404, error("The model `gpt-test` does not exist", code="model_not_found")),
            (400, error("no such model", code="model_not_found")),
            (404, "<html><h1>Not found</h1></html>"),
            (404, ""),
        ],
    )
    async def test_an_unknown_model_names_its_setting(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, status: int, body: object
    ) -> None:
        """The model's name and both settings that may be wrong are in the text; a web page is not."""
        server.fail(status, body)

        refused = await fault(provider)

        assert type(refused) is ProviderRefusedError
        assert "gpt-test" in str(refused)
        assert "OPENAI_MODEL" in str(refused)
        assert "OPENAI_BASE_URL" in str(refused)
        assert "<" not in str(refused)

    @pytest.mark.parametrize(
        "body",
        [
            error("This model's maximum context length is 8192 tokens", code="context_length_exceeded"),
            error("prompt is too long: 9000 tokens > 8192 maximum"),
            error("input exceeds the available context size"),
        ],
    )
    async def test_too_long_a_conversation_is_said_clearly(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, body: object
    ) -> None:
        """People read what is too long, whatever the service calls it."""
        server.fail(400, body)

        refused = await fault(provider)

        assert type(refused) is ContextOverflowError
        assert "The conversation is too long" in str(refused)

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (error("tools are\n not   supported"), "tools are not supported"),
            ({"error": "tools are not supported"}, "tools are not supported"),
            ({"detail": "tools are not supported"}, "tools are not supported"),
            ({"message": "tools are not supported"}, "tools are not supported"),
            ("tools are not supported", "tools are not supported"),
            (error("long " * 1000), "long long"),
        ],
    )
    async def test_a_refused_request_says_why_in_the_services_words(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, body: object, said: str
    ) -> None:
        """The service's own text is passed on, on one line and not too long."""
        server.fail(400, body)

        refused = await fault(provider)

        assert isinstance(refused, ProviderRefusedError)
        assert said in str(refused)
        assert "\n" not in str(refused)
        assert len(str(refused)) < 400

    @pytest.mark.parametrize("body", ["[]", "{}", '{"error": []}', '{"error": {"message": 7}}', "null"])
    async def test_an_error_without_a_text_is_still_an_error_of_ours(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, body: str
    ) -> None:
        """The form of an error is not trusted either."""
        server.fail(400, body)

        assert isinstance(await fault(provider), ProviderRefusedError)

    @pytest.mark.parametrize(("status", "body"), [(429, error("over", code="insufficient_quota")), (402, error("pay"))])
    async def test_no_quota_is_not_worth_waiting_for(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, status: int, body: object
    ) -> None:
        """A 429 that waiting does not mend is told apart from one that it does."""
        server.fail(status, body, {"Retry-After": "1"})

        refused = await fault(provider)

        assert type(refused) is ProviderRefusedError
        assert "quota" in str(refused)

    @pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
    async def test_the_key_is_in_no_error(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, status: int
    ) -> None:
        """A service that repeats the key does not get it into a channel, nor into a traceback."""
        server.fail(status, error(f"Incorrect key: {KEY}"))

        refused = await fault(provider)

        assert "[key]" in str(refused)
        assert KEY not in "".join(traceback.format_exception(refused))

    async def test_the_key_is_in_no_error_of_a_stream(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The same holds where the error comes inside a 200 answer."""
        server.chunks([error(f"Incorrect key: {KEY}")])

        assert KEY not in "".join(traceback.format_exception(await fault(provider)))


class TestBusyAndUnavailable:
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), (None, None), ("soon", None), ("nan", None), ("inf", None)],
    )
    async def test_a_busy_service_says_how_long_to_wait(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, header: str | None, seconds: float | None
    ) -> None:
        """Seconds are passed on; what is not a time is not."""
        server.fail(429, error("slow down"), {} if header is None else {"Retry-After": header})

        busy = await fault(provider)

        assert isinstance(busy, ProviderBusyError)
        assert busy.retry_after == seconds

    async def test_a_busy_service_may_name_a_date(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The header's other form counts from now."""
        then = datetime.now(UTC) + timedelta(seconds=100)
        server.fail(429, error("slow down"), {"Retry-After": format_datetime(then, usegmt=True)})

        busy = await fault(provider)

        assert isinstance(busy, ProviderBusyError)
        assert busy.retry_after is not None
        assert 80 < busy.retry_after <= 100

    @pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 524, 529])
    async def test_a_failing_service_is_unavailable(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, status: int
    ) -> None:
        """Asking again later may help; here it is asked exactly once."""
        server.fail(status, "<html>upstream</html>")

        assert isinstance(await fault(provider), ProviderUnavailableError)
        assert len(server.requests) == 1

    async def test_nobody_listening_is_unavailable(self) -> None:
        """A service that is not running is named by its host."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        provider = OpenAIProvider("gpt-test", None, f"http://127.0.0.1:{port}/v1")

        unavailable = await fault(provider)

        assert type(unavailable) is ProviderStartingError
        assert "127.0.0.1" in str(unavailable)
        await provider.aclose()

    @pytest.mark.parametrize("answer", [b"", b"220 mail.example.org ESMTP\r\n", b"HTTP/1.1 200 OK\r\n"])
    async def test_something_else_listening_is_a_provider_error(self, answer: bytes) -> None:
        """What does not speak HTTP, or stops in the middle of it, is an error of ours, too."""

        async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(speak, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]
            provider = OpenAIProvider("gpt-test", None, f"http://127.0.0.1:{port}/v1")

            await fault(provider)

            await provider.aclose()

    async def test_a_connection_that_never_stands_is_unavailable(self) -> None:
        """A host that does not answer at all is given up after the connect limit."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as stack:
            for _ in range(3):  # the queue of connections nobody accepts is full from here on
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            address = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
            provider = OpenAIProvider("gpt-test", None, address, timeouts=Timeouts(connect=0.05))

            assert type(await fault(provider)) is ProviderTimeoutError

            await provider.aclose()

    @pytest.mark.parametrize("sent", ["nothing", "headers", "role"])
    async def test_a_reply_that_does_not_begin_is_unavailable(self, server: ChatCompletionsServer, sent: str) -> None:
        """The first limit counts until the reply begins, also when headers or an empty chunk came at once."""

        async def hang(exchange: Exchange) -> web.StreamResponse:
            if sent == "headers":
                await exchange.stream()
            if sent == "role":
                await exchange.chunk({"role": "assistant", "content": ""})
            return await _never()

        limits = Timeouts(first=0.1, idle=0.01)
        provider = OpenAIProvider("gpt-test", None, server.base_url, timeouts=limits)
        server.answer(hang)

        assert type(await fault(provider)) is ProviderTimeoutError
        await server.until(lambda: server.active == 0)
        await provider.aclose()


async def _never() -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


class TestCutOff:
    async def test_a_silent_end_is_a_cut(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """A clean end without finish_reason is not taken for the whole reply."""
        server.cut(after="Once upon a")

        cut = await fault(provider)

        assert isinstance(cut, ReplyCutOffError)
        assert cut.partial == "Once upon a"

    async def test_a_dropped_connection_is_a_cut(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """What had come is kept."""
        arrived = asyncio.Event()
        server.cut(after="Once", reset=True, when=arrived)

        with pytest.raises(ReplyCutOffError) as cut:
            await provider.reply(HELLO, lambda _: arrived.set())

        assert cut.value.partial == "Once"

    @pytest.mark.parametrize("timeouts", [Timeouts(idle=0.05), Timeouts(total=0.3)], ids=["idle", "total"])
    async def test_a_stalled_reply_is_a_cut(self, server: ChatCompletionsServer, timeouts: Timeouts) -> None:
        """Silence in the middle ends by the idle limit, at the latest by the total one, and ends the request."""
        provider = OpenAIProvider("gpt-test", None, server.base_url, timeouts=timeouts)
        server.hold(asyncio.Event(), before="Once upon a")

        cut = await fault(provider)

        assert isinstance(cut, ReplyCutOffError)
        assert cut.partial == "Once upon a"
        await server.until(lambda: server.aborted == 1)
        await provider.aclose()

    async def test_a_reply_that_never_ends_is_a_cut(self, server: ChatCompletionsServer) -> None:
        """A model that repeats itself for ever is stopped by the total limit."""

        async def babble(exchange: Exchange) -> web.StreamResponse:
            while True:
                await exchange.text("and ")
                await asyncio.sleep(0)  # lets the other end run

        provider = OpenAIProvider("gpt-test", None, server.base_url, timeouts=Timeouts(total=0.2))
        server.answer(babble)

        cut = await fault(provider)

        assert isinstance(cut, ReplyCutOffError)
        assert cut.partial.startswith("and and ")
        await server.until(lambda: server.aborted == 1)
        await provider.aclose()

    @pytest.mark.parametrize(
        "broken", ['{"choices": [', "<html>", error("The server had an error", type="server_error")]
    )
    async def test_what_breaks_in_the_middle_keeps_the_text(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, broken: object
    ) -> None:
        """Broken JSON and an error inside the stream end the reply, and the text so far is kept."""
        server.chunks([chunk("Once upon "), broken, chunk("never seen", "stop")])
        pieces: list[str] = []

        cut = await fault(provider, pieces)

        assert isinstance(cut, ReplyCutOffError)
        assert cut.partial == "".join(pieces) == "Once upon "

    async def test_half_a_tool_call_is_a_cut(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """A call is never run when the stream ended without saying that it is whole."""
        server.chunks([CALL], done=False)

        assert isinstance(await fault(provider), ReplyCutOffError)

    @pytest.mark.parametrize(
        ("last", "only_thinking"),
        [
            ({}, True),
            (error("The server had an error", type="server_error"), True),
            (error("It violates our policy", code="content_filter"), False),
            (chunk("Well, "), False),
            (CALL, False),
        ],
        ids=["silence", "error", "refusal", "text", "call"],
    )
    async def test_a_cut_says_whether_only_thinking_had_come(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, last: object, *, only_thinking: bool
    ) -> None:
        """Then another model may be asked; not where text or a call had come, or the service refused what was said."""
        thinking = {"choices": [{"delta": {"reasoning_content": "Hm."}, "finish_reason": None}]}
        server.chunks([thinking, last], done=False)

        cut = await fault(provider)

        assert isinstance(cut, ReplyCutOffError)
        assert cut.only_thinking is only_thinking

    async def test_what_breaks_after_the_end_costs_nothing(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A reply that was whole stays one; only the token count is missing."""
        server.chunks([chunk("Whole.", "stop"), '{"choices": ['])

        reply = await provider.reply(HELLO, lambda _: None)

        assert (reply.text, reply.finish, reply.usage) == ("Whole.", "stop", None)


class TestNotAReply:
    async def test_a_web_page_names_the_address(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """A portal's page with status 200 is not an answer."""
        server.html()

        failed = await fault(provider)

        assert type(failed) is ProviderReplyError
        assert "OPENAI_BASE_URL" in str(failed)

    @pytest.mark.parametrize(
        "chunks",
        [
            [],
            [{"choices": []}, {"choices": None}],
            [chunk("", "stop")],
            [chunk(None), chunk(" \n", "stop")],
            [chunk(None, "tool_calls")],
        ],
    )
    async def test_an_empty_answer_is_said_to_be_one(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, chunks: list[object]
    ) -> None:
        """No choices, no text, no call: nobody is shown an empty message."""
        server.chunks(chunks)

        failed = await fault(provider)

        assert type(failed) is EmptyReplyError
        assert "empty answer" in str(failed)

    @pytest.mark.parametrize("body", [{}, [], None, {"choices": []}, {"choices": [{"message": {}}]}])
    async def test_a_document_without_a_reply_is_not_one(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, body: object
    ) -> None:
        """JSON with status 200 may hold nothing, too."""
        server.json(body)

        assert type(await fault(provider)) is EmptyReplyError

    async def test_broken_json_at_the_start_is_not_a_reply(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The client's own error for this is not even one of its own family."""
        server.chunks(["{bad"])

        assert type(await fault(provider)) is ProviderReplyError

    async def test_bytes_that_are_no_text_are_not_a_reply(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Neither is what cannot be decoded."""

        async def noise(exchange: Exchange) -> web.StreamResponse:
            response = await exchange.stream()
            await response.write(b"data: \xff\xfe\n\n")
            return await exchange.close()

        server.answer(noise)

        assert type(await fault(provider)) is ProviderReplyError

    @pytest.mark.parametrize(
        ("sent", "kind"),
        [
            (error("boom"), ProviderReplyError),
            (error("slow down", code="rate_limit_exceeded"), ProviderBusyError),
            (error("slow down", code=429), ProviderBusyError),
            (error("no money", code="insufficient_quota"), ProviderRefusedError),
            (error("too long", code="context_length_exceeded"), ContextOverflowError),
            (error("overloaded", type="overloaded_error"), ProviderUnavailableError),
            (error("upstream", code=502), ProviderUnavailableError),
            ({"error": "boom"}, ProviderReplyError),
        ],
    )
    @pytest.mark.parametrize("streamed", [True, False])
    async def test_an_error_with_status_200_is_the_error_it_names(
        self,
        server: ChatCompletionsServer,
        provider: OpenAIProvider,
        sent: object,
        kind: type[ProviderError],
        streamed: bool,
    ) -> None:
        """The status is not believed where the body knows better, streamed or not."""
        if streamed:
            server.chunks([sent])
        else:
            server.json(sent)

        assert type(await fault(provider)) is kind


async def test_works_again_after_every_fault(server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
    """No fault spoils the connections of the requests after it."""
    for _ in range(3):
        server.fail(500)
        server.html()
        server.cut(after="half")
        server.cut(after="half", reset=True)
        server.chunks(["{bad"])
        for _ in range(5):
            await fault(provider)

    assert (await provider.reply(HELLO, lambda _: None)).text == "You said: Hello"


async def test_usage_that_never_comes_is_not_waited_for(server: ChatCompletionsServer) -> None:
    """A stream left open behind a whole reply does not make people wait, nor fail."""

    async def open_end(exchange: Exchange) -> web.StreamResponse:
        await exchange.chunk({"content": "Whole."}, "stop")
        return await _never()

    provider = OpenAIProvider("gpt-test", None, server.base_url, timeouts=Timeouts(total=0.2))
    server.answer(open_end)

    reply = await provider.reply(HELLO, lambda _: None)

    assert reply.text == "Whole."
    await provider.aclose()


@pytest.mark.parametrize("begun", [False, True])
async def test_any_byte_is_a_sign_of_life(server: ChatCompletionsServer, *, begun: bool) -> None:
    """Comments keep a slow reply alive, before its first word and between two, however many limits they outlast."""

    async def slow(exchange: Exchange) -> web.StreamResponse:
        response = await exchange.stream()
        if begun:
            await exchange.text("Once ")
        for _ in range(10):
            await asyncio.sleep(0.05)  # together longer than each limit
            await response.write(b": keep-alive\n\n")
        await exchange.text("upon a time.")
        await exchange.chunk({}, "stop")
        return await exchange.end()

    provider = OpenAIProvider("gpt-test", None, server.base_url, timeouts=Timeouts(first=0.3, idle=0.3))
    server.answer(slow)

    reply = await provider.reply(HELLO, lambda _: None)

    assert reply.text == ("Once " if begun else "") + "upon a time."
    await provider.aclose()
