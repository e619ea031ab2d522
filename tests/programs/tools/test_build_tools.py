"""The list of tools both programs offer."""

from pathlib import Path

from pydantic import SecretStr

from llmgine.tools.tool_manager import ToolManager
from programs.tools import build_tools
from programs.tools.search import SearchConfig
from programs.tools.weather import WeatherConfig


def test_all_tools_can_be_offered_together() -> None:
    """Their names differ, only the one with effects asks for consent, and only the others may be repeated."""
    manager = ToolManager(build_tools(weather=WeatherConfig(), outbox=Path("outbox"), smtp=None))

    tools = [manager.get(name) for name in manager.names]
    assert manager.names == ("get_weather", "calculate", "send_email")
    assert [tool.name for tool in tools if tool.requires_approval] == ["send_email"]
    assert [tool.name for tool in tools if tool.idempotent] == ["get_weather", "calculate"]


def test_the_web_is_offered_where_it_is_set() -> None:
    """Both tools only read, and what they read is text of others."""
    search = SearchConfig(service="brave", key=SecretStr("made-up"))
    tools = build_tools(weather=WeatherConfig(), outbox=Path("outbox"), smtp=None, fetch=True, search=search)

    web = {tool.name: tool for tool in tools if tool.name in ("fetch_url", "web_search")}
    assert len(web) == 2
    assert all(tool.idempotent and tool.reads_outside and not tool.has_effects for tool in web.values())
