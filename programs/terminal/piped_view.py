"""The view of a person who sends the answers somewhere else: they go there plain, and the rest is on the screen."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console

from llmgine.sessions.records import Session
from programs.terminal.plain_view import PlainView
from programs.terminal.rich_view import RichView


class PipedView(RichView):
    """See `View`.

    Args:
        console: The screen, which is where the standard error goes.
        out: Where answers go, and what else was asked for.
    """

    def __init__(self, console: Console, out: TextIO) -> None:
        super().__init__(console)
        self._plain = PlainView(out, out)
        self._is_aside = False

    def say(self, text: str) -> None:
        """See `View`."""
        if self._is_aside:
            super().say(text)
        else:
            self.quiet()
            self._plain.say(text)

    def sessions(self, sessions: Sequence[Session], current: str | None) -> None:
        """See `View`."""
        if self._is_aside:
            super().sessions(sessions, current)
        else:
            self.quiet()
            self._plain.sessions(sessions, current)

    def answer(self, text: str) -> None:
        """See `View`; what is plain is written when it is whole, and until then the status stays on the screen."""
        if self._is_aside:
            super().answer(text)

    def end_answer(self, text: str) -> None:
        """See `View`."""
        if self._is_aside:
            super().end_answer(text)
        else:
            self.quiet()
            self._plain.end_answer(text)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """See `View`."""
        self._is_aside = True
        try:
            yield
        finally:
            self.quiet()
            self._is_aside = False
