"""The command line."""

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from programs.command_line import program_parser
from programs.logs.selection import Selection
from programs.logs.texts import Level

DEFAULT_PORT = 8701
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; a mistake in it is reported, with exit code 2."""
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--log-dir", metavar="DIR", type=Path, help="folder of the log (default: LOG_DIR, or logs)")
    parser = program_parser(
        "programs.logs",
        "Read the log that the bot and the terminal chat write.",
        epilog="`tail` shows lines as they come, `stats` adds them up, `trace last` shows the newest turn in detail, "
        "`serve` shows all this as a web page.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_tail(commands.add_parser("tail", parents=[everywhere], help="show the last lines, and new ones as they come"))
    stats = commands.add_parser(
        "stats", parents=[everywhere], help="count turns, failures and tokens, and measure durations"
    )
    stats.add_argument(
        "--since", type=_time, metavar="WHEN", help="only since 30m, 12h or 7d ago, or a time such as 2026-01-31T12:00"
    )
    stats.add_argument("--json", action="store_true", help="print JSON; durations in seconds")
    trace = commands.add_parser("trace", parents=[everywhere], help="show one turn as a tree, with durations")
    trace.add_argument("turn", metavar="TURN", help="the turn's id or its beginning, or `last`")
    serve = commands.add_parser(
        "serve", parents=[everywhere], help="serve a web page on this machine: turns, waterfalls, plots"
    )
    serve.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port on 127.0.0.1 (default: %(default)s; 0: any)"
    )
    return parser.parse_args(arguments)


def _add_tail(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-n", dest="count", metavar="N", type=_count, default=10, help="begin with the last N lines (default: 10)")
    add("-f", "--follow", action=argparse.BooleanOptionalAction, default=True, help="wait for new lines (the default)")
    add("--session", metavar="ID", help="only this session, by its id or the beginning of it; * and ? are wildcards")
    add(
        "--type",
        metavar="NAME",
        action="append",
        default=[],
        help="only this type of message, such as TurnFinishedEvent, ToolCall or '*Error*'; can be repeated",
    )
    add(
        "--level",
        choices=[level.name.lower() for level in Level],
        type=str.lower,
        help="at least this level: error is what failed; warning is what was retried, denied, stopped or cut off; "
        "debug adds metrics, spans and results of commands (default: info, or debug with --type)",
    )


def selection_of(options: argparse.Namespace) -> Selection:
    """The records that `tail` shows. Whoever names a type wants to see it, whatever its level."""
    default = Level.DEBUG if options.type else Level.INFO
    return Selection(
        session=options.session,
        types=tuple(options.type),
        level=Level[options.level.upper()] if options.level else default,
    )


def _time(text: str) -> datetime:
    """A moment: a duration ago, or a time, local unless it names a zone."""
    try:
        if match := re.fullmatch(r"(\d{1,6})([smhdw])", text, re.ASCII):
            return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 30m, 12h, 7d or 2026-01-31T12:00") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 1_000_000:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1000000")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)
