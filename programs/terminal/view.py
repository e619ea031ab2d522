"""What a view can show; a terminal gets the rich one, a pipe the plain one."""

from collections.abc import Sequence
from typing import Protocol

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.sessions.records import Session


class View(Protocol):
    """Shows a chat. Texts are given as they came; the view makes them harmless."""

    def say(self, text: str) -> None:
        """Show what was asked for, as it is."""

    def note(self, text: str) -> None:
        """Show a remark of the program's own."""

    def error(self, text: str) -> None:
        """Show what went wrong, with what to do."""

    def sessions(self, sessions: Sequence[Session], current: str | None) -> None:
        """Show a list of sessions, the present one marked."""

    def prompt(self, text: str) -> None:
        """Show what was said, where the screen does not show it yet."""

    def status(self, text: str) -> None:
        """Show what is being waited for, until something else is shown."""

    def answer(self, text: str) -> None:
        """Show an answer that grows; `text` is all of it so far."""

    def end_answer(self, text: str) -> None:
        """Show the whole answer for good."""

    def call(self, call: ToolCall) -> None:
        """Show that a tool runs."""

    def result(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        """Show what a call gave."""

    def end_turn(self, footer: str | None) -> None:
        """A turn has ended; `footer` is the last line of a finished answer."""

    def quiet(self) -> None:
        """Leave the screen alone from here on: a line is read."""
