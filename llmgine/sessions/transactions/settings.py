"""Settings that people make for sessions, and for the scopes that sessions inherit from."""

import json
from collections.abc import Sequence

from llmgine.sessions.database import Transaction
from llmgine.sessions.records import SessionSettings, Setting
from llmgine.sessions.scoped import holding


def settings(scopes: Sequence[str]) -> Transaction[list[Setting]]:
    """All settings of these scopes."""
    found = []
    for scope in scopes:
        rows = yield "SELECT * FROM setting WHERE scope = $1 ORDER BY name", (scope,)
        found += [Setting.model_validate(dict(row)) for row in rows]
    return found


def session_settings(session_id: str) -> Transaction[SessionSettings]:
    """What holds in a session for the model."""
    return holding(SessionSettings, (yield from settings((yield from scopes_of(session_id)))))


def scopes_of(session_id: str) -> Transaction[list[str]]:
    """The scopes of a session, the nearest first: its own, and those it inherits from."""
    rows = yield "SELECT scopes FROM session WHERE id = $1", (session_id,)
    return list(dict.fromkeys([session_id, *(json.loads(rows[0]["scopes"]) if rows else [])]))


def change_setting(scope: str, name: str, value: str | None, by: str, now: str) -> Transaction[None]:
    """Make a setting, or take it away (None)."""
    if value is None:
        yield "DELETE FROM setting WHERE scope = $1 AND name = $2", (scope, name)
        return
    yield (
        """
        INSERT INTO setting (scope, name, value, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (scope, name) DO UPDATE SET value = $3, changed_by = $4, changed_at = $5
        """,
        (scope, name, value, by, now),
    )
