"""Many tools: found by a search, and called by their names, as if they had been called directly."""

import json
from dataclasses import replace

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.events import LLMResponseEvent, ToolCallWaitingEvent
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from llmgine.tools.tool import Tool
from tests.llmgine.engine.chat import Chat
from tests.llmgine.engine.conftest import StartChat


async def pay(amount: int) -> str:
    """Pay the bill.

    Args:
        amount: How much.
    """
    return f"paid {amount}"


async def other() -> str:
    """Do something else."""
    return "done"


def calling(name: str, arguments: object) -> ChatReply:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ChatReply(tool_calls=(ToolCall(name=name, arguments=text),), finish="tool_calls", model="m")


async def with_many(start_chat: StartChat, provider: ScriptedProvider, *, count: int = 25, **options: object) -> Chat:
    """A chat with so many tools that are searched, and one that is not."""
    chat = await start_chat(provider, **options)
    for number in range(count - 1):
        chat.engine.tools.register(replace(Tool.from_function(other, name=f"other{number}"), searchable=True))
    chat.engine.tools.register(replace(Tool.from_function(pay, requires_approval=True), searchable=True))
    chat.engine.tools.register(Tool.from_function(other, name="direct"))
    return chat


def offered(provider: ScriptedProvider) -> list[str]:
    return [tool.name for tool in provider.requests[-1].tools]


@pytest.mark.parametrize(
    ("count", "window", "is_searched"),
    [(19, 32_000, False), (20, 32_000, True), (10, 4_000, True)],
)
async def test_many_tools_are_searched(start_chat: StartChat, count: int, window: int, is_searched: bool) -> None:
    """Above 20 tools, or when their definitions take more than a twentieth of the window, those of servers are."""
    provider = ScriptedProvider(["Hello."])
    chat = await with_many(start_chat, provider, count=count, window=window)
    await chat.say()

    assert ("pay" in offered(provider)) is not is_searched
    assert (offered(provider) == ["direct", "search_tools", "call_tool"]) is is_searched


async def test_a_tool_is_found_by_its_words(start_chat: StartChat) -> None:
    """The model reads the definition of what fits, and is told when nothing does."""
    provider = ScriptedProvider(
        [calling("search_tools", {"query": "bill"}), calling("search_tools", {"query": "weather"}), "Done."]
    )
    chat = await with_many(start_chat, provider)
    await chat.say()

    [(_, found), (_, nothing)] = chat.results()
    assert [one["name"] for one in json.loads(found)] == ["pay"]
    assert "amount" in json.loads(found)[0]["parameters"]["properties"]
    assert "No tool has these words" in nothing


async def test_a_call_is_that_of_the_named_tool(start_chat: StartChat) -> None:
    """What is told, shown, approved and run is the named tool with its arguments."""
    provider = ScriptedProvider([calling("call_tool", {"name": "pay", "arguments": {"amount": 3}}), "Done."])
    chat = await with_many(start_chat, provider)
    turn_id = (await chat.admit()).turn_id
    waiting = await chat.told(ToolCallWaitingEvent)
    await chat.decide(waiting, approved=True)
    await chat.outcome(turn_id)

    assert (waiting.call.name, waiting.call.parsed()) == ("pay", {"amount": 3})
    assert chat.of(LLMResponseEvent)[0].tool_calls == (waiting.call,)
    assert chat.results() == [(True, "paid 3")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"name": "pay", "arguments": {"amount": "x"}}, "The arguments do not fit: amount"),
        ({"name": "pay", "arguments": '{"amount": "x"}'}, "The arguments do not fit: amount"),
        ({"name": "none", "arguments": {}}, "There is no tool 'none'"),
        ({"name": "call_tool", "arguments": {}}, "There is no tool 'call_tool'"),
        ('{"name": "other1", "name": "pay", "arguments": {"amount": 3}}', "a name twice"),
        ("{", "The arguments do not fit"),
    ],
)
async def test_a_call_that_does_not_fit_is_an_error(start_chat: StartChat, arguments: object, told: str) -> None:
    """Nobody is asked, nothing runs, and the model is told what to change."""
    provider = ScriptedProvider([calling("call_tool", arguments), "Done."])
    chat = await with_many(start_chat, provider)
    await chat.say()

    [(ok, said)] = chat.results()
    assert not ok
    assert told in said
    assert not chat.of(ToolCallWaitingEvent)


async def test_a_tool_that_is_not_set_here_is_not_found(start_chat: StartChat) -> None:
    """Where there are few tools, there is nothing to search them with."""
    provider = ScriptedProvider([calling("call_tool", {"name": "pay", "arguments": {"amount": 3}}), "Done."])
    chat = await with_many(start_chat, provider, count=5)
    await chat.say()

    [(ok, said)] = chat.results()
    assert (ok, "There is no tool 'call_tool'" in said) == (False, True)
