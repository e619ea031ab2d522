"""How often a front end logged in to its service lately."""

from llmgine.sessions.database import Transaction


def count_login(source: str, at: int, since: int) -> Transaction[int]:
    """Note a login, forget those before `since`, and count the rest. Times are seconds since 1970."""
    yield "DELETE FROM login WHERE source = $1 AND at < $2", (source, since)
    yield "INSERT INTO login (source, at) VALUES ($1, $2)", (source, at)
    rows = yield "SELECT COUNT(*) AS n FROM login WHERE source = $1", (source,)
    return int(rows[0]["n"])
