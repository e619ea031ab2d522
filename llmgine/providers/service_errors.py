"""What a Chat Completions service says when it does not answer, as an error of ours that tells people what to do."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from llmgine.errors import (
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    ProviderReplyError,
    ProviderUnavailableError,
)
from llmgine.messages.text import collapse_spaces, shorten

_LONGEST_QUOTE = 300
_NO_QUOTA = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_TOO_LONG = re.compile(r"context[_ ](length|window|size)|prompt is too long", re.IGNORECASE)
# Inside a stream there is no status; these codes and types stand for one.
_STATUS = {
    "authentication_error": 401,
    "context_length_exceeded": 400,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "model_not_found": 404,
    "overloaded_error": 503,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
}


def service_error(status: int, body: object, *, model: str, retry_after: float | None = None) -> ProviderError:
    """The error for an HTTP status.

    Args:
        status: The HTTP status, or 0 when it is not known.
        body: The service's error object, or the text it sent instead.
        model: The model that was asked for.
        retry_after: Seconds the service asked to wait.
    """
    quote = _quote(body)
    said = f" It said: {quote}" if quote else ""
    code = _code(body)
    if status == 429 and code not in _NO_QUOTA:
        return ProviderBusyError(f"The model service asks to slow down.{said}", retry_after=retry_after)
    if status >= 500 or status in {408, 409, 425}:
        return ProviderUnavailableError(f"The model service failed ({status}).{said}")
    if status >= 400:
        return ProviderRefusedError(_why_refused(status, code, quote, model) + said)
    return ProviderReplyError(f"The model service answered with an error.{said}")


def _why_refused(status: int, code: str, quote: str, model: str) -> str:
    if status == 402 or code in _NO_QUOTA:
        return "The account at the model service has no quota or credit left."
    if status in {401, 403}:
        return "The model service refused access. Check OPENAI_API_KEY."
    if status == 404 or code == "model_not_found":
        hint = "Check OPENAI_MODEL, and OPENAI_BASE_URL if it is set."
        return f"The model service does not know the model {model}. {hint}"
    if code == "context_length_exceeded" or _TOO_LONG.search(quote):
        return f"The conversation is too long for the model {model}."
    return f"The model service refused the request ({status})."


def status_of(error: object) -> int:
    """The HTTP status that an error object inside a 200 answer stands for, or 0."""
    if not isinstance(error, Mapping):
        return 0
    for name in ("code", "status", "type"):
        value = str(error.get(name, ""))
        if value in _STATUS:
            return _STATUS[value]
        if re.fullmatch(r"[45]\d\d", value):
            return int(value)
    return 0


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` asks for, in seconds: it holds a number or a date."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return math.nan


def _code(body: object) -> str:
    if not isinstance(body, Mapping):
        return ""
    known = [str(body.get(name)) for name in ("code", "type") if body.get(name) is not None]
    return next((code for code in known if code in _NO_QUOTA or code in _STATUS), "")


def _quote(body: object) -> str:
    """The service's own words on one line, shortened; nothing when it sent a web page."""
    text = body
    if isinstance(body, Mapping):
        text = next((body[name] for name in ("message", "detail", "error") if body.get(name)), "")
    if not isinstance(text, str) or text.lstrip().startswith("<"):
        return ""
    return shorten(collapse_spaces(text), _LONGEST_QUOTE)
