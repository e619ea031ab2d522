"""What a service sends beside its answers: sent back as it came, only to the same service and model."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmgine.messages.chat_messages import ChatMessage, OpaqueParts, ToolCall, ToolSchema
from llmgine.messages.events import Event
from llmgine.messages.steps import ReplyStep
from llmgine.providers.base import Change, ChatReply, ChatRequest
from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.engine.chat import Chat, roll
from tests.llmgine.providers.examples import HELLO, ask, delta

Json = dict[str, Any]

SECRET = "my hidden thought é 🐕 \\u00e9 </think>"
SIGNATURE = {"google": {"thought_signature": "AbC+/=="}}
DETAILS: list[Json] = [
    {"type": "reasoning.text", "text": SECRET, "signature": "sig==", "format": "anthropic-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "gAAA+/=", "id": "rs_1", "index": 1, "new_field": {"deep": [1, None]}},
]
THINKING: Json = {"type": "thinking", "thinking": [{"type": "text", "text": SECRET}], "closed": True}
TOOLS = (ToolSchema(name="roll", description="Roll a die.", parameters={"type": "object", "properties": {}}),)


def call_delta(index: int = 0, **extra: object) -> Json:
    call = {"index": index, "id": f"c{index}", "type": "function", "function": {"name": "roll", "arguments": "{}"}}
    return {"tool_calls": [{**call, **extra}]}


# Each form: the deltas in which it comes, and where in the message that goes back it is again.
FORMS: dict[str, tuple[list[Json], Json]] = {
    "reasoning_content": (
        [{"reasoning_content": SECRET[:9]}, {"reasoning_content": SECRET[9:]}, call_delta()],
        {"reasoning_content": SECRET},
    ),
    "empty reasoning_content": ([{"reasoning_content": ""}, call_delta()], {"reasoning_content": ""}),
    "halves of a character": (
        [{"reasoning_content": "\ud83d"}, {"reasoning_content": "\ude00"}, call_delta()],
        {"reasoning_content": "😀"},
    ),
    "reasoning_details": ([{"reasoning_details": DETAILS}, call_delta()], {"reasoning_details": DETAILS}),
    "reasoning_details in pieces": (
        [
            {"reasoning_details": [{**DETAILS[0], "text": SECRET[:5], "signature": None}]},
            {"reasoning_details": [{**DETAILS[0], "text": SECRET[5:]}]},
            {"reasoning_details": [DETAILS[1]]},
            call_delta(),
        ],
        {"reasoning_details": DETAILS},
    ),
    "extra_content": ([{"extra_content": SIGNATURE}, call_delta()], {"extra_content": SIGNATURE}),
    "thinking list": (
        [{"content": [THINKING]}, {"content": [{"type": "text", "text": "Rolling."}]}, call_delta()],
        {"content": [THINKING, {"type": "text", "text": "Rolling."}]},
    ),
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> tuple[list[Json], Json]:
    """Each form in turn."""
    return FORMS[request.param]


def answer(server: ChatCompletionsServer, deltas: list[Json]) -> None:
    """Answer with these deltas; a call among them is the end."""
    calls = any("tool_calls" in one for one in deltas)
    server.chunks([*map(delta, deltas), delta({}, "tool_calls" if calls else "stop")])


def following(reply: ChatReply, *, model: str | None = None) -> ChatRequest:
    """The request behind a reply, with a result for each of its calls."""
    said = ChatMessage(role="assistant", content=reply.text, tool_calls=reply.tool_calls, parts=reply.parts)
    results = [ChatMessage(role="tool", content="4", tool_call_id=call.id) for call in reply.tool_calls]
    return ChatRequest(messages=(*HELLO.messages, said, *results), tools=TOOLS, model=model)


def sent(server: ChatCompletionsServer, place: int = 1) -> Json:
    """The assistant's message in the last request."""
    message: Json = server.requests[-1]["messages"][place]
    assert message["role"] == "assistant"
    return message


