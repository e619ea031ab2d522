"""What can be said on the command line, and the settings it makes."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmgine.bootstrap import ApplicationConfig
from llmgine.settings import Settings, load_settings
from programs.application import configure_log

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Options:
    """The command line. None: not given, so the environment decides."""

    list_sessions: str | None  # the words that are searched for, perhaps none
    session: str | None
    session_name: str | None
    model: str | None
    api_key: str | None
    system_prompt: str | None
    log_level: str | None
    log_dir: Path | None
    no_console: bool


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; on a mistake say it and exit with code 2."""
    parser = argparse.ArgumentParser(
        prog="function_chat",
        description="Chat with a model that calls tools. Settings come from the environment and .env; "
        "see .env.example. Inside, /help lists the commands.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--list-sessions",
        metavar="WORDS",
        nargs="?",
        const="",
        help="list the sessions used last, those of Discord too, or those with WORDS in their name, and leave",
    )
    add("--session", metavar="ID", type=_text, help="go on with this session, wherever it was begun")
    add("--session-name", metavar="NAME", type=_text, help="name of the session (default: the first words said)")
    add(
        "--model",
        metavar="NAME",
        type=_text,
        help="the model (default: OPENAI_MODEL, or else one that the service lists, gpt-4o-mini first)",
    )
    add(
        "--api-key",
        metavar="KEY",
        type=_text,
        help="key of the model service; other users of this machine can see it here, so prefer OPENAI_API_KEY",
    )
    add("--system-prompt", metavar="TEXT", type=_text, help="what the model is told first in this session")
    add(
        "--log-level",
        choices=_LEVELS,
        type=str.upper,
        help="detail of the log on the screen (default: LOG_LEVEL, or else WARNING); DEBUG adds metrics and traces",
    )
    add("--log-dir", metavar="DIR", type=Path, help="folder of the log of all bus traffic (default: LOG_DIR)")
    add("--no-console", action="store_true", help="no log, metrics or traces on the screen, only the chat")
    return Options(**vars(parser.parse_args(arguments)))


def _text(value: str) -> str:
    """A value that must not be empty: an empty one is a shell variable that was not set."""
    if not value.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return value


def configure(options: Options) -> ApplicationConfig:
    """The settings of the environment under those of the command line, and the log on the screen as they say.

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
    # The screen belongs to the chat: what goes well is logged there only for those who ask for it.
    quiet = {} if "log_level" in settings.model_fields_set else {"log_level": "WARNING"}
    update = quiet | {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update=update)
