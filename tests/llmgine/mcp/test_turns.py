"""Tools of MCP servers in turns: approved, in doubt after a crash, and the same from a turn's beginning to its end."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llmgine.mcp.servers import McpServers
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.events import ToolCallStartedEvent, ToolCallWaitingEvent
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.deadline import deadline
from tests.llmgine.engine.chat import ADA, Chat
from tests.llmgine.engine.conftest import StartChat, start_chat
from tests.llmgine.mcp.stage import Stage, tool
from tests.waiting import eventually

__all__ = ["deadline", "start_chat"]


def calling(name: str, **arguments: object) -> ChatReply:
    call = ToolCall(name=name, arguments=json.dumps(arguments))
    return ChatReply(tool_calls=(call,), finish="tool_calls", model="m")


@asynccontextmanager
async def offered(stage: Stage, chat: Chat) -> AsyncIterator[McpServers]:
    """The stage's tools in a chat."""
    servers = McpServers(stage.config, os.environ, chat.engine.tools, interval=0.05)
    servers.start()
    try:
        yield servers
    finally:
        await servers.stop()


async def test_a_call_that_a_crash_ended_is_in_doubt(stage: Stage, start_chat: StartChat) -> None:
    """After a restart a call that was running is not made again: its outcome is unknown."""
    stage.add_scripted("s", tool("hang"))
    async with stage.running():
        pass
    chat = await start_chat([calling("s__hang")])
    async with offered(stage, chat):
        turn_id = (await chat.admit(author=ADA)).turn_id
        await chat.decide(await chat.told(ToolCallWaitingEvent), approved=True)
        await chat.told(ToolCallStartedEvent)
        await chat.close()
    again = await start_chat(["Done."])
    async with offered(stage, again):
        await again.engine.recover(["test"])
        await again.outcome(turn_id)

    [(ok, told)] = again.results()
    assert not ok
    assert "Interrupted: whether this took effect is unknown" in told


async def test_what_is_offered_stays_within_a_turn(stage: Stage, start_chat: StartChat) -> None:
    """A tool that its server changes stays offered until the turn ends, is not called, and is gone in the next turn."""
    stage.add_scripted("s", tool("change"), tool("echo"), readOnly=["change", "echo"])
    async with stage.running():
        pass

    async def call_once_it_changed(*_: object) -> ChatReply:
        await eventually(lambda: "s__echo" not in chat.engine.tools.names)
        return calling("s__echo")

    changed = [tool("change"), tool("echo", "Another.")]
    provider = ScriptedProvider([calling("s__change", tools=changed), call_once_it_changed, "Done.", "Hello."])
    chat = await start_chat(provider)
    async with offered(stage, chat):
        await chat.say()
        await chat.say()

    names = [[one.name for one in request.tools] for request in provider.requests]
    assert names == [["s__change", "s__echo"]] * 3 + [["s__change"]]
    assert [ok for ok, _ in chat.results()] == [True, False]
