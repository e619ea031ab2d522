"""The table of the tools in docs/tools.md, made from the tools themselves."""

from collections.abc import Iterable, Mapping

from llmgine.tools.tool import Tool

# What tools need beside the program; others need nothing.
NEEDS: Mapping[str, str] = {
    "get_weather": "Open-Meteo or `WEATHER_BASE_URL`; with the demo model it has sample data",
    "send_email": "`SMTP_HOST`; without it, e-mails become files in `OUTBOX_DIR`",
    "fetch_url": "`WEB_FETCH=true`",
    "web_search": "`WEB_SEARCH`, and the address or key of that service",
}


def table(tools: Iterable[Tool]) -> str:
    """The table in Markdown: what each tool does, whether it has effects and asks first, and what it needs."""
    rows = ["| tool | what it does | effects | asks first | needs |", "|---|---|---|---|---|"]
    for tool in tools:
        does = tool.schema.description.partition("\n")[0].rstrip(".")
        effects = "changes or sends something" if tool.has_effects else "reads only"
        asks = ("yes, or once for all" if tool.allows_always else "yes") if tool.requires_approval else "no"
        rows.append(f"| `{tool.name}` | {does} | {effects} | {asks} | {NEEDS.get(tool.name, 'nothing')} |")
    return "\n".join(rows)
