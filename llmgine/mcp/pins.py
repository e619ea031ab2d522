"""The definitions that the operator accepted, in a file beside the configuration.

A file and not the database, because what may run belongs to the configuration: it is read before anything is connected,
it can be reviewed and deployed with it, and nobody who only writes the database can accept a tool.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from llmgine.errors import ConfigurationError, cannot_use
from llmgine.mcp.definitions import Definition

_LARGEST = 50_000_000  # bytes of the file
_VERSION = 1

Accepted = Mapping[str, Mapping[str, Definition]]  # by server, and by the server's name of the tool


class Standing(Enum):
    """What a server says of a tool now, beside what the operator accepted."""

    ACCEPTED = "accepted"  # it is the same, so the tool is offered
    NEW = "new"  # nothing was accepted
    CHANGED = "changed"  # something else was accepted
    GONE = "gone"  # it was accepted, and the server has it no more


def standing(accepted: Definition | None, now: Definition | None) -> Standing:
    """How a tool stands, of which at least one of both is known."""
    if now is None:
        return Standing.GONE
    if accepted is None:
        return Standing.NEW
    return Standing.ACCEPTED if accepted.fingerprint == now.fingerprint else Standing.CHANGED


class Pins:
    """The file of accepted definitions.

    Args:
        config: The configuration; the file beside it is called like it, with `.accepted.json` at the end.
    """

    def __init__(self, config: Path) -> None:
        self.path = config.with_name(f"{config.stem}.accepted.json")

    def mark(self) -> object:
        """Something that changes when the file does."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def read(self) -> Accepted:
        """What was accepted; nothing where there is no file.

        Raises:
            ConfigurationError: The file cannot be read or is none of ours; the text says what to do.
        """
        try:
            with self.path.open("rb") as stream:
                data = stream.read(_LARGEST + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise cannot_use(f"{self.path} cannot be read", error) from error
        try:
            content = json.loads(data)
            if content["version"] != _VERSION:
                raise ConfigurationError(f"{self.path} is of another version of this program")
            return {
                server: {tool: Definition(server, raw) for tool, raw in tools.items()}
                for server, tools in content["servers"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigurationError(
                f"{self.path} cannot be used: restore it, or remove it and accept the tools again ({error!r:.100})"
            ) from None

    def accept(self, definitions: Iterable[Definition], gone: Iterable[Definition] = ()) -> None:
        """Add definitions, in place of earlier ones of the same tools, and remove those that are gone.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        accepted: dict[str, dict[str, Any]] = {
            server: {tool: dict(one.raw) for tool, one in tools.items()} for server, tools in self.read().items()
        }
        for one in gone:
            accepted.get(one.server, {}).pop(one.tool, None)
        for one in definitions:
            accepted.setdefault(one.server, {})[one.tool] = dict(one.raw)
        text = json.dumps({"version": _VERSION, "servers": accepted}, indent=2, sort_keys=True) + "\n"
        try:
            self._replace(text)
        except OSError as error:
            raise cannot_use(f"{self.path} cannot be written", error) from error

    def _replace(self, text: str) -> None:
        """Write the whole file at once, so that whoever reads it meanwhile sees the one or the other."""
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
