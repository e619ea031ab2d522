"""One turn, from its prompt to its outcome: rounds of a model call and its tool calls."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from llmgine.context import ContextManager, Conversation, may_be_envelope
from llmgine.engine.calls import ToolCalls
from llmgine.engine.model import Model, Question
from llmgine.engine.progress import Progress
from llmgine.engine.scope import TurnScope
from llmgine.engine.shortening import shorter, too_long
from llmgine.errors import (
    ContextOverflowError,
    LLMgineError,
    PromptRefusedError,
    ProviderRefusedError,
    ProviderReplyError,
    ReplyCutOffError,
    SupersededError,
)
from llmgine.messages.chat import ToolSchema
from llmgine.messages.events import TurnFinishedEvent, TurnStartedEvent
from llmgine.messages.message import inside
from llmgine.messages.steps import OutcomeStep, ReplyStep
from llmgine.sessions.records import Delivery, SessionSettings, TurnSteps
from llmgine.tools.manager import ToolManager

# Turns an ended turn into the parts that are posted; each front end that delivers has its own.
Renderer = Callable[[TurnSteps], Sequence[Delivery]]

MAX_ROUNDS = 8
MAX_RESUMES = 3
MAX_SHORTER = 3  # how often a request that is too long is made again with less

_NOTICES = {
    "length": "The answer was cut at the model's limit. Ask it to continue.",
    "filtered": "The model's service withheld this answer.",
}

_AN_EARLIER_ONE = "It may be an earlier message that it refuses: /clear begins without them."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TurnParts:
    """What turns are run with; one set for all turns of an engine."""

    model: Model
    context: ContextManager
    tools: ToolManager
    calls: ToolCalls
    renderers: Mapping[str, Renderer]


class TurnRun:
    """One turn on its way."""

    def __init__(self, scope: TurnScope, parts: TurnParts) -> None:
        self._scope = scope
        self._parts = parts
        self._progress: Progress | None = None
        self._enveloped, self._history_from = False, 0  # how the prompt was sent, and from where the history
        self._stopped = False
        self._given_up = False
        self._task: asyncio.Task[OutcomeStep] | None = None
        self._begin = time.monotonic()

    @property
    def waits_for_a_person(self) -> bool:
        """Whether nothing happens until somebody decides."""
        return self._scope.waiting > 0

    def stop(self) -> None:
        """End the turn now; its outcome is "stopped"."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    def give_up(self) -> None:
        """End this attempt now, without an outcome."""
        self._given_up = True
        if self._task is not None:
            self._task.cancel()

    async def run(self, *, resumed: bool) -> None:
        """Bring the turn to its committed outcome and tell of it, unless a newer attempt does."""
        started = await self._scope.tell(TurnStartedEvent, attempt=self._scope.turn.attempt, resumed=resumed)
        with inside(started), contextlib.suppress(SupersededError):  # inside: so that the log of a turn is a tree
            await self._finish(await self._outcome_of_run())

    async def _outcome_of_run(self) -> OutcomeStep:
        self._task = asyncio.create_task(self._answer())
        if self._stopped or self._given_up:
            self._task.cancel()
        try:
            return await self._task
        except asyncio.CancelledError:
            if self._given_up and self._task.cancelled():
                raise SupersededError("What was said has changed") from None
            if not self._stopped:  # the program is closing: the turn stays unfinished and is taken up again
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
                raise
            return self._outcome("stopped", "Stopped.", await self._unfinished_text())

    async def _answer(self) -> OutcomeStep:
        """The turn's outcome, whatever happens."""
        try:
            if self._scope.turn.resumes > MAX_RESUMES:
                return self._outcome(
                    "failed", f"The program ended {MAX_RESUMES} times while answering this. Ask again."
                )
            last = await self._rounds()
        except ReplyCutOffError as error:
            return self._outcome("failed", str(error), self._presentable(error.partial))
        except ProviderRefusedError as error:
            return self._outcome("failed", str(error), refused=error.may_be_prompt)
        except LLMgineError as error:
            return self._outcome("failed", str(error))
        except Exception:  # a bug of ours must still end in one visible outcome
            _log.exception("Turn %s failed", self._scope.turn.id)
            return self._outcome("failed", "Something went wrong in the program; its log has the details. Ask again.")
        return self._outcome("done", _NOTICES.get(last.finish))

    async def _rounds(self) -> ReplyStep:
        """Ask, call tools, ask again, until a reply calls no tool; the last round offers none."""
        for round_ in range(MAX_ROUNDS):
            reply = await self._reply(round_, offer_tools=round_ < MAX_ROUNDS - 1)
            if not reply.tool_calls:
                return reply
            if round_ < MAX_ROUNDS - 1:
                self._scope.tools = (await self._settings()).tools
                await self._parts.calls.run(self._scope, reply)
        raise ProviderReplyError(f"The model called tools {MAX_ROUNDS} times without an answer. Ask in smaller steps.")

    async def _reply(self, round_: int, *, offer_tools: bool) -> ReplyStep:
        """The model's reply of this round: the committed one where there is one, else a new one."""
        steps = await self._scope.steps()
        if round_ < len(steps.replies):
            return steps.replies[round_]
        settings = await self._settings()
        schemas = self._parts.tools.schemas(settings.tools) if offer_tools else ()
        return await self._ask(steps, settings, tuple(schemas), Progress(self._scope, round_))

    async def _ask(
        self, steps: TurnSteps, settings: SessionSettings, tools: tuple[ToolSchema, ...], progress: Progress
    ) -> ReplyStep:
        """Ask with as much history as fits, and with less of it each time the service says that it is too long."""
        self._progress = progress
        model, begin = self._parts.model, time.monotonic()
        bounds, most = model.bounds(settings.model), 0
        overflow: ContextOverflowError | None = None
        refused: Conversation | None = None
        for _ in range(MAX_SHORTER + 1):
            conversation = await self._parts.context.build(steps, settings, tools, bounds)
            self._enveloped, most = conversation.enveloped, max(most, conversation.past)
            if refused is None:  # one message that is too long must not cost the others their place
                self._history_from = conversation.history_from
            if refused is not None and conversation.tokens >= refused.tokens:
                break
            question = Question(
                conversation,
                tools,
                settings.model,
                settings.effort,
                overflow,
                shortened=conversation.past < most,
            )
            try:
                return await model.reply(self._scope, progress, question)
            except ContextOverflowError as error:
                overflow, refused = error, conversation
                bounds = replace(bounds, limit=shorter(error, conversation))
            except PromptRefusedError as error:
                if conversation.after_refusal and conversation.past:
                    raise PromptRefusedError(f"{error} {_AN_EARLIER_ONE}") from error
                raise
        if overflow is None or refused is None:
            raise RuntimeError("a request was refused by nobody")
        refusal = PromptRefusedError(too_long(steps, refused, overflow))
        await model.tell_failure(self._scope, progress.round, settings.model or model.name, refusal, begin)
        raise refusal from overflow

    async def _settings(self) -> SessionSettings:
        """What holds in the session now: it may change between rounds."""
        return await self._scope.store.session_settings(self._scope.turn.session_id)

    async def _unfinished_text(self) -> str:
        """What was streamed of a reply that is not committed."""
        if self._progress is None or self._progress.round < len((await self._scope.steps()).replies):
            return ""
        return self._presentable(self._progress.text)

    def _presentable(self, partial: str) -> str:
        """As much of an unfinished answer as may be shown: nothing of one that copies the form of people's messages."""
        hidden = self._progress is not None and self._progress.hides_envelopes and may_be_envelope(partial)
        return "" if hidden else partial

    def _outcome(
        self,
        state: Literal["done", "failed", "stopped"],
        notice: str | None,
        partial: str = "",
        *,
        refused: bool = False,
    ) -> OutcomeStep:
        return OutcomeStep(
            state=state,
            notice=notice,
            partial=partial,
            seconds=time.monotonic() - self._begin,
            refused=refused,
            enveloped=self._enveloped,
            history_from=self._history_from,
        )

    async def _finish(self, outcome: OutcomeStep) -> None:
        """Commit the outcome with its deliveries, then tell of it."""
        scope = self._scope
        steps = await scope.steps()
        steps = steps.model_copy(update={"steps": (*steps.steps, outcome)})
        await scope.store.finish(scope.turn, outcome.state, [outcome], self._render(steps))
        await scope.tell(
            TurnFinishedEvent,
            state=outcome.state,
            text=steps.text,
            notice=outcome.notice,
            model=steps.replies[-1].model if steps.replies else self._parts.model.name,
            usage=steps.usage,
            seconds=outcome.seconds,
        )

    def _render(self, steps: TurnSteps) -> Sequence[Delivery]:
        """The parts to post; a front end that cannot show a turn must not keep it from ending."""
        renderer = self._parts.renderers.get(steps.turn.source)
        if renderer is None:
            return ()
        try:
            return renderer(steps)
        except Exception:  # a front end's bug
            _log.exception("Turn %s cannot be shown", steps.turn.id)
            return ()
