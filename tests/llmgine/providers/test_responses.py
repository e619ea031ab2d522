"""The Responses API, stateless, against a real service: what is sent, what comes back, and how it ends."""

from collections.abc import AsyncIterator

import pytest

from llmgine.errors import (
    ContextOverflowError,
    EmptyReplyError,
    ProviderError,
)
from llmgine.messages.chat_messages import ChatMessage, OpaqueParts, ToolCall, ToolSchema, Usage
from llmgine.providers.base import Change, ChatReply, ChatRequest
from llmgine.providers.openai import OpenAIProvider
from tests.llmgine.providers.examples import HELLO, KEY, ask
from tests.llmgine.providers.responses_service import (
    USAGE,
    ResponsesService,
    function_call,
    message,
    reasoning,
    refusal,
    stream_of,
)

PIXEL = "data:image/png;base64,iVBORw0KGgo="
ROLL = ToolSchema(name="roll", description="Roll a die.", parameters={"type": "object", "properties": {}})
WITH_TOOLS = HELLO.model_copy(update={"tools": (ROLL,)})


@pytest.fixture
async def service() -> AsyncIterator[ResponsesService]:
    async with ResponsesService() as service:
        yield service


@pytest.fixture
async def provider(service: ResponsesService) -> AsyncIterator[OpenAIProvider]:
    provider = OpenAIProvider("gpt-test", KEY, service.base_url, api="responses")
    yield provider
    await provider.aclose()


def history(reply: ChatReply, *, model: str = "gpt-test") -> ChatRequest:
    """The request that follows a reply, with a result for each of its calls."""
    said = ChatMessage(role="assistant", content=reply.text, tool_calls=reply.tool_calls, parts=reply.parts)
    results = [ChatMessage(role="tool", content="4", tool_call_id=call.id) for call in reply.tool_calls]
    messages = (*HELLO.messages, said, *results)
    return ChatRequest(messages=messages, tools=(ROLL,), model=model)


async def fault(provider: OpenAIProvider) -> ProviderError:
    """The error of one request."""
    with pytest.raises(ProviderError) as caught:
        await provider.reply(HELLO, lambda _: None)
    return caught.value


