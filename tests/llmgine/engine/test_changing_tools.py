"""Tools that are registered and unregistered while a turn runs, as those of MCP servers are."""

from llmgine.messages.events import ToolCallStartedEvent, ToolCallWaitingEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import ScriptedProvider
from llmgine.tools.tool import Tool
from llmgine.tools.tool_manager import ToolManager
from tests.llmgine.engine.chat import ADA, OnText, call
from tests.llmgine.engine.conftest import StartChat


class Transfer:
    """A tool that moves money, and counts how often."""

    def __init__(self) -> None:
        self.ran = 0

    def tool(self) -> Tool:
        async def transfer() -> str:
            """Move money."""
            self.ran += 1
            return "moved"

        return Tool.from_function(transfer, requires_approval=True)


async def test_a_tool_that_comes_back_does_not_run_unasked(start_chat: StartChat) -> None:
    """A call of a tool that is not there when it is decided on does not run, though the tool is there again then."""
    transfer = Transfer()

    async def unregistering(_request: ChatRequest, _on_text: OnText) -> ChatReply:
        chat.engine.tools.unregister("transfer")
        return call("transfer")

    chat = await start_chat(ScriptedProvider([unregistering, "Done."]))
    chat.engine.tools.register(transfer.tool())

    def come_back(_event: ToolCallStartedEvent) -> None:
        chat.engine.tools.register(transfer.tool())

    chat.bus.register_event_handler(ToolCallStartedEvent, come_back)

    await chat.say(author=ADA)

    assert transfer.ran == 0
    assert [ok for ok, _ in chat.results()] == [False]


async def test_another_tool_of_the_same_name_does_not_run(start_chat: StartChat) -> None:
    """What people approved is what runs: where the tool was changed since, the call ends, and the model reads why."""
    transfer, other = Transfer(), Transfer()
    chat = await start_chat(ScriptedProvider([call("transfer"), "Done."]))
    chat.engine.tools.register(transfer.tool())

    async def change(event: ToolCallWaitingEvent) -> None:
        chat.engine.tools.unregister("transfer")
        chat.engine.tools.register(other.tool())
        assert await chat.decide(event, approved=True)

    chat.bus.register_event_handler(ToolCallWaitingEvent, change)

    await chat.say(author=ADA)

    assert (transfer.ran, other.ran) == (0, 0)
    [(ok, content)] = chat.results()
    assert not ok
    assert "This tool was changed meanwhile" in content


async def test_what_a_tool_read_is_known_though_it_is_gone() -> None:
    """A tool that is unregistered while it runs has still read text of others."""
    manager = ToolManager()

    def read() -> str:
        """Read something."""
        manager.unregister("read")
        return "text of others"

    manager.register(read, reads_outside=True)

    assert (await manager.run(call("read").tool_calls[0])).outside
