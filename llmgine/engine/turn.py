"""One turn, from its prompt to its outcome: rounds of a model call and its tool calls."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from llmgine.context import PAGE, ContextManager, may_be_envelope
from llmgine.engine.asking import Asking, Round
from llmgine.engine.backoff import Backoff
from llmgine.engine.model import Model
from llmgine.engine.progress import Progress
from llmgine.engine.tool_calls import ToolCalls
from llmgine.engine.turn_context import TurnContext
from llmgine.engine.turn_limits import TurnLimits
from llmgine.errors import (
    AllowanceError,
    AnswersPausedError,
    LLMgineError,
    ProviderRefusedError,
    ProviderReplyError,
    ReplyCutOffError,
    StoreError,
    SupersededError,
    TurnLimitError,
)
from llmgine.messages.deliveries import Delivery
from llmgine.messages.events import TurnFinishedEvent, TurnStartedEvent
from llmgine.messages.message import inside
from llmgine.messages.steps import OutcomeStep, ReplyStep
from llmgine.messages.translatable import Text, tr, words_of
from llmgine.sessions.records import TurnSteps
from llmgine.sessions.scoped import is_paused
from llmgine.tools.tool_manager import ToolManager

# Turns an ended turn into the parts that are posted; each front end that delivers has its own.
Renderer = Callable[[TurnSteps], Sequence[Delivery]]

MAX_RESUMES = 3

_NOTICES = {
    "length": tr("The model reached its length limit. Ask it to continue."),
    "filtered": tr("The model's service withheld this answer."),
}

_PAUSED = tr("Stopped: answers are paused here. Ask again when they are resumed.")
_ENDED_OFTEN = tr("The program stopped {times} times while answering this. Ask again.", times=MAX_RESUMES)
_FAILED = tr("Something went wrong in the program; its log has the details. Ask again.")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TurnParts:
    """What turns are run with; one set for all turns of an engine."""

    model: Model
    context: ContextManager
    tools: ToolManager
    calls: ToolCalls
    renderers: Mapping[str, Renderer]
    limits: TurnLimits


class TurnRun:
    """One turn on its way."""

    def __init__(self, context: TurnContext, parts: TurnParts) -> None:
        self._context = context
        self._parts = parts
        self._progress: Progress | None = None
        self._asking = Asking(context, parts.model, parts.context)
        self._stopped = False
        self._given_up = False
        self._task: asyncio.Task[OutcomeStep] | None = None
        self._slot = contextlib.AsyncExitStack()  # holds the slot of a call, while this turn has one
        self._begin = time.monotonic()

    @property
    def waits_for_a_person(self) -> bool:
        """Whether nothing happens until somebody decides."""
        return self._context.waiting > 0

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
        context = self._context
        started = await context.tell(
            TurnStartedEvent,
            attempt=context.turn.attempt,
            resumed=resumed,
            turn=context.turn,
            steps=context.steps.steps,
        )
        with inside(started):  # so that the log of a turn is a tree
            # What the last reply cost is counted with the outcome, so its slot is free for the next turn only then.
            async with self._slot:
                try:
                    await self._finish(await self._outcome_of_run())
                except SupersededError:
                    if context.spent is not None:  # somebody else runs the turn now; this was paid for all the same
                        await self._parts.model.spending.settle(context.spent)

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
            return self._outcome("stopped", await self._why_stopped(), self._unfinished_text())

    async def _why_stopped(self) -> Text:
        """What people are told of a turn that was stopped, by a person or by a pause."""
        context = self._context
        with contextlib.suppress(StoreError):
            if is_paused("answers", await context.store.pauses.of_session(context.turn.session_id)):
                return _PAUSED
        return tr("Stopped.")

    async def _answer(self) -> OutcomeStep:
        """The turn's outcome, whatever happens."""
        try:
            if self._context.turn.resumes > MAX_RESUMES:
                return self._outcome("failed", _ENDED_OFTEN)
            last = await self._rounds()
        except ReplyCutOffError as error:
            return self._outcome("failed", words_of(error), self._presentable(error.partial))
        except ProviderRefusedError as error:
            return self._outcome("failed", words_of(error), refused=error.may_be_prompt)
        except SupersededError:
            raise
        except LLMgineError as error:
            if isinstance(error, AllowanceError):
                self._context.warnings.clear()  # that says it all
            partial = self._unfinished_text() if isinstance(error, TurnLimitError) else ""
            state: Literal["stopped", "failed"] = "stopped" if isinstance(error, AnswersPausedError) else "failed"
            return self._outcome(state, words_of(error), partial)
        except Exception:  # a bug of ours must still end in one visible outcome
            _log.exception("Turn %s failed", self._context.turn.id)
            return self._outcome("failed", _FAILED)
        return self._outcome("done", self._notice(last))

    async def _rounds(self) -> ReplyStep:
        """Ask, call tools, ask again, until a reply calls no tool; the last round offers none."""
        limits = self._parts.limits
        round_ = 0
        while True:
            last = limits.is_last(round_, self._context.steps.state)
            reply = await self._reply(round_, offer_tools=not last)
            if not reply.tool_calls:
                return reply
            if last:
                raise ProviderReplyError(
                    tr(
                        "The model used tools {rounds} times without answering. Ask in smaller steps.",
                        rounds=round_ + 1,
                    )
                )
            await self._parts.calls.run(self._context, reply)
            round_ += 1

    async def _reply(self, round_: int, *, offer_tools: bool) -> ReplyStep:
        """The model's reply of this round: the committed one where there is one, else a new one."""
        context = self._context
        replies = context.steps.state.replies
        if round_ < len(replies):
            set_here = (await context.store.settings.of_session(context.turn.session_id)).tools
            context.offer(self._parts.tools, set_here, self._parts.context.window)
            return replies[round_]
        limits, model = self._parts.limits, self._parts.model
        reached = limits.reached(context.steps.state, model.spending.cost_of(replies))
        if reached is not None:
            raise TurnLimitError(reached)
        self._progress = Progress(context, round_, model.redact)
        await self._slot.enter_async_context(model.slots.slot(context.person))
        # Read only now: what is left of a limit may be used up while it waits for its slot.
        before = await context.store.runs.before_call(context.turn, context.store.today, PAGE, context.asker)
        if before.paused:  # since it was asked; it may be queued, resumed after a restart, or edited
            raise AnswersPausedError(_PAUSED)
        await context.refresh(before.revision)
        offered = context.offer(self._parts.tools, before.settings.tools, self._parts.context.window)
        try:
            async with asyncio.timeout(limits.seconds_left(context.steps.state)) as time_left:
                reply = await self._asking.reply(Round(before, tuple(offered) if offer_tools else (), self._progress))
        except TimeoutError:
            if time_left.expired():
                self._asking.ran_out_of_time()
                raise TurnLimitError(limits.out_of_time) from None
            raise
        if reply.tool_calls:
            await self._slot.aclose()
        return reply

    def _notice(self, last: ReplyStep) -> Text | None:
        """What people should know of the last reply."""
        # A reply that calls no tool is committed with its outcome, so it is always the one whose progress this is.
        if self._progress is None or not self._progress.bounded:
            return _NOTICES.get(last.finish)
        if not last.text:
            return tr("The model thought for too long and was stopped before it answered. Ask in smaller steps.")
        most = self._parts.model.max_characters
        return tr("The answer was stopped at {characters} characters. Ask it to continue.", characters=most)

    def _unfinished_text(self) -> str:
        """What was streamed of a reply that is not committed."""
        if self._progress is None or self._progress.round < len(self._context.steps.state.replies):
            return ""
        return self._presentable(self._progress.text)

    def _presentable(self, partial: str) -> str:
        """As much of an unfinished answer as may be shown: no secret, and nothing in the form of people's messages."""
        hidden = self._progress is not None and self._progress.hides_envelopes and may_be_envelope(partial)
        return "" if hidden else self._parts.model.redact.growing(partial)

    def _outcome(
        self,
        state: Literal["done", "failed", "stopped"],
        notice: Text | str | None,
        partial: str = "",
        *,
        refused: bool = False,
    ) -> OutcomeStep:
        return OutcomeStep(
            state=state,
            notice=None if notice is None else str(notice),
            notice_text=notice if isinstance(notice, Text) else None,
            warnings=tuple(self._context.warnings),
            fallback=self._asking.fallback if partial else None,
            partial=partial,
            seconds=time.monotonic() - self._begin,
            refused=refused,
            enveloped=self._asking.enveloped,
            history_from=self._asking.history_from,
        )

    async def _finish(self, outcome: OutcomeStep) -> None:
        """Commit the outcome with its deliveries, then tell of it."""
        context = self._context
        steps = context.steps.plus(outcome)
        state = steps.state
        parts = self._render(steps)
        await self._store_outcome(outcome, parts)
        self._parts.context.remember(steps)
        await context.tell(
            TurnFinishedEvent,
            state=outcome.state,
            text=state.text,
            notice=outcome.notice,
            notice_text=outcome.notice_text,
            warnings=outcome.warnings,
            model=state.replies[-1].model if state.replies else self._parts.model.name,
            usage=state.usage,
            seconds=outcome.seconds,
            partial=outcome.partial,
            refused=outcome.refused,
            turn=context.turn,
            parts=parts,
        )

    async def _store_outcome(self, outcome: OutcomeStep, parts: tuple[Delivery, ...]) -> None:
        """Commit the outcome; while the store fails it is tried again, for the model was paid for the answer.

        Raises:
            SupersededError: A newer attempt answers.
        """
        backoff = Backoff()
        while True:
            try:
                await self._context.finish(outcome, parts)
            except SupersededError:
                raise
            except StoreError as error:
                _log.error("Turn %s cannot end; trying again in %g s: %s", self._context.turn.id, backoff.next, error)
                await backoff.wait()
            else:
                return

    def _render(self, steps: TurnSteps) -> tuple[Delivery, ...]:
        """The parts to post; a front end that cannot show a turn must not keep it from ending."""
        renderer = self._parts.renderers.get(steps.turn.source)
        if renderer is None:
            return ()
        try:
            return tuple(renderer(steps))
        except Exception:  # a front end's bug
            _log.exception("Turn %s cannot be shown", steps.turn.id)
            return ()
