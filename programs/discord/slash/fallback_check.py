"""What /doctor says of the fallback models: which there are, and which models rest until when, and why."""

from llmgine.engine.rests import Rest
from llmgine.messages.translatable import Text, joined, tr
from programs.application import Application
from programs.discord.slash.findings import Finding, quoted

_ABOUT = tr("Fallback models")
_MAX_NAME, _MOST = 60, 3


def findings(app: Application, *, all_of_it: bool) -> list[Finding]:
    """The finding, where fallback models are set.

    Args:
        app: The application.
        all_of_it: Whether all rests and their services may be shown, as to an operator.
    """
    model = app.engine.model
    if not model.fallbacks:
        return []
    resting = model.rests.all()
    if not resting:
        models = ", ".join(quoted(name, _MAX_NAME) for name in model.fallbacks[:_MOST])
        return [Finding(_ABOUT, 0, tr("{models}; no model rests", models=models))]
    lines: list[Text] = [_line(rest, all_of_it=all_of_it) for rest in resting[:_MOST]]
    if len(resting) > _MOST:
        lines.append(tr("and {count} more", count=len(resting) - _MOST))
    return [Finding(_ABOUT, 1, joined("; ", *lines))]


def _line(rest: Rest, *, all_of_it: bool) -> Text:
    when = f"<t:{int(rest.until.timestamp())}:T>"
    service = quoted(rest.asked.service, _MAX_NAME)
    model = quoted(rest.asked.model, _MAX_NAME) or service
    if all_of_it and rest.asked.model:
        return tr(
            "{model} at {service} rests until {when}. {reason}",
            model=model,
            service=service,
            when=when,
            reason=rest.reason,
        )
    return tr("{model} rests until {when}. {reason}", model=model, when=when, reason=rest.reason)
