"""A log to look at, and a deadline for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.llmgine.deadline import deadline
from tests.programs.logs.story import Story

__all__ = ["deadline"]


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    telling = Story(tmp_path)
    yield telling
    telling.close()
