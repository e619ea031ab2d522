"""Asking for the reply of a round: one model after the other, and each with less history where that is too long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from llmgine.context import ContextManager, Conversation
from llmgine.engine.model import Model, Question
from llmgine.engine.progress import Progress
from llmgine.engine.rests import ServiceModel
from llmgine.engine.retries import SILENT, may_ask_another
from llmgine.engine.shortening import shorter, too_long
from llmgine.engine.spending import Account
from llmgine.engine.turn_context import TurnContext
from llmgine.errors import ContextOverflowError, PromptRefusedError, ProviderError, ProviderRefusedError
from llmgine.messages.chat_messages import ToolSchema
from llmgine.messages.steps import Fallback, ReplyStep
from llmgine.messages.translatable import joined, tr, words_of
from llmgine.messages.visible_text import visible_line
from llmgine.sessions.records import BeforeCall

MAX_SHORTER = 3  # how often a request that is too long is made again with less

_MAX_NAME = 60  # characters of a model's name in an error
_AN_EARLIER_ONE = tr("An earlier message may be the cause: /clear starts over without it.")


@dataclass(frozen=True)
class Round:
    """What a round asks, whichever model answers.

    Attributes:
        before: What was read before it.
        tools: What is offered.
        progress: The text as it grows.
    """

    before: BeforeCall
    tools: tuple[ToolSchema, ...]
    progress: Progress


@dataclass(frozen=True)
class Asked:
    """Which model is asked; see `Question` for all three."""

    model: str | None
    fallback: Fallback | None = None
    is_patient: bool = True


class Asking:
    """Asks for the replies of one turn.

    Attributes:
        enveloped: Whether the prompt was sent as JSON with its author, in the last request.
        history_from: From where the history was sent.
        fallback: In whose place the model was asked last, if in another's.
    """

    def __init__(self, context: TurnContext, model: Model, conversations: ContextManager) -> None:
        self.enveloped, self.history_from = False, 0
        self.fallback: Fallback | None = None
        self._last: tuple[Asked, Progress, datetime] | None = None  # what was asked last, and when
        self._context = context
        self._model = model
        self._conversations = conversations

    async def reply(self, round_: Round) -> ReplyStep:
        """The reply of the first model that gives one; a turn stays with the model that gave its first.

        Another is asked only while nothing is shown of an answer.

        Raises:
            ProviderError: No model gave one.
            AllowanceError: A limit of the day leaves no room for the call.
        """
        chosen, replies = round_.before.settings.model, self._context.steps.state.replies
        if replies:
            fallback = replies[-1].fallback
            return await self._reply_of(round_, Asked(fallback.model if fallback else chosen, fallback))
        models = self._models(chosen)
        waiting, first, is_alone = dict(models), next(iter(models)), len(models) == 1
        failed: dict[ServiceModel, ProviderError] = {}
        while waiting:
            # Who rests is asked last, and not at all where another answers.
            resting = {one: rest for one in waiting if (rest := self._model.rests.of(one)) is not None}
            one = next((one for one in waiting if one not in resting), next(iter(waiting)))
            name, fallback = waiting.pop(one), None
            if one != first:
                reason = joined("", words_of(failed[first])) if first in failed else resting[first].reason
                fallback = Fallback(first=self._shown(chosen), model=name or "", reason=reason, rested=first in resting)
            try:
                return await self._reply_of(round_, Asked(name, fallback, is_alone))
            except ProviderError as error:
                if is_alone or round_.progress.text.strip() or not may_ask_another(error):
                    raise
                failed[one] = error
        others = [self._shown(models[one]) for one in failed if one != first]
        raise self._all_failed(chosen, failed[first], others) from failed[first]

    def ran_out_of_time(self) -> None:
        """The turn's time is up: a model that had said nothing until then rests, so that others are asked next time."""
        if self._model.fallbacks and self._last is not None and not self._last[1].text.strip():
            asked, _, begun = self._last
            self._model.rests.failed(self._model.asked_at(asked.model or self._model.name), SILENT, begun)

    def _models(self, chosen: str | None) -> dict[ServiceModel, str | None]:
        """The models that may be asked, in their order, each once."""
        models: dict[ServiceModel, str | None] = {}
        for name in (chosen, *self._model.fallbacks):
            models.setdefault(self._model.asked_at(name or self._model.name), name)
        return models

    def _shown(self, name: str | None) -> str:
        """What a model is called; one that is not chosen yet by its service."""
        return visible_line(name or self._model.name or self._model.service, _MAX_NAME)

    def _all_failed(self, chosen: str | None, error: ProviderError, others: Sequence[str]) -> ProviderError:
        return ProviderError(
            tr(
                "The model {model} gave no answer. {reason} These were tried too, without success: {models}.",
                model=self._shown(chosen),
                reason=words_of(error),
                models=", ".join(others),
            )
        )

    async def _reply_of(self, round_: Round, asked: Asked) -> ReplyStep:
        """Ask with as much history as fits, and with less of it each time the service says that it is too long."""
        model, settings, steps = self._model, round_.before.settings, self._context.steps
        self.fallback, self._last = asked.fallback, (asked, round_.progress, model.rests.now())
        bounds, most = model.bounds(asked.model), 0
        overflow: ContextOverflowError | None = None
        refused: Conversation | None = None
        for _ in range(MAX_SHORTER + 1):
            conversation = await self._conversations.build(steps, settings, round_.tools, bounds, round_.before.ended)
            self.enveloped, most = conversation.enveloped, max(most, conversation.past)
            if refused is None:  # one message that is too long must not cost the others their place
                self.history_from = conversation.history_from
            if refused is not None and conversation.tokens >= refused.tokens:
                break
            question = Question(
                conversation,
                round_.tools,
                asked.model,
                settings.effort,
                Account(round_.before.counted_in, round_.before.allowances),
                overflow,
                shortened=conversation.past < most,
                fallback=asked.fallback,
                is_patient=asked.is_patient,
            )
            try:
                return await model.reply(self._context, round_.progress, question)
            except ContextOverflowError as error:
                overflow, refused = error, conversation
                bounds = replace(bounds, limit=shorter(error, conversation))
            except PromptRefusedError as error:
                if conversation.after_refusal and conversation.past:
                    raise PromptRefusedError(joined(" ", words_of(error), _AN_EARLIER_ONE)) from error
                raise
        if overflow is None or refused is None:
            raise RuntimeError("a request was refused by nobody")
        kind = PromptRefusedError if asked.fallback is None else ProviderRefusedError
        refusal = kind(too_long(steps, refused, overflow))
        await model.tell_failure(self._context, round_.progress, asked.model or model.name, refusal)
        raise refusal from overflow
