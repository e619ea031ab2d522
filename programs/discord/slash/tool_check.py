"""What /doctor says of the operator's own tools: those that are not there, and why."""

from llmgine.messages.translatable import joined, tr, tr_many
from programs.application import Application
from programs.discord.slash.findings import Finding, quoted

_ABOUT = tr("Own tools")
_MOST, _MAX_PROBLEM = 5, 250  # problems that are listed, and characters of one


def findings(app: Application, *, all_of_it: bool) -> list[Finding]:
    """The finding, where a tool could not be loaded.

    Args:
        app: The application.
        all_of_it: Whether files and errors may be shown, as to an operator.
    """
    problems = app.tool_problems
    if not problems:
        return []
    words = tr_many("{count} could not be loaded", "{count} could not be loaded", len(problems))
    if not all_of_it:
        return [Finding(_ABOUT, 1, tr("{words}; the operator sees why in /doctor and in my log", words=words))]
    lines = [quoted(str(problem), _MAX_PROBLEM) for problem in problems[:_MOST]]
    if len(problems) > _MOST:
        lines.append("…")
    return [Finding(_ABOUT, 1, joined("\n", words, *lines))]
