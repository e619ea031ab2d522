"""Asking the model: one reply, under a bound on calls at once, with retries and live progress."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llmgine.context import PEOPLE_NOTE, Bounds, Conversation, estimated_tokens, tokens_of_tools, unwrapped
from llmgine.engine.fair_slots import FairSlots
from llmgine.engine.lessons import WINDOW, Lessons
from llmgine.engine.progress import Progress, Ticks
from llmgine.engine.rests import Rests, ServiceModel
from llmgine.engine.retries import Announce, RetryPolicy, in_short, is_broken
from llmgine.engine.shortening import own_window
from llmgine.engine.spending import Account, PaidCall, Spending, plausible
from llmgine.engine.turn_context import TurnContext
from llmgine.errors import ContextOverflowError, ProviderError, StoreError
from llmgine.messages.chat_messages import ChatMessage, ToolSchema
from llmgine.messages.events import (
    LLMResponseEvent,
    ModelAskedEvent,
    ModelFailedEvent,
    ModelRetryEvent,
)
from llmgine.messages.steps import Fallback, LeftOut, ReplyStep
from llmgine.messages.translatable import Text
from llmgine.observability.redaction import Redactor
from llmgine.providers.base import MAX_CHARACTERS, Change, ChatReply, ChatRequest, ListedModel, Provider
from llmgine.providers.prices import Prices
from llmgine.providers.routing import asked_at, prices_of, service_of
from llmgine.sessions import SessionStore
from llmgine.sessions.costs import Asker, Purpose
from llmgine.tools.searching import named_call

_LIST_SECONDS, _NO_LIST_SECONDS = 300.0, 30.0  # for which a list of models holds, or that there is none
_LONGEST_NAME = 100  # characters of a model's name that a setting takes
_ASIDE_TOKENS, _ASIDE_EFFORT = 400, "low"  # room for a model that thinks before it gives a short answer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What a turn asks the model in one round.

    Attributes:
        conversation: The messages.
        tools: What is offered.
        model: Who is asked, by the session's setting; None for the program's own model.
        effort: The reasoning effort, by the session's setting.
        account: Where it counts, and what limits it.
        overflow: Why the request before this one was refused, if it was too long.
        shortened: Whether turns were left out for that.
        fallback: In whose place the model is asked, if in another's.
        is_patient: Whether it is tried often, as where no other model can be asked.
    """

    conversation: Conversation
    tools: tuple[ToolSchema, ...] = ()
    model: str | None = None
    effort: str | None = None
    account: Account = field(default_factory=lambda: Account(()))
    overflow: ContextOverflowError | None = None
    shortened: bool = False
    fallback: Fallback | None = None
    is_patient: bool = True


