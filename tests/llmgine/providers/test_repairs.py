"""What a refusal says to change about a request: found in the words of many services, made, and told once."""

from collections.abc import AsyncIterator, Iterator

import pytest

from llmgine.errors import ProviderError, ProviderRefusedError, ProviderUnavailableError
from llmgine.providers.base import Change
from llmgine.providers.openai import OpenAIProvider
from llmgine.providers.quoting import said
from llmgine.providers.repairs import REPAIRS, repairs
from tests.chat_completions import ChatCompletionsServer
from tests.cpu import moments
from tests.llmgine.providers.examples import HELLO, KEY, ask
from tests.llmgine.providers.refusals import CASES, Case, error, extra, full, has_no_images
from tests.llmgine.providers.responses_service import ResponsesService, message

_ALL = [(case, status, body) for case in CASES for status, body in case.said]


def _names() -> Iterator[str]:
    for case, status, body in _ALL:
        yield f"{case.change}-{status}-{said(body)[:40]}"


@pytest.fixture
async def service() -> AsyncIterator[ResponsesService]:
    async with ResponsesService() as service:
        yield service


class TestWords:
    @pytest.mark.parametrize(("case", "status", "body"), _ALL, ids=_names())
    async def test_the_change_is_made_and_the_request_succeeds(
        self, service: ResponsesService, case: Case, status: int, body: object
    ) -> None:
        """Each service's own words lead to the one change that helps, and the reply tells what lasts."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url, api=case.api)
        service.fail(status, body)
        if case.api == "responses":
            service.respond(message("Fine."))
        else:
            service.reply("Fine.")

        reply = await ask(provider, full(provider.service, *case.given, with_parts=case.with_parts))
        await provider.aclose()

        refused, accepted = service.requests
        assert [(one.change, one.lasts) for one in reply.learnt] == [(case.change, case.lasts)]
        assert (case.shows(refused), case.shows(accepted)) == (False, True)
        assert reply.text == "Fine."

    def test_every_line_of_the_table_has_words(self) -> None:
        """A line that no known words reach would be a guess."""
        reached = {repair for _, status, body in _ALL for repair in repairs(status, said(body))}
        by_path = {one for one in REPAIRS if one.change in {Change.CHAT, Change.RESPONSES}}

        assert set(REPAIRS) - reached - by_path == set()

    @pytest.mark.parametrize(
        "words",
        [
            "This model is only supported in v1/responses and not in v1/chat/completions.",
            "Function tools with reasoning_effort are not supported in v1/chat/completions. Use /v1/responses instead.",
            "This is not a chat model. Did you mean to use the Responses API?",
        ],
    )
    async def test_a_model_of_the_responses_api_is_asked_there(self, service: ResponsesService, words: str) -> None:
        """The refusal of Chat Completions says so, wherever the service is."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        service.fail(404, error(words))
        service.respond(message("Fine."))

        reply = await ask(provider, full(provider.service))
        await provider.aclose()

        assert service.paths == ["chat/completions", "responses"]
        assert [(one.change, one.lasts) for one in reply.learnt] == [(Change.RESPONSES, True)]

    @pytest.mark.parametrize("words", ["", "404 page not found", {"detail": "Not Found"}, error("Unknown endpoint")])
    async def test_a_service_without_the_responses_api_is_asked_by_the_other(
        self, service: ResponsesService, words: object
    ) -> None:
        """What was learnt of a service may be out of date."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        service.fail(404, words)
        service.reply("Fine.")

        reply = await ask(provider, full(provider.service, Change.RESPONSES))
        await provider.aclose()

        assert service.paths == ["responses", "chat/completions"]
        assert [one.change for one in reply.learnt] == [Change.CHAT]

    @pytest.mark.parametrize("status", [400, 500])
    async def test_a_service_that_stumbles_keeps_its_api(self, service: ResponsesService, status: int) -> None:
        """Only an address that is not there says so: an empty error would teach the wrong API for a day."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url, api="auto")
        service.fail(status, "<html>oops</html>")

        with pytest.raises(ProviderError):
            await ask(provider, full(provider.service, Change.RESPONSES))
        await provider.aclose()

        assert service.paths == ["responses"]

    @pytest.mark.parametrize(
        "words",
        [
            "Invalid parameter: 'tool_call_id' of 'x' not found in 'tool_calls' of previous message.",
            "Unexpected tool call id abcdefghi in tool results",
            "Unexpected role 'user' after role 'tool'",
            "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
            "Please ensure that function call turn comes immediately after a user turn.",
        ],
    )
    async def test_words_about_the_conversation_say_nothing_of_tools(
        self, service: ResponsesService, words: str
    ) -> None:
        """A conversation in a wrong order would cost everybody their tools for a day."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        service.fail(400, error(words))

        with pytest.raises(ProviderRefusedError):
            await ask(provider, full(provider.service))
        await provider.aclose()

        assert len(service.requests) == 1

    @pytest.mark.parametrize(
        "words",
        [
            "error parsing tool call: raw='{\"a\": ' err=unexpected end of JSON input",
            "Failed to parse tool call arguments as JSON: unexpected end of input",
            "forward() got an unexpected keyword argument in function forward()",
            "An unexpected error occurred while calling the function generate",
            "unknown error in the tool server",
        ],
    )
    async def test_an_accident_says_nothing_of_tools(self, service: ResponsesService, words: str) -> None:
        """A server that stumbles over one call would cost everybody their tools for a day."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        service.fail(500, error(words))

        with pytest.raises(ProviderError):
            await ask(provider, full(provider.service))
        await provider.aclose()

        assert len(service.requests) == 1

    async def test_what_a_person_wrote_teaches_nothing(self, service: ResponsesService) -> None:
        """A service that quotes a message does not say what the message says."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        text = "why are tools not supported by you? my diagnosis is X"
        service.fail(400, error(f"Bad request near: {text}"))
        request = full(provider.service)
        asked = request.messages[1].model_copy(update={"content": text})

        with pytest.raises(ProviderRefusedError):
            await ask(provider, request.model_copy(update={"messages": (asked, *request.messages[2:])}))
        await provider.aclose()

        assert len(service.requests) == 1

    async def test_what_is_learnt_quotes_no_message(self, service: ResponsesService) -> None:
        """People elsewhere read it."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        text = "my diagnosis is X and nobody may know"
        service.fail(400, error(f"this model does not support tools (request: {text})"))
        service.reply("Fine.")
        request = full(provider.service)
        asked = request.messages[1].model_copy(update={"content": text})

        reply = await ask(provider, request.model_copy(update={"messages": (asked, *request.messages[2:])}))
        await provider.aclose()

        assert "does not support tools" in reply.learnt[0].said
        assert "diagnosis" not in reply.learnt[0].said

    async def test_a_change_that_did_not_help_is_taken_back(self, service: ResponsesService) -> None:
        """Only what made the request succeed is remembered."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        words = "System messages are not supported; this model does not support tools"
        service.fail(400, error(words))
        service.fail(400, error(words))
        service.reply("Fine.")

        reply = await ask(provider, full(provider.service))
        await provider.aclose()

        assert [one.change for one in reply.learnt] == [Change.NO_TOOLS]
        assert service.requests[-1]["messages"][0]["role"] == "system"

    async def test_a_body_that_is_too_large_is_sent_once_without_its_images(self, service: ResponsesService) -> None:
        """A proxy that bounds the size of requests says nothing of images."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        service.fail(413, "<html>413 Request Entity Too Large</html>")
        service.reply("Fine.")

        reply = await ask(provider, full(provider.service))
        await provider.aclose()

        assert [(one.change, one.lasts) for one in reply.learnt] == [(Change.NO_IMAGES, False)]