class TestRequest:
    async def test_sends_only_what_is_set(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """Nothing is kept at the service, and reasoning is asked for in the form that can be sent back."""
        service.respond(message("Hi."))

        await ask(provider)

        assert service.paths == ["responses"]
        assert service.requests == [
            {
                "model": "gpt-test",
                "input": [
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
                ],
                "stream": True,
                "store": False,
                "include": ["reasoning.encrypted_content"],
            }
        ]
        assert service.headers[0]["authorization"] == f"Bearer {KEY}"

    async def test_sends_all_that_is_set(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """System text, limit, effort and temperature have their places; tools are flat and not strict."""
        service.respond(message("Hi."))
        system = ChatMessage(role="system", content="Be brief.")
        request = ChatRequest(
            messages=(system, *HELLO.messages), tools=(ROLL,), max_output_tokens=99, effort="low", temperature=0.5
        )

        await ask(provider, request)

        body = service.requests[0]
        assert body["instructions"] == "Be brief."
        assert [item["role"] for item in body["input"]] == ["user"]
        assert (body["max_output_tokens"], body["reasoning"], body["temperature"]) == (99, {"effort": "low"}, 0.5)
        assert body["tools"] == [{"type": "function", **ROLL.model_dump(), "strict": False}]

    async def test_a_limit_is_never_below_what_the_api_takes(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """It refuses bounds on a reply below 16 tokens."""
        service.respond(message("Hi."))

        await ask(provider, HELLO.model_copy(update={"max_output_tokens": 5}))

        assert service.requests[0]["max_output_tokens"] == 16

    async def test_sends_images_calls_and_results_as_items(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """The whole neutral history becomes input items, and each call has its output."""
        service.respond(message("Hi."))
        calls = (
            ToolCall(id="aaaaaaaaa", name="roll", arguments='{"sides": 6}'),
            ToolCall(id="bbbbbbbbb", name="roll the dice", arguments="no json"),
        )
        messages = (
            ChatMessage(role="user", content="Look", images=(PIXEL,)),
            ChatMessage(role="assistant", content="One moment.", tool_calls=calls),
            ChatMessage(role="tool", content="4", tool_call_id="aaaaaaaaa"),
            ChatMessage(role="tool", content="5", tool_call_id="bbbbbbbbb"),
        )

        await ask(provider, ChatRequest(messages=messages, tools=(ROLL,)))

        user, said, first, second, *outputs = service.requests[0]["input"]
        assert user["content"] == [
            {"type": "input_text", "text": "Look"},
            {"type": "input_image", "image_url": PIXEL},
        ]
        assert (said["role"], said["content"]) == ("assistant", [{"type": "output_text", "text": "One moment."}])
        assert first == {
            "type": "function_call",
            "call_id": "aaaaaaaaa",
            "name": "roll",
            "arguments": '{"sides": 6}',
        }
        assert (second["name"], second["arguments"]) == ("roll_the_dice", '{"malformed_arguments": "no json"}')
        assert outputs == [
            {"type": "function_call_output", "call_id": "aaaaaaaaa", "output": "4"},
            {"type": "function_call_output", "call_id": "bbbbbbbbb", "output": "5"},
        ]


class TestReply:
    async def test_streams_its_text(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """The pieces come as they are made, and nothing of the events that repeat them is told twice."""
        text = "Zwölf Boxkämpfer\njagen  Viktor 🐕 quer über den großen Deich."
        service.respond(message(text))
        pieces: list[str] = []

        reply = await provider.reply(HELLO, pieces.append)

        assert len(pieces) > 1
        assert "".join(pieces) == reply.text == text
        assert (reply.finish, reply.model, reply.parts) == ("stop", "gpt-test", None)

    async def test_counts_reasoning_and_cached_tokens(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """What thinking and the cache had of the tokens is told apart."""
        service.respond(reasoning("x"), message("Hi."))

        reply = await ask(provider)

        assert reply.usage == Usage(input_tokens=30, output_tokens=9, cached_tokens=12, reasoning_tokens=5)

    async def test_two_messages_of_one_reply_are_both_told(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """Some models comment on what they do before they answer."""
        service.respond(message("Let me see. "), reasoning("x"), message("It is noon."))

        assert (await ask(provider)).text == "Let me see. It is noon."

    async def test_text_that_may_be_thinking_is_told_once(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """It is held until it is known to be the answer; the events that repeat it add nothing."""
        service.respond(message("Let me see. It is noon."))

        assert (await ask(provider)).text == "Let me see. It is noon."

    async def test_calls_tools_in_parallel(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """Calls keep their order and arguments beside text, under ids of ours."""
        service.respond(
            reasoning("x"),
            message("Rolling."),
            function_call("roll", '{"sides": 6}', "call_1"),
            function_call("roll", '{"sides": 20}', "call_2"),
        )

        reply = await ask(provider, WITH_TOOLS)

        assert (reply.text, reply.finish) == ("Rolling.", "tool_calls")
        assert [(call.name, call.arguments) for call in reply.tool_calls] == [
            ("roll", '{"sides": 6}'),
            ("roll", '{"sides": 20}'),
        ]
        assert len({call.id for call in reply.tool_calls}) == 2

    async def test_interleaved_calls_are_not_mixed(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """Pieces of arguments belong to the item whose place they name."""
        events = stream_of([function_call("roll", '{"a": 1}', "call_1"), function_call("look", '{"b": 2}', "call_2")])
        first, second = ([one for one in events if one.get("output_index") == place] for place in (0, 1))
        mixed = [one for pair in zip(first, second, strict=True) for one in pair]
        service.events([*events[:2], *mixed, events[-1]])

        reply = await ask(provider, WITH_TOOLS)

        assert [(call.name, call.arguments) for call in reply.tool_calls] == [
            ("roll", '{"a": 1}'),
            ("look", '{"b": 2}'),
        ]

    @pytest.mark.parametrize("left", ["deltas", "items", "only the last event", "no stream"])
    async def test_events_that_a_service_leaves_out_are_made_up_for(
        self, service: ResponsesService, provider: OpenAIProvider, left: str
    ) -> None:
        """Text, calls and reasoning are whole also where a service sends them only once, or does not stream."""
        items = [reasoning("x"), message("Rolling."), function_call("roll", '{"sides": 6}')]
        events = stream_of(items)
        if left == "deltas":
            service.events([one for one in events if not one["type"].endswith("delta")])
        elif left == "items":
            service.events([one for one in events if "output_item" not in one["type"]])
        elif left == "only the last event":
            service.events(events[-1:])
        else:
            service.json(events[-1]["response"])

        reply = await ask(provider, WITH_TOOLS)

        assert (reply.text, reply.finish, reply.usage and reply.usage.input_tokens) == ("Rolling.", "tool_calls", 30)
        assert [(call.name, call.arguments) for call in reply.tool_calls] == [("roll", '{"sides": 6}')]
        assert reply.parts is not None

    async def test_a_refusal_is_the_text_and_counts_as_withheld(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """People read what the model says instead of an answer."""
        service.respond(refusal("I cannot help with that."))

        reply = await ask(provider)

        assert (reply.text, reply.finish) == ("I cannot help with that.", "filtered")

    @pytest.mark.parametrize(
        ("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "filtered"), (None, "length")]
    )
    async def test_an_incomplete_reply_says_why(
        self, service: ResponsesService, provider: OpenAIProvider, reason: str | None, finish: str
    ) -> None:
        """What came is kept; calls of a reply that a limit cut are not run."""
        details = {"reason": reason} if reason else None
        items = (message("Half of"), function_call("roll", "{}"))
        service.respond(*items, status="incomplete", incomplete_details=details)

        reply = await ask(provider, WITH_TOOLS)

        assert (reply.text, reply.finish, reply.tool_calls) == ("Half of", finish, ())

    async def test_a_reply_without_room_for_text_is_an_overflow(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """A service that cuts to its window in silence leaves nothing for the answer."""
        usage = {**USAGE, "output_tokens": 1}
        service.respond(status="incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=usage)

        assert type(await fault(provider)) is ContextOverflowError

    async def test_only_reasoning_is_an_empty_reply(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """There is nothing to show, and asking once more may help."""
        service.respond(reasoning("x"))

        assert type(await fault(provider)) is EmptyReplyError


class TestReasoning:
    async def test_goes_back_unchanged_and_in_its_order(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """Fields nobody here knows are kept, and each item is again before the call that it led to."""
        first = reasoning("one", summary=[{"type": "summary_text", "text": "é 🐕"}], new_field={"deep": [1, None]})
        second = reasoning("two")
        service.respond(first, function_call("roll", "{}", "c1"), second, function_call("roll", "{}", "c2"))
        service.respond(message("You rolled twice."))

        reply = await ask(provider, WITH_TOOLS)
        await ask(provider, history(reply))

        sent = service.requests[1]["input"][1:]
        assert [item["type"] for item in sent] == ["reasoning", "function_call"] * 2 + ["function_call_output"] * 2
        assert [item for item in sent if item["type"] == "reasoning"] == [first, second]

    async def test_goes_back_to_its_model_only(self, service: ResponsesService, provider: OpenAIProvider) -> None:
        """Another model could not read it."""
        service.respond(reasoning("one"), function_call("roll", "{}"))
        service.respond(message("Done."))

        reply = await ask(provider, WITH_TOOLS)
        await ask(provider, history(reply, model="another"))

        assert "one" not in str(service.requests[1]["input"])

    async def test_goes_back_to_its_service_only(self, provider: OpenAIProvider, service: ResponsesService) -> None:
        """What another service wrote is left out, and nothing of it is sent anywhere."""
        service.respond(message("Done."))
        parts = OpaqueParts(service="api.example.com", model="gpt-test", data={"output": [reasoning("secret"), "text"]})
        said = ChatMessage(role="assistant", content="Hi.", parts=parts)

        await ask(provider, ChatRequest(messages=(*HELLO.messages, said, *HELLO.messages)))

        assert "secret" not in str(service.requests[0])

    async def test_is_left_out_once_where_the_service_refuses_it(
        self, service: ResponsesService, provider: OpenAIProvider
    ) -> None:
        """An item that expired must not refuse the whole conversation, and says nothing of later ones."""
        service.respond(reasoning("one"), function_call("roll", "{}"))
        refused = "Item 'rs_one' of type 'reasoning' was provided without its required following item."
        service.fail(400, {"error": {"message": refused, "type": "invalid_request_error", "param": "input"}})
        service.respond(message("Done."))

        reply = await ask(provider, WITH_TOOLS)
        following = await ask(provider, history(reply))

        assert [(one.change, one.lasts) for one in following.learnt] == [(Change.NO_PARTS, False)]
        assert "rs_one" not in str(service.requests[2]["input"])
