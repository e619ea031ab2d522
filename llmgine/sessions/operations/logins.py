"""How often a front end logged in to its service lately."""

from llmgine.sessions.database import Group, Steps, operation


class Logins(Group):
    """The logins of front ends. Times are seconds since 1970."""

    @operation
    def count(self, source: str, at: int, since: int) -> Steps[int]:
        """Note a login, delete those before `since`, and count the rest."""
        yield "DELETE FROM login WHERE source = $1 AND at < $2", (source, since)
        yield "INSERT INTO login (source, at) VALUES ($1, $2)", (source, at)
        rows = yield "SELECT COUNT(*) AS n FROM login WHERE source = $1", (source,)
        return int(rows[0]["n"])
