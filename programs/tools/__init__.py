"""The tools both programs offer. Adding one is a function in a file here and a line in `build_tools`."""

from collections.abc import Collection
from pathlib import Path

from llmgine.tools.tool import Tool
from programs.guarded_http import GuardedHttp
from programs.tools.calculator import calculate
from programs.tools.email import SmtpConfig, email_tool
from programs.tools.fetch import fetch_tool
from programs.tools.robots import AGENT
from programs.tools.search import SearchConfig, search_tool
from programs.tools.weather import WeatherConfig, weather_tool


def build_tools(
    *,
    weather: WeatherConfig,
    outbox: Path,
    smtp: SmtpConfig | None,
    email_recipients: int = 1,
    email_allowed: Collection[str] = (),
    fetch: bool = False,
    search: SearchConfig | None = None,
) -> list[Tool]:
    """The tools, configured; see `weather_tool` and `email_tool`.

    `fetch_url` is there if `fetch` is True, `web_search` if `search` says who searches.
    """
    return [
        weather_tool(weather),
        Tool.from_function(calculate, idempotent=True),
        email_tool(outbox=outbox, smtp=smtp, recipients=email_recipients, allowed=email_allowed),
        *([fetch_tool(GuardedHttp(agent=AGENT))] if fetch else []),
        *([search_tool(search)] if search else []),
    ]
