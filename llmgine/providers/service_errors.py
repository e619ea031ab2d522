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
    UnreadableCallError,
)
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Text, joined, tr
from llmgine.providers.addresses import OPENAI_SETTINGS, SettingNames
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
    STATUS_OF_CODE,
    TIMEOUT,
)
from llmgine.providers.waiting import in_words, seconds_to_wait

__all__ = ["quote", "said", "service_error", "status_of"]

_LONGEST_QUOTE = 300
_LONGEST_MATCHED = 6_000  # characters; what is wrong is said in the first of them
_LONG_WAIT = 60.0  # seconds; people are told of longer ones
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_KNOWN_SHAPES = redactor("")


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What came instead of a reply.

    Attributes:
        status: The HTTP status, or 0.
        words: All that was said, for matching.
        wait: Seconds the service asks to wait, or None.
        renews: Whether its words say when to ask again, so that this is no lasting refusal.
        model: The model that was asked for.
        host: Where the service is, if that is to be said.
        images: Whether images were sent.
        settings: Which settings people are told to check.
        again: When to ask again, where that is long; else "".
        said: The quote; "" where the service said nothing.
    """

    status: int
    words: str
    wait: float | None
    renews: bool
    model: str
    host: str | None
    images: bool
    settings: SettingNames
    again: Text | str
    said: str

    @property
    def service(self) -> Text:
        """What the service is called at the start of a sentence."""
        return service_name(self.host)

    @property
    def the_service(self) -> Text:
        """What the service is called within a sentence."""
        return tr("the model service at {host}", host=self.host) if self.host else tr("the model service")

    def whole(self, sentence: Text, *, again: bool = True) -> Text:
        """The text of the error: what is wrong, when to ask again, and the quote."""
        quoted = tr("It said: {words}", words=self.said) if self.said else ""
        return joined(" ", sentence, self.again if again else "", quoted)


def service_name(host: str | None) -> Text:
    """What the service is called at the start of a sentence, with its host where that is known."""
    return tr("The model service at {host}", host=host) if host else tr("The model service")


def service_error(
    status: int,
    body: object,
    *,
    model: str,
    headers: Mapping[str, str] = _NO_HEADERS,
    redact: Callable[[str], str] = _KNOWN_SHAPES,
    host: str | None = None,
    images: bool = False,
    settings: SettingNames = OPENAI_SETTINGS,
) -> ProviderError:
    """The error for an answer that is no reply; its text says what is wrong and what to do, then quotes the service.

    Args:
        status: The HTTP status, or 0 when it is not known, as for an error inside a stream.
        body: The parsed JSON, or the text the service sent instead.
        model: The model that was asked for.
        headers: The answer's headers; they may say how long to wait.
        redact: Takes keys out of what is quoted.
        host: Where the service is, to tell people who use several.
        images: Whether images were sent, so that the words may be about one of them.
        settings: Which settings people are told to check.

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
        host=host,
        images=images,
        settings=settings,
        again=tr("Ask again {when}.", when=in_words(wait)) if wait is not None and wait > _LONG_WAIT else "",
        said=words,
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
    return int(name) if re.fullmatch(r"[45]\d\d", name, re.ASCII) else STATUS_OF_CODE.get(name, 0)


def _without_name(words: str, model: str) -> str:
    """Without the model's name, which may say anything: `omni-moderation-latest`."""
    return " ".join(words.replace(model, " it ").split()) if len(model) >= 6 else words


def _unreadable_call(answer: _Answer) -> ProviderError | None:
    if not BAD_CALL.search(answer.words):
        return None
    return UnreadableCallError(answer.whole(tr("The model wrote a tool call that its service could not read.")))


def _no_quota(answer: _Answer) -> ProviderError | None:
    words = answer.words
    maybe = not answer.renews and MAYBE_NO_QUOTA.search(words) and not IN_TIME.search(words)
    if not (answer.status == 402 or NO_QUOTA.search(words) or maybe):
        return None
    sentence = tr(
        "The account at {service} has no quota or credit left. Check its plan and billing.", service=answer.the_service
    )
    return ProviderRefusedError(answer.whole(sentence, again=False))  # waiting does not help, whatever the service says


def _over_rate(answer: _Answer) -> ProviderError | None:
    found = over_rate(answer.words, status=answer.status)
    if found is None:
        return None
    sentence = tr(
        "The request alone is over a token limit of {service} per minute or day. Send less at once.",
        service=answer.the_service,
    )
    return ContextOverflowError(answer.whole(sentence), window=found.window, requested=found.requested, lasting=False)


def _bad_image(answer: _Answer) -> ProviderError | None:
    words = answer.words
    if not answer.images or answer.status not in {0, 400, 404, 413, 415, 422, 500} or surely_too_long(words):
        return None
    if not BAD_IMAGE.search(words) or NO_IMAGES.search(words) or RATE.search(words):
        return None
    sentence = tr(
        "{service} cannot use the images it was sent. Send fewer or other images, or ask without them.",
        service=answer.service,
    )
    return PromptRefusedError(answer.whole(sentence))


