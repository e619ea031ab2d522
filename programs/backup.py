"""Back the database up, or restore a backup: `uv run python -m programs.backup`.

Without options it makes a copy of the SQLite database now, also while the bot runs, and prints its path. The bot makes
one itself in every hour in which something was written.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from llmgine.errors import ConfigurationError, StoreError, UserError, cannot_use
from llmgine.sessions.backup_folder import BackupFolder
from llmgine.sessions.owners import in_use
from llmgine.sessions.restoring import restore_without_forgotten
from llmgine.sessions.store import database_file
from llmgine.settings import load_settings
from programs.command_line import program_parser
from programs.exit_codes import run
from programs.settings import ProgramSettings

_RESTORE = """
Restoring: stop the bot and all terminal chats first. The file is checked, and the database that was there is kept under
another name. If a newer version has another schema, the next start migrates the restored database. What people had said
who were forgotten since the backup (/forget me) is erased from it before it is put in place.
"""


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; a mistake in it is reported, with exit code 2."""
    parser = program_parser("programs.backup", __doc__.partition("\n\n")[2], epilog=_RESTORE)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--list", action="store_true", help="list the backups, the oldest first")
    either.add_argument("--restore", metavar="FILE", type=Path, help="replace the database with this backup")
    return parser.parse_args(arguments)


def _list(folder: BackupFolder) -> None:
    backups = folder.copies()
    if not backups:
        sys.stderr.write(f"There are no backups in {folder.path} yet.\n")
    for backup in backups:
        taken = f"{backup.taken:%Y-%m-%d %H:%M:%S} UTC"
        sys.stdout.write(f"{taken}  {backup.size / 1e6:>10,.1f} MB  {backup.path}  {backup.label}".rstrip() + "\n")


async def _restore(file: Path, database: Path) -> None:
    if await in_use(database.parent / "owners"):
        raise UserError(f"The bot or a terminal chat is using {database}: stop it, then try again")
    kept, people = await restore_without_forgotten(file, database, datetime.now(UTC))
    sys.stdout.write(f"Restored {database} from {file}.\n")
    if people:
        sys.stdout.write(
            f"What {people} forgotten {'person' if people == 1 else 'people'} had said was erased again.\n"
        )
    if kept is not None:
        sys.stdout.write(f"The database that was there is kept as {kept}.\n")


async def _run(options: argparse.Namespace) -> None:
    """Do what the options say.

    Raises:
        LLMgineError: It cannot be done.
    """
    try:
        await _do(options)
    except OSError as error:
        raise cannot_use("The backup failed", error) from error


async def _do(options: argparse.Namespace) -> None:
    settings = load_settings(ProgramSettings)
    database = database_file(settings.database_url)
    if database is None:
        raise ConfigurationError("DATABASE_URL names a PostgreSQL database: use pg_dump (see docs/running.md)")
    folder = BackupFolder(database, megabytes=settings.backup_megabytes or None)
    if options.restore is not None:
        await _restore(options.restore, database)
    elif options.list:
        _list(folder)
    elif not database.exists():
        raise StoreError(f"There is no database at {database} yet")
    else:
        sys.stdout.write(f"{await folder.add()}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code."""
    options = read_options(arguments)
    return run(lambda: asyncio.run(_run(options)))


if __name__ == "__main__":
    sys.exit(main())
