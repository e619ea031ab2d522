"""What a view can show; a terminal gets the rich one, a pipe the plain one.

What was asked for is shown on the standard output, and everything around it on the standard error, unless both are
one screen that a person chats at.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.sessions.records import Session


class View(Protocol):
    """Shows a chat. It is given texts as they came, and makes them harmless itself."""

    def say(self, text: str) -> None:
        """Show what the person asked for, as it is."""

    def note(self, text: str) -> None:
        """Show a note from the program."""

    def error(self, text: str) -> None:
        """Show what went wrong and what to do."""

    def sessions(self, sessions: Sequence[Session], current: str | None) -> None:
        """Show a list of sessions, the current one marked."""

    def prompt(self, text: str) -> None:
        """Show a prompt that is not on the screen yet."""

    def status(self, text: str) -> None:
        """Show what is being waited for, until something else is shown."""

    def answer(self, text: str) -> None:
        """Show a growing answer; `text` is all of it so far, and empty where all of it was taken back."""

    def end_answer(self, text: str) -> None:
        """Show the whole answer for good."""

    def call(self, call: ToolCall) -> None:
        """Show that a tool runs."""

    def result(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        """Show a call's result."""

    def end_turn(self, footer: str | None) -> None:
        """A turn has ended; `footer` is the last line of a finished answer."""

    def quiet(self) -> None:
        """Stop drawing: a line is about to be read."""

    def aside(self) -> AbstractContextManager[None]:
        """Inside this block, what is shown is no answer to what was asked in this run."""
