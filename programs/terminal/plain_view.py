"""The plain view: a transcript without colours, the same for the same chat, written as it happens."""

from collections.abc import Sequence
from typing import TextIO

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.sessions.records import Session
from programs.terminal.terminal_text import LONGEST_RESULT, clean, one_line, short_call


class PlainView:
    """See `View`.

    Args:
        out: Where the transcript goes.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._shown = ""  # of the growing answer
        self._called: str | None = None  # the call whose line is the last one

    def say(self, text: str) -> None:
        self._line(clean(text))

    def note(self, text: str) -> None:
        self._line(f"note: {clean(text)}")

    def error(self, text: str) -> None:
        self._line(f"error: {clean(text)}")

    def sessions(self, sessions: Sequence[Session], current: str | None) -> None:
        for session in sessions:
            mark = "*" if session.id == current else " "
            turns = f"{session.turns} turn{'' if session.turns == 1 else 's'}"
            when = f"{session.updated_at.astimezone():%Y-%m-%d %H:%M}"
            self._line(f"{mark} {clean(session.id)}  {when}  {turns}  {one_line(session.name, 60)}")

    def prompt(self, text: str) -> None:
        self._line(f"> {clean(text)}")

    def status(self, text: str) -> None:
        """Show nothing: a transcript has what happened, not what is being waited for."""

    def answer(self, text: str) -> None:
        text = clean(text)
        if text.startswith(self._shown):
            self._write(text[len(self._shown) :])
        elif text:
            self._write(f"\n{text}")
        self._shown = text or self._shown

    def end_answer(self, text: str) -> None:
        if text:
            self.answer(text)
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

    def _line(self, text: str) -> None:
        self._end()
        self._write(f"{text}\n")
        self._called = None

    def _end(self) -> None:
        """End the line of an answer that was growing."""
        if self._shown and not self._shown.endswith("\n"):
            self._write("\n")
        self._shown = ""

    def _write(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._out.flush()
