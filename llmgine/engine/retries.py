"""The one policy for asking a model again: what may pass, how often, and how long to wait in between."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential, wait_random_exponential

from llmgine.errors import (
    ContextOverflowError,
    EmptyReplyError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    ProviderReplyError,
    ProviderStartingError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    ReplyCutOffError,
    UnreadableCallError,
)
from llmgine.messages.translatable import Text, tr, words_of

T = TypeVar("T")

# Told of a try that failed: why, the number of the next try, of how many (None: not counted), and the wait.
Announce = Callable[[Text | str, int, int | None, float], Awaitable[None]]

_ONCE_MORE = (ProviderTimeoutError, EmptyReplyError)  # each further try costs as much as the first
_MAY_PASS = (ProviderBusyError, ProviderUnavailableError, ProviderReplyError)
_LONGEST_LOOK, _SHORTEST_LOOK = 5.0, 0.02  # seconds between two looks whether a service is up
_SOON = 10.0  # seconds; another model answers before a service that asks for a longer wait


def may_ask_another(error: ProviderError) -> bool:
    """Whether another model may be asked after a failure: not where what was said was refused, or was answered."""
    if isinstance(error, ProviderRefusedError):
        return not error.may_be_prompt and not isinstance(error, ContextOverflowError)
    return isinstance(error, _MAY_PASS) or (isinstance(error, ReplyCutOffError) and error.only_thinking)


def is_broken(error: ProviderError) -> bool:
    """Whether a model is likely to fail others, too, after a failure: this one is not of a single reply."""
    return may_ask_another(error) and not isinstance(error, EmptyReplyError | ReplyCutOffError | UnreadableCallError)


SILENT = tr("It was silent for too long.")
# What others are told of a failure: a service may quote in its own words what one person said.
_SHORT: tuple[tuple[type[ProviderError], Text], ...] = (
    (ProviderBusyError, tr("It was overloaded.")),
    (ProviderTimeoutError, SILENT),
    (ProviderUnavailableError, tr("It could not be reached, or failed.")),
    (ProviderReplyError, tr("It gave no reply.")),
    (ProviderRefusedError, tr("It refused to answer: its key, quota or name may be the reason.")),
)


def in_short(error: ProviderError) -> Text:
    """What failed, in words that have nothing of the question in them."""
    return next((words for kind, words in _SHORT if isinstance(error, kind)), tr("It failed."))


class RetryPolicy(BaseModel):
    """How often a model call is tried, and how long to wait in between: 1, 2, 4 … seconds with jitter, or as told.

    A service that asks for more than `longest_wait` seconds is not waited for. One that is not up yet is tried for
    `starting` seconds, or where that is 0 as often as any other. A reply that was cut off is not asked for again:
    people have seen its text.
    """

    model_config = ConfigDict(frozen=True)

    tries: int = 4
    first_wait: float = 1.0
    longest_wait: float = 60.0
    starting: float = 60.0

    @property
    def before_another(self) -> "RetryPolicy":
        """The policy for a model beside which others can be asked: it is tried once more, and soon."""
        update = {"tries": min(self.tries, 2), "longest_wait": min(self.longest_wait, _SOON), "starting": 0.0}
        return self.model_copy(update=update)

    async def run(self, call: Callable[[], Awaitable[T]], announce: Announce) -> T:
        """The result of `call`, which is made again as long as its failure may pass.

        Raises:
            ProviderError: The last failure.
        """
        result: T
        failed: BaseException | None = None
        try:
            return await call()  # most calls succeed at once, and cost no more than themselves
        except _MAY_PASS as error:
            failed = error
        async for attempt in _Tries(self, announce).retrying():
            with attempt:
                if failed is not None:  # the first try is the one that was made
                    first, failed = failed, None
                    raise first
                result = await call()
        return result


class _Tries:
    """The tries of one call; those of a service that is not up yet are not counted."""

    def __init__(self, policy: RetryPolicy, announce: Announce) -> None:
        self._policy = policy
        self._announce = announce
        self._failed = self._slow = 0  # the slow ones are those that are tried only once more
        self._backoff = wait_random_exponential(multiplier=policy.first_wait, max=policy.longest_wait)
        self._look = wait_exponential(multiplier=policy.first_wait / 2, min=_SHORTEST_LOOK, max=_LONGEST_LOOK)

    def retrying(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception_type(_MAY_PASS),
            wait=self._wait,
            stop=self._are_over,
            before_sleep=self._tell,
            reraise=True,
        )

    def _wait(self, state: RetryCallState) -> float:
        error = _error(state)
        told = _told(error)
        if isinstance(error, ProviderStartingError):
            return max(told or 0.0, self._look(state))
        return self._backoff(state) if told is None else told

    def _are_over(self, state: RetryCallState) -> bool:
        error, told = _error(state), _told(_error(state))
        if told is not None and told > self._policy.longest_wait:
            return True
        tries = self._tries(error)
        if tries is None:
            return (state.seconds_since_start or 0.0) + state.upcoming_sleep > self._policy.starting
        self._failed += 1
        self._slow += isinstance(error, _ONCE_MORE)
        return (self._slow if isinstance(error, _ONCE_MORE) else self._failed) >= tries

    def _tries(self, error: BaseException) -> int | None:
        if isinstance(error, ProviderStartingError) and self._policy.starting:
            return None
        return min(self._policy.tries, 2) if isinstance(error, _ONCE_MORE) else self._policy.tries

    async def _tell(self, state: RetryCallState) -> None:
        error = _error(state)
        tries = self._tries(error)
        next_try = state.attempt_number + 1 if tries is None else self._failed + 1
        await self._announce(words_of(error), next_try, tries, state.upcoming_sleep)


def _error(state: RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome else None
    return error or RuntimeError("a try that did not fail")


def _told(error: BaseException) -> float | None:
    """Seconds that the service asked to wait."""
    return error.retry_after if isinstance(error, ProviderBusyError | ProviderUnavailableError) else None
