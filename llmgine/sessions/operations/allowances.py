"""What model calls used on each day, by scope: reserved before a call, settled after it, and what may be used."""

import json
from collections.abc import Iterable, Mapping, Sequence

from llmgine.errors import AllowanceError
from llmgine.sessions.costs import Allowance, Asker, Cost, DayUse, Reservation, Spent, Today
from llmgine.sessions.database import Group, Row, Steps, listed, operation, query
from llmgine.sessions.limits import counted_in, limits, purpose_scope, refusal
from llmgine.sessions.operations.session_settings import scopes_of, settings

KEPT_DAYS = 31  # what was used on each of the last days is kept, so that a whole month can be shown
_SWEPT = 500  # rows that are deleted at once: others write in between

_Place = tuple[str, int]  # a scope and a day


class Allowances(Group):
    """What was used of a day (UTC). Days are counted since 1970."""

    @query
    def of(self, scopes: Sequence[str], today: Today, asker: Asker | None = None) -> Steps[list[Allowance]]:
        """The limits in these scopes, the nearest first, with what was used of each today."""
        who = asker or Asker()
        return (yield from with_use(limits(scopes, (yield from settings(scopes)), today, who), today.day))

    @query
    def of_session(
        self, session_id: str, today: Today, asker: Asker | None = None
    ) -> Steps[tuple[tuple[str, ...], list[Allowance]]]:
        """Where a call in a session counts, and the limits that apply to it."""
        scopes, who = (yield from scopes_of(session_id)), asker or Asker()
        found = limits(scopes, (yield from settings(scopes)), today, who)
        return counted_in(scopes, who), (yield from with_use(found, today.day))

    @query
    def used(self, scope: str, since: int) -> Steps[list[DayUse]]:
        """What was used in a scope, day by day from a day on; days without any are left out."""
        rows = yield "SELECT * FROM spent WHERE scope = $1 AND day >= $2 ORDER BY day", (scope, since)
        return [DayUse(day=row["day"], cost=Cost(tokens=row["tokens"], nanodollars=row["nanodollars"])) for row in rows]

    @operation
    def reserve(self, reservation: Reservation, allowances: Sequence[Allowance]) -> Steps[list[Allowance]]:
        """Reserve what a call may cost at most, unless one of these limits leaves no room for a call.

        The last call before a limit may pass it: what it will cost is not known before.

        Returns:
            The limits, with what was used and reserved without this call.

        Raises:
            AllowanceError: A limit leaves no room; nothing is reserved.
        """
        one = reservation
        new = yield (
            f"INSERT INTO reservation VALUES ({listed(range(8))}) ON CONFLICT DO NOTHING RETURNING id",
            (
                one.id,
                self._me,
                json.dumps(one.counted_in),
                one.day,
                one.most.tokens,
                one.most.nanodollars,
                one.sent.tokens,
                one.sent.nanodollars,
            ),
        )
        # Run again, after a commit that nobody knew of, it adds nothing and finds what it reserved.
        added = one.most if new else Cost()
        rows = yield from _add({(scope, one.day): (Cost(), added) for scope in one.counted_in})
        found = [_filled(allowance, rows, without=one.most) for allowance in allowances]
        full = next((allowance for allowance in found if allowance.is_full), None)
        if full is not None:
            raise AllowanceError(refusal(full, one.day))
        return found

    @operation
    def settle(self, spent: Spent) -> Steps[None]:
        """Count what a call cost, in place of what was reserved for it."""
        yield from settle(spent)

    @operation
    def settle_left(self, owners: Sequence[str]) -> Steps[None]:
        """Settle what dead processes reserved: whether the calls were answered is unknown, so the requests count."""
        rows = yield f"DELETE FROM reservation WHERE owner IN ({listed(owners)}) RETURNING *", owners
        changes: dict[_Place, tuple[Cost, Cost]] = {}
        for row in rows:
            sent = Cost(tokens=row["sent_tokens"], nanodollars=row["sent_nanodollars"])
            for scope in json.loads(row["scopes"]):
                used, reserved = changes.get((scope, row["day"]), (Cost(), Cost()))
                changes[scope, row["day"]] = used + sent, reserved + -_reserved_in(row)
        yield from _add(changes)

    @query
    def owners(self) -> Steps[set[str]]:
        """The processes that have reserved something."""
        return {row["owner"] for row in (yield "SELECT DISTINCT owner FROM reservation", ())}

    @operation
    def warn(self, scopes: Sequence[str], day: int) -> Steps[set[str]]:
        """Which of these scopes nobody was warned of on that day; they count as warned of from here on."""
        rows = yield (
            f"""
            UPDATE spent SET warned = 1 WHERE day = $1 AND warned = 0 AND scope IN ({listed(scopes, 2)})
            RETURNING scope
            """,
            (day, *scopes),
        )
        return {row["scope"] for row in rows}

    @operation
    def forget(self, today: int) -> Steps[None]:
        """Delete what forgotten people used until they were forgotten, but for that of today."""
        yield (
            """
            DELETE FROM spent WHERE day < $1 AND EXISTS (
                SELECT 1 FROM forgotten
                WHERE spent.day <= forgotten_at / 86400000000 AND spent.scope LIKE '%:' || person
            )
            """,
            (today,),
        )

    @operation
    def sweep(self, today: int) -> Steps[bool]:
        """Delete some of what was used more than a month ago, a limited number of rows. Returns whether more may be."""
        rows = yield (
            """
            DELETE FROM spent WHERE (scope, day) IN (SELECT scope, day FROM spent WHERE day < $1 LIMIT $2)
            RETURNING day
            """,
            (today - KEPT_DAYS, _SWEPT),
        )
        return len(rows) == _SWEPT


