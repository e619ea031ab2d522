"""The plain view: answers without colours on one stream, and on another what happens around them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.sessions.records import Session
from programs.terminal.terminal_text import LONGEST_RESULT, clean, label, one_line, short_call


class PlainView:
    """See `View`.

    Args:
        out: Where answers go, and what else was asked for. To a screen they are written as they grow, but to a pipe
            when they are whole: what a model takes back cannot be taken back there.
        err: Where everything else goes.
    """

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._grows = out.isatty()
        self._shown = ""  # of the growing answer
        self._called: str | None = None  # the call whose line is the last one

    def say(self, text: str) -> None:
        self._line(clean(text), self._out)

    def note(self, text: str) -> None:
        self._line(f"note: {clean(text)}")

    def error(self, text: str) -> None:
        self._line(f"error: {clean(text)}")

    def sessions(self, sessions: Sequence[Session], current: str | None) -> None:
        for session in sessions:
            mark = "*" if session.id == current else " "
            turns = f"{session.turns} turn{'' if session.turns == 1 else 's'}"
            when = f"{session.updated_at.astimezone():%Y-%m-%d %H:%M}"
            self._line(f"{mark} {clean(session.id)}  {when}  {turns}  {label(session)}", self._out)

    def prompt(self, text: str) -> None:
        self._line(f"> {clean(text)}")

    def status(self, text: str) -> None:
        """Show nothing: a transcript has what happened, not what is being waited for."""

    def answer(self, text: str) -> None:
        if self._grows:
            self._grow(text)

    def _grow(self, text: str) -> None:
        text = clean(text)
        if text.startswith(self._shown):
            self._write(text[len(self._shown) :], self._out)
        elif text:
            self._write(f"\n{text}", self._out)
        self._shown = text or self._shown

    def end_answer(self, text: str) -> None:
        if text:
            self._grow(text)
        self._end()

    def call(self, call: ToolCall) -> None:
        self._line(f"tool: {short_call(call)}")
        self._called = call.id

    def result(self, call: ToolCall, result: ToolResult, seconds: float) -> None:  # noqa: ARG002  a view's signature
        of = "" if self._called == call.id else f" of {short_call(call)}"
        state = " (failed)" if not result.ok else "" if result.done else " (not done)"
        self._line(f"result{of}{state}: {one_line(result.for_people, LONGEST_RESULT)}")

    def end_turn(self, footer: str | None) -> None:
        if footer:
            self._line(f"-- {footer}")

    def quiet(self) -> None:
        self._end()

    @contextmanager
    def aside(self) -> Iterator[None]:
        out, grows = self._out, self._grows
        self._out, self._grows = self._err, self._err.isatty()
        try:
            yield
        finally:
            self._out, self._grows = out, grows

    def _line(self, text: str, out: TextIO | None = None) -> None:
        self._end()
        self._write(f"{text}\n", out or self._err)
        self._called = None

    def _end(self) -> None:
        """End the line of an answer that was growing."""
        if self._shown and not self._shown.endswith("\n"):
            self._write("\n", self._out)
        self._shown = ""

    def _write(self, text: str, out: TextIO) -> None:
        if text:
            out.write(text)
            out.flush()
