"""The arguments of a server's tool, checked here by its JSON Schema before anybody is asked about a call."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ClassVar, Self

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from pydantic import ConfigDict, model_validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from llmgine.mcp.definitions import Definition, DefinitionError
from llmgine.messages.text import shorten
from llmgine.tools.arguments import Arguments

_LONGEST = 200  # characters of what is wrong
_MOST_REFERENCES = 2_000  # in one check: where each leads to two more, a short schema has millions

_left: ContextVar[int] = ContextVar("references that may still be followed", default=_MOST_REFERENCES)


class SchemaArguments(Arguments):
    """Arguments of any names, as the schema of a tool wants them; patterns and formats are for the server to check."""

    model_config = ConfigDict(extra="allow")

    validator: ClassVar[Validator]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _left.set(_MOST_REFERENCES)
        try:
            error = next(iter(self.validator.iter_errors(self.by_name())), None)
        except (Unresolvable, RecursionError):
            raise ValueError("the schema of this tool cannot be followed") from None
        if error is not None:
            raise ValueError(_explained(error))
        return self

    def by_name(self) -> dict[str, Any]:
        """The arguments as they were given; the server knows its own defaults."""
        return dict(self.model_extra or {})


def _counted(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    """What follows such a reference, as long as there are not too many of them."""

    def follow(validator: Validator, reference: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        _left.set(_left.get() - 1)
        if _left.get() < 0:
            raise RecursionError
        yield from Draft202012Validator.VALIDATORS[keyword](validator, reference, instance, schema) or ()

    return follow


_Validator: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {name: _counted(name) for name in ("$ref", "$dynamicRef")}
)


def arguments_of(definition: Definition) -> type[SchemaArguments]:
    """The model of a tool's arguments.

    Raises:
        DefinitionError: Its schema is none.
    """
    schema = definition.parameters
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        message = error.message if isinstance(error, SchemaError) else "it is too deep"
        raise DefinitionError(f"its schema is none: {shorten(message, _LONGEST)}") from None
    # With a registry of its own, a reference to an address is not fetched.
    validator = _Validator(schema, registry=Registry())
    return type(
        definition.name,
        (SchemaArguments,),
        {"validator": validator, "__module__": __name__, "__annotations__": {"validator": ClassVar[Validator]}},
    )


def _explained(error: ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    return f"{shorten(where, 100)}: {shorten(error.message, _LONGEST)}" if where else shorten(error.message, _LONGEST)