def _too_long(answer: _Answer) -> ProviderError | None:
    if answer.images and NO_IMAGES.search(answer.words) and not surely_too_long(answer.words):
        return None  # some services refuse images with 413
    found = None if answer.status in {401, 402, 403, 404} else too_long(answer.words, status=answer.status)
    if found is None:
        return None
    sentence = tr("The conversation is too long for the model {model}. Send less at once.", model=answer.model)
    if not found.lasting:
        sentence = tr(
            "The conversation is too long for one request to {service}. Send less at once.", service=answer.the_service
        )
    return ContextOverflowError(
        answer.whole(sentence),
        window=found.window,
        requested=found.requested,
        lasting=found.lasting,
    )


def _refused_content(answer: _Answer) -> ProviderError | None:
    asked = answer.status == 0 or (400 <= answer.status < 500 and answer.status not in {401, 404, 408, 429})
    if not asked or not CONTENT.search(answer.words) or OF_THE_ACCOUNT.search(answer.words):
        return None
    sentence = tr("{service} refused this message for its content. Rephrase it and ask again.", service=answer.service)
    return PromptRefusedError(answer.whole(sentence))


def _busy(answer: _Answer) -> ProviderError | None:
    if answer.status != 429 and (answer.status in {401, 404} or not RATE.search(answer.words)):
        return None
    sentence = tr("{service} asks to slow down.", service=answer.service)
    return ProviderBusyError(answer.whole(sentence), retry_after=answer.wait)


def _failed(answer: _Answer) -> bool:
    return answer.status == 0 or answer.status >= 500 or answer.status in {408, 409, 425}


def _starting(answer: _Answer) -> ProviderError | None:
    may_be_starting = _failed(answer) or answer.status in {400, 404}
    if may_be_starting and LOADING.search(answer.words) and not NOT_LOADED.search(answer.words):
        sentence = tr("{service} is still starting.", service=answer.service)
        return ProviderStartingError(answer.whole(sentence), retry_after=answer.wait)
    if answer.status == 503:
        sentence = tr("{service} is not available at the moment (503).", service=answer.service)
        return ProviderStartingError(answer.whole(sentence), retry_after=answer.wait)
    return None


def _unavailable(answer: _Answer) -> ProviderError | None:
    status, words = answer.status, answer.words
    if not _failed(answer):
        return None
    if status in {408, 504, 524} or TIMEOUT.search(words):
        sentence = tr("{service} took too long.", service=answer.service)
        return ProviderTimeoutError(answer.whole(sentence), retry_after=answer.wait)
    if status or "overloaded" in words:
        sentence = tr("{service} is overloaded.", service=answer.service)
        if status:
            sentence = tr("{service} failed ({status}).", service=answer.service, status=status)
        return ProviderUnavailableError(answer.whole(sentence), retry_after=answer.wait)
    return None


def _refused(answer: _Answer) -> ProviderError | None:
    sentence = _why_refused(answer)
    return ProviderRefusedError(answer.whole(sentence)) if sentence else None


def _why_refused(answer: _Answer) -> Text | None:
    status, words, service = answer.status, answer.words, answer.service
    if REGION.search(words):
        return tr(
            "{service} does not answer from this country or region. Set another one with {setting}.",
            service=service,
            setting=answer.settings.address,
        )
    if _unknown_model(status, words):
        return tr(
            "{service} does not know the model {model}. Check OPENAI_MODEL, and {setting} if it is set.",
            service=service,
            model=answer.model,
            setting=answer.settings.address,
        )
    if status in {401, 403} or (status < 500 and KEY.search(words)):
        return tr("{service} refused access. Check {setting}.", service=service, setting=answer.settings.key)
    if status in {404, 405} and NO_PATH.search(words):
        return tr(
            "{service} refused the request ({status}). Check {setting}.",
            service=service,
            status=status,
            setting=answer.settings.address,
        )
    return None


def _unknown_model(status: int, words: str) -> bool:
    if status == 404 and not words:
        return True
    return "model not found" in words or (status in {0, 400, 403, 404, 410, 422} and bool(NO_MODEL.search(words)))


def _refused_unknown(answer: _Answer) -> ProviderError | None:
    """Refused for no reason that is known; where it may be what was said, that is not sent again."""
    if not answer.status:
        return None
    sentence = tr("{service} refused the request ({status}).", service=answer.service, status=answer.status)
    may_be_prompt = answer.status in {400, 413, 415, 422} and not NOT_ALLOWED.search(answer.words)
    return ProviderRefusedError(answer.whole(sentence), may_be_prompt=may_be_prompt)


def _answered(answer: _Answer) -> ProviderError:
    return ProviderReplyError(answer.whole(tr("{service} answered with an error.", service=answer.service)))


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
