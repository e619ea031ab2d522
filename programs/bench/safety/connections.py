"""Whom this process connects to: every attempt is seen, and none leaves the machine."""

import contextlib
import ipaddress
import socket
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from yarl import URL

from programs.guarded_http import is_public

_active: list["Connections"] = []  # an audit hook cannot be taken away again
_hooked = False


class Connections:
    """Notes attempts to connect, and refuses those that are to none of the stage's own servers.

    Attributes:
        private: The addresses that are not public and that nobody configured, in the order in which they were tried.
    """

    def __init__(self, own: Iterable[str]) -> None:
        self._own = {(url.host, url.port) for url in map(URL, own)}
        self.private: list[str] = []

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Note them inside this block."""
        global _hooked  # noqa: PLW0603  one hook for the process
        if not _hooked:
            sys.addaudithook(_on_event)
            _hooked = True
        _active.append(self)
        try:
            yield
        finally:
            _active.remove(self)

    def note(self, where: tuple[Any, ...]) -> None:
        """An attempt to connect.

        Raises:
            ConnectionRefusedError: It is to none of our own servers.
        """
        host, port = str(where[0]), where[1]
        if (host, port) in self._own:
            return
        try:
            public = is_public(ipaddress.ip_address(host.partition("%")[0]))
        except ValueError:
            public = False
        if not public:
            self.private.append(f"{host}:{port}")
        raise ConnectionRefusedError("the safety bench connects to nobody else")


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _active and arguments[0].family in (socket.AF_INET, socket.AF_INET6):
        _active[-1].note(arguments[1])
