"""Bringing a database to the present schema."""

from llmgine.errors import NewerStoreError
from llmgine.sessions.database import Database, Transaction
from llmgine.sessions.schema import MIGRATIONS


async def migrate(database: Database) -> None:
    """Apply the migrations that are missing, each in a transaction of its own.

    Raises:
        NewerStoreError: The database was written by a newer program.
    """
    while await database.run(_next_migration()):
        pass


def _next_migration() -> Transaction[bool]:
    yield "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)", ()
    rows = yield "SELECT version FROM schema_version", ()
    version = int(rows[0]["version"]) if rows else 0
    if version > len(MIGRATIONS):
        raise NewerStoreError(
            f"This database was written by a newer version (schema {version}, here {len(MIGRATIONS)}): "
            "upgrade the program, or set DATABASE_URL to another database"
        )
    if version == len(MIGRATIONS):
        return False
    for statement in MIGRATIONS[version]:
        yield statement, ()
    if rows:
        yield "UPDATE schema_version SET version = $1", (version + 1,)
    else:
        yield "INSERT INTO schema_version (version) VALUES ($1)", (1,)
    return True
