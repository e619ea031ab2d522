"""What every session store promises of lessons about models."""

from datetime import timedelta

from llmgine.sessions import SessionStore
from llmgine.sessions.clock import microseconds
from llmgine.sessions.records import Lesson
from tests.llmgine.sessions.examples import LONG_AGO


async def _learn(store: SessionStore, name: str, days: int) -> Lesson:
    lesson = Lesson(service="s", model="m", name=name, learnt_at=LONG_AGO + timedelta(days=days))
    await store.lessons.learn(lesson)
    return lesson


async def test_old_lessons_are_forgotten(store: SessionStore) -> None:
    """Those learnt until a moment go, and later ones stay."""
    old, new = await _learn(store, "a", 0), await _learn(store, "b", 1)

    await store.lessons.forget(microseconds(old.learnt_at))

    assert await store.lessons.all() == [new]


async def test_all_lessons_are_forgotten(store: SessionStore) -> None:
    """Without a moment, none stays."""
    await _learn(store, "a", 0)

    await store.lessons.forget()

    assert await store.lessons.all() == []
