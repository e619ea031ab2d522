"""What a model is told of a function, and which functions are refused."""

import enum
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field

from llmgine.tools.tool import Tool
from tests.llmgine.tools import postponed


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(BaseModel):
    """How large."""

    title: str
    width: int = Field(gt=0, description="In millimetres.")


def test_the_schema_carries_all_that_the_signature_and_docstring_say() -> None:
    """Types, defaults, Literal, Optional, lists, enums, nested models and descriptions, and no titles."""

    async def order(
        item: str,
        size: Size,
        *,
        colour: Colour = Colour.RED,
        speed: Literal["slow", "fast"] = "slow",
        tags: list[str] | None = None,
        note: Optional[str] = None,  # noqa: UP045  people still write it so
        count: Annotated[int, Field(ge=1, le=9, description="How many, from the annotation.")] = 1,
    ) -> str:
        """Order something.

        It arrives when it arrives:
          - by post

        Args:
            item: What to order, with
                a second line: and a colon.
            size: How large it is to be.
            colour: Which colour.
            speed: How soon.
            tags: For the search.
            note: For the card.
            count: How many, from the docstring.

        Returns:
            The number of the order.

        Raises:
            ValueError: Sold out.
        """
        return item

    schema = Tool.from_function(order).schema

    assert schema.name == "order"
    assert schema.description == (
        "Order something.\n\nIt arrives when it arrives:\n  - by post\n\nReturns: The number of the order."
    )
    assert schema.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["item", "size"],
        "properties": {
            "item": {"type": "string", "description": "What to order, with\na second line: and a colon."},
            "size": {"$ref": "#/$defs/Size", "description": "How large it is to be."},
            "colour": {"$ref": "#/$defs/Colour", "default": "red", "description": "Which colour."},
            "speed": {"type": "string", "enum": ["slow", "fast"], "default": "slow", "description": "How soon."},
            "tags": {
                "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
                "default": None,
                "description": "For the search.",
            },
            "note": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "default": None,
                "description": "For the card.",
            },
            "count": {
                "type": "integer",
                "minimum": 1,
                "maximum": 9,
                "default": 1,
                "description": "How many, from the annotation.",
            },
        },
        "$defs": {
            "Colour": {"type": "string", "enum": ["red", "blue"]},
            "Size": {
                "type": "object",
                "description": "How large.",
                "required": ["title", "width"],
                "properties": {
                    "title": {"type": "string"},
                    "width": {"type": "integer", "exclusiveMinimum": 0, "description": "In millimetres."},
                },
            },
        },
    }


def test_no_arguments_make_an_empty_object() -> None:
    """A function without arguments has a schema that every service takes."""

    def now() -> str:
        """Tell the time."""
        return "noon"

    parameters = Tool.from_function(now).schema.parameters

    assert parameters == {"type": "object", "properties": {}, "additionalProperties": False}


async def test_arguments_may_have_any_name() -> None:
    """Names pydantic keeps for itself are ordinary arguments here."""

    def odd(schema: int, copy: int, model_config: int, title: int, _private: int, *, json: int = 6) -> list[int]:
        """Take odd names."""
        return [schema, copy, model_config, title, _private, json]

    tool = Tool.from_function(odd)
    result = await tool.call('{"schema":1,"copy":2,"model_config":3,"title":4,"_private":5}')

    assert result == [1, 2, 3, 4, 5, 6]
    properties = tool.schema.parameters["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == ["schema", "copy", "model_config", "title", "_private", "json"]


async def test_postponed_annotations_are_resolved() -> None:
    """`from __future__ import annotations` changes nothing, also for nested models."""
    tool = Tool.from_function(postponed.plan)

    assert await tool.call('{"stops": [{"name": "A"}, {"name": "B"}], "by": "train"}') == "train: A - B"


async def test_decorated_functions_and_methods_are_tools() -> None:
    """A wrapper shows the signature it wraps; a method is offered without its `self`."""

    class Shop:
        def price(self, item: str) -> str:
            """Tell the price."""
            return f"{item}: 3"

    def doubled(function: Callable[[str], str]) -> Callable[[str], str]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> str:
            return function(*args, **kwargs) * 2

        return wrapper

    assert await Tool.from_function(doubled(Shop().price)).call('{"item": "tea"}') == "tea: 3tea: 3"


def test_a_default_that_is_not_json_is_not_shown() -> None:
    """The argument is optional, and nothing is warned of."""

    def wait(seconds: Annotated[float, Field(ge=0)] = float("inf"), marker: object = object()) -> None:
        """Wait."""

    assert "required" not in Tool.from_function(wait).schema.parameters


def no_docstring(x: int) -> None: ...


def only_arguments(x: int) -> None:
    """
    Args:
        x: A number.
    """  # noqa: D212  a docstring that says nothing is the case


def colonless(x: int) -> None:  # noqa: D417  a line without a colon is the case
    """Do it.

    Args:
        x
    """


def wrong_name(x: int) -> None:  # noqa: D417  a docstring about another argument is the case
    """Do it.

    Args:
        y: Not there.
    """


def positional_only(x: int, /) -> None:
    """Do it."""


def var_positional(*x: int) -> None:
    """Do it."""


def var_keyword(**x: int) -> None:
    """Do it."""


def unannotated(x) -> None:  # type: ignore[no-untyped-def]  # the missing type is the case
    """Do it."""


def callback(x: Callable[[], None]) -> None:
    """Do it."""


def unknown_type(x: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821  a type nobody knows is the case
    """Do it."""


def field_default(x: int = Field(3)) -> None:
    """Do it."""


def generator() -> Iterator[int]:
    """Do it."""
    yield 1


async def async_generator() -> AsyncIterator[int]:
    """Do it."""
    yield 1


@pytest.mark.parametrize(
    ("function", "kind", "text"),
    [
        (no_docstring, ValueError, "'no_docstring' has no docstring"),
        (only_arguments, ValueError, "docstring of tool 'only_arguments'"),
        (colonless, ValueError, "not in Google style"),
        (wrong_name, ValueError, "describes 'y', which is no argument"),
        (positional_only, TypeError, "'x' of tool 'positional_only' is positional-only"),
        (var_positional, TypeError, "take a list instead"),
        (var_keyword, TypeError, "name each argument"),
        (unannotated, TypeError, "'x' of tool 'unannotated' has no type annotation"),
        (callback, TypeError, "'callback' cannot be told to a model"),
        (unknown_type, TypeError, "'Nowhere' is not defined"),
        (field_default, TypeError, r"write Annotated\[type, Field"),
        (generator, TypeError, "returns its result"),
        (async_generator, TypeError, "yields several"),
        (lambda: None, ValueError, "'<lambda>' is not: give it name="),
        (Tool, TypeError, "a tool is a function"),
    ],
)
def test_what_cannot_be_a_tool_is_refused(function: Callable[..., object], kind: type[Exception], text: str) -> None:
    """Registration says in a sentence what is wrong and where, before any model sees the tool."""
    with pytest.raises(kind, match=text):
        Tool.from_function(function)


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 65, "a.b", "a\n"])
def test_a_name_services_would_refuse_is_refused(name: str) -> None:
    """A name is 1 to 64 letters, digits, _ and -."""
    with pytest.raises(ValueError, match="a tool's name is"):
        Tool.from_function(var, name=name)


def var() -> None:
    """Do it."""


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_every_tool_has_a_time_limit(timeout: float) -> None:
    """A limit that limits nothing is refused."""
    with pytest.raises(ValueError, match="timeout of tool 'var'"):
        Tool.from_function(var, timeout=timeout)
