"""The tokens that model calls used today, by scope, and how many they may use."""

from collections.abc import Iterable, Sequence

from llmgine.sessions.database import Group, Steps, listed, operation, query
from llmgine.sessions.operations.session_settings import scopes_of, settings
from llmgine.sessions.records import Allowance, SessionSettings, Setting, Today
from llmgine.sessions.scoped import effective

EVERYWHERE = "*"  # the scope of all sessions there are
_NAME = "daily_tokens"
_SWEPT = 500  # rows that are deleted at once: others write in between


class Allowances(Group):
    """Tokens of a day (UTC). Days are counted since 1970."""

    @query
    def of(self, scopes: Sequence[str], today: Today) -> Steps[list[Allowance]]:
        """The limits in these scopes, the nearest first, with what was used of each today."""
        return (yield from used_of((yield from settings(scopes)), today))

    @query
    def of_session(self, session_id: str, today: Today) -> Steps[list[Allowance]]:
        """The limits in a session, its own and inherited."""
        made = yield from settings((yield from scopes_of(session_id)))
        return (yield from used_of(made, today))

    @operation
    def spend(self, session_id: str, tokens: int, today: int) -> Steps[None]:
        """Count tokens that were used in a session without a reply that counts them."""
        yield from spend((yield from scopes_of(session_id)), tokens, today)

    @operation
    def sweep(self, today: int) -> Steps[bool]:
        """Delete some of what was used on earlier days, a limited number of rows. Returns whether there may be more."""
        rows = yield (
            """
            DELETE FROM spent WHERE (scope, day) IN (SELECT scope, day FROM spent WHERE day < $1 LIMIT $2)
            RETURNING day
            """,
            (today, _SWEPT),
        )
        return len(rows) == _SWEPT


def used_of(made: Iterable[Setting], today: Today) -> Steps[list[Allowance]]:
    """The limits among these settings, and that of the day, each with what was used of it."""
    bounds = [(one.scope, effective(SessionSettings, [one]).daily_tokens) for one in made if one.name == _NAME]
    found = [(scope, tokens) for scope, tokens in (*bounds, (EVERYWHERE, today.tokens)) if tokens is not None]
    if not found:
        return []
    scopes = [scope for scope, _ in found]
    rows = yield (
        f"SELECT scope, tokens FROM spent WHERE day = $1 AND scope IN ({listed(scopes, 2)})",
        (today.day, *scopes),
    )
    used = {row["scope"]: row["tokens"] for row in rows}
    return [Allowance(scope=scope, tokens=tokens, used=used.get(scope, 0)) for scope, tokens in found]


def spend(scopes: Iterable[str], tokens: int, today: int) -> Steps[None]:
    """Count tokens that were used in these scopes, and everywhere."""
    # Always in one order, so that two processes that spend at once do not wait for each other.
    where = sorted({*scopes, EVERYWHERE})
    places = ", ".join(f"(${number}, $1, $2)" for number in range(3, 3 + len(where)))
    yield (
        f"""
        INSERT INTO spent (scope, day, tokens) VALUES {places}
        ON CONFLICT (scope, day) DO UPDATE SET tokens = spent.tokens + $2
        """,
        (today, tokens, *where),
    )
