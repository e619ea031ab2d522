"""The command line, and the settings made from it."""

import argparse
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from llmgine.messages.local_time import timezones
from llmgine.settings import load_settings
from programs.application import configure_log
from programs.command_line import program_parser
from programs.settings import LogLevel, ProgramConfig, ProgramSettings
from programs.terminal.files import STDIN
from programs.terminal.tool_files import FOLDER

USAGE = 2  # the exit code where the command line asks for what cannot be done; argparse's own


class UsageError(Exception):
    """The command line asks for what cannot be done; the text says what is wrong."""


@dataclass(frozen=True)
class Options:
    """The command line. None means not given: the environment decides."""

    question: str | None  # to answer once; - for the standard input
    files: list[str]
    save_to: Path
    resume_last: bool
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
    parser = program_parser(
        "programs.function_chat",
        "Chat with a model that calls tools. Settings come from the environment and .env (see .env.example). "
        "In the chat, /help lists the commands.",
    )
    _add_question(parser)
    _add_session(parser)
    _add_settings(parser)
    given = vars(parser.parse_intermixed_args(arguments))
    question = " ".join(given["question"])
    if given["question"] and not question.strip():
        parser.error("argument QUESTION: must not be empty")
    if question and given["list_sessions"] is not None:
        parser.error("--list-sessions takes no QUESTION; quote WORDS if they are several")
    if STDIN in given["files"] and question in {"", STDIN}:
        parser.error(f"--file {STDIN} needs a QUESTION: the standard input cannot be both")
    return Options(**{**given, "question": question or None})


def _add_question(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "question",
        metavar="QUESTION",
        nargs="*",
        help="answer this once and exit, with what is piped in attached; - if the question itself is piped in. "
        "Without a question, chat; each line of a pipe is then a message",
    )
    add(
        "-f",
        "--file",
        dest="files",
        metavar="FILE",
        action="append",
        default=[],
        help="attach a text, an image, a document or audio to the first message, - for the standard input; "
        "may be repeated",
    )
    add(
        "--save-to",
        metavar="DIR",
        type=Path,
        default=FOLDER,
        help="folder for files that tools give; it is made when it is needed, and nothing in it is replaced "
        "(default: files)",
    )


def _add_session(parser: argparse.ArgumentParser) -> None:
    add, add_choice = parser.add_argument, parser.add_mutually_exclusive_group().add_argument
    add_choice(
        "-c",
        "--continue",
        dest="resume_last",
        action="store_true",
        help="resume the session of the terminal that was used last",
    )
    add(
        "--list-sessions",
        metavar="WORDS",
        nargs="?",
        const="",
        help="list recent sessions, or those with WORDS in their name, and exit",
    )
    add_choice(
        "--session",
        metavar="ID",
        type=_text,
        help="resume this session, from Discord or the terminal, by its id, its name or a part of that",
    )
    add("--session-name", metavar="NAME", type=_text, help="name of the session (default: your first words)")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
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


def _text(value: str) -> str:
    """A value that must not be empty: an empty one comes from a shell variable that was not set."""
    if not value.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return value


def configure(options: Options) -> ProgramConfig:
    """Read the settings, from the command line first and then the environment, and set up the log on the screen.

    Raises:
        ConfigurationError: A setting cannot be used; the text names it.
    """
    settings = _with_options(load_settings(ProgramSettings), options)
    if options.no_console:
        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    else:
        configure_log(settings)
    detail = settings.log_level == "DEBUG" and not options.no_console
    return ProgramConfig(settings=settings, enable_console_metrics=detail, enable_console_traces=detail)


def _with_options(settings: ProgramSettings, options: Options) -> ProgramSettings:
    given = {
        "openai_model": options.model,
        "openai_api_key": options.api_key,
        "log_level": options.log_level,
        "log_dir": options.log_dir,
    }
    # The screen belongs to the chat: it shows routine log lines only to those who ask for them.
    here = {} if settings.timezone else {"timezone": _local_timezone()}
    quiet = {} if "log_level" in settings.model_fields_set else {"log_level": "WARNING"}
    update = here | quiet | {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update=update)


def _local_timezone() -> str | None:
    """The name of this machine's zone: that of TZ, or of the system; None where neither says one, as on Windows."""
    _, _, linked = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")
    name = os.environ.get("TZ", "").removeprefix(":") or linked
    return name if name in timezones() else None
