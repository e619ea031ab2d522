"""The scene of the bot's own tests, for faults that need no second process, and the databases of both engines."""

import pytest

from tests.durability.databases import ENGINES, Databases, PostgresDatabases, sqlite
from tests.programs.discord.conftest import playground, scene, settled, unstarted

__all__ = ["playground", "scene", "settled", "unstarted"]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine: what is promised is promised on all of them."""
    return str(request.param)


@pytest.fixture
def databases(engine: str, request: pytest.FixtureRequest) -> Databases:
    """Databases of the engine."""
    return sqlite if engine == "sqlite" else PostgresDatabases(request.getfixturevalue("postgres"))
