"""When something was written, as the author's clock shows it: time zones by their names, and times in words."""

import functools
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@functools.cache
def timezones() -> tuple[str, ...]:
    """The names of all zones, sorted. The first call reads some hundred files: not to be made in the event loop."""
    return tuple(sorted(available_timezones() | {"UTC"}))


def _known(name: str) -> str:
    if name not in timezones():
        raise ValueError(f"{name!r} is no time zone; write a name such as Europe/Berlin, America/New_York or UTC")
    return name


Timezone = Annotated[str, AfterValidator(_known)]


def in_words(moment: datetime, timezone: str) -> str:
    """A moment as the clock of a zone shows it: `Monday, 2026-11-30 15:20 Europe/Berlin (UTC+01:00)`.

    Args:
        moment: The moment, with its own zone.
        timezone: The name of the zone. One that this machine does not know is told as UTC.
    """
    try:
        local = moment.astimezone(ZoneInfo(timezone))
    except (ValueError, OSError, KeyError):  # KeyError: a zone of another machine on the same database
        timezone, local = "UTC", moment.astimezone(UTC)
    offset = "" if timezone == "UTC" else f" (UTC{local.isoformat(timespec='minutes')[-6:]})"
    return f"{_DAYS[local.weekday()]}, {local:%Y-%m-%d %H:%M} {timezone}{offset}"
