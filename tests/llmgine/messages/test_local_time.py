"""Times in words, in the zones of people."""

from datetime import UTC, datetime

import pytest

from llmgine.messages.local_time import in_words, timezones

MOMENT = datetime(2026, 11, 30, 23, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Berlin", "Tuesday, 2026-12-01 00:20 Europe/Berlin (UTC+01:00)"),
        ("America/St_Johns", "Monday, 2026-11-30 19:50 America/St_Johns (UTC-03:30)"),
        ("UTC", "Monday, 2026-11-30 23:20 UTC"),
    ],
)
def test_a_moment_is_told_as_the_zone_has_it(zone: str, words: str) -> None:
    """The weekday, the date, the time and the distance from UTC are those of the zone."""
    assert in_words(MOMENT, zone) == words


@pytest.mark.parametrize("zone", ["", "Mars/Base", "America", "../etc/passwd", "a\0b"])
def test_a_zone_that_is_not_known_here_is_told_as_utc(zone: str) -> None:
    """A database may come from a machine that knows other zones."""
    assert in_words(MOMENT, zone) == "Monday, 2026-11-30 23:20 UTC"


def test_there_are_zones_on_every_system() -> None:
    """Where the system has no zones, they come with a package."""
    assert {"UTC", "Europe/Berlin", "America/New_York"} <= {*timezones()}
