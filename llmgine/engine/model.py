"""Asking the model: one reply, under a bound on calls at once, with the one retry policy and live progress."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence

from pydantic import BaseModel, ConfigDict
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from llmgine.context import estimated_tokens
from llmgine.engine.scope import TurnScope
from llmgine.errors import (
    ProviderBusyError,
    ProviderError,
    ProviderReplyError,
    ProviderUnavailableError,
    RefusedError,
    StoreError,
)
from llmgine.messages.chat import ChatMessage, ToolSchema
from llmgine.messages.events import (
    AnswerProgressEvent,
    LLMResponseEvent,
    ModelAskedEvent,
    ModelFailedEvent,
    ModelRetryEvent,
)
from llmgine.providers.base import ChatReply, ChatRequest, Provider
from llmgine.sessions.records import ReplyStep

_NAMES_SECONDS, _NO_NAMES_SECONDS = 300.0, 30.0  # for which a list of models holds, or that there is none
_ASIDE_TOKENS = 400  # room for a model that thinks before it gives a short answer
_PROGRESS_INTERVAL = 0.1  # seconds; events are coalesced to ten a second

_log = logging.getLogger(__name__)


class RetryPolicy(BaseModel):
    """How often a model call is tried, and how long to wait in between: 1, 2, 4 … seconds with jitter, or as told.

    A service that asks for more than `longest_wait` seconds is not waited for.
    """

    model_config = ConfigDict(frozen=True)

    tries: int = 4
    first_wait: float = 1.0
    longest_wait: float = 60.0


class Progress:
    """The text of a reply as it grows; told while it does."""

    def __init__(self, scope: TurnScope, round_: int) -> None:
        self._scope = scope
        self.round = round_
        self._grew = asyncio.Event()
        self.text = ""
        self.first_at: float | None = None

    def begin(self) -> None:
        """Forget the text of a try that failed."""
        self.text = ""

    def add(self, piece: str) -> None:
        """Take the next piece."""
        if self.first_at is None:
            self.first_at = time.monotonic()
        self.text += piece
        self._grew.set()

    @contextlib.asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Publish the text inside this block whenever it grew, at most ten times a second."""
        teller = asyncio.create_task(self._tell())
        try:
            yield
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)

    async def _tell(self) -> None:
        while True:
            await self._grew.wait()
            self._grew.clear()
            await self._scope.tell(AnswerProgressEvent, round=self.round, text=self.text)
            await asyncio.sleep(_PROGRESS_INTERVAL)


