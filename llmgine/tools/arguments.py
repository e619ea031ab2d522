"""A tool's arguments as a pydantic model: made from the signature, told as JSON Schema, read from JSON text."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from llmgine.errors import InvalidArgumentsError
from llmgine.messages.text import clean_text, shorten

_MAX_PROBLEMS = 5
_MAX_PROBLEM_LENGTH = 300

_REFUSED_KINDS: dict[object, str] = {
    inspect.Parameter.POSITIONAL_ONLY: "is positional-only, but arguments come by name: remove the '/'",
    inspect.Parameter.VAR_POSITIONAL: "cannot be told to a model: take a list instead",
    inspect.Parameter.VAR_KEYWORD: "cannot be told to a model: name each argument, or take a dict",
}


class Arguments(BaseModel):
    """The arguments of one tool.

    Fields are numbered and carry the argument's name as alias, so that an argument may have any name,
    also `schema`, `copy` or `_private`, which pydantic keeps for itself.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    def by_name(self) -> dict[str, Any]:
        """What the function is called with: nested models stay models, left-out arguments have their default."""
        return {info.alias or key: getattr(self, key) for key, info in type(self).model_fields.items()}


def arguments_model(function: Callable[..., object], name: str, descriptions: Mapping[str, str]) -> type[Arguments]:
    """The model of the arguments of `function`; `name` is for the errors.

    Raises:
        TypeError: The signature holds something a model cannot be told of; the text names it.
        ValueError: A description is of no argument.
    """
    signature = inspect.signature(function)
    if unknown := [key for key in descriptions if key not in signature.parameters]:
        raise ValueError(f"the docstring of tool {name!r} describes {unknown[0]!r}, which is no argument of it")
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as exc:
        raise TypeError(
            f"a type in the signature of tool {name!r} cannot be found: {exc}; "
            "define or import it at the top level of the tool's module"
        ) from exc
    fields: dict[str, Any] = {}
    for number, parameter in enumerate(signature.parameters.values()):
        if reason := _refusal(parameter, hints):
            raise TypeError(f"argument {parameter.name!r} of tool {name!r} {reason}")
        hint = hints[parameter.name]
        fields[f"argument{number}"] = (hint, _field(parameter, hint, descriptions.get(parameter.name)))
    try:
        return create_model(name, __base__=Arguments, **fields)
    except PydanticUserError as exc:
        raise TypeError(f"the signature of tool {name!r} cannot be told to a model: {exc.message}") from exc


def _refusal(parameter: inspect.Parameter, hints: Mapping[str, object]) -> str | None:
    """Why this parameter cannot be an argument of a tool; None when it can."""
    if reason := _REFUSED_KINDS.get(parameter.kind):
        return reason
    if parameter.name not in hints:
        return "has no type annotation: the model must be told what to write there"
    if isinstance(parameter.default, FieldInfo):
        return "has a Field as its default: write Annotated[type, Field(...)] = default"
    return None


def _field(parameter: inspect.Parameter, hint: Any, description: str | None) -> Any:
    """The field for one parameter; a description in the annotation goes before the docstring's."""
    return Field(
        ... if parameter.default is inspect.Parameter.empty else parameter.default,
        alias=parameter.name,
        description=FieldInfo.from_annotation(hint).description or description or None,
    )


class _SchemaGenerator(GenerateJsonSchema):
    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Say nothing: a default that is not JSON is not shown, and the argument is optional all the same."""


def json_schema(model: type[Arguments], name: str) -> dict[str, object]:
    """The JSON Schema of the arguments, without titles, which repeat the names and cost tokens.

    Raises:
        TypeError: A type has no JSON Schema, such as a callable.
    """
    try:
        schema = model.model_json_schema(schema_generator=_SchemaGenerator)
    except PydanticUserError as exc:
        raise TypeError(f"the signature of tool {name!r} cannot be told to a model: {exc.message}") from exc
    # Pydantic says here what the base class's docstring says: nothing about this tool.
    schema.pop("description", None)
    untitled: dict[str, object] = _without_titles(schema)
    return untitled


def _without_titles(schema: Any) -> Any:
    """A copy without the keyword `title`; arguments, constants and defaults that are called so stay."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: _without_titles(item) for name, item in value.items()}
        elif key in ("default", "const", "enum", "examples"):
            kept[key] = value
        elif key != "title":
            kept[key] = _without_titles(value)
    return kept


def read_arguments(model: type[Arguments], arguments: str) -> dict[str, Any]:
    """The values for the function, from the JSON text a model wrote; no text at all means no arguments.

    Raises:
        InvalidArgumentsError: Not JSON, a name twice, or not fitting; a short text says what is wrong.
    """
    if has_doubles(arguments):
        raise InvalidArgumentsError("The arguments have a name twice. Call again with each argument once.")
    try:
        # Cleaned because a lone surrogate cannot even be handed to the parser.
        return model.model_validate_json(clean_text(arguments).strip() or "{}").by_name()
    except ValidationError as exc:
        raise InvalidArgumentsError(_explain(exc)) from None  # the cause would hold the whole input


def has_doubles(arguments: str) -> bool:
    """Whether an object in a JSON text has a name twice: people might be shown another of the values than is used."""
    found = False

    def read(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal found
        values = dict(pairs)
        found = found or len(values) < len(pairs)
        return values

    try:
        json.loads(arguments, object_pairs_hook=read)
    except (ValueError, RecursionError):
        return False
    return found


def _explain(error: ValidationError) -> str:
    """What is wrong, one line per field, never quoting the input at length."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [_line(".".join(map(str, problem["loc"])), problem["msg"]) for problem in problems[:_MAX_PROBLEMS]]
    if len(problems) > _MAX_PROBLEMS:
        lines.append(f"and {len(problems) - _MAX_PROBLEMS} more")
    return "The arguments do not fit: " + "; ".join(lines) + ". Call again with arguments that fit the schema."


def _line(field: str, message: str) -> str:
    short = shorten(message, _MAX_PROBLEM_LENGTH)
    return f"{shorten(field, 100)}: {short}" if field else short
