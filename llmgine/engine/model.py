"""Asking the model: one reply, under a bound on calls at once, with retries and live progress."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass

from llmgine.context import PEOPLE_NOTE, Bounds, Conversation, estimated_tokens, unwrapped
from llmgine.engine.lessons import WINDOW, Lessons
from llmgine.engine.progress import Progress, Ticks
from llmgine.engine.retries import Announce, RetryPolicy
from llmgine.engine.shortening import own_window
from llmgine.engine.turn_context import TurnContext
from llmgine.errors import ContextOverflowError, EmptyReplyError, ProviderError, StoreError, UserError
from llmgine.messages.chat_messages import ChatMessage, ToolSchema, Usage
from llmgine.messages.events import (
    LLMResponseEvent,
    ModelAskedEvent,
    ModelFailedEvent,
    ModelRetryEvent,
)
from llmgine.messages.steps import LeftOut, ReplyStep
from llmgine.messages.translatable import Text, tr
from llmgine.providers.base import MAX_CHARACTERS, Change, ChatReply, ChatRequest, ListedModel, Provider
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Allowance, Spent

_LIST_SECONDS, _NO_LIST_SECONDS = 300.0, 30.0  # for which a list of models holds, or that there is none
_LONGEST_NAME = 100  # characters of a model's name that a setting takes
_ASIDE_TOKENS = 400  # room for a model that thinks before it gives a short answer
_ASIDE_EFFORT = "low"
_MOST_COUNTED = 20  # times our own estimate
_MOST_OF_IMAGES = 1_000_000  # tokens
_MOST_GENERATED = 2_000_000  # tokens

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What a turn asks the model in one round.

    Attributes:
        conversation: The messages.
        tools: What is offered.
        model: Who is asked, by the session's setting; None for the program's own model.
        effort: The reasoning effort, by the session's setting.
        scopes: Where its tokens are counted.
        overflow: Why the request before this one was refused, if it was too long.
        shortened: Whether turns were left out for that.
    """

    conversation: Conversation
    tools: tuple[ToolSchema, ...] = ()
    model: str | None = None
    effort: str | None = None
    scopes: tuple[str, ...] = ()
    overflow: ContextOverflowError | None = None
    shortened: bool = False


