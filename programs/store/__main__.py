"""Copy a store: `uv run python -m programs.store copy SOURCE TARGET`."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from programs.command_line import program_parser
from programs.exit_codes import ExitCode, run
from programs.store.copying import Copied, copy

_LOOK = 5.0  # seconds between two lines about one table

_COPY = """
Copy all sessions, turns and settings from one store to another, for example from SQLite to PostgreSQL.

The source is only read. First stop the bot and all terminal chats that use it. The target must be empty: a new
database for PostgreSQL (createdb), a file that does not exist yet for SQLite. If the copy is interrupted, run the same
command again to continue it. At the end all values of both stores are compared; only then can programs open the target.
"""
_ADDRESSES = """
Addresses have the form of DATABASE_URL: sqlite:///data/llmgine.db, sqlite:////home/me/llmgine.db, or
postgresql://user@host:port/database. Other users of this machine can see a command's arguments, so leave the password
out and put it in the file ~/.pgpass or the variable PGPASSWORD.
"""


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; a mistake in it is reported, with exit code 2."""
    parser = program_parser("programs.store", __doc__.partition(":")[0] + ".")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    copying = commands.add_parser("copy", help="copy one store to another", description=_COPY, epilog=_ADDRESSES)
    copying.add_argument("source", metavar="SOURCE", help="address of the store to copy")
    copying.add_argument("target", metavar="TARGET", help="address of an empty database")
    return parser.parse_args(arguments)


class Progress:
    """Reports the progress of a copy on standard error: a line when a table begins, then one every few seconds."""

    def __init__(self) -> None:
        self._said = ("", "")  # what the last line reported, and of which table
        self._at = 0.0

    def __call__(self, doing: str, table: str, there: int, expected: int) -> None:
        """See `copying.Progress`."""
        if self._said == (doing, table) and time.monotonic() - self._at < _LOOK:
            return
        self._said, self._at = (doing, table), time.monotonic()
        sys.stderr.write(f"{doing} {table:16} {there:>12,} of {expected:,} rows\n")


def _report(copied: Copied, seconds: float) -> str:
    lines = [f"{table:16} {count:>12,}" for table, count in copied.rows.items()]
    lines.append(f"Copied and compared: {sum(copied.rows.values()):,} rows in {seconds:,.0f} s.")
    if copied.found:
        lines.append(f"{copied.found:,} of them had already been copied before the interruption.")
    if copied.cleaned:
        lines.append(
            f"{copied.cleaned:,} texts had NUL characters, which PostgreSQL cannot store; the characters were removed."
        )
    if copied.used:
        lines.append("A program opened the source during the copy. What it has written since then is not in the copy.")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code."""
    options = read_options(arguments)
    code = run(lambda: _copy(options.source, options.target))
    if code == ExitCode.INTERRUPTED:
        sys.stderr.write("Interrupted. Run the same command again to continue the copy.\n")
    return code


def _copy(source: str, target: str) -> int:
    began = time.monotonic()
    copied = asyncio.run(copy(source, target, Progress()))
    sys.stdout.write(_report(copied, time.monotonic() - began))
    return ExitCode.FAULT if copied.used else ExitCode.STOPPED


if __name__ == "__main__":
    sys.exit(main())
