"""What servers say of their tools: named, cleaned, bounded, hashed, and kept as it was accepted."""

import re
from pathlib import Path
from typing import Any

import pytest

from llmgine.errors import ConfigurationError, InvalidArgumentsError
from llmgine.mcp.arguments import arguments_of
from llmgine.mcp.definitions import Definition, DefinitionError, model_name
from llmgine.mcp.pins import Pins
from llmgine.tools.arguments import read_arguments
from tests.llmgine.mcp.stage import tool


def test_a_name_fits_and_stays_apart() -> None:
    """A name is `server__tool`; one that is too long or has other characters ends in a hash, always the same."""
    assert model_name("time", "get_time") == "time__get_time"
    names = [model_name("s", name) for name in ("a.b", "a/b", "a_b", "x" * 100, "x" * 101, "ä", "ö")]
    assert len({*names}) == 7
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)
    assert names[3] == model_name("s", "x" * 100)


def test_hidden_characters_do_not_reach_the_model() -> None:
    """Descriptions, also those within the schema, lose what people do not see, and what is too long of them."""
    hidden = "Adds.\U000e0041\u200b\u202e" + "x" * 10_000
    definition = Definition("s", tool("t", hidden, properties={"a": {"type": "string", "description": hidden}}))

    said = definition.parameters["properties"]["a"]["description"]
    assert definition.description == said
    assert len(said) == 4_000
    assert said.startswith("Adds.x")
    assert "\\u200b" in definition.canonical


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "", "inputSchema": {"type": "object"}},
        {"name": "t", "inputSchema": {"type": "string"}},
        {"name": "t"},
        tool("t", "x" * 60_000),
        tool("t", properties={"a": eval("[" * 40 + "]" * 40)}),  # noqa: S307  a deep list
    ],
)
def test_a_definition_has_bounds(raw: dict[str, object]) -> None:
    """What is nameless, too large, too deep or no object is refused."""
    with pytest.raises(DefinitionError):
        Definition("s", raw)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"n": "1"}', "n: '1' is not of type 'integer'"),
        ("{}", "'n' is a required property"),
        ('{"n": 1, "m": 2}', "'m' was unexpected"),
        ('{"n": 1, "n": 2}', "a name twice"),
        ("[]", "should be an object"),
    ],
)
def test_arguments_are_checked_by_the_schema(arguments: str, told: str) -> None:
    """What does not fit is told to the model, and the server is not called."""
    schema: dict[str, Any] = {
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    model = arguments_of(Definition("s", tool("t", **schema)))

    assert read_arguments(model, '{"n": 1}') == {"n": 1}
    with pytest.raises(InvalidArgumentsError, match=re.escape(told)):
        read_arguments(model, arguments)


def test_a_schema_is_not_followed_elsewhere() -> None:
    """A reference to an address is not fetched, and a pattern that takes for ever is left to the server."""
    followed = arguments_of(Definition("s", tool("t", properties={"n": {"$ref": "http://127.0.0.1:9/x"}})))
    with pytest.raises(InvalidArgumentsError, match="cannot be followed"):
        read_arguments(followed, '{"n": 1}')
    slow = arguments_of(Definition("s", tool("t", properties={"n": {"type": "string", "pattern": "(a+)+$"}})))

    assert read_arguments(slow, '{"n": "' + "a" * 50 + '!"}')


def test_references_that_double_are_not_followed() -> None:
    """A short schema whose references each lead to two more would hold up everything else for minutes."""
    levels = {
        f"d{level}": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2,
        }
        for level in range(14)
    }
    schema: dict[str, Any] = {
        "properties": {"n": {"$ref": "#/$defs/d0"}},
        "$defs": {**levels, "d14": {"type": "integer"}},
    }
    model = arguments_of(Definition("s", tool("t", **schema)))

    with pytest.raises(InvalidArgumentsError, match="cannot be followed"):
        read_arguments(model, '{"n": 1}')


def test_an_argument_may_have_any_name() -> None:
    """Also one that pydantic or Python keeps for itself."""
    names = ["schema", "self", "model_config", "validator", "a-b", "copy"]
    model = arguments_of(Definition("s", tool("t", properties={name: {"type": "integer"} for name in names})))

    arguments = "{" + ", ".join(f'"{name}": 1' for name in names) + "}"
    assert read_arguments(model, arguments) == dict.fromkeys(names, 1)


def test_what_was_accepted_is_kept(tmp_path: Path) -> None:
    """A definition is added, replaced and removed, and the others stay."""
    pins = Pins(tmp_path / "mcp.json")
    one, two = Definition("s", tool("one")), Definition("s", tool("two"))
    another = Definition("s", tool("one", "Another."))
    pins.accept([one, two])
    pins.accept([another], gone=[two])

    assert pins.path == tmp_path / "mcp.accepted.json"
    assert pins.read() == {"s": {"one": another}}


@pytest.mark.parametrize("content", ["", "[]", '{"version": 2}', '{"version": 1, "servers": {"s": {"t": {}}}}'])
def test_a_file_that_is_damaged_accepts_nothing(tmp_path: Path, content: str) -> None:
    """It is said that it cannot be used, and it is not taken for an empty one."""
    pins = Pins(tmp_path / "mcp.json")
    pins.path.write_text(content)

    with pytest.raises(ConfigurationError, match=re.escape(str(pins.path))):
        pins.read()
