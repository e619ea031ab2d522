"""Entries of the audit log: made before the transaction that they are written in."""

import secrets
from datetime import UTC, datetime

from llmgine.messages.commands import EVERYWHERE, AuditOrigin, Author, RecordUseCommand
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.sessions import SessionStore
from llmgine.sessions.records import MAX_AUDIT_TEXT, AuditAction, AuditEntry

KEPT_DAYS = 365  # for which entries are kept


def entry(
    action: AuditAction, about: str, *, place: str, by: Author | None = None, origin: AuditOrigin | None = None
) -> AuditEntry:
    """An entry of what is done now.

    Args:
        action: What is done.
        about: What with: names and numbers, never what was said. It is cut to 200 characters.
        place: The session or scope it is done in.
        by: Who does it; nobody is named where that is not known.
        origin: What the front end says of that, which counts more.
    """
    person = by if origin is None else origin.by
    if origin is not None and place != origin.place:  # a wider scope, or a person's own session
        about = f"{about} ({'everywhere' if place == EVERYWHERE else f'for {place}'})".strip()
    return AuditEntry(
        id=secrets.token_hex(8),
        at=datetime.now(UTC),
        person="" if person is None else person.id,
        place=place if origin is None else origin.place,
        listed_under=place if origin is None else origin.listed_under,
        action=action,
        about=shorten(collapse_spaces(about), MAX_AUDIT_TEXT),
    )


async def record_use(store: SessionStore, command: RecordUseCommand) -> None:
    """Write down that somebody used a command of moderators or operators."""
    origin = command.audit
    await store.audit.add(entry("used", command.what, place=origin.place, origin=origin))
