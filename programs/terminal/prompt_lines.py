"""Lines of a person at a terminal: edited, with the session's earlier prompts as history and commands completed."""

import sys
import termios
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from programs.terminal.lines import Interrupted


class PromptLines:
    """See `Lines`.

    Args:
        commands: The commands to complete, each with what it does.
        history: Earlier prompts, oldest first.
    """

    visible = True

    def __init__(self, commands: Mapping[str, str], history: Iterable[str]) -> None:
        keys = _key_bindings()
        self._session: PromptSession[str] = PromptSession(
            [("bold ansicyan", "> ")],
            completer=_Commands(commands),
            history=InMemoryHistory(list(history)),
            key_bindings=keys,
            prompt_continuation=[("ansicyan", "· ")],
        )
        self._question: PromptSession[str] = PromptSession(key_bindings=keys)

    async def read(self) -> str | None:
        return await _prompt(self._session)

    async def ask(self, question: str) -> str | None:
        # What was typed before the question was on the screen must not answer it.
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
        clear_typeahead(self._question.input)
        return await _prompt(self._question, [("bold ansiyellow", question), ("", " ")])

    @contextmanager
    def kept(self) -> Iterator[None]:
        before = termios.tcgetattr(sys.stdin)
        silent = termios.tcgetattr(sys.stdin)
        silent[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(sys.stdin, termios.TCSANOW, silent)
        try:
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


async def _prompt(session: PromptSession[str], message: StyleAndTextTuples | None = None) -> str | None:
    try:
        # The chat handles signals from other programs itself, as it does while an answer runs.
        return await session.prompt_async(message, handle_sigint=False)
    except EOFError:
        return None


def _key_bindings() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        """Discard the line; if it is empty, report Ctrl-C to the reader."""
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=Interrupted())

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        """Insert a line break."""
        event.current_buffer.insert_text("\n")

    return keys


class _Commands(Completer):
    """Completes the name of a command at the start of a line."""

    def __init__(self, commands: Mapping[str, str]) -> None:
        self._commands = commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002  the library's signature
        typed = document.text_before_cursor
        if typed.startswith("/") and typed == document.text:
            for name, meaning in self._commands.items():
                if name.startswith(typed):
                    yield Completion(name, start_position=-len(typed), display_meta=meaning)
