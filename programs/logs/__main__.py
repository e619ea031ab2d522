"""Read the log: `uv run python -m programs.logs tail|stats|trace|serve`."""

import argparse
import asyncio
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from llmgine.errors import ConfigurationError
from llmgine.observability.logfile import rotated_files
from llmgine.observability.reader import LogReader
from llmgine.settings import load_settings
from programs.exit_codes import ExitCode, run
from programs.logs.command_line import read_options, selection_of
from programs.logs.report import report
from programs.logs.stats import Stats
from programs.logs.tail import tail
from programs.logs.trace import trace
from programs.settings import ProgramSettings

_FILENAME = "events.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code."""
    options = read_options(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a log may have characters the terminal's encoding lacks
    try:
        return run(lambda: _run(options, _find_log(options.log_dir)))
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.STOPPED
    except OSError as error:  # a file that cannot be read
        sys.stderr.write(f"error: {error}\n")
        return ExitCode.FAULT


def _find_log(folder: Path | None) -> Path:
    """The log in the folder.

    Raises:
        ConfigurationError: There is none.
    """
    path = (folder or load_settings(ProgramSettings).log_dir) / _FILENAME
    if not path.exists() and not rotated_files(path):
        raise ConfigurationError(
            f"There is no log at {path}: start the bot or the terminal chat once, "
            "or give the log's folder with --log-dir or LOG_DIR"
        )
    return path


def _run(options: argparse.Namespace, path: Path) -> None:
    match options.command:
        case "tail":
            tail(path, selection_of(options), count=options.count, follow=options.follow, out=sys.stdout)
        case "stats":
            _stats(options, path)
        case "trace":
            trace(path, options.turn, sys.stdout)
        case _:
            from programs.logs.serve import serve  # noqa: PLC0415  the web server takes longer to load than the rest

            asyncio.run(serve(path, options.port))
    sys.stdout.flush()


def _stats(options: argparse.Namespace, path: Path) -> None:
    stats = Stats(options.since)
    with LogReader(path) as reader:
        stats.add_all(reader.read())
    if options.json:
        sys.stdout.write(json.dumps({**stats.as_data(), "unreadable_lines": reader.skipped}, indent=2) + "\n")
        return
    report(stats, sys.stdout)
    if reader.skipped:
        sys.stderr.write(f"{reader.skipped:,} lines could not be read.\n")


if __name__ == "__main__":
    sys.exit(main())
