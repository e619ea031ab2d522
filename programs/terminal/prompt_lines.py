"""Lines of a person at a terminal: edited, with what was typed before as history, and with completion."""

from contextlib import AbstractContextManager

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import create_output

from llmgine.platforms import discard_typing, typing_hidden
from programs.terminal.lines import Interrupted


class PromptLines:
    """See `Lines`.

    Args:
        completer: Completes what is typed; None for nothing.
        history: What was typed before.
    """

    visible = True

    def __init__(self, completer: Completer | None = None, history: History | None = None) -> None:
        keys = _key_bindings()
        screen = create_output(always_prefer_tty=True)  # questions are asked where the person looks
        self._session: PromptSession[str] = PromptSession(
            [("bold ansicyan", "> ")],
            completer=completer,
            history=history,
            key_bindings=keys,
            prompt_continuation=[("ansicyan", "· ")],
            output=screen,
        )
        self._question: PromptSession[str] = PromptSession(key_bindings=keys, output=screen)

    async def read(self) -> str | None:
        return await _prompt(self._session)

    async def ask(self, question: str) -> str | None:
        # What was typed before the question was on the screen must not answer it.
        discard_typing()
        clear_typeahead(self._question.input)
        return await _prompt(self._question, [("bold ansiyellow", question), ("", " ")])

    def kept(self) -> AbstractContextManager[None]:
        return typing_hidden()


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
