"""Settings that people make for sessions, and for the scopes that sessions inherit from."""

import json
from collections.abc import Sequence

from llmgine.messages.commands import Author
from llmgine.sessions.clock import at
from llmgine.sessions.database import Group, Row, Steps, announced, listed, query
from llmgine.sessions.operations.audit import record
from llmgine.sessions.records import AuditEntry, SessionSettings, Setting
from llmgine.sessions.scoped import effective

_APPROVED = "approved:"  # of the settings that say whose calls of which tool no longer need approval


class Settings(Group):
    """What people chose."""

    @query
    def of(self, scopes: Sequence[str]) -> Steps[list[Setting]]:
        """All settings of sessions or scopes, in the order of `scopes`."""
        return (yield from settings(scopes))

    @query
    def of_session(self, session_id: str) -> Steps[SessionSettings]:
        """The effective settings of a session for the model, its own or inherited."""
        return effective(SessionSettings, (yield from settings((yield from scopes_of(session_id)))))

    @announced
    def change(
        self,
        scope: str,
        name: str,
        value: str | None,
        by: Author | None,
        now: int,
        *,
        audit: AuditEntry | None = None,
    ) -> Steps[None]:
        """Make a setting of a session or scope, or take it away (None)."""
        yield from change_setting(scope, name, value, by.id if by else "", now)
        yield from record(audit)

    @query
    def always_approved(self, session_id: str, tool: str, asker: Author | None) -> Steps[bool]:
        """Whether somebody approved all calls of the tool that this person causes in the session."""
        name = approval_name(tool, asker)
        return bool((yield "SELECT 1 AS one FROM setting WHERE scope = $1 AND name = $2", (session_id, name)))


def approval_name(tool: str, asker: Author | None) -> str:
    """The setting of a session that approves all calls of a tool which this person's prompts cause there."""
    return f"{_APPROVED}{tool}:{asker.id if asker else ''}"


def settings(scopes: Sequence[str]) -> Steps[list[Setting]]:
    """All settings of these scopes, in their order."""
    if not scopes:
        return []
    rows = yield f"SELECT * FROM setting WHERE scope IN ({listed(scopes)}) ORDER BY name", scopes
    return sorted((_to_setting(row) for row in rows), key=lambda setting: scopes.index(setting.scope))


def scopes_of(session_id: str) -> Steps[list[str]]:
    """The scopes of a session, the nearest first: its own, and those it inherits from."""
    rows = yield "SELECT scopes FROM session WHERE id = $1", (session_id,)
    return own_and_inherited(session_id, rows)


def own_and_inherited(session_id: str, rows: Sequence[Row]) -> list[str]:
    """The scopes of a session, from its row, if there is one."""
    return list(dict.fromkeys([session_id, *(json.loads(rows[0]["scopes"]) if rows else [])]))


def change_setting(scope: str, name: str, value: str | None, by: str, now: int) -> Steps[None]:
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


def _to_setting(row: Row) -> Setting:
    return Setting.model_validate({**row, "changed_at": at(row["changed_at"])})
