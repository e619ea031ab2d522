"""Settings that are made for a session or a wider scope: the nearest one is effective."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from llmgine.sessions.records import Setting

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
