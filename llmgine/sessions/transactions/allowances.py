"""The tokens that model calls used today, by scope, and how many they may use."""

from collections.abc import Sequence

from llmgine.sessions.database import Transaction
from llmgine.sessions.records import Allowance, ReplyStep, SessionSettings, Turn
from llmgine.sessions.scoped import fits
from llmgine.sessions.transactions.settings import scopes_of, settings
from llmgine.sessions.transactions.steps import append

EVERYWHERE = "*"  # the scope of all sessions there are
_NAME = "daily_tokens"


def append_reply(turn: Turn, step: ReplyStep, tokens: int, today: str) -> Transaction[None]:
    """Add a reply of the model to its turn, and the tokens of the call to what was used today."""
    yield from append(turn.id, turn.attempt, step)
    yield "DELETE FROM spent WHERE day < $1", (today,)
    for scope in (*(yield from scopes_of(turn.session_id)), EVERYWHERE):
        yield (
            """
            INSERT INTO spent (scope, day, tokens) VALUES ($1, $2, $3)
            ON CONFLICT (scope, day) DO UPDATE SET tokens = spent.tokens + $3
            """,
            (scope, today, tokens),
        )


def allowances(scopes: Sequence[str], everywhere: int | None, today: str) -> Transaction[list[Allowance]]:
    """The bounds that hold in these scopes, and `everywhere`, each with what was used of it."""
    made = yield from settings(scopes)
    bounds = [
        (one.scope, int(one.value)) for one in made if one.name == _NAME and fits(SessionSettings, _NAME, one.value)
    ]
    if everywhere is not None:
        bounds.append((EVERYWHERE, everywhere))
    found = []
    for scope, tokens in bounds:
        rows = yield "SELECT tokens FROM spent WHERE scope = $1 AND day = $2", (scope, today)
        found.append(Allowance(scope=scope, tokens=tokens, used=rows[0]["tokens"] if rows else 0))
    return found


def session_allowances(session_id: str, everywhere: int | None, today: str) -> Transaction[list[Allowance]]:
    """The bounds that hold in a session."""
    return (yield from allowances((yield from scopes_of(session_id)), everywhere, today))
