"""Completing commands and their arguments."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from programs.terminal.paths import called_in

Choices = Callable[[], Awaitable[Sequence[str]]]

_PATIENCE = 2.0  # seconds for choices that a service tells


class CommandCompleter(Completer):
    """Completes the name of a command at the start of a line, and the first argument of some.

    Args:
        commands: The commands, each with what it does.
        choices: What the argument of a command may be.
        paths: The commands whose argument is a file.
    """

    def __init__(self, commands: Mapping[str, str], choices: Mapping[str, Choices], paths: Sequence[str]) -> None:
        self._commands = commands
        self._choices = choices
        self._paths = paths
        self._files = PathCompleter(expanduser=True, get_paths=lambda: [str(called_in())])

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What can be told without waiting: names of commands, and files."""
        typed = document.text_before_cursor
        name, space, argument = typed.partition(" ")
        if not typed.startswith("/") or typed != document.text:
            return
        if not space:
            for command, meaning in self._commands.items():
                if command.startswith(typed):
                    yield Completion(command, start_position=-len(typed), display_meta=meaning)
        elif name in self._paths:
            yield from self._files.get_completions(Document(argument.lstrip()), complete_event)

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """All there is."""
        for completion in self.get_completions(document, complete_event):
            yield completion
        name, space, argument = document.text_before_cursor.partition(" ")
        choices = self._choices.get(name) if space and document.text_before_cursor == document.text else None
        if choices is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                offered = await choices()
        except TimeoutError:
            return
        wanted = argument.strip()
        for choice in offered:
            if wanted.casefold() in choice.casefold():
                yield Completion(choice, start_position=-len(argument))
