"""What the refusals of services taught about their models."""

from llmgine.sessions.clock import at, microseconds
from llmgine.sessions.database import Group, Steps, operation, query
from llmgine.sessions.records import Lesson

_LATEST = 2**63 - 1  # the greatest BIGINT


class Lessons(Group):
    """Lessons about models."""

    @query
    def all(self) -> Steps[list[Lesson]]:
        """All lessons, the oldest first."""
        rows = yield "SELECT * FROM lesson ORDER BY learnt_at, service, model, name", ()
        return [Lesson.model_validate({**row, "learnt_at": at(row["learnt_at"])}) for row in rows]

    @operation
    def learn(self, lesson: Lesson) -> Steps[None]:
        """Store a lesson, in place of an earlier one of its name."""
        learnt_at = microseconds(lesson.learnt_at)
        yield (
            """
            INSERT INTO lesson (service, model, name, value, said, learnt_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (service, model, name) DO UPDATE SET value = $4, said = $5, learnt_at = $6
            """,
            (lesson.service, lesson.model, lesson.name, lesson.value, lesson.said, learnt_at),
        )

    @operation
    def forget(self, until: int | None = None) -> Steps[None]:
        """Delete lessons, all of them or those learnt until then."""
        yield "DELETE FROM lesson WHERE learnt_at <= $1", (_LATEST if until is None else until,)