class Model:
    """The provider as the engine uses it.

    Args:
        provider: Who answers.
        store: Where what is learnt of models is kept, and what was used is counted.
        calls_at_once: How many calls may run side by side, over all sessions.
        retry: The policy for failures that may pass.
        max_characters: How long a reply may be before it is ended; see `ChatRequest`.
    """

    def __init__(
        self,
        provider: Provider,
        store: SessionStore,
        *,
        calls_at_once: int = 8,
        retry: RetryPolicy | None = None,
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        self._provider = provider
        self._store = store
        self.lessons = Lessons(store)
        self._slots = asyncio.Semaphore(calls_at_once)
        self._wanting = 0  # turns that wait for a slot
        self._freed = asyncio.Event()
        self._retry = retry or RetryPolicy()
        self.max_characters = max_characters
        self._side_requests = asyncio.Lock()
        self._ticks = Ticks()
        self._listing = asyncio.Lock()
        self._listed: tuple[ListedModel, ...] = ()
        self._list_again_at = 0.0

    @property
    def name(self) -> str:
        """The model's name; "" until one was chosen."""
        return self._provider.model

    @property
    def service(self) -> str:
        """Who answers."""
        return self._provider.service

    async def listed(self) -> tuple[ListedModel, ...]:
        """The models there are, as the service last told within some minutes; () when it does not tell."""
        async with self._listing:
            if time.monotonic() >= self._list_again_at:
                try:
                    self._listed = await self._provider.models()
                except ProviderError as error:
                    _log.info("The models cannot be listed: %s", error)
                    self._listed = ()
                self._list_again_at = time.monotonic() + (_LIST_SECONDS if self._listed else _NO_LIST_SECONDS)
        return self._listed

    async def names(self) -> tuple[str, ...]:
        """The names of the models that can be chosen; () when the service does not tell."""
        return tuple(model.name for model in await self.listed() if len(model.name) <= _LONGEST_NAME)

    def bounds(self, model: str | None) -> Bounds:
        """What is known of a model, or of the program's own."""
        name = model or self.name
        changes = self.lessons.changes(self.service, name)
        return Bounds(
            model=name,
            window=self.lessons.window(self.service, name),
            blind=Change.NO_IMAGES in changes,
        )

    async def reply(self, context: TurnContext, progress: Progress, question: Question) -> ReplyStep:
        """Ask, commit the reply, and tell of it; `progress` says of which round it is. Called inside `slot`.

        Raises:
            ProviderError: No reply came, on all tries.
        """
        round_ = progress.round
        progress.hides_envelopes = PEOPLE_NOTE in question.conversation.messages[0].content
        name = question.model or self.name
        try:
            async with progress.told(self._ticks):
                name = question.model or await self._chosen(context, round_)
                await context.tell(ModelAskedEvent, round=round_, model=name)
                reply = await self._asked(context, progress, question, name)
        except ContextOverflowError as error:
            if error.lasting:
                self.lessons.too_long(self.service, name, question.conversation.tokens)
            raise  # it is asked again with less, or said by who knows what was too long
        except ProviderError as error:
            await self.tell_failure(context, progress, name, error)
            raise
        await self._learn(reply, question, name)
        return await self._committed(context, progress, question, reply)

    async def tell_failure(self, context: TurnContext, progress: Progress, name: str, error: Exception) -> None:
        """Publish that the model gave no reply."""
        seconds, kind = time.monotonic() - progress.since, type(error).__name__
        failure = {"model": name, "error": kind, "reason": str(error), "seconds": seconds}
        await context.tell(ModelFailedEvent, round=progress.round, **failure)

    async def _chosen(self, context: TurnContext, round_: int) -> str:
        return self.name or await self._retry.run(self._provider.choose_model, self._announce(context, round_))

    async def _asked(self, context: TurnContext, progress: Progress, question: Question, name: str) -> ChatReply:
        request = ChatRequest(
            messages=question.conversation.messages,
            tools=question.tools,
            max_characters=self.max_characters,
            model=name,
            effort=question.effort,
            changes=self.lessons.changes(self.service, name),
        )
        return await self._retry.run(
            lambda: self._try(context, progress, request), self._announce(context, progress.round)
        )

    async def _try(self, context: TurnContext, progress: Progress, request: ChatRequest) -> ChatReply:
        progress.begin()
        async with self._paid(context.turn.session_id, request, lambda: progress.text):
            return await self._provider.reply(request, progress.add, progress.begin)

    @contextlib.asynccontextmanager
    async def _paid(self, session_id: str, request: ChatRequest, text: Callable[[], str]) -> AsyncIterator[None]:
        """Count what was asked and streamed also when it breaks off, is stopped or is empty: it is paid for."""
        try:
            yield
        except BaseException as error:
            if text() or isinstance(error, asyncio.CancelledError | EmptyReplyError):
                said = ChatMessage(role="assistant", content=text())
                known = error.tokens if isinstance(error, EmptyReplyError) else None
                with contextlib.suppress(StoreError):
                    tokens = known or estimated_tokens([*request.messages, said])
                    await self._store.allowances.spend(session_id, tokens, self._store.today.day)
            raise

    def _announce(self, context: TurnContext, round_: int) -> Announce:
        async def announce(reason: Text | str, next_try: int, tries: int | None, wait: float) -> None:
            about = {"next_try": next_try, "tries": tries, "wait_seconds": wait, "reason": str(reason)}
            text = reason if isinstance(reason, Text) else None
            await context.tell(ModelRetryEvent, round=round_, reason_text=text, **about)

        return announce

    async def _learn(self, reply: ChatReply, question: Question, name: str) -> None:
        """Remember what made a request succeed; a store that fails costs the memory, not the reply."""
        tokens = question.conversation.tokens
        with contextlib.suppress(StoreError):
            await self.lessons.succeeded(self.service, name, tokens)
            for learnt in reply.learnt:
                if learnt.lasts:
                    await self.lessons.learn(self.service, name, learnt.change, said=learnt.said)
            if question.overflow is not None and question.overflow.lasting:
                window = own_window(question.overflow, reply, question.conversation)
                await self.lessons.learn(self.service, name, WINDOW, value=window)

    async def _committed(
        self, context: TurnContext, progress: Progress, question: Question, reply: ChatReply
    ) -> ReplyStep:
        conversation = question.conversation
        progress.bounded = reply.bounded
        text = unwrapped(reply.text) if progress.hides_envelopes else reply.text
        usage = reply.usage if _is_plausible(reply.usage, conversation) else None
        facts = {
            "round": progress.round,
            "text": text,
            "tool_calls": reply.tool_calls,
            "finish": reply.finish,
            "model": reply.model,
            "usage": usage,
            "seconds": time.monotonic() - progress.since,
            "left_out": _left_out(question, reply),
        }
        step = ReplyStep.model_validate(
            {
                **facts,
                "history_from": conversation.history_from,
                "sent_tokens": None if conversation.image_tokens else conversation.tokens,
                "enveloped": conversation.enveloped,
                "parts": reply.parts,
            }
        )
        tokens = _tokens(conversation.messages, step, dropped=reply.dropped)
        spent = Spent(scopes=question.scopes, tokens=tokens, day=self._store.today.day)
        await context.append_reply(step, spent)
        first = None if progress.first_at is None else progress.first_at - progress.since
        await context.tell(LLMResponseEvent, **facts, first_token_seconds=first)
        return step

    async def side_request(
        self,
        session_id: str,
        messages: tuple[ChatMessage, ...],
        *,
        model: str | None = None,
        tools: tuple[ToolSchema, ...] = (),
    ) -> ChatReply:
        """A short reply that belongs to no turn; made once no turn waits for a slot, and counted like any other.

        It teaches nothing that is remembered.

        Raises:
            ProviderError: No reply came; it is not asked for again.
            UserError: The tokens of the day are used up.
        """
        async with self._side_requests:
            while self._slots.locked() or self._wanting:
                self._freed.clear()
                await self._freed.wait()
            require_allowance(await self._store.allowances.of_session(session_id, self._store.today))
            name = model or await self._provider.choose_model()
            request = ChatRequest(
                messages=messages,
                tools=tools,
                max_output_tokens=_ASIDE_TOKENS,
                max_characters=self.max_characters,
                model=name,
                effort=_ASIDE_EFFORT,
                changes=self.lessons.changes(self.service, name),
            )
            told: list[str] = []
            async with self._paid(session_id, request, lambda: "".join(told)):
                reply = await self._provider.reply(request, told.append)
        usage = reply.usage
        said = ChatMessage(role="assistant", content=reply.text)
        used = usage.input_tokens + usage.output_tokens if usage else estimated_tokens([*messages, said])
        await self._store.allowances.spend(session_id, used, self._store.today.day)
        return reply

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One of the calls that may run at once, for the length of the block."""
        self._wanting += 1
        try:
            await self._slots.acquire()
        finally:
            self._wanting -= 1
        try:
            yield
        finally:
            self._slots.release()
            self._freed.set()


def require_allowance(allowances: Iterable[Allowance]) -> None:
    """Check that the model may be asked.

    Raises:
        UserError: The tokens of the day are used up.
    """
    for allowance in allowances:
        if allowance.is_used_up:
            raise UserError(
                tr(
                    "The daily limit of {tokens} tokens is used up. It resets at midnight UTC: ask again then.",
                    tokens=allowance.tokens,
                )
            )


def _left_out(question: Question, reply: ChatReply) -> tuple[LeftOut, ...]:
    learnt = {one.change for one in reply.learnt}
    found: list[LeftOut] = []
    if Change.NO_IMAGES in learnt or question.conversation.unseen:
        found.append("images")
    if Change.NO_TOOLS in learnt:
        found.append("tools")
    if question.shortened:
        found.append("history")
    return tuple(found)


def _is_plausible(usage: Usage | None, conversation: Conversation) -> bool:
    """Whether a count may be that of the request: what is none must neither be free nor use up a day's tokens."""
    if usage is None:
        return False
    most = _MOST_COUNTED * (conversation.tokens + 1_000) + _MOST_OF_IMAGES * bool(conversation.image_tokens)
    return 0 < usage.input_tokens <= most and usage.output_tokens <= _MOST_GENERATED


def _tokens(messages: Sequence[ChatMessage], reply: ReplyStep, *, dropped: int) -> int:
    """What a call used; about, where the service does not tell. `dropped` characters came that are not in the reply."""
    if reply.usage is not None:
        return reply.usage.input_tokens + reply.usage.output_tokens
    answer = ChatMessage(role="assistant", content=reply.text, tool_calls=reply.tool_calls)
    return estimated_tokens([*messages, answer]) + dropped // 3
