"""Putting the terminal chat together: options, application, view, lines, chat."""

import asyncio
import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console

from llmgine.engine.timezones import matching
from llmgine.observability.redaction import Redactor
from llmgine.sessions import open_store
from programs.application import Application
from programs.exit_codes import run
from programs.settings import ProgramConfig
from programs.terminal.asked import Asked, read_asked
from programs.terminal.chat import FAILED, Chat
from programs.terminal.command_line import USAGE, Options, UsageError, configure, read_options
from programs.terminal.completion import CommandCompleter
from programs.terminal.current_session import CurrentSession
from programs.terminal.history import TypedHistory, history_path
from programs.terminal.lines import Lines, PlainLines
from programs.terminal.opening import has_store, open_session, require_store
from programs.terminal.piped_view import PipedView
from programs.terminal.plain_view import PlainView
from programs.terminal.prompt_lines import PromptLines
from programs.terminal.rich_view import RichView
from programs.terminal.session_list import NO_SESSIONS, show_sessions
from programs.terminal.slash import COMMANDS
from programs.terminal.terminal_text import clean
from programs.terminal.view import View

_LAST_BACKUP = 2.0  # seconds that a backup may take at the end, half of them to be abandoned in


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the terminal chat. Returns the exit code."""
    options = read_options(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an answer may have characters that the terminal's encoding lacks
    try:
        return run(lambda: _run(options))
    except UsageError as error:
        sys.stderr.write(f"error: {clean(str(error))}\n")
        return USAGE
    except BrokenPipeError:  # the reader of our output has closed it
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return FAILED
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # there is nothing left to end in order


def _run(options: Options) -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config = configure(options)
    if options.list_sessions is not None:
        return asyncio.run(_list_sessions(config, options.list_sessions))
    settings = config.settings
    asked = read_asked(
        options,
        vision=settings.has_model and settings.openai_vision,
        image_bytes=settings.image_bytes,
        hears=settings.transcribe_model is not None,
    )
    require_store(config, options)
    return asyncio.run(_chat(config, options, asked))


async def _chat(config: ProgramConfig, options: Options, asked: Asked) -> int:
    chats = asked.question is None
    types = chats and _is_terminal(sys.stdin)
    view = _view(one_screen=types)
    session = CurrentSession(files=[*asked.files])
    async with Application(config) as app:
        chat = Chat(app, session, view=view, lines=_lines(app, chats=chats), interactive=types, save_to=options.save_to)
        await open_session(app, view, session, chat.commands, options)
        for note in filter(None, (file.note for file in asked.files)):
            view.note(note)
        chatting = asyncio.create_task(chat.run(asked.question))
        async with app.while_usable(chatting.cancel):
            code = await chatting
            app.ends_within(_LAST_BACKUP)
            return code


async def _list_sessions(config: ProgramConfig, words: str) -> int:
    view = _view(one_screen=False)
    if not has_store(config):
        view.note(NO_SESSIONS)
        return 0
    store = await open_store(config.settings.database_url)
    try:
        await show_sessions(store, view, words)
    finally:
        await store.close()
    return 0


def _view(*, one_screen: bool) -> View:
    out, err = (_is_terminal(stream) and _can_draw() for stream in (sys.stdout, sys.stderr))
    if not (out or err):
        return PlainView(sys.stdout, sys.stderr)
    side = Console(stderr=True, highlight=False, soft_wrap=not err)
    if not out:
        return PipedView(side, sys.stdout)
    screen = Console(highlight=False)
    return RichView(screen) if one_screen else RichView(screen, side)


def _lines(app: Application, *, chats: bool) -> Lines:
    """Where lines come from; beside a question there are only answers of a person, since a pipe is a file then."""
    types = _is_terminal(sys.stdin)
    sees = _is_terminal(sys.stdout) or (not chats and _is_terminal(sys.stderr))
    if types and sees and _can_draw():
        return _prompt_lines(app) if chats else PromptLines()
    # A program may be started without a standard input; its number may then be that of another file.
    reads = sys.stdin and (chats or types)
    return PlainLines(sys.stdin.fileno() if reads else os.open(os.devnull, os.O_RDONLY), sys.stderr)


def _prompt_lines(app: Application) -> PromptLines:
    settings = app.config.settings

    async def efforts() -> Sequence[str]:
        return app.engine.settings.choices.efforts

    async def models() -> Sequence[str]:
        return app.engine.settings.models(await app.engine.model.names())

    completer = CommandCompleter(
        {name: meaning for name, (_, meaning) in COMMANDS.items()},
        {"/model": models, "/effort": efforts, "/timezone": lambda: matching("")},
        paths=("/file", "/export"),
    )
    return PromptLines(completer, TypedHistory(history_path(settings), Redactor(settings.secrets())))


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _can_draw() -> bool:
    return os.environ.get("TERM") not in {"dumb", "unknown"}
