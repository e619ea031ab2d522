"""Tool calls, put together from fragments in all dialects of the services."""

from typing import Any

import pytest

from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.providers.examples import ask, delta


def fragment(arguments: object, **rest: object) -> dict[str, Any]:
    """One piece of a tool call; `name` goes where services put it."""
    function = {"arguments": arguments} | ({"name": rest.pop("name")} if "name" in rest else {})
    return delta({"tool_calls": [{**rest, "function": function}]})


async def calls_of(server: ChatCompletionsServer, provider: OpenAIProvider, *chunks: object) -> list[tuple[str, str]]:
    """The calls made of these chunks, checked to have ids of ours."""
    server.chunks([*chunks, delta({}, "tool_calls")])
    reply = await ask(provider)
    assert all(call.id.isalnum() and len(call.id) == 9 for call in reply.tool_calls)
    assert len({call.id for call in reply.tool_calls}) == len(reply.tool_calls)
    return [(call.name, call.arguments) for call in reply.tool_calls]


class TestToolCalls:
    async def test_come_beside_text_and_under_a_wrong_finish(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """`stop` beside tool calls still means tool calls."""
        server.reply("Let me look.", tool_calls=[("look", "{}")], finish="stop")

        reply = await ask(provider)

        assert (reply.text, reply.finish, len(reply.tool_calls)) == ("Let me look.", "tool_calls", 1)

    @pytest.mark.parametrize("arguments", ['{"a": ', "not json", '"text"', "[1]"])
    async def test_malformed_arguments_are_passed_on(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, arguments: str
    ) -> None:
        """Whoever runs the tool tells the model what is wrong with them."""
        server.reply(tool_calls=[("look", arguments)])

        assert (await ask(provider)).tool_calls[0].arguments == arguments

    async def test_no_arguments_are_an_empty_object(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A tool without parameters is often called with an empty text."""
        made = await calls_of(server, provider, fragment("", index=0, id="1", name="look"))

        assert made == [("look", "{}")]

    async def test_arguments_may_be_an_object(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Some local services send parsed arguments."""
        made = await calls_of(server, provider, fragment({"x": 1}, index=0, id="1", name="look"))

        assert made == [("look", '{"x": 1}')]

    @pytest.mark.parametrize("ids", [("same", "same"), ("", ""), (None, None)])
    async def test_doubled_and_empty_ids_become_ours(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, ids: tuple[str | None, str | None]
    ) -> None:
        """Calls are told apart whatever the service named them."""
        made = await calls_of(
            server,
            provider,
            fragment('{"n": 1}', index=0, id=ids[0], name="look"),
            fragment('{"n": 2}', index=1, id=ids[1], name="look"),
        )

        assert made == [("look", '{"n": 1}'), ("look", '{"n": 2}')]

    async def test_interleaved_calls_are_put_together_by_index(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Fragments of two calls may alternate."""
        made = await calls_of(
            server,
            provider,
            fragment("", index=0, id="1", name="look"),
            fragment("", index=1, id="2", name="roll"),
            fragment('{"a"', index=0),
            fragment('{"b"', index=1),
            fragment(": 1}", index=0),
            fragment(": 2}", index=1),
        )

        assert made == [("look", '{"a": 1}'), ("roll", '{"b": 2}')]

    async def test_calls_all_numbered_0_are_told_apart_by_id(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Some services number every parallel call 0."""
        made = await calls_of(
            server,
            provider,
            fragment('{"a": 1}', index=0, id="1", name="look"),
            fragment('{"b": ', index=0, id="2", name="look"),
            fragment("2}", index=0, id="2"),
        )

        assert made == [("look", '{"a": 1}'), ("look", '{"b": 2}')]

    @pytest.mark.parametrize("ids", [("1", "2"), ("same", "same"), ("", "")])
    async def test_without_an_index_ids_names_and_order_decide(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, ids: tuple[str, str]
    ) -> None:
        """A missing index loses no call and mixes no arguments."""
        made = await calls_of(
            server,
            provider,
            fragment('{"a"', id=ids[0], name="look"),
            fragment(": 1}"),
            fragment('{"b"', id=ids[1], name="look"),
            fragment(": 2}"),
            fragment("", id=ids[1], name="roll"),
        )

        assert made == [("look", '{"a": 1}'), ("look", '{"b": 2}'), ("roll", "{}")]

    async def test_a_name_in_every_fragment_is_one_name(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Repeated names are not strung together, split ones are."""
        made = await calls_of(
            server,
            provider,
            fragment('{"a"', index=0, id="1", name="look"),
            fragment(": 1}", index=0, id="1", name="look"),
            fragment("", index=1, id="2", name="ro"),
            fragment("{}", index=1, name="ll"),
        )

        assert made == [("look", '{"a": 1}'), ("roll", "{}")]

    async def test_odd_fragments_harm_nothing(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Whatever stands where a call should be, the good call comes through."""
        made = await calls_of(
            server,
            provider,
            delta({"tool_calls": None}),
            delta({"tool_calls": "look"}),
            delta({"tool_calls": [None, 3]}),
            fragment('{"a": 1}', index=0, id="1", name="look"),
            delta({"tool_calls": [{"index": 0, "function": None}]}),
            delta({"tool_calls": [{"index": 0, "id": 5, "function": {"name": 5, "arguments": 5}}]}),
        )

        assert made == [("look", '{"a": 1}')]
