"""What /doctor says of MCP servers: which are there, and which of their tools wait to be accepted."""

from llmgine.messages.translatable import Text, joined, tr, tr_many
from programs.application import Application
from programs.discord.slash.findings import Finding, quoted

_ABOUT = tr("MCP servers")
_MAX_NAME, _MAX_REASON, _MOST = 40, 200, 10


def findings(app: Application, *, all_of_it: bool) -> list[Finding]:
    """The finding, where such servers are configured.

    Args:
        app: The application.
        all_of_it: Whether servers may be named, and what they said, as to an operator.
    """
    if app.mcp is None:
        return []
    servers = app.mcp.status()
    missing = [one for one in servers if one.problem or not one.generation]
    waiting = sum(len(one.waiting) for one in servers)
    there = tr("{there} of {all} are connected", there=len(servers) - len(missing), all=len(servers))
    words: list[Text] = [there]
    if all_of_it:
        words += [
            tr("{server}: {reason}", server=quoted(one.name, _MAX_NAME), reason=quoted(one.problem, _MAX_REASON))
            if one.problem
            else tr("{server} is being connected", server=quoted(one.name, _MAX_NAME))
            for one in missing[:_MOST]
        ]
    if waiting:
        count = tr_many("{count} tool is not accepted", "{count} tools are not accepted", waiting)
        look = tr("`{command}` shows them", command="python -m programs.mcp diff") if all_of_it else ""
        words.append(joined("; ", count, look))
    return [Finding(_ABOUT, int(bool(missing or waiting)), joined("; ", *words))]
