"""The table of the tools."""

from pathlib import Path

from programs.tools import build_tools
from programs.tools.catalogue import NEEDS, table
from programs.tools.search import SearchConfig
from programs.tools.weather import WeatherConfig
from tests.documents import check_table


def test_the_documents_have_the_table() -> None:
    """The block in docs/tools.md is made from the tools that both programs offer, and says nothing of others."""
    search = SearchConfig(service="brave")
    tools = build_tools(weather=WeatherConfig(), outbox=Path("outbox"), smtp=None, fetch=True, search=search)

    check_table("docs/tools.md", "tools", table(tools))
    assert set(NEEDS) <= {tool.name for tool in tools}
