"""What a server says of one of its tools: bounded, without hidden characters for the model, and hashed as a whole."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmgine.messages.text import clean_text, shorten
from llmgine.messages.visible_text import visible_text

MOST_TOOLS = 500  # of one server; more of them are left out
LARGEST = 50_000  # bytes of one definition; a larger one is left out
_LONGEST_NAME = 64  # what services take
_LONGEST_TEXT = 4_000  # characters of a description, of the tool or within its schema
_DEEPEST = 30  # levels of a schema
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
# What only checks a value, at a cost without a bound, or shows nothing to the model; the server checks it itself.
_LEFT_OUT = frozenset({"$schema", "$id", "$comment", "pattern", "patternProperties", "format", "title"})


class DefinitionError(ValueError):
    """A definition that cannot be used; the text says why."""


@dataclass(frozen=True)
class Definition:
    """One tool of one server.

    Attributes:
        server: The server's name in the configuration.
        raw: All that the server said of it, as JSON.
    """

    server: str
    raw: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Check what the server said.

        Raises:
            DefinitionError: It has no name, is too large or too deep, or its schema is not that of an object.
        """
        if not isinstance(self.raw.get("name"), str) or not self.raw["name"]:
            raise DefinitionError("it has no name")
        schema = self.raw.get("inputSchema")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise DefinitionError("its schema is not that of an object")
        if _depth(self.raw) > _DEEPEST:
            raise DefinitionError(f"it has more than {_DEEPEST} levels")
        if len(self.canonical.encode(errors="replace")) > LARGEST:
            raise DefinitionError(f"it has more than {LARGEST:,} bytes")

    @property
    def tool(self) -> str:
        """The server's name of it."""
        return str(self.raw["name"])

    @cached_property
    def name(self) -> str:
        """What the model calls it by: `server__tool` in at most 64 characters; a longer name ends in a hash of it."""
        return model_name(self.server, self.tool)

    @cached_property
    def canonical(self) -> str:
        """All that was said of it as one text, the same for the same definition."""
        return json.dumps(self.raw, sort_keys=True, ensure_ascii=True, separators=(",", ":"))

    @cached_property
    def fingerprint(self) -> str:
        """The hash of the whole definition."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @property
    def description(self) -> str:
        """What the model is told of it."""
        said = self.raw.get("description")
        text = _shown(said) if isinstance(said, str) else ""
        return text or f"{_shown(self.tool)}, of the server {self.server}."

    @property
    def parameters(self) -> dict[str, Any]:
        """The schema of its arguments as the model is told it."""
        schema: dict[str, Any] = _bounded(self.raw["inputSchema"])
        return {"properties": {}, **schema}


def model_name(server: str, tool: str) -> str:
    """The name of a server's tool for the model; where something does not fit, a hash keeps it apart from others."""
    plain = f"{server}__{_NOT_IN_NAMES.sub('_', tool)}"
    if plain == f"{server}__{tool}" and len(plain) <= _LONGEST_NAME:
        return plain
    mark = hashlib.sha256(f"{server}\0{tool}".encode(errors="replace")).hexdigest()[:8]
    return f"{plain[: _LONGEST_NAME - 9]}_{mark}"


def _shown(text: str) -> str:
    return shorten(visible_text(clean_text(text)).strip(), _LONGEST_TEXT)


def _bounded(schema: Any, *, names: bool = False) -> Any:
    """A copy of a schema with clean texts, without the keywords that are left out; `names`: its keys are names."""
    if isinstance(schema, list):
        return [_bounded(one) for one in schema]
    if isinstance(schema, str):
        return _shown(schema)
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in {"const", "enum", "default", "examples"} and not names:
            kept[key] = value
        elif names or key not in _LEFT_OUT:
            kept[key] = _bounded(value, names=not names and key in {"properties", "$defs", "definitions"})
    return kept


def _depth(value: Any) -> int:
    """How many levels a JSON value has; without recursion, so that any value has an answer."""
    deepest, left = 0, [(value, 1)]
    while left:
        one, level = left.pop()
        deepest = max(deepest, level)
        inner = one.values() if isinstance(one, Mapping) else one if isinstance(one, list) else ()
        left.extend((part, level + 1) for part in inner)
    return deepest
