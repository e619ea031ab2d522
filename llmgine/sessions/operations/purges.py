"""Conversations that are erased whole: those nobody used for long, and those of servers the bot is no longer in.

Each operation erases a portion, so that others wait little; whoever calls it repeats it until nothing is left.
"""

import json
from collections.abc import Sequence

from llmgine.sessions.database import Group, Steps, announced, listed, listing, operation, query
from llmgine.sessions.limits import personal_scope
from llmgine.sessions.operations.rows import lock
from llmgine.sessions.personal_data import of_turns
from llmgine.sessions.records import LeftServer
from llmgine.sessions.scoped import of_place, of_server

_PORTION = 50  # turns or places that are erased at once
_MOST_ROWS = 500  # of the audit log, or of use


class Purges(Group):
    """What is erased when it is no longer needed."""

    @listing
    def idle(self, before: int, most: int) -> Steps[list[str]]:
        """Sessions that nobody has used since a time, with nothing open or still to be sent; unused longest first."""
        rows = yield (
            """
            SELECT id FROM session WHERE updated_at < $1
                AND NOT EXISTS (SELECT 1 FROM open_turn WHERE session_id = session.id)
                AND NOT EXISTS (
                    SELECT 1 FROM delivery JOIN turn ON turn.id = turn_id
                    WHERE sent = 0 AND session_id = session.id
                )
            ORDER BY updated_at, id LIMIT $2
            """,
            (before, most),
        )
        return [row["id"] for row in rows]

    @announced
    def session(self, session_id: str, *, before: int | None = None, settings: bool = False) -> Steps[bool]:
        """Erase a portion of a session, and at last the session itself. Returns whether there is more of it to erase.

        Args:
            session_id: The session. One with an open turn is left as it is.
            before: Only if nobody has used it since this time, and nothing of it is still to be sent.
            settings: Whether its settings are erased too. Approvals that were given for always are in any case.
        """
        yield from lock(session_id)
        rows = yield (
            """
            SELECT updated_at FROM session
            WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM open_turn WHERE session_id = $1)
            """,
            (session_id,),
        )
        if not rows or (before is not None and (rows[0]["updated_at"] >= before or (yield from _is_owed(session_id)))):
            return False
        turns = yield "SELECT id FROM turn WHERE session_id = $1 ORDER BY seq LIMIT $2", (session_id, _PORTION)
        ids = [row["id"] for row in turns]
        if ids:
            for table, _ in of_turns():
                yield f"DELETE FROM {table} WHERE turn_id IN ({listed(ids)})", ids
            yield f"DELETE FROM turn WHERE id IN ({listed(ids)})", ids
            return True
        names = "" if settings else "AND name LIKE 'approved:%'"
        yield f"DELETE FROM setting WHERE scope = $1 {names}", (session_id,)
        yield "DELETE FROM session WHERE id = $1", (session_id,)
        return False

    @operation
    def note_servers(self, source: str, account: int, guilds: Sequence[int], now: int) -> Steps[list[LeftServer]]:
        """Note which servers an account of a front end is in, and since when not in those it was in before.

        Returns:
            All servers that were left.
        """
        noted = yield (
            "SELECT guild, left_at FROM reported_server WHERE source = $1 AND account = $2",
            (source, account),
        )
        before = {row["guild"]: row["left_at"] for row in noted}
        now_left = {guild: left_at or now for guild, left_at in before.items() if guild not in guilds}
        after = dict.fromkeys(guilds, 0) | now_left
        for guild, left_at in sorted(after.items() - before.items()):
            yield (
                """
                INSERT INTO reported_server (source, account, guild, left_at) VALUES ($1, $2, $3, $4)
                ON CONFLICT (source, account, guild) DO UPDATE SET left_at = excluded.left_at
                """,
                (source, account, guild, left_at),
            )
        return (yield from _left())

    @query
    def left(self) -> Steps[list[LeftServer]]:
        """The servers that front ends are no longer in, and that are not erased yet."""
        return (yield from _left())

    @listing
    def of_server(self, left: LeftServer) -> Steps[list[str]]:
        """Some of a server's sessions in which nothing is open."""
        rows = yield (
            """
            SELECT id FROM session WHERE listed_under = $1
                AND NOT EXISTS (SELECT 1 FROM open_turn WHERE session_id = session.id)
            ORDER BY updated_at, id LIMIT $2
            """,
            (of_server(left.source, left.guild), _PORTION),
        )
        return [row["id"] for row in rows]

    @announced
    def wider_settings(self, left: LeftServer, session_id: str) -> Steps[None]:
        """Erase the settings of a session of a server and those it inherits, such as its category's, and their use."""
        if left not in (yield from _left()):
            return
        rows = yield "SELECT scopes FROM session WHERE id = $1", (session_id,)
        scopes = {session_id, *json.loads(rows[0]["scopes"])} if rows else {session_id}
        yield from _erase_scopes(sorted(scopes))

    @announced
    def places(self, left: LeftServer) -> Steps[bool]:
        """Erase some of a server's places, entries of its audit log and its use, at last it. Whether there is more."""
        server = (left.source, left.guild)
        if left not in (yield from _left()):
            return False  # the front end is in it again
        rows = yield (
            "SELECT place FROM cursor_of_place WHERE source = $1 AND COALESCE(guild, 0) = $2 LIMIT $3",
            (*server, _PORTION),
        )
        places = [row["place"] for row in rows]
        if places:
            yield from _erase_scopes([of_place(left.source, place) for place in places])
            yield (
                f"DELETE FROM cursor_of_place WHERE source = $1 AND place IN ({listed(places, 2)})",
                (left.source, *places),
            )
            return True
        scope = of_server(*server)
        if (yield from _erase_entries(scope)):
            return True
        yield from _erase_scopes([scope])
        yield "DELETE FROM reported_server WHERE source = $1 AND guild = $2", server
        return False


def _is_owed(session_id: str) -> Steps[bool]:
    rows = yield (
        "SELECT 1 AS one FROM turn JOIN delivery ON turn_id = turn.id WHERE session_id = $1 AND sent = 0 LIMIT 1",
        (session_id,),
    )
    return bool(rows)


def _erase_scopes(scopes: Sequence[str]) -> Steps[None]:
    """Delete the settings of scopes, and what was used in them."""
    for table in ("setting", "spent"):
        yield f"DELETE FROM {table} WHERE scope IN ({listed(scopes)})", scopes


def _erase_entries(scope: str) -> Steps[bool]:
    """Delete some of a server's audit log, and of what single people used in it. Whether there was anything."""
    entries = yield (
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE listed_under = $1 LIMIT $2) RETURNING id",
        (scope, _MOST_ROWS),
    )
    used = yield (
        """
        DELETE FROM spent WHERE (scope, day) IN (SELECT scope, day FROM spent WHERE scope LIKE $1 LIMIT $2)
        RETURNING day
        """,
        (personal_scope(scope, "%"), _MOST_ROWS),
    )
    return bool(entries or used)


def _left() -> Steps[list[LeftServer]]:
    """A server that another account of the front end is in is not among them."""
    rows = yield (
        """
        SELECT * FROM reported_server WHERE left_at > 0 AND NOT EXISTS (
            SELECT 1 FROM reported_server AS other
            WHERE other.source = reported_server.source AND other.guild = reported_server.guild AND other.left_at = 0
        ) ORDER BY left_at
        """,
        (),
    )
    return [LeftServer.model_validate(dict(row)) for row in rows]
