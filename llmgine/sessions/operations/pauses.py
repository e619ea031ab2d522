"""What is paused: each is a setting of its scope, which stays there when it is resumed, and says then when that was."""

from collections.abc import Sequence

from llmgine.messages.commands import EVERYWHERE, Author, Pausable
from llmgine.messages.steps import Turn
from llmgine.sessions.database import Group, Steps, announced, query
from llmgine.sessions.operations.audit import record
from llmgine.sessions.operations.session_settings import own_and_inherited, scopes_of, settings
from llmgine.sessions.operations.stops import request_stop
from llmgine.sessions.records import AuditEntry, Pause, PauseBegun
from llmgine.sessions.scoped import PAUSED, UNTIL, pauses_in


class Pauses(Group):
    """What is paused in which scopes."""

    @announced
    def begin(
        self, scope: str, what: Pausable, mark: str, by: Author, now: int, *, audit: AuditEntry | None = None
    ) -> Steps[PauseBegun]:
        """Pause something in a scope, unless it is paused there already. Of answers, those under way are stopped.

        Args:
            scope: A session, a scope that sessions inherit from, or `EVERYWHERE`.
            what: What is paused.
            mark: When, in the front end's own terms.
            by: By whom.
            now: The time.
            audit: What the audit log says of it, if it begins a pause.
        """
        yield (
            f"""
            INSERT INTO setting (scope, name, value, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (scope, name) DO UPDATE SET value = $3, changed_by = $4, changed_at = $5
            WHERE setting.value LIKE '%{UNTIL}%'
            """,
            (scope, f"{PAUSED}{what}", mark, by.id, now),
        )
        pause = next(one for one in pauses_in((yield from settings([scope]))) if one.what == what)
        stopped = (yield from _stop_in(scope)) if what == "answers" else []
        is_new = (pause.begun, pause.paused_by) == (mark, by.id)
        yield from record(audit if is_new else None)
        return PauseBegun(pause=pause, is_new=is_new, stopped=tuple(stopped))

    @announced
    def end(self, scope: str, what: Pausable, mark: str, *, audit: AuditEntry | None = None) -> Steps[bool]:
        """Resume what is paused in a scope; whether it was."""
        key = (scope, f"{PAUSED}{what}")
        yield (
            f"UPDATE setting SET value = value || $3 WHERE scope = $1 AND name = $2 AND value NOT LIKE '%{UNTIL}%'",
            (*key, f"{UNTIL}{mark}"),
        )
        # By its mark: this may be run again because nobody knew whether it had been committed.
        rows = yield "SELECT value FROM setting WHERE scope = $1 AND name = $2", key
        ended = any(row["value"].endswith(f"{UNTIL}{mark}") for row in rows)
        yield from record(audit if ended else None)
        return ended

    @query
    def of(self, scopes: Sequence[str]) -> Steps[list[Pause]]:
        """What is paused in these scopes and everywhere, in their order."""
        return [one for one in pauses_in((yield from settings([*scopes, EVERYWHERE]))) if one.lasts]

    @query
    def of_session(self, session_id: str) -> Steps[list[Pause]]:
        """What is paused for a session: in it, in the scopes it inherits from, and everywhere."""
        return (yield from pauses_of(session_id))


def pauses_of(session_id: str) -> Steps[list[Pause]]:
    """What is paused for a session."""
    scopes = yield from scopes_of(session_id)
    return [one for one in pauses_in((yield from settings([*scopes, EVERYWHERE]))) if one.lasts]


def _stop_in(scope: str) -> Steps[list[Turn]]:
    """Ask that all turns without an outcome be stopped in a scope, session by session."""
    rows = yield (
        """
        SELECT DISTINCT session.id, session.scopes FROM open_turn JOIN session ON session.id = open_turn.session_id
        ORDER BY session.id
        """,
        (),
    )
    stopped: list[Turn] = []
    for row in rows:
        if scope in (*own_and_inherited(row["id"], [row]), EVERYWHERE):
            stopped += yield from request_stop(row["id"], None)
    return stopped
