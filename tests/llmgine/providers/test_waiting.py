"""How long a service asks to wait, in every form it may say it, and how people read it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from llmgine.providers.waiting import in_words, seconds_to_wait


def error(message: str, **rest: object) -> dict[str, object]:
    return {"error": {"message": message, **rest}}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        (".5", 0.5),
        (" 7 ", 7.0),
        ("7s", 7.0),
        ("1m30s", 90.0),
        ("-3", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("", None),
        ("9" * 5000, None),
        ("2020-01-01", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:49:37", None),
        ("Sun Nov  6 08:49:37 1994", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_retry_after_holds_seconds_or_a_date(header: str, seconds: float | None) -> None:
    """A date in the past is no wait, and what is no time, or no certain one, is not guessed."""
    assert seconds_to_wait({"Retry-After": header}) == seconds


def test_a_date_counts_from_now() -> None:
    """Also as other services write dates, and as a number of seconds since 1970."""
    then = datetime.now(UTC) + timedelta(seconds=100)
    forms = [format_datetime(then, usegmt=True), then.isoformat(), f"{then.timestamp():.0f}"]

    for form in [*forms, f"{then.timestamp() * 1000:.0f}"]:
        seconds = seconds_to_wait({"retry-after": form})

        assert seconds is not None
        assert 80 < seconds <= 101


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"Retry-After-Ms": "250"}, 0.25),
        ({"RETRY-AFTER-MS": "x", "RETRY-AFTER": "3"}, 3.0),
        ({"retry-after": "soon"}, 34.0),
        ({}, 34.0),
    ],
)
def test_the_exact_header_comes_first_and_the_body_last(headers: dict[str, str], seconds: float) -> None:
    """The body is read where no header tells."""
    assert seconds_to_wait(headers, error("Please retry in 34s.")) == seconds


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please retry in 34.074824224s.", 34.074824224),
        ("Please try again in 7m12.5s. Need more tokens?", 432.5),
        ("Please try again in 20ms.", 0.02),
        ("try again in 2 hours", 7200.0),
        ("Try again in 1 minute 30 seconds", 90.0),
        ("try again in 1 minute and 30 seconds", 90.0),
        ("try again in 1 hour, 2 minutes", 3720.0),
        ("Please retry after 5 seconds.", 5.0),
        ("Please try your request again in 6 secs", 6.0),
        ("Retry-After: 12", 12.0),
        ("please wait 10 seconds before trying again", 10.0),
        ("wait for 2m", 120.0),
        ("Your limit resets in 3h", 10800.0),
        ("retry in about an hour", 3600.0),
        ("try again in a minute", 60.0),
        ("Try again in 2 days", 172800.0),
        ("1d2h: retry in 1d2h", 93600.0),
        ("try again in a few minutes", None),
        ("Please try again later.", None),
        ("Limit 10000, Used 9500, Requested 1200", None),
        ("retry in 5 parsecs", None),
        ("This took 30 seconds", None),
    ],
)
def test_the_words_of_a_body_may_say_it(words: str, seconds: float | None) -> None:
    """English amounts of time are read where the service asks to wait, and only there."""
    for body in (words, error(words), [error(words)], {"error": words}):
        assert seconds_to_wait({}, body) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ([error("quota", details=[{"@type": "RetryInfo", "retryDelay": "34.5s"}])], 34.5),
        (error("quota", details=[{"a": {"b": [{"retryDelay": "2s"}]}}]), 2.0),
        (error("slow down", retry_after=3), 3.0),
        (error("slow down", retry_after_ms=300), 0.3),
        ({"error": "Model m is currently loading", "estimated_time": 20.5}, 20.5),
        (error("busy", metadata={"raw": '{"error": {"message": "Please try again in 8s"}}'}), 8.0),
        (error("quota", details=[{"retryDelay": "soon"}]), None),
        (error("quota", details=[{"retryDelay": None}]), None),
    ],
)
def test_a_body_may_have_a_field_for_it(body: object, seconds: float | None) -> None:
    """Wherever it is in the body."""
    assert seconds_to_wait({}, body) == (None if seconds is None else pytest.approx(seconds))


def test_a_days_limit_may_name_the_time_of_its_reset() -> None:
    """OpenRouter puts the header of its free models' limit into the body, in milliseconds since 1970."""
    reset = datetime.now(UTC) + timedelta(hours=5)
    headers = {"X-RateLimit-Limit": "50", "X-RateLimit-Reset": f"{reset.timestamp() * 1000:.0f}"}

    seconds = seconds_to_wait({}, error("Rate limit exceeded: free-models-per-day", metadata={"headers": headers}))

    assert seconds is not None
    assert str(in_words(seconds)) == "in about 5 hours"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "in a moment"),
        (30.0, "in about 30 seconds"),
        (61.0, "in about a minute"),
        (300.0, "in about 5 minutes"),
        (432.5, "in about 7 minutes"),
        (3000.0, "in about 50 minutes"),
        (3500.0, "in about an hour"),
        (3600.0, "in about an hour"),
        (7200.0, "in about 2 hours"),
        (10800.0, "in about 3 hours"),
        (80000.0, "in about 24 hours"),
        (86400.0, "in about 24 hours"),
        (200000.0, "in about 2 days"),
    ],
)
def test_people_read_when_to_come_back(seconds: float, words: str) -> None:
    """Rounded as people speak."""
    assert str(in_words(seconds)) == words
