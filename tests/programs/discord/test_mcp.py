"""Tools of MCP servers as people see them in Discord."""

from pathlib import Path

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedProvider
from programs.playground.entities import ADA_ID
from tests.llmgine.mcp.stage import Stage, tool
from tests.programs.discord.scene import Scene, card_text
from tests.programs.discord.test_doctor import lines
from tests.programs.discord.test_settings import offered, set_here

_IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    """A server whose tools are accepted: all but one, which came later."""
    stage = Stage(tmp_path)
    tools = [tool("echo"), tool("image"), tool("progress")]
    file = stage.add_scripted("s", *tools, readOnly=["image", "progress"])
    async with stage.running():
        pass
    file.write_text(file.read_text().replace("]", ', {"name": "late", "inputSchema": {"type": "object"}}]'))
    return stage


def calling(name: str, arguments: str = "{}") -> ScriptedProvider:
    call = ToolCall(name=name, arguments=arguments)
    return ScriptedProvider([ChatReply(tool_calls=(call,), finish="tool_calls", model="m"), "Done."])


async def test_a_tool_asks_before_it_runs(unstarted: Scene, stage: Stage) -> None:
    """A call of a tool is approved as any other, and then its result is on the card."""
    scene = await unstarted.start(provider=calling("s__echo", '{"a": 1}'), mcp_config=stage.config)
    scene.ask("go")
    card = await scene.card()
    await scene.until(lambda: "waiting for approval" in card_text(scene.messages()[-1]))
    scene.click(scene.messages()[-1], "Approve")
    await scene.outcome()

    assert '→ `{"a": 1}`' in (await scene.card()).embeds[0]["description"]
    assert card.id == (await scene.card()).id


async def test_an_image_is_shown(unstarted: Scene, stage: Stage) -> None:
    """A tool that only reads runs at once, and its image is posted."""
    scene = await unstarted.start(provider=calling("s__image", f'{{"data": "{_IMAGE}"}}'), mcp_config=stage.config)
    scene.ask("go")
    await scene.outcome()

    await scene.until(lambda: [one for message in scene.messages() for one in message.attachments])


async def test_progress_is_on_the_card(unstarted: Scene, stage: Stage) -> None:
    """People see how far a call is, while it runs."""
    scene = await unstarted.start(provider=calling("s__progress"), mcp_config=stage.config)
    scene.ask("go")

    await scene.until(lambda: any("step 1" in str(shown.payload["embeds"]) for shown in scene.history))
    await scene.outcome()
    assert "step" not in (await scene.card()).embeds[0]["description"]


async def test_the_doctor_says_what_is_not_accepted(unstarted: Scene, stage: Stage) -> None:
    """Operators read how many tools wait and which command shows them, other moderators only how many."""
    scene = await unstarted.start(mcp_config=stage.config, operators=(ADA_ID,))
    assert scene.app.mcp is not None
    await scene.app.mcp.settled()

    found = (await lines(scene))["MCP servers"]

    assert found.startswith("⚠️")
    assert "1 of 1 are connected; 1 tool is not accepted; `python -m programs.mcp diff` shows them" in found


async def test_a_channel_has_the_tools_of_the_servers_that_are_set_there(unstarted: Scene, stage: Stage) -> None:
    """/tools takes a server's name with a star for all its tools; elsewhere nothing changes."""
    scene = await unstarted.start(mcp_config=stage.config)
    await set_here(scene, "tools", "s__*, calculate", "names")
    scene.ask("here")
    await scene.outcome()
    await set_here(scene, "tools", "calculate", "names")
    scene.ask("again")
    await scene.outcome(2)

    assert [offered(request) for request in scene.model.requests] == [
        ["s__echo", "s__image", "s__progress", "calculate"],
        ["calculate"],
    ]