class Model:
    """The provider as the engine uses it.

    Args:
        provider: Who answers.
        calls_at_once: How many calls may run side by side, over all sessions.
        retry: The policy for failures that may pass.
    """

    def __init__(self, provider: Provider, *, calls_at_once: int = 8, retry: RetryPolicy | None = None) -> None:
        self._provider = provider
        self._slots = asyncio.Semaphore(calls_at_once)
        self._retry = retry or RetryPolicy()
        self._aside = asyncio.Lock()
        self._listing = asyncio.Lock()
        self._names: tuple[str, ...] = ()
        self._ask_again_at = 0.0

    @property
    def name(self) -> str:
        """The model's name."""
        return self._provider.model

    async def names(self) -> tuple[str, ...]:
        """The models there are, as the service last told within some minutes; () when it does not tell."""
        async with self._listing:
            if time.monotonic() >= self._ask_again_at:
                try:
                    self._names = await self._provider.models()
                except ProviderError as error:
                    _log.warning("The models cannot be listed: %s", error)
                    self._names = ()
                self._ask_again_at = time.monotonic() + (_NAMES_SECONDS if self._names else _NO_NAMES_SECONDS)
        return self._names

    async def reply(
        self,
        scope: TurnScope,
        progress: Progress,
        messages: tuple[ChatMessage, ...],
        tools: tuple[ToolSchema, ...],
        name: str | None = None,
    ) -> ReplyStep:
        """Ask, commit the reply, and tell of it; `progress` says of which round it is, `name` which model is asked.

        Raises:
            ProviderError: No reply came, on all tries.
            RefusedError: The tokens of the day are used up.
        """
        round_ = progress.round
        request = ChatRequest(messages=messages, tools=tools, model=name)
        await scope.tell(ModelAskedEvent, round=round_, model=name or self.name)
        begin = time.monotonic()
        try:
            async with self._slots, progress.told():
                await _require_allowance(scope)
                async for attempt in self._attempts(scope, round_):
                    with attempt:
                        reply = await self._ask(scope, progress, request)
        except ProviderError as error:
            seconds, kind = time.monotonic() - begin, type(error).__name__
            failure = {"model": name or self.name, "error": kind, "reason": str(error), "seconds": seconds}
            await scope.tell(ModelFailedEvent, round=round_, **failure)
            raise
        facts = {**dict(reply), "round": round_, "seconds": time.monotonic() - begin}
        step = ReplyStep(**facts)
        await scope.store.append_reply(scope.turn, step, _tokens(messages, step))
        first = None if progress.first_at is None else progress.first_at - begin
        await scope.tell(LLMResponseEvent, **facts, first_token_seconds=first)
        return step

    async def _ask(self, scope: TurnScope, progress: Progress, request: ChatRequest) -> ChatReply:
        """One try. What was asked and streamed is counted also when it breaks off or is stopped: it is paid for."""
        progress.begin()
        try:
            return await self._provider.reply(request, progress.add)
        except BaseException as error:
            if progress.text or isinstance(error, asyncio.CancelledError):
                said = ChatMessage(role="assistant", content=progress.text)
                with contextlib.suppress(StoreError):
                    await scope.store.spend(scope.turn, estimated_tokens([*request.messages, said]))
            raise

    async def aside(self, messages: tuple[ChatMessage, ...], name: str | None = None) -> str | None:
        """A short text that belongs to no turn; None when turns keep all calls busy. One at a time, beside the bound.

        Raises:
            ProviderError: No reply came; it is not asked for again.
        """
        if self._slots.locked() or self._aside.locked():
            return None
        async with self._aside:
            request = ChatRequest(messages=messages, max_output_tokens=_ASIDE_TOKENS, model=name)
            return (await self._provider.reply(request, lambda _: None)).text

    def _attempts(self, scope: TurnScope, round_: int) -> AsyncRetrying:
        async def announce(state: RetryCallState) -> None:
            await scope.tell(
                ModelRetryEvent,
                round=round_,
                next_try=state.attempt_number + 1,
                tries=self._retry.tries,
                wait_seconds=state.upcoming_sleep,
                reason=str(state.outcome.exception()) if state.outcome else "",
            )

        backoff = wait_random_exponential(multiplier=self._retry.first_wait, max=self._retry.longest_wait)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            told = error.retry_after if isinstance(error, ProviderBusyError) else None
            return told if told is not None else backoff(state)

        return AsyncRetrying(
            stop=stop_after_attempt(self._retry.tries),
            wait=wait,
            retry=retry_if_exception(self._may_pass),
            before_sleep=announce,
            reraise=True,
        )

    def _may_pass(self, error: BaseException) -> bool:
        """Whether asking again may help. A reply that was cut off is not asked for again: people have seen its text."""
        if isinstance(error, ProviderBusyError):
            return error.retry_after is None or error.retry_after <= self._retry.longest_wait
        return isinstance(error, ProviderUnavailableError | ProviderReplyError)


async def _require_allowance(scope: TurnScope) -> None:
    for allowance in await scope.store.session_allowances(scope.turn.session_id):
        if allowance.is_used_up:
            budget = f"The budget of {allowance.tokens:,} tokens a day is used up"
            raise RefusedError(f"{budget}. It begins anew at midnight UTC: ask again then.")


def _tokens(messages: Sequence[ChatMessage], reply: ReplyStep) -> int:
    """What a call used; about, where the service does not tell."""
    if reply.usage is not None:
        return reply.usage.input_tokens + reply.usage.output_tokens
    answer = ChatMessage(role="assistant", content=reply.text, tool_calls=reply.tool_calls)
    return estimated_tokens([*messages, answer])
