"""What migrations change row by row, since the engines have no words for it in common."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

from llmgine.sessions.clock import microseconds
from llmgine.sessions.database import Row, Steps

_PAGE = 1_000  # rows; a table may be too large for memory
_BRANCH = "branch"  # the source of copied turns
_SERVER = ":server:"  # in a scope, before the id of a server


def sessions() -> Steps[None]:
    """Write when each session was used as a number."""
    last = ""
    while rows := (yield "SELECT id, updated_at FROM session WHERE id > $1 ORDER BY id LIMIT $2", (last, _PAGE)):
        for row in rows:
            yield "UPDATE session SET used_at = $2 WHERE id = $1", (row["id"], _number(row["updated_at"]))
        last = rows[-1]["id"]


def turns() -> Steps[None]:
    """Write when each turn was admitted as a number, and what its origin says of places and copies into columns."""
    last = ""
    while rows := (
        yield (
            """
            SELECT turn.id, source, origin, created_at, scopes FROM turn JOIN session ON session.id = session_id
            WHERE turn.id > $1 ORDER BY turn.id LIMIT $2
            """,
            (last, _PAGE),
        )
    ):
        for row in rows:
            origin = json.loads(row["origin"])
            copied = origin.get("copied_from") if row["source"] == _BRANCH else None
            yield (
                """
                UPDATE turn SET admitted_at = $2, place = $3, guild = $4, copied_from = $5,
                    origin = CASE WHEN $6 = 1 THEN '{}' ELSE origin END
                WHERE id = $1
                """,
                (row["id"], _number(row["created_at"]), _place(origin), _guild(row), copied, int(copied is not None)),
            )
        last = rows[-1]["id"]


def listed_under() -> Steps[None]:
    """Write under what each session is listed: the widest of its scopes."""
    last = ""
    while rows := (yield "SELECT id, scopes FROM session WHERE id > $1 ORDER BY id LIMIT $2", (last, _PAGE)):
        for row in rows:
            scopes = tuple(_strings(json.loads(row["scopes"])))
            # One without any is a DM, or another front end's; what follows a slash distinguishes a DM's conversations.
            widest = scopes[-1] if scopes else row["id"].partition("/")[0]
            yield "UPDATE session SET listed_under = $2 WHERE id = $1", (row["id"], widest)
        last = rows[-1]["id"]


def settings() -> Steps[None]:
    """Write when each setting was made as a number."""
    for row in (yield "SELECT scope, name, changed_at FROM setting", ()):
        yield (
            "UPDATE setting SET made_at = $3 WHERE scope = $1 AND name = $2",
            (row["scope"], row["name"], _number(row["changed_at"])),
        )


def lessons() -> Steps[None]:
    """Write when each lesson was learnt as a number."""
    for row in (yield "SELECT service, model, name, learnt_at FROM lesson", ()):
        yield (
            "UPDATE lesson SET at = $4 WHERE service = $1 AND model = $2 AND name = $3",
            (row["service"], row["model"], row["name"], _number(row["learnt_at"])),
        )


def spent() -> Steps[None]:
    """Write the days on which tokens were used as numbers."""
    for row in (yield "SELECT scope, day, tokens FROM spent_by_name", ()):
        day = (date.fromisoformat(row["day"]) - date(1970, 1, 1)).days
        yield "INSERT INTO spent (scope, day, tokens) VALUES ($1, $2, $3)", (row["scope"], day, row["tokens"])


def places() -> Steps[None]:
    """Write what kind of place each cursor is of, where a turn that was asked there says so."""
    last = ""
    found: dict[str, tuple[object, object, int | None]] = {}
    while rows := (
        yield (
            "SELECT id, place, guild, origin FROM turn WHERE id > $1 AND place IS NOT NULL ORDER BY id LIMIT $2",
            (last, _PAGE),
        )
    ):
        for row in rows:
            origin = json.loads(row["origin"])
            if "kind" in origin:
                found[row["place"]] = origin["kind"], origin.get("parent_id"), row["guild"]
        last = rows[-1]["id"]
    for place, about in found.items():
        yield "UPDATE cursor_of_place SET kind = $2, parent = $3, guild = $4 WHERE place = $1", (place, *about)


def context_of_known_servers() -> Steps[None]:
    """Switch off for known servers that what was written before a question is read: nobody told them of it."""
    found = yield (
        """
        SELECT source, guild FROM turn WHERE guild IS NOT NULL
        UNION SELECT source, guild FROM cursor_of_place WHERE guild IS NOT NULL
        """,
        (),
    )
    scopes = {f"{row['source']}{_SERVER}{row['guild']}" for row in found}
    for sql in ("SELECT DISTINCT listed_under AS scope FROM session", "SELECT DISTINCT scope FROM setting"):
        scopes |= {row["scope"] for row in (yield sql, ()) if _SERVER in row["scope"]}
    last = yield "SELECT COALESCE(MAX(created_at), 0) AS at FROM turn", ()  # when anything was known there
    for scope in sorted(scopes):
        yield (
            """
            INSERT INTO setting (scope, name, value, changed_by, changed_at) VALUES ($1, 'context', 'off', '', $2)
            ON CONFLICT (scope, name) DO NOTHING
            """,
            (scope, last[0]["at"]),
        )


def _number(moment: str) -> int:
    at = datetime.fromisoformat(moment)
    return microseconds(at if at.tzinfo else at.replace(tzinfo=UTC))


def _place(origin: Mapping[str, object]) -> str | None:
    """Where it was said, as the Discord bot wrote it down."""
    place = origin.get("asked_in") or origin.get("channel_id")
    return None if place is None else str(place)


def _guild(row: Row) -> int | None:
    """The server, by the scopes of the session."""
    found = (scope.rpartition(_SERVER) for scope in _strings(json.loads(row["scopes"])))
    return next((int(number) for _, colon, number in found if colon and number.isdecimal()), None)


def _strings(values: object) -> Iterator[str]:
    if isinstance(values, list):
        yield from (value for value in values if isinstance(value, str))
