"""Putting the terminal chat together: options, application, view, lines, chat."""

import asyncio
import io
import os
import sys
from collections.abc import Sequence

from rich.console import Console

from llmgine.bootstrap import ApplicationConfig
from llmgine.sessions import open_store
from programs.application import DEMO_NOTICE, NOT_CHOSEN, Application, run
from programs.terminal.chat import SOURCE, Chat, new_session_id
from programs.terminal.command_line import Options, configure, read_options
from programs.terminal.lines import Lines, PlainLines
from programs.terminal.plain_view import PlainView
from programs.terminal.prompt_lines import PromptLines
from programs.terminal.rich_view import RichView
from programs.terminal.session_list import show_sessions
from programs.terminal.slash import COMMANDS
from programs.terminal.terminal_text import one_line
from programs.terminal.view import View

_BEHIND_ALL = 2**62  # a position in a session after all its turns
_REMEMBERED = 200  # turns whose prompts the arrow keys bring back


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the terminal chat. Returns the exit code."""
    options = read_options(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an answer may have characters that the terminal's encoding lacks
    try:
        return run(lambda: asyncio.run(_main(options)))
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


async def _main(options: Options) -> int:
    config = configure(options)
    view: View = RichView(Console(highlight=False)) if _is_terminal() else PlainView(sys.stdout)
    if options.list_sessions is not None:
        return await _list_sessions(config, view, options.list_sessions)
    session_id = options.session or new_session_id()
    async with Application(config) as app:
        await _greet(app, view, session_id, is_new=options.session is None)
        chat = Chat(
            app,
            session_id,
            session_name=options.session_name,
            is_new=options.session is None,
            view=view,
            lines=await _lines(app, session_id),
        )
        if options.system_prompt is not None:
            await chat.commands.set_system_prompt(options.system_prompt)
        chatting = asyncio.create_task(chat.run())
        async with app.while_usable(chatting.cancel):
            return await chatting


async def _list_sessions(config: ApplicationConfig, view: View, words: str) -> int:
    store = await open_store(config.settings.database_url)
    try:
        await show_sessions(store, view, words)
    finally:
        await store.close()
    return 0


async def _greet(app: Application, view: View, session_id: str, *, is_new: bool) -> None:
    """Show which session this is and which model answers.

    Raises:
        UnknownSessionError: An old session was asked for, and none has this id.
    """
    if is_new:
        view.say(f"session {session_id} (new)")
    else:
        session = await app.store.sessions.get(session_id)
        turns = "1 turn" if session.turns == 1 else f"{session.turns} turns"
        view.say(f"session {session_id}, {turns}: {one_line(session.name, 60)}")
    settings = app.config.settings
    model = f"model {settings.openai_model}" if settings.openai_model else f"the model is {NOT_CHOSEN}"
    view.note(f"{model}; /help lists the commands" if settings.has_model else DEMO_NOTICE)


async def _lines(app: Application, session_id: str) -> Lines:
    if _is_terminal():
        ended = await app.store.turns.ended(session_id, _BEHIND_ALL, _REMEMBERED)
        past = await app.store.turns.many([turn_id for turn_id, _ in reversed(ended)])
        said = [turn.state.prompt.text for turn in past if turn.turn.source == SOURCE]
        return PromptLines({name: meaning for name, (_, meaning) in COMMANDS.items()}, said)
    # A program may be started without a standard input; its number may then be that of another file.
    descriptor = sys.stdin.fileno() if sys.stdin else os.open(os.devnull, os.O_RDONLY)
    return PlainLines(descriptor, sys.stdout)


def _is_terminal() -> bool:
    return bool(sys.stdin) and sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