class TestBounds:
    async def test_several_repairs_in_a_row(self, service: ResponsesService) -> None:
        """A strict service may refuse one thing after another; all that was learnt is told, in order."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        refusals = ["stream_options", "temperature", "reasoning_effort"]
        for name in refusals:
            service.fail(422, extra(name))
        service.fail(404, error("No endpoints found that support image input"))
        service.fail(400, error("this model does not support tools"))
        service.reply("At last.")

        reply = await ask(provider, full(provider.service))
        await provider.aclose()

        assert [one.change for one in reply.learnt] == [
            Change.NO_STREAM_OPTIONS,
            Change.NO_TEMPERATURE,
            Change.NO_EFFORT,
            Change.NO_IMAGES,
            Change.NO_TOOLS,
        ]
        assert set(service.requests[-1]) == {"model", "messages", "stream", "max_tokens"}
        assert all(one.said for one in reply.learnt)

    @pytest.mark.parametrize("words", [case.said[0][1] for case in CASES if case.api == "auto"], ids=said)
    async def test_no_request_is_repaired_endlessly(self, service: ResponsesService, words: object) -> None:
        """A service that refuses everything with the same words is asked a few times, then people read its words."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        for _ in range(30):
            service.fail(400, words)

        with pytest.raises(ProviderRefusedError):
            await ask(provider, full(provider.service))
        await provider.aclose()

        assert len(service.requests) <= 4

    async def test_all_words_at_once_end_too(self, service: ResponsesService) -> None:
        """Not even a refusal that names everything is asked about more than nine times."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        for _ in range(30):
            service.fail(400, error(" ".join(said(body) for _, _, body in _ALL)[:3_900]))

        with pytest.raises(ProviderError):
            await ask(provider, full(provider.service))
        await provider.aclose()

        assert len(service.requests) <= 9

    async def test_the_last_refusal_is_the_error(self, service: ResponsesService) -> None:
        """People read what is wrong now, not what was repaired before."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        service.fail(422, extra("stream_options"))
        service.fail(401, error("Incorrect API key provided"))

        with pytest.raises(ProviderRefusedError, match="OPENAI_API_KEY"):
            await ask(provider)
        await provider.aclose()

    @pytest.mark.parametrize("status", [400, 404, 413, 415, 422, 500])
    async def test_a_refusal_without_a_word_of_images_keeps_them(self, service: ResponsesService, status: int) -> None:
        """A picture is not taken from a person's question on a guess."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        service.fail(status, error("Something else is wrong with this."))

        with pytest.raises(ProviderError):
            await ask(provider, full(provider.service))
        await provider.aclose()

        assert len(service.requests) == 1

    @pytest.mark.parametrize("status", [401, 402, 403, 408, 409, 429, 502, 503, 504])
    async def test_other_statuses_are_never_repaired(self, service: ResponsesService, status: int) -> None:
        """A key, a quota and a busy service have nothing to do with the request, whatever the words are."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        service.fail(status, error("image input is not supported; tools are not supported; stream_options"))

        with pytest.raises(ProviderError):
            await ask(provider, full(provider.service))
        await provider.aclose()

        assert len(service.requests) == 1

    async def test_images_are_left_out_once(self, service: ResponsesService) -> None:
        """Words about images that do not end without them are the error."""
        provider = OpenAIProvider("gpt-test", KEY, service.base_url)
        for _ in range(5):
            service.fail(500, error("image input is not supported"))

        with pytest.raises(ProviderUnavailableError):
            await ask(provider, full(provider.service))
        await provider.aclose()

        assert [has_no_images(body) for body in service.requests] == [False, True]

    async def test_a_refusal_of_what_was_not_sent_changes_nothing(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Without images, tools and system text there is nothing to leave out."""
        server.fail(400, error("images, tools and the system role are not supported with this model"))

        with pytest.raises(ProviderRefusedError):
            await ask(provider, HELLO)

        assert len(server.requests) == 1

    async def test_a_tool_call_the_service_could_not_read_is_no_refusal_of_tools(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The model wrote it badly; asked again it mostly writes it well."""
        body = error(
            "Failed to call a function. Tools are not supported?", code="tool_use_failed", failed_generation="x"
        )
        server.fail(400, body)

        with pytest.raises(ProviderError):
            await ask(provider, full(provider.service))

        assert len(server.requests) == 1

    async def test_errors_inside_a_stream_are_repaired_too(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Some services begin a stream with status 200 and refuse in it."""
        server.chunks([error("this model does not support tools")])
        server.reply("Fine.")

        reply = await ask(provider, full(provider.service))

        assert [one.change for one in reply.learnt] == [Change.NO_TOOLS]


_EVIL = (
    "max_tokens " * 95_000,
    "unsupported " * 90_000,
    "reasoning tool " * 70_000,
    "not not not image " * 58_000,
    "system role " * 87_000,
    "not available " * 75_000,
    "a" * 1_000_000,
    "image" * 200_000,
    "cannot" + " " * 1_000_000,
    "item" + "x" * 1_000_000,
    "missing " * 130_000,
    "v1/" * 333_000,
    '{"error": ' * 100_000,
    "expected text image_url " * 42_000,
)


@pytest.mark.parametrize("words", _EVIL, ids=lambda words: words[:20])
def test_no_words_are_slow_to_read(words: str) -> None:
    """A megabyte of words that match halfway blocks nobody: two and a half moments of CPU at most."""
    told = said({"error": {"message": words}})

    assert moments(lambda: repairs(400, told), 2.5) <= 2.5
