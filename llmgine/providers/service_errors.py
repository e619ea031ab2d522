"""What a model service says when it does not answer, as an error of ours that tells people what to do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from llmgine.errors import (
    ContextOverflowError,
    PromptRefusedError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    ProviderReplyError,
    ProviderStartingError,
    ProviderTimeoutError,
    ProviderUnavailableError,
)
from llmgine.messages.text import shorten
from llmgine.providers.overflow import RATE, over_rate, plain, surely_too_long, too_long
from llmgine.providers.quoting import opened, quote, redactor, said
from llmgine.providers.service_words import (
    BAD_CALL,
    BAD_IMAGE,
    CONTENT,
    IN_TIME,
    KEY,
    LOADING,
    MAYBE_NO_QUOTA,
    NO_IMAGES,
    NO_MODEL,
    NO_PATH,
    NO_QUOTA,
    NOT_ALLOWED,
    NOT_LOADED,
    OF_THE_ACCOUNT,
    REGION,
    TIMEOUT,
)
from llmgine.providers.waiting import in_words, seconds_to_wait

__all__ = ["quote", "said", "service_error", "status_of"]

_LONGEST_QUOTE = 300
_LONGEST_MATCHED = 6_000  # characters; what is wrong is said in the first of them
_LONG_WAIT = 60.0  # seconds; people are told of longer ones
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_KNOWN_SHAPES = redactor("")

# Inside a stream there is no status; these codes and types tell which one it would have been.
_STATUS = {
    "api_error": 500,
    "authentication_error": 401,
    "billing_error": 402,
    "content_filter": 400,
    "content_policy_violation": 400,
    "context_length_exceeded": 400,
    "deadline_exceeded": 504,
    "engine_overloaded_error": 503,
    "exceeded_current_quota_error": 429,
    "insufficient_quota": 429,
    "internal": 500,
    "internal_server_error": 500,
    "invalid_api_key": 401,
    "invalid_argument": 400,
    "invalid_prompt": 400,
    "invalid_request_error": 400,
    "model_not_found": 404,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_denied": 403,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "resource_exhausted": 429,
    "server_error": 500,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "timeout_error": 504,
    "tool_use_failed": 400,
    "unauthenticated": 401,
    "unavailable": 503,
    "unavailable_error": 503,
}


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What came instead of a reply.

    Attributes:
        status: The HTTP status, or 0.
        words: All that was said, for matching.
        wait: Seconds the service asks to wait, or None.
        renews: Whether its words say when to ask again, so that this is no lasting refusal.
        model: The model that was asked for.
        service: What the service is called at the start of a sentence.
        images: Whether images were sent.
        ending: When to ask again, and the quote.
    """

    status: int
    words: str
    wait: float | None
    renews: bool
    model: str
    service: str
    images: bool
    ending: str

    @property
    def the_service(self) -> str:
        """What the service is called within a sentence."""
        return self.service[:1].lower() + self.service[1:]


def service_error(
    status: int,
    body: object,
    *,
    model: str,
    headers: Mapping[str, str] = _NO_HEADERS,
    redact: Callable[[str], str] = _KNOWN_SHAPES,
    service: str = "The model service",
    images: bool = False,
) -> ProviderError:
    """The error for an answer that is no reply; its text says what is wrong and what to do, then quotes the service.

    Args:
        status: The HTTP status, or 0 when it is not known, as for an error inside a stream.
        body: The parsed JSON, or the text the service sent instead.
        model: The model that was asked for.
        headers: The answer's headers; they may say how long to wait.
        redact: Takes keys out of what is quoted.
        service: What to call the service at the start of a sentence.
        images: Whether images were sent, so that the words may be about one of them.

    Returns:
        The error, to be raised by the caller.
    """
    wait = seconds_to_wait(headers, body)
    words = shorten(redact(quote(body)), _LONGEST_QUOTE)
    answer = _Answer(
        status=status if status >= 400 else status_of(body),
        words=_without_name(plain(said(body)[:_LONGEST_MATCHED]), plain(model)),
        wait=wait,
        renews=seconds_to_wait(_NO_HEADERS, body) is not None,
        model=model,
        service=service,
        images=images,
        ending=(f" Ask again {in_words(wait)}." if wait is not None and wait > _LONG_WAIT else "")
        + (f" It said: {words}" if words else ""),
    )
    return next(error for kind in _KINDS if (error := kind(answer)))


