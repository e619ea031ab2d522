"""Stores as a whole: `uv run python -m programs.store copy SOURCE TARGET`."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from llmgine.errors import LLMgineError
from programs.store.copying import Copied, copy

_LOOK = 5.0  # seconds between two lines about one table

_COPY = """
Copy all sessions, turns and settings from one store to another, such as from SQLite to PostgreSQL.

The source is only read. Stop the bot and all terminal chats on it first. The target must be empty: for PostgreSQL a
new database (createdb), for SQLite a file that is not there. When the copy is interrupted, the same command goes on
with it. In the end both stores are compared by all their values; only then can programs open the target.
"""
_ADDRESSES = """
An address is what DATABASE_URL takes: sqlite:///data/llmgine.db, sqlite:////home/me/llmgine.db, or
postgresql://user@host:port/database. Others on this machine can see the arguments of a command: leave the password out
and put it into the file ~/.pgpass or the variable PGPASSWORD.
"""


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; on a mistake say it and exit with code 2."""
    parser = argparse.ArgumentParser(prog="programs.store", description=__doc__.partition(":")[0] + ".")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    copying = commands.add_parser("copy", help="copy a store to another one", description=_COPY, epilog=_ADDRESSES)
    copying.add_argument("source", metavar="SOURCE", help="address of the store to copy")
    copying.add_argument("target", metavar="TARGET", help="address of an empty database")
    return parser.parse_args(arguments)


class Progress:
    """Says on standard error how far a copy is: a line when a table begins, and then one every few seconds."""

    def __init__(self) -> None:
        self._said = ("", "")  # what was done with which table at the last line
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
        lines.append(f"{copied.found:,} of them had been copied before the interruption.")
    if copied.cleaned:
        lines.append(
            f"{copied.cleaned:,} texts had NUL characters, which PostgreSQL cannot store: these were left out."
        )
    if copied.used:
        lines.append("A program was started on the source meanwhile: what it has written since is not in the copy.")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code."""
    options = read_options(arguments)
    began = time.monotonic()
    try:
        copied = asyncio.run(copy(options.source, options.target, Progress()))
    except LLMgineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: the same command goes on with the copy.\n")
        return 130
    sys.stdout.write(_report(copied, time.monotonic() - began))
    return 1 if copied.used else 0


if __name__ == "__main__":
    sys.exit(main())
