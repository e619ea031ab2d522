"""The tokens that model calls used today, by scope, and how many they may use."""

from collections.abc import Sequence

from llmgine.messages.steps import ReplyStep
from llmgine.sessions.database import Transaction
from llmgine.sessions.records import Allowance, SessionSettings, Turn
from llmgine.sessions.scoped import holding
from llmgine.sessions.transactions.settings import scopes_of, settings
from llmgine.sessions.transactions.steps import append

EVERYWHERE = "*"  # the scope of all sessions there are
_NAME = "daily_tokens"


def append_reply(turn: Turn, step: ReplyStep, tokens: int, today: str) -> Transaction[None]:
    """Add a reply of the model to its turn, and the tokens of the call to what was used today."""
    yield from append(turn.id, turn.attempt, step)
    yield from spend(turn.session_id, tokens, today)


def spend(session_id: str, tokens: int, today: str) -> Transaction[None]:
    """Count tokens that were used in a session."""
    yield "DELETE FROM spent WHERE day < $1", (today,)
    for scope in (*(yield from scopes_of(session_id)), EVERYWHERE):
        yield (
            """
            INSERT INTO spent (scope, day, tokens) VALUES ($1, $2, $3)
            ON CONFLICT (scope, day) DO UPDATE SET tokens = spent.tokens + $3
            """,
            (scope, today, tokens),
        )


def allowances(scopes: Sequence[str], everywhere: int | None, today: str) -> Transaction[list[Allowance]]:
    """The bounds that hold in these scopes, and `everywhere`, each with what was used of it."""
    made = [one for one in (yield from settings(scopes)) if one.name == _NAME]
    bounds = [(one.scope, holding(SessionSettings, [one]).daily_tokens) for one in made]
    found = []
    for scope, tokens in (*bounds, (EVERYWHERE, everywhere)):
        if tokens is None:
            continue
        rows = yield "SELECT tokens FROM spent WHERE scope = $1 AND day = $2", (scope, today)
        found.append(Allowance(scope=scope, tokens=tokens, used=rows[0]["tokens"] if rows else 0))
    return found


def session_allowances(session_id: str, everywhere: int | None, today: str) -> Transaction[list[Allowance]]:
    """The bounds that hold in a session."""
    return (yield from allowances((yield from scopes_of(session_id)), everywhere, today))