def status_of(error: object) -> int:
    """The HTTP status that an error object inside a 200 answer means, or 0."""
    waiting = [error]
    for _ in range(20):
        if not waiting:
            break
        value = opened(waiting.pop(0))
        if isinstance(value, list):
            waiting += value[:5]
        if isinstance(value, Mapping):
            found = (_status(value.get(name)) for name in ("code", "status", "status_code", "type"))
            status = next(filter(None, found), 0)
            if status:
                return status
            waiting.append(value.get("error"))
    return 0


def _status(value: object) -> int:
    name = str(value)[:100].lower() if isinstance(value, str | int) else ""
    return int(name) if re.fullmatch(r"[45]\d\d", name, re.ASCII) else _STATUS.get(name, 0)


def _without_name(words: str, model: str) -> str:
    """Without the model's name, which may say anything: `omni-moderation-latest`."""
    return " ".join(words.replace(model, " it ").split()) if len(model) >= 6 else words


def _unreadable_call(answer: _Answer) -> ProviderError | None:
    if not BAD_CALL.search(answer.words):
        return None
    return ProviderReplyError(f"The model wrote a tool call its service could not read.{answer.ending}")


def _no_quota(answer: _Answer) -> ProviderError | None:
    words = answer.words
    maybe = not answer.renews and MAYBE_NO_QUOTA.search(words) and not IN_TIME.search(words)
    if not (answer.status == 402 or NO_QUOTA.search(words) or maybe):
        return None
    sentence = f"The account at {answer.the_service} has no quota or credit left. Check its plan and billing."
    quoted = answer.ending.partition(" It said: ")[2]  # waiting does not help, whatever the service says
    return ProviderRefusedError(f"{sentence} It said: {quoted}" if quoted else sentence)


def _over_rate(answer: _Answer) -> ProviderError | None:
    found = over_rate(answer.words, status=answer.status)
    if found is None:
        return None
    sentence = f"The request alone is over a token limit of {answer.the_service} per minute or day. Send less at once."
    return ContextOverflowError(
        f"{sentence}{answer.ending}", window=found.window, requested=found.requested, lasting=False
    )


def _bad_image(answer: _Answer) -> ProviderError | None:
    words = answer.words
    if not answer.images or answer.status not in {0, 400, 404, 413, 415, 422, 500} or surely_too_long(words):
        return None
    if not BAD_IMAGE.search(words) or NO_IMAGES.search(words) or RATE.search(words):
        return None
    sentence = f"{answer.service} cannot use the images it was sent. Send fewer or other images, or ask without them."
    return PromptRefusedError(f"{sentence}{answer.ending}")


def _too_long(answer: _Answer) -> ProviderError | None:
    if answer.images and NO_IMAGES.search(answer.words) and not surely_too_long(answer.words):
        return None  # some services refuse images with 413
    found = None if answer.status in {401, 402, 403, 404} else too_long(answer.words, status=answer.status)
    if found is None:
        return None
    what = f"the model {answer.model}" if found.lasting else f"one request to {answer.the_service}"
    return ContextOverflowError(
        f"The conversation is too long for {what}. Send less at once.{answer.ending}",
        window=found.window,
        requested=found.requested,
        lasting=found.lasting,
    )