class TestCarriedBack:
    async def test_byte_for_byte(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, form: tuple[list[Json], Json]
    ) -> None:
        """Every form goes back as it came, with fields that nobody here knows."""
        deltas, back = form
        answer(server, deltas)

        reply = await ask(provider, HELLO.model_copy(update={"tools": TOOLS}))
        await ask(provider, following(reply))

        message = sent(server)
        assert {name: message[name] for name in back} == back
        assert set(message) <= {"role", "content", "tool_calls", *back}

    async def test_through_a_store(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, form: tuple[list[Json], Json]
    ) -> None:
        """Written as JSON and read again they are the same."""
        deltas, back = form
        answer(server, deltas)

        reply = await ask(provider, HELLO.model_copy(update={"tools": TOOLS}))
        assert reply.parts is not None
        stored = OpaqueParts.model_validate_json(reply.parts.model_dump_json())
        await ask(provider, following(reply.model_copy(update={"parts": stored})))

        assert {name: sent(server)[name] for name in back} == back

    async def test_not_to_another_model(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, form: tuple[list[Json], Json]
    ) -> None:
        """It could not read them, and some services refuse what another model wrote."""
        answer(server, form[0])

        reply = await ask(provider, HELLO.model_copy(update={"tools": TOOLS}))
        await ask(provider, following(reply, model="another"))

        assert set(sent(server)) == {"role", "content", "tool_calls"}
        assert not isinstance(sent(server)["content"], list)

    async def test_not_to_another_service(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, form: tuple[list[Json], Json]
    ) -> None:
        """A thought stays with who had it, also when the model there has the same name."""
        answer(server, form[0])
        reply = await ask(provider, HELLO.model_copy(update={"tools": TOOLS}))
        async with ChatCompletionsServer() as other:
            elsewhere = OpenAIProvider("gpt-test", None, other.base_url)

            await ask(elsewhere, following(reply))

            assert set(sent(other)) == {"role", "content", "tool_calls"}
            await elsewhere.aclose()

    async def test_signatures_stay_with_their_calls(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Of a parallel pair only the signed one gets its signature back."""
        answer(server, [call_delta(0), call_delta(1, extra_content=SIGNATURE)])

        reply = await ask(provider, HELLO.model_copy(update={"tools": TOOLS}))
        await ask(provider, following(reply))

        first, second = sent(server)["tool_calls"]
        assert "extra_content" not in first
        assert second["extra_content"] == SIGNATURE

    async def test_empty_reasoning_only_where_it_is_asked_for(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Most services know no such field; those that want it get one with every reply of a tool turn."""
        reply = ChatReply(tool_calls=(ToolCall(name="roll"),), model="gpt-test")
        asked = following(reply)

        await ask(provider, asked)
        await ask(provider, asked.model_copy(update={"changes": frozenset({Change.EMPTY_REASONING})}))

        without, with_empty = (body["messages"][1] for body in server.requests)
        assert "reasoning_content" not in without
        assert with_empty["reasoning_content"] == ""


class TestPlainTurns:
    async def test_reasoning_is_not_sent_where_no_tool_was_used(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """It counts as input, and is asked for in tool turns only."""
        answer(server, [{"reasoning_content": SECRET}, {"content": "Hi."}])

        reply = await ask(provider)
        await ask(provider, following(reply))

        assert sent(server) == {"role": "assistant", "content": "Hi."}

    async def test_in_a_tool_turn_every_reply_has_it_also_later(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The reply that ends a tool turn keeps its reasoning too, and so in all later turns."""
        answer(server, [{"reasoning_content": "one"}, call_delta()])
        calling = await ask(provider, HELLO.model_copy(update={"tools": TOOLS}))
        answer(server, [{"reasoning_content": "two"}, {"content": "A 4."}])
        request = following(calling)
        ending = await ask(provider, request)
        said = ChatMessage(role="assistant", content=ending.text, parts=ending.parts)

        await ask(provider, request.model_copy(update={"messages": (*request.messages, said, *HELLO.messages)}))

        assert sent(server, 1)["reasoning_content"] == "one"
        assert sent(server, 3)["reasoning_content"] == "two"


class TestBounds:
    def size(self, parts: OpaqueParts | None) -> int:
        return len(json.dumps(parts.data).encode()) if parts is not None else 0

    @pytest.mark.parametrize("text", ["x", "é", '"', "🐕"])
    async def test_a_long_thought_is_cut(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, text: str
    ) -> None:
        """At most 256 kB of JSON are kept; the field itself stays, since a service may ask for it."""
        answer(server, [{"reasoning_content": text * 300_000}, call_delta()])

        reply = await ask(provider, HELLO.model_copy(update={"tools": TOOLS}))

        assert reply.parts is not None
        assert 100_000 < self.size(reply.parts) <= 256_000
        assert set(str(reply.parts.data["reasoning_content"])) == {text}

    async def test_what_cannot_be_cut_is_left_out(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A signature that is cut is wrong; smaller parts beside it are kept."""
        huge = [{"type": "reasoning.encrypted", "data": "x" * 300_000}]
        answer(server, [{"reasoning_details": huge, "extra_content": SIGNATURE}, call_delta()])

        reply = await ask(provider, HELLO.model_copy(update={"tools": TOOLS}))

        assert reply.parts is not None
        assert reply.parts.data == {"extra_content": SIGNATURE}

    async def test_all_too_large_is_none(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """The reply is whole without them."""
        answer(server, [{"content": [{**THINKING, "signature": "x" * 300_000}]}, {"content": "Hi."}])

        reply = await ask(provider)

        assert (reply.text, reply.parts) == ("Hi.", None)


def _dumps(chat: Chat) -> Iterator[str]:
    """All that an event says of itself, as it is logged and printed."""
    for event in chat.events:
        assert isinstance(event, Event)
        yield event.model_dump_json()
        yield repr(event)


class TestHidden:
    @pytest.fixture
    async def chat(self, provider: OpenAIProvider, tmp_path: Path) -> AsyncIterator[Chat]:
        chat = await Chat.start(tmp_path / "test.db", provider)
        await chat.engine.register_tool(roll)
        yield chat
        await chat.close()

    def test_no_dump_has_them(self) -> None:
        """Neither as JSON nor in what is printed of a message, a reply or a step."""
        parts = OpaqueParts(service="s", model="m", data={"reasoning_content": SECRET})
        facts: Json = {"round": 0, "text": "", "finish": "stop", "model": "m", "usage": None, "seconds": 0.0}
        values = (
            ChatMessage(role="assistant", parts=parts),
            ChatReply(model="m", parts=parts),
            ReplyStep(**facts, parts=parts),
        )

        for value in values:
            shown = f"{value.model_dump_json()} {value.model_dump()} {value!r} {value}"
            assert "thought" not in shown
            assert "parts" not in shown
        assert "thought" not in repr(parts)

    async def test_no_event_has_them_while_the_service_gets_them(
        self, server: ChatCompletionsServer, chat: Chat, form: tuple[list[Json], Json]
    ) -> None:
        """A whole turn: nothing of the thinking is in what is told of it, and the next request has it."""
        deltas, back = form
        answer(server, deltas)
        answer(server, [{"content": "You rolled a 4."}])

        outcome = await chat.say("roll")

        assert outcome.text == "You rolled a 4."
        assert {name: sent(server, 2)[name] for name in back} == back
        assert not any("thought" in dump or "AbC+/" in dump or "gAAA" in dump for dump in _dumps(chat))

    async def test_they_are_there_after_a_restart(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, chat: Chat, tmp_path: Path
    ) -> None:
        """Committed with the step, they go back from a new process too."""
        answer(server, [{"reasoning_content": SECRET}, call_delta()])
        answer(server, [{"reasoning_content": "again"}, {"content": "You rolled a 4."}])
        await chat.say("roll")
        await chat.close()

        later = await Chat.start(tmp_path / "test.db", provider)
        await later.say("thanks")
        await later.close()

        assert sent(server, 2)["reasoning_content"] == SECRET
        assert sent(server, 4)["reasoning_content"] == "again"
