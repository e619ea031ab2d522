"""The command line, and the settings made from it."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from llmgine.bootstrap import ApplicationConfig
from llmgine.settings import LogLevel, Settings, load_settings
from programs.application import configure_log


@dataclass(frozen=True)
class Options:
    """The command line. None means not given: the environment decides."""

    list_sessions: str | None  # the words to search for; empty for all sessions
    session: str | None
    session_name: str | None
    model: str | None
    api_key: str | None
    system_prompt: str | None
    log_level: str | None
    log_dir: Path | None
    no_console: bool


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; a mistake in it is reported, with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="function_chat",
        description="Chat with a model that calls tools. Settings come from the environment and .env "
        "(see .env.example). In the chat, /help lists the commands.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--list-sessions",
        metavar="WORDS",
        nargs="?",
        const="",
        help="list recent sessions, or those with WORDS in their name, and exit",
    )
    add("--session", metavar="ID", type=_text, help="resume this session, from Discord or the terminal")
    add("--session-name", metavar="NAME", type=_text, help="name of the session (default: your first words)")
    add(
        "--model",
        metavar="NAME",
        type=_text,
        help="the model (default: OPENAI_MODEL, or else one from the service's list, gpt-4o-mini if it has it)",
    )
    add(
        "--api-key",
        metavar="KEY",
        type=_text,
        help="API key of the model service; other users of this machine can see it here, so prefer OPENAI_API_KEY",
    )
    add(
        "--system-prompt",
        metavar="TEXT",
        type=_text,
        help="system prompt of this session: instructions the model gets before the conversation",
    )
    add(
        "--log-level",
        choices=get_args(LogLevel),
        type=str.upper,
        help="how much to log on the screen (default: LOG_LEVEL, or else WARNING); DEBUG adds metrics and traces",
    )
    add(
        "--log-dir",
        metavar="DIR",
        type=Path,
        help="folder of the log of all commands and events (default: LOG_DIR, or else logs)",
    )
    add("--no-console", action="store_true", help="show only the chat on the screen: no log, metrics or traces")
    return Options(**vars(parser.parse_args(arguments)))


def _text(value: str) -> str:
    """A value that must not be empty: an empty one comes from a shell variable that was not set."""
    if not value.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return value


def configure(options: Options) -> ApplicationConfig:
    """Read the settings, from the command line first and then the environment, and set up the log on the screen.

    Raises:
        ConfigurationError: A setting cannot be used; the text names it.
    """
    settings = _with_options(load_settings(), options)
    if options.no_console:
        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    else:
        configure_log(settings)
    detail = settings.log_level == "DEBUG" and not options.no_console
    return ApplicationConfig(settings=settings, enable_console_metrics=detail, enable_console_traces=detail)


def _with_options(settings: Settings, options: Options) -> Settings:
    given = {
        "openai_model": options.model,
        "openai_api_key": options.api_key,
        "log_level": options.log_level,
        "log_dir": options.log_dir,
    }
    # The screen belongs to the chat: it shows routine log lines only to those who ask for them.
    quiet = {} if "log_level" in settings.model_fields_set else {"log_level": "WARNING"}
    update = quiet | {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update=update)
