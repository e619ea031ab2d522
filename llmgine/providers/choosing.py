"""Which model answers where none is configured, and until when a model is there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from llmgine.errors import ProviderRefusedError, UserError
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Text, tr
from llmgine.providers.base import ListedModel

PREFERRED = "gpt-4o-mini"
# Of the same price class, in the order in which they are taken.
SUCCESSORS = ("gpt-4.1-mini", "gpt-5-mini", "gpt-5.4-mini", "gpt-5.6-mini", "gpt-6-luna")
NOTICE = timedelta(days=60)  # how long before its end a model's shutdown is told of

_TOO_SOON = timedelta(days=30)  # a model that is gone within this time is not begun with
_MOST_NAMED = 20
_LONGEST_NAME = 1_000  # characters; local services name models by their paths


def listed_models(document: object) -> tuple[ListedModel, ...]:
    """The models in a service's list, by name; none where it is no such list."""
    data = document.get("data") if isinstance(document, Mapping) else None
    entries = [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []
    models = {
        name: ListedModel(name, _day(entry.get("shutdown_date") or entry.get("retires_at")))
        for entry in entries
        if isinstance(name := entry.get("id"), str) and 0 < len(name) <= _LONGEST_NAME
    }
    return tuple(models[name] for name in sorted(models))


def chosen(models: Sequence[ListedModel], today: date) -> str:
    """The model to ask: the usual one, a successor, or the only one there is.

    Raises:
        ProviderRefusedError: It cannot be decided; the text lists the names.
    """
    lasting = {model.name for model in models if model.shutdown is None or model.shutdown - today > _TOO_SOON}
    for name in (PREFERRED, *SUCCESSORS):
        if name in lasting:
            return name
    if not models:  # a service without a list, which most clones of it are
        return PREFERRED
    if len(models) == 1:
        return models[0].name
    names = [model.name for model in models]
    listed: Text | str = ", ".join(shorten(name, 60) for name in names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        listed = tr("{names} and {count} more", names=listed, count=len(names) - _MOST_NAMED)
    raise ProviderRefusedError(tr("Set OPENAI_MODEL to one of the service's models: {models}.", models=listed))


def require_listed(names: Sequence[str], name: str) -> None:
    """Check a model that somebody chose against the names that its service told, if it told any.

    Raises:
        UserError: It is none of them.
    """
    if names and name not in names:
        raise UserError(tr("The service has no model {name}. Pick one from the list.", name=repr(shorten(name, 100))))


def shutdown_notice(models: Sequence[ListedModel], name: str, today: date) -> Text | None:
    """What to say of a model that its service takes away within 60 days; None for one that stays."""
    day = next((model.shutdown for model in models if model.name == name), None)
    if day is None or day - today > NOTICE:
        return None
    if day <= today:
        return tr(
            "The service planned to shut down the model {model} on {day}. Set OPENAI_MODEL to another one.",
            model=name,
            day=str(day),
        )
    return tr(
        "The service shuts down the model {model} on {day}. Set OPENAI_MODEL to another one before that.",
        model=name,
        day=str(day),
    )


def _day(value: object) -> date | None:
    """A day as services write it: a date, a time, or seconds since 1970."""
    try:
        if isinstance(value, str):
            return date.fromisoformat(value[:10])
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None