def with_use(found: Sequence[Allowance], day: int) -> Steps[list[Allowance]]:
    """These limits with what was used and is reserved of each on a day."""
    if not found:
        return []
    scopes = list(dict.fromkeys(allowance.scope for allowance in found))
    rows = yield f"SELECT * FROM spent WHERE day = $1 AND scope IN ({listed(scopes, 2)})", (day, *scopes)
    return [_filled(allowance, rows) for allowance in found]


def settle(spent: Spent) -> Steps[None]:
    """Count what a call cost, in place of what was reserved for it."""
    reserved = Cost()
    if spent.reservation is not None:
        rows = yield "DELETE FROM reservation WHERE id = $1 RETURNING *", (spent.reservation,)
        if not rows:  # this process counted as dead, and another one settled it
            return
        reserved = -_reserved_in(rows[0])
    changes = {(scope, spent.day): (spent.cost, reserved) for scope in spent.counted_in}
    if spent.purpose != "answer":
        changes[purpose_scope(spent.purpose), spent.day] = spent.cost, Cost()
    yield from _add(changes)


def _reserved_in(row: Row) -> Cost:
    return Cost(tokens=row["tokens"], nanodollars=row["nanodollars"])


def _add(changes: Mapping[_Place, tuple[Cost, Cost]]) -> Steps[list[Row]]:
    """Add what was used and what is reserved to scopes on days; returns their rows."""
    if not changes:
        return []
    # Always in one order, so that two processes that spend at once do not wait for each other.
    rows = [
        (*place, used.tokens, used.nanodollars, reserved.tokens, reserved.nanodollars)
        for place, (used, reserved) in sorted(changes.items())
    ]
    places = ", ".join(f"({listed(row, 1 + number * len(row))})" for number, row in enumerate(rows))
    return (
        yield (
            f"""
            INSERT INTO spent (scope, day, tokens, nanodollars, reserved_tokens, reserved_nanodollars) VALUES {places}
            ON CONFLICT (scope, day) DO UPDATE SET
                tokens = spent.tokens + excluded.tokens, nanodollars = spent.nanodollars + excluded.nanodollars,
                reserved_tokens = spent.reserved_tokens + excluded.reserved_tokens,
                reserved_nanodollars = spent.reserved_nanodollars + excluded.reserved_nanodollars
            RETURNING *
            """,
            [value for row in rows for value in row],
        )
    )


def _filled(allowance: Allowance, rows: Iterable[Row], *, without: Cost | None = None) -> Allowance:
    """A limit with what was used of it, and reserved, without what one call reserved."""
    row = next((row for row in rows if row["scope"] == allowance.scope), None)
    if row is None:
        return allowance
    own = without or Cost()
    used = Cost(tokens=row["tokens"], nanodollars=row["nanodollars"])
    reserved = Cost(tokens=row["reserved_tokens"], nanodollars=row["reserved_nanodollars"]) + -own
    unit = allowance.unit
    return allowance.model_copy(update={"used": used.of(unit), "reserved": reserved.of(unit)})
