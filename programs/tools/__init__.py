"""The tools both programs offer. Adding one is a function in a file here and a line in `build_tools`."""

from collections.abc import Collection
from pathlib import Path

from llmgine.tools.tool import Tool
from programs.tools.calculator import calculate
from programs.tools.email import SmtpConfig, email_tool
from programs.tools.weather import WeatherConfig, weather_tool


def build_tools(
    *,
    weather: WeatherConfig,
    outbox: Path,
    smtp: SmtpConfig | None,
    email_recipients: int = 1,
    email_allowed: Collection[str] = (),
) -> list[Tool]:
    """The tools, configured; see `weather_tool` and `email_tool`."""
    return [
        weather_tool(weather),
        Tool.from_function(calculate, idempotent=True),
        email_tool(outbox=outbox, smtp=smtp, recipients=email_recipients, allowed=email_allowed),
    ]