def _refused_content(answer: _Answer) -> ProviderError | None:
    asked = answer.status == 0 or (400 <= answer.status < 500 and answer.status not in {401, 404, 408, 429})
    if not asked or not CONTENT.search(answer.words) or OF_THE_ACCOUNT.search(answer.words):
        return None
    sentence = f"{answer.service} refused this message for its content. Rephrase it and ask again."
    return PromptRefusedError(f"{sentence}{answer.ending}")


def _busy(answer: _Answer) -> ProviderError | None:
    if answer.status != 429 and (answer.status in {401, 404} or not RATE.search(answer.words)):
        return None
    return ProviderBusyError(f"{answer.service} asks to slow down.{answer.ending}", retry_after=answer.wait)


def _failed(answer: _Answer) -> bool:
    return answer.status == 0 or answer.status >= 500 or answer.status in {408, 409, 425}


def _starting(answer: _Answer) -> ProviderError | None:
    may_be_starting = _failed(answer) or answer.status in {400, 404}
    if may_be_starting and LOADING.search(answer.words) and not NOT_LOADED.search(answer.words):
        text = f"{answer.service} is still starting.{answer.ending}"
        return ProviderStartingError(text, retry_after=answer.wait)
    if answer.status == 503:
        text = f"{answer.service} is not available at the moment (503).{answer.ending}"
        return ProviderStartingError(text, retry_after=answer.wait)
    return None


def _unavailable(answer: _Answer) -> ProviderError | None:
    status, words = answer.status, answer.words
    if not _failed(answer):
        return None
    if status in {408, 504, 524} or TIMEOUT.search(words):
        return ProviderTimeoutError(f"{answer.service} took too long.{answer.ending}", retry_after=answer.wait)
    if status or "overloaded" in words:
        failed = f"{answer.service} failed ({status})." if status else f"{answer.service} is overloaded."
        return ProviderUnavailableError(f"{failed}{answer.ending}", retry_after=answer.wait)
    return None


def _refused(answer: _Answer) -> ProviderError | None:
    sentence = _why_refused(answer)
    return ProviderRefusedError(f"{sentence}{answer.ending}") if sentence else None


def _why_refused(answer: _Answer) -> str:
    status, words, service = answer.status, answer.words, answer.service
    if REGION.search(words):
        return f"{service} does not answer from this country or region. Another one can be set with OPENAI_BASE_URL."
    if _unknown_model(status, words):
        hint = "Check OPENAI_MODEL, and OPENAI_BASE_URL if it is set."
        return f"{service} does not know the model {answer.model}. {hint}"
    if status in {401, 403} or (status < 500 and KEY.search(words)):
        return f"{service} refused access. Check OPENAI_API_KEY."
    if status in {404, 405} and NO_PATH.search(words):
        return f"{service} refused the request ({status}). Check OPENAI_BASE_URL."
    return ""


def _unknown_model(status: int, words: str) -> bool:
    if status == 404 and not words:
        return True
    return "model not found" in words or (status in {0, 400, 403, 404, 410, 422} and bool(NO_MODEL.search(words)))


def _refused_unknown(answer: _Answer) -> ProviderError | None:
    """Refused for no reason that is known; where it may be what was said, that is not sent again."""
    if not answer.status:
        return None
    text = f"{answer.service} refused the request ({answer.status}).{answer.ending}"
    may_be_prompt = answer.status in {400, 413, 415, 422} and not NOT_ALLOWED.search(answer.words)
    return ProviderRefusedError(text, may_be_prompt=may_be_prompt)


def _answered(answer: _Answer) -> ProviderError:
    return ProviderReplyError(f"{answer.service} answered with an error.{answer.ending}")


# The first that fits is the error. What an answer says is believed before its status, and what cannot be mistaken
# before what can.
_KINDS: tuple[Callable[[_Answer], ProviderError | None], ...] = (
    _unreadable_call,
    _over_rate,
    _no_quota,
    _bad_image,
    _too_long,
    _refused_content,
    _starting,
    _busy,
    _unavailable,
    _refused,
    _refused_unknown,
    _answered,
)
