"""What the refusals of services taught about their models, at hand for every request and kept for a day."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from llmgine.providers.base import Change
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import microseconds
from llmgine.sessions.records import Lesson

WINDOW = "window"  # the name of the lesson how much a model takes at once

_LASTS = timedelta(hours=24)
_CONTRADICTIONS = 3


@dataclass
class Known:
    """What is known of one model of one service.

    Attributes:
        lessons: By their names.
        largest: The size of the largest request that succeeded, by our own estimate.
        contradicted: How often a request of that size or less was too long since.
    """

    lessons: dict[str, Lesson] = field(default_factory=dict)
    largest: int = 0
    contradicted: int = 0


class Lessons:
    """All that is known; read once, at the start, and written when something is learnt."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._known: dict[tuple[str, str], Known] = {}

    async def start(self) -> None:
        """Read what was learnt within a day, and delete what is older.

        Raises:
            StoreError: It cannot be read.
        """
        await self._store.lessons.forget(microseconds(self._now() - _LASTS))
        for lesson in await self._store.lessons.all():
            self._of(lesson.service, lesson.model).lessons[lesson.name] = lesson

    def all(self) -> list[Lesson]:
        """What was learnt and has not expired, the oldest first."""
        lessons = (one for known in self._known.values() for one in known.lessons.values() if self._is_fresh(one))
        return sorted(lessons, key=lambda lesson: lesson.learnt_at)

    def changes(self, service: str, model: str) -> frozenset[Change]:
        """The changes that requests to a model need."""
        names = {name for name, one in self._of(service, model).lessons.items() if self._is_fresh(one)}
        return frozenset(change for change in Change if change in names)

    def window(self, service: str, model: str) -> int | None:
        """How many tokens a model takes at once, by our own estimate, if that was learnt."""
        known = self._of(service, model)
        lesson = known.lessons.get(WINDOW)
        return max(lesson.value, known.largest) if lesson is not None and self._is_fresh(lesson) else None

    async def succeeded(self, service: str, model: str, tokens: int) -> None:
        """A request of this size, by our own estimate, was answered; a smaller window was none.

        Raises:
            StoreError: It cannot be stored.
        """
        known = self._of(service, model)
        if tokens >= known.largest:
            known.largest, known.contradicted = tokens, 0
        window = known.lessons.get(WINDOW)
        if window is not None and self._is_fresh(window) and window.value < known.largest:
            known.lessons[WINDOW] = window.model_copy(update={"value": known.largest})
            await self._store.lessons.learn(known.lessons[WINDOW])

    def too_long(self, service: str, model: str, tokens: int) -> None:
        """A request of this size was too long; after some of these, what succeeded before says nothing any more."""
        known = self._of(service, model)
        known.contradicted += tokens <= known.largest
        if known.contradicted >= _CONTRADICTIONS:
            known.largest = known.contradicted = 0

    async def learn(self, service: str, model: str, name: str, *, value: int = 1, said: str = "") -> None:
        """Remember a lesson for a day.

        Raises:
            StoreError: It cannot be stored.
        """
        if name == WINDOW:
            value = max(value, self._of(service, model).largest)
        lesson = Lesson(service=service, model=model, name=name, value=value, said=said, learnt_at=self._now())
        self._of(service, model).lessons[name] = lesson
        await self._store.lessons.learn(lesson)

    async def forget(self) -> None:
        """Forget all that was learnt.

        Raises:
            StoreError: It cannot be deleted.
        """
        self._known.clear()
        await self._store.lessons.forget()

    def _of(self, service: str, model: str) -> Known:
        return self._known.setdefault((service, model), Known())

    def _is_fresh(self, lesson: Lesson) -> bool:
        return self._now() - lesson.learnt_at < _LASTS

    def _now(self) -> datetime:
        return self._store.clock.now()
