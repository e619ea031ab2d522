"""The audit log: who changed, approved, paused, cleared or used what. An entry is written with what it tells of."""

from llmgine.sessions.clock import at, microseconds
from llmgine.sessions.database import Group, Row, Steps, listing, operation
from llmgine.sessions.records import AuditEntry

_SWEPT = 500  # rows that are deleted at once: others write in between


class Audit(Group):
    """Entries of the audit log."""

    @operation
    def add(self, entry: AuditEntry) -> Steps[None]:
        """Write an entry of something that changes nothing in the store."""
        yield from record(entry)

    @listing
    def newest(self, listed_under: str | None, most: int) -> Steps[list[AuditEntry]]:
        """So many entries, the newest first: those of one list, or of all (None)."""
        if listed_under is None:
            rows = yield "SELECT * FROM audit WHERE at >= $1 ORDER BY at DESC, id DESC LIMIT $2", (0, most)
        else:
            rows = yield (
                "SELECT * FROM audit WHERE listed_under = $1 ORDER BY at DESC, id DESC LIMIT $2",
                (listed_under, most),
            )
        return [_to_entry(row) for row in rows]

    @operation
    def sweep(self, before: int) -> Steps[bool]:
        """Delete some entries from before a time, a limited number. Returns whether there may be more."""
        rows = yield (
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 ORDER BY at LIMIT $2) RETURNING id",
            (before, _SWEPT),
        )
        return len(rows) == _SWEPT


def record(entry: AuditEntry | None) -> Steps[None]:
    """Write an entry, if there is one, in the transaction of what it tells of; once, also where that is run again."""
    if entry is None:
        return
    yield (
        """
        INSERT INTO audit (id, at, person, place, listed_under, action, about) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (id) DO NOTHING
        """,
        (entry.id, microseconds(entry.at), entry.person, entry.place, entry.listed_under, entry.action, entry.about),
    )


def _to_entry(row: Row) -> AuditEntry:
    return AuditEntry.model_validate({**row, "at": at(row["at"])})