class Model:
    """The provider as the engine uses it.

    Args:
        provider: Who answers.
        store: Where what is learnt of models is kept, and what was used is counted.
        calls_at_once: How many calls may run side by side, over all sessions; see `FairSlots`.
        retry: The policy for failures that may pass.
        max_characters: How long a reply may be before it is ended; see `ChatRequest`.
        redact: Takes secrets out of what the model writes.
        prices: What its tokens cost; by default those of the provider's service.
        fallbacks: The models that may be asked in place of another, in their order.
        rests: Which models rest; none unless given.
    """

    def __init__(
        self,
        provider: Provider,
        store: SessionStore,
        *,
        calls_at_once: int = 8,
        retry: RetryPolicy | None = None,
        max_characters: int = MAX_CHARACTERS,
        redact: Redactor | None = None,
        prices: Prices | None = None,
        fallbacks: Sequence[str] = (),
        rests: Rests | None = None,
    ) -> None:
        self.spending = Spending(store, prices or prices_of(provider))
        self._provider = provider
        self._store = store
        self.lessons = Lessons(store)
        self.fallbacks, self.rests = tuple(fallbacks), rests or Rests(store.clock)
        self.slots = FairSlots(calls_at_once)
        self._retry = retry or RetryPolicy()
        self.max_characters = max_characters
        self.redact = redact or Redactor()
        self._side_requests, self._listing = asyncio.Lock(), asyncio.Lock()
        self._ticks = Ticks()
        self._listed: tuple[ListedModel, ...] = ()
        self._list_again_at = 0.0

    @property
    def name(self) -> str:
        """The model's name; "" until one was chosen."""
        return self._provider.model

    @property
    def service(self) -> str:
        """Who answers where no model is named."""
        return self._provider.service

    def service_of(self, name: str) -> str:
        """Who answers for a model."""
        return service_of(self._provider, name)

    def asked_at(self, name: str) -> ServiceModel:
        """Where a model is asked, and its name there."""
        return ServiceModel(*asked_at(self._provider, name))

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
        changes = self.lessons.changes(self.service_of(name), name)
        return Bounds(
            model=name,
            window=self.lessons.window(self.service_of(name), name),
            blind=Change.NO_IMAGES in changes,
        )

    async def reply(self, context: TurnContext, progress: Progress, question: Question) -> ReplyStep:
        """Ask, commit the reply, and tell of it; `progress` says of which round it is. Called inside a slot of `slots`.

        Raises:
            ProviderError: No reply came, on all tries.
        """
        round_ = progress.round
        progress.hides_envelopes = PEOPLE_NOTE in question.conversation.messages[0].content
        name, begun = question.model or self.name, self.rests.now()
        try:
            async with progress.told(self._ticks):
                name = question.model or await self._chosen(context, round_, self._policy(question))
                await context.tell(ModelAskedEvent, round=round_, model=name, fallback=question.fallback)
                reply, call = await self._asked(context, progress, question, name)
        except ContextOverflowError as error:
            if error.lasting:
                self.lessons.too_long(self.service_of(name), name, question.conversation.tokens)
            raise  # it is asked again with less, or said by who knows what was too long
        except ProviderError as error:
            if self.fallbacks and is_broken(error):
                self.rests.failed(self.asked_at(name), in_short(error), begun)
            await self.tell_failure(context, progress, name, error)
            raise
        self.rests.succeeded(self.asked_at(name))
        await self._learn(reply, question, name)
        return await self._committed(context, progress, question, reply, call)

    async def tell_failure(self, context: TurnContext, progress: Progress, name: str, error: Exception) -> None:
        """Publish that the model gave no reply."""
        seconds, kind = time.monotonic() - progress.since, type(error).__name__
        failure = {"model": name, "error": kind, "reason": str(error), "seconds": seconds}
        await context.tell(ModelFailedEvent, round=progress.round, **failure)

    def _policy(self, question: Question) -> RetryPolicy:
        return self._retry if question.is_patient else self._retry.before_another

    async def _chosen(self, context: TurnContext, round_: int, policy: RetryPolicy) -> str:
        return self.name or await policy.run(self._provider.choose_model, self._announce(context, round_))

    async def _asked(
        self, context: TurnContext, progress: Progress, question: Question, name: str
    ) -> tuple[ChatReply, PaidCall]:
        request = ChatRequest(
            messages=question.conversation.messages,
            tools=question.tools,
            max_characters=self.max_characters,
            model=name,
            effort=question.effort,
            changes=self.lessons.changes(self.service_of(name), name),
        )
        purposes: Iterator[Purpose] = itertools.chain(("answer",), itertools.repeat("retry"))

        async def ask() -> tuple[ChatReply, PaidCall]:
            progress.begin()
            sent, purpose = question.conversation.tokens, next(purposes)
            async with self.spending.call(question.account, request, sent, purpose, lambda: progress.text) as call:
                reply = await self._provider.reply(request, progress.add, progress.begin)
                context.spent = self.spending.spent(call, reply)  # it is counted, whatever becomes of the turn
            return self.redact.in_texts(reply), call

        return await self._policy(question).run(ask, self._announce(context, progress.round))

    def _announce(self, context: TurnContext, round_: int) -> Announce:
        async def announce(reason: Text | str, next_try: int, tries: int | None, wait: float) -> None:
            about = {"next_try": next_try, "tries": tries, "wait_seconds": wait, "reason": str(reason)}
            text = reason if isinstance(reason, Text) else None
            await context.tell(ModelRetryEvent, round=round_, reason_text=text, **about)

        return announce

    async def _learn(self, reply: ChatReply, question: Question, name: str) -> None:
        """Remember what made a request succeed; a store that fails costs the memory, not the reply."""
        tokens, service = question.conversation.tokens, self.service_of(name)
        with contextlib.suppress(StoreError):
            await self.lessons.succeeded(service, name, tokens)
            for learnt in reply.learnt:
                if learnt.lasts:
                    await self.lessons.learn(service, name, learnt.change, said=learnt.said)
            if question.overflow is not None and question.overflow.lasting:
                window = own_window(question.overflow, reply, question.conversation)
                await self.lessons.learn(service, name, WINDOW, value=window)

    async def _committed(
        self, context: TurnContext, progress: Progress, question: Question, reply: ChatReply, call: PaidCall
    ) -> ReplyStep:
        conversation = question.conversation
        progress.bounded = reply.bounded
        text = unwrapped(reply.text) if progress.hides_envelopes else reply.text
        facts = {
            "round": progress.round,
            "text": text,
            "tool_calls": tuple(named_call(one, context.tools) for one in reply.tool_calls),
            "finish": reply.finish,
            "model": reply.model,
            "usage": plausible(reply.usage, call),
            "seconds": time.monotonic() - progress.since,
            "left_out": _left_out(question, reply),
            "fallback": question.fallback,
        }
        step = ReplyStep.model_validate(
            {
                **facts,
                "history_from": conversation.history_from,
                "sent_tokens": None if conversation.image_tokens else conversation.tokens,
                "enveloped": conversation.enveloped,
                "outside": conversation.outside,
                "parts": reply.parts,
            }
        )
        context.warnings += await self.spending.warnings(call, self.spending.spent(call, reply))
        await context.append_reply(step)
        first = None if progress.first_at is None else progress.first_at - progress.since
        await context.tell(LLMResponseEvent, **facts, first_token_seconds=first)
        return step

    async def side_request(
        self,
        session_id: str,
        messages: tuple[ChatMessage, ...],
        purpose: Purpose,
        *,
        asker: Asker | None = None,
        model: str | None = None,
        tools: tuple[ToolSchema, ...] = (),
    ) -> ChatReply:
        """A short reply that belongs to no turn; made once no turn waits for a slot, and counted like any other.

        It teaches nothing that is remembered.

        Args:
            session_id: The session it is about, where it counts.
            messages: What is asked.
            purpose: What it is for.
            asker: For whom it is made.
            model: Who is asked; None for the program's own model.
            tools: What is offered.

        Raises:
            ProviderError: No reply came; it is not asked for again.
            AllowanceError: A limit of the day leaves no room for it.
        """
        async with self._side_requests:
            await self.slots.idle()
            account = Account(*(await self._store.allowances.of_session(session_id, self._store.today, asker)))
            name = model or await self._provider.choose_model()
            request = ChatRequest(
                messages=messages,
                tools=tools,
                max_output_tokens=_ASIDE_TOKENS,
                max_characters=self.max_characters,
                model=name,
                effort=_ASIDE_EFFORT,
                changes=self.lessons.changes(self.service_of(name), name),
            )
            told: list[str] = []
            sent = estimated_tokens(messages) + tokens_of_tools(tools)
            async with self.spending.call(account, request, sent, purpose, lambda: "".join(told)) as call:
                reply = await self._provider.reply(request, told.append)
        await self.spending.settle(self.spending.spent(call, reply))
        return self.redact.in_texts(reply)


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
