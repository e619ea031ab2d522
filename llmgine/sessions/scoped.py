"""Settings that are made for a session or a wider scope: the nearest one is effective."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from llmgine.messages.commands import Pausable
from llmgine.sessions.records import Pause, SessionSettings, Setting

PAUSED = "paused:"  # with what is paused, the name of the setting that says so
UNTIL = " "  # in its value, between the marks of the beginning and the end

M = TypeVar("M", bound=BaseModel)


def effective(model: type[M], settings: Iterable[Setting]) -> M:
    """The effective settings, as a model with a field for each name; a value that does not fit is ignored."""
    values: dict[str, str] = {}
    for setting in settings:
        if (
            setting.name in model.model_fields
            and setting.name not in values
            and fits(model, setting.name, setting.value)
        ):
            values[setting.name] = setting.value
    return model.model_validate(values)


def fits(model: type[BaseModel], name: str, value: str) -> bool:
    """Whether the model takes the value for this name."""
    try:
        model.model_validate({name: value})
    except ValidationError:
        return False
    return True


def fits_session(name: str, value: str) -> bool:
    """Whether a setting can have the value, as far as it is one of sessions."""
    return name not in SessionSettings.model_fields or fits(SessionSettings, name, value)


def is_paused(what: Pausable, pauses: Iterable[Pause]) -> bool:
    """Whether one of these pauses is of that and lasts."""
    return any(one.what == what and one.lasts for one in pauses)


def pauses_in(made: Iterable[Setting]) -> list[Pause]:
    """The pauses among settings, those that have ended too."""
    found: list[Pause] = []
    for one in made:
        if one.name.startswith(PAUSED):
            begun, _, ended = one.value.partition(UNTIL)
            about = {"what": one.name.removeprefix(PAUSED), "begun": begun, "ended": ended or None}
            when = {"paused_by": one.changed_by, "since": one.changed_at}
            found.append(Pause.model_validate({"scope": one.scope, **about, **when}))
    return found


def of_place(source: str, place: str) -> str:
    """The scope of a front end's place, which is also the id of its session: all front ends name them so."""
    return f"{source}:{place}"


def of_server(source: str, guild: int) -> str:
    """The scope of a front end's server."""
    return f"{source}:server:{guild}"


def is_server(scope: str) -> bool:
    """Whether a scope is that of a server."""
    return scope.split(":")[1:2] == ["server"]
