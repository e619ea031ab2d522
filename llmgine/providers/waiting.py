"""How long a service asks to wait, read from its headers or its words, and how that is said to people."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from llmgine.messages.translatable import Text, tr
from llmgine.providers.quoting import fields, said

_LONGEST_MATCHED = 6_000  # characters of a body's words
_LONGEST_HEADER = 100  # characters; a time is shorter
_EPOCH = 1_000_000_000.0  # as seconds to wait this would be 30 years: it is a point in time

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_AMOUNT = re.compile(
    r"(?:\s|,|and\s){0,3}(?:(?P<number>\d{1,12}(?:\.\d{1,12})?)\s?|(?P<one>an?)\s)"
    r"(?:(?P<ms>ms|msecs?|millis(?:econds?)?|milliseconds?)|(?P<s>s|secs?|seconds?)|(?P<m>m|mins?|minutes?)"
    r"|(?P<h>h|hrs?|hours?)|(?P<d>d|days?)|(?P<w>w|weeks?))(?![a-z])",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"(?:retry|retried|try(?:ing)? (?:it |this |the request |your request )?again|wait(?:ing)?|resets?|come back"
    r"|available(?: again)?|ask again)(?: (?:your|the|this) request)?(?: again)?"
    r"(?:[ -](?:in|after|for|at least|within))?(?: (?:about|approximately|another|around|at least|~))?:?\s?",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"retry[ -_]?after:?\s(\d{1,9}(?:\.\d{1,9})?)(?![\w:-])", re.IGNORECASE)

_DAY = 86400.0
# Below how many seconds these words are used, and the unit of the number in them.
_WORDS = (
    (1.5, 1.0, tr("in a moment")),
    (60.0, 1.0, tr("in about {number} seconds")),
    (90.0, 60.0, tr("in about a minute")),
    (3300.0, 60.0, tr("in about {number} minutes")),
    (5400.0, 3600.0, tr("in about an hour")),
    (72000.0, 3600.0, tr("in about {number} hours")),
    (1.5 * _DAY, _DAY, tr("in about 24 hours")),
)

# Names of fields without their dashes and underscores, and what one of their numbers is worth in seconds.
_FIELDS = {
    "retrydelay": 1.0,
    "retryafter": 1.0,
    "retryafterseconds": 1.0,
    "retryafterms": 0.001,
    "estimatedtime": 1.0,  # until a model is loaded
    "xratelimitreset": 1.0,
}


def seconds_to_wait(headers: Mapping[str, str], body: object = None) -> float | None:
    """How long the service asks to wait.

    Args:
        headers: The answer's headers; they are believed first.
        body: What came with them: parsed JSON or text.

    Returns:
        Seconds, never fewer than 0; None when the service did not say.
    """
    found = (seconds for seconds in _named(headers, body) if seconds is not None and math.isfinite(seconds))
    seconds = next(found, None)
    return None if seconds is None else max(0.0, seconds)


def in_words(seconds: float) -> Text:
    """When a wait ends, as people say it: "in about 5 minutes", "in about an hour"."""
    for below, unit, words in _WORDS:
        if seconds < below:
            return words.filled(number=round(seconds / unit))
    return tr("in about {number} days", number=round(seconds / _DAY))


def _named(headers: Mapping[str, str], body: object) -> Iterator[float | None]:
    """Every wait that is named, the most exact and most official first."""
    sent = {name.lower(): value for name, value in headers.items()}
    yield _in_header(sent.get("retry-after-ms", ""), unit=0.001)
    yield _in_header(sent.get("retry-after", ""))
    for name, value in fields(body):
        unit = _FIELDS.get(name.replace("-", "").replace("_", ""))
        if unit is not None:
            yield _in_header(str(value), unit=unit)
    yield _in_text(said(body)[:_LONGEST_MATCHED])


def _in_header(text: str, *, unit: float = 1.0) -> float | None:
    """A number, an amount of time or a date; as a number it may also be a point in time."""
    text = text[:_LONGEST_HEADER].strip()
    if re.fullmatch(r"[+-]?\d{1,15}(?:\.\d*)?|\.\d+", text):
        return _from_now(float(text), unit)
    amount = _amount(text, 0)
    return _until(text) if amount is None else amount


def _from_now(number: float, unit: float) -> float:
    if number < _EPOCH:
        return number * unit
    now = datetime.now(UTC).timestamp()
    return (number / 1000 if number >= _EPOCH * 1000 else number) - now


def _until(date: str) -> float | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return (read(date) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):  # TypeError: a date without a zone could be any hour
            continue
    return None


def _in_text(text: str) -> float | None:
    for asked in _ASKED.finditer(text):
        amount = _amount(text, asked.end())
        if amount is not None:
            return amount
    plain = _PLAIN.search(text)
    return float(plain[1]) if plain else None


def _amount(text: str, start: int) -> float | None:
    """The time that is named at a place in the text, such as `7m12.5s` or `1 minute 30 seconds`."""
    total: float | None = None
    for _ in range(len(_UNITS)):
        part = _AMOUNT.match(text, start)
        if part is None:
            break
        unit = next(_UNITS[name] for name in _UNITS if part[name])
        total = (total or 0.0) + float(part["number"] or 1) * unit
        start = part.end()
    return total
