"""What the refusals of services taught about their models."""

from llmgine.sessions.database import Transaction
from llmgine.sessions.records import Lesson


def lessons() -> Transaction[list[Lesson]]:
    """All lessons, the oldest first."""
    rows = yield "SELECT * FROM lesson ORDER BY learnt_at, service, model, name", ()
    return [Lesson.model_validate(dict(row)) for row in rows]


def learn(lesson: Lesson) -> Transaction[None]:
    """Store a lesson in the place of an earlier one of its name."""
    yield (
        """
        INSERT INTO lesson (service, model, name, value, said, learnt_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (service, model, name) DO UPDATE SET value = $4, said = $5, learnt_at = $6
        """,
        (lesson.service, lesson.model, lesson.name, lesson.value, lesson.said, lesson.learnt_at.isoformat()),
    )


def forget(until: str | None) -> Transaction[None]:
    """Delete lessons, all of them or those learnt until then."""
    yield "DELETE FROM lesson WHERE $1 = '' OR learnt_at <= $1", (until or "",)
