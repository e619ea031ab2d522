"""A deadline for every test of the log, and an export to look at."""

from collections.abc import Iterator

import pytest

from tests.llmgine.deadline import deadline
from tests.llmgine.observability.export import Export

__all__ = ["deadline"]


@pytest.fixture
def export() -> Iterator[Export]:
    export = Export()
    yield export
    export.close()
