"""The stage of these tests."""

from pathlib import Path

import pytest

from tests.llmgine.mcp.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)
