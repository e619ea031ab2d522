"""The delivery of one channel: what happens to its turns comes in, requests go out, and their results come back."""

import asyncio
import logging
import math
from collections.abc import Awaitable

from llmgine.messages.events import TurnEvent, TurnFinishedEvent, TurnForgottenEvent, TurnStartedEvent
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import Text
from llmgine.sessions.records import TurnSteps
from programs.discord.delivery.answer import Answer, Channel, ChannelState, Lookup, NoticeState, Part, Phase
from programs.discord.delivery.arranging import arrange
from programs.discord.delivery.bodies import attached_sizes
from programs.discord.delivery.drawing import Drawing
from programs.discord.delivery.importance import importance_of
from programs.discord.delivery.metrics import TurnCounts
from programs.discord.delivery.next_steps import (
    Edit,
    NoticeKind,
    Notify,
    Post,
    Step,
    Store,
    next_steps,
)
from programs.discord.delivery.pausing import look_again, pause
from programs.discord.delivery.request_results import Done, Loaded, Refused, Result, Shut, Unknown, Unsure
from programs.discord.delivery.shared import Shared
from programs.discord.delivery.step_results import apply, begun
from programs.discord.delivery.thinking_line import ThinkingLine
from programs.discord.delivery.timers import Timers
from programs.discord.delivery.typing_indicator import TypingIndicator
from programs.discord.rate_limiter import Importance, Ticket, paid_by

CARD_SETTLES = 0.1  # seconds until a card is posted: calls that end at once are shown so from the start
_LONGEST_DEBT = 86_400.0  # seconds after which an answer that could not be shown is not shown any more

_log = logging.getLogger(__name__)


class ChannelDelivery:
    """Shows the answers of a channel. There is a task only for each request that is under way.

    All changes of its state are made in the event loop, none of them waits for anything, and what is to be done next
    is worked out by `steps.py` after each of them.

    Attributes:
        state: The answers that are not settled.
        rested: Set while nothing is on its way: what could not be shown now is left for later.
    """

    def __init__(self, channel_id: int, tools: Shared) -> None:
        self.state = Channel(channel_id)
        self.rested = asyncio.Event()
        self.rested.set()
        self._tools = tools
        self._loop = asyncio.get_running_loop()
        self._drawings: dict[str, Drawing] = {}
        self._counts: dict[str, TurnCounts] = {}
        self._typing = TypingIndicator(tools.client, tools.calls.poster.permissions, channel_id)
        self._tasks: set[asyncio.Task[None]] = set()
        self._tickets: dict[type[Step], Ticket] = {}  # for the next post, and for the next change of a message
        self._work_is_due = False
        self._timers = Timers(tools.sleep, self._wake)

    @property
    def is_typing(self) -> bool:
        """Whether people see that an answer is being written."""
        return self._typing.is_on

    def handle(self, event: TurnEvent) -> None:
        """Take in an event of a turn that has begun."""
        answer = self._answer(event.turn_id)
        match event:
            case TurnFinishedEvent(turn=Turn() as turn):
                self._finish(answer, turn, event)
            case TurnForgottenEvent(turn=Turn() as turn):
                self._withdraw(answer, turn)
            case _ if event.turn_id in self._drawings:
                self._drawings[event.turn_id].handle(event, self._timers.now())
        self._wake()

    def others_wait(self, session_id: str, *, yes: bool) -> None:
        """Other questions of a session wait, or none do any more: a turn that waits for a person says so."""
        for drawing in self._drawings.values():
            if drawing.steps.turn.session_id == session_id and drawing.wait(others=yes):
                self._wake()

    def begin(self, turn: Turn, event: TurnStartedEvent, *, others_wait: bool) -> None:
        """A turn begins; `others_wait` says whether other questions of its session wait behind it."""
        answer = self._answer(turn.id)
        if answer is None:
            is_new = turn.attempt == 1 and not event.resumed  # nothing was posted for it yet
            answer = Answer(turn) if is_new else self._from_before(turn, resumed=event.resumed)
        else:
            self.state.answers.remove(answer)  # it is begun again below what was asked meanwhile
            answer.again(turn)
        self.state.answers.append(answer)
        counts, interval = self._counts.setdefault(turn.id, TurnCounts()), self._tools.pace.interval
        self._drawings[turn.id] = Drawing(
            TurnSteps(turn, event.steps),
            others_wait=others_wait,
            interval=interval,
            counts=counts,
            line=ThinkingLine(interval),
        )
        self._wake()

    def _finish(self, answer: Answer | None, turn: Turn, event: TurnFinishedEvent) -> None:
        if answer is None:
            answer = self._from_before(turn)
            self.state.answers.append(answer)
        if answer.turn.attempt == turn.attempt and answer.phase is not Phase.WITHDRAWN:
            self._drawings.pop(turn.id, None)
            answer.outcome = event.state
            self._show(answer, [Part(part.key, part.body) for part in event.parts], Phase.OUTCOME)

    def _withdraw(self, answer: Answer | None, turn: Turn) -> None:
        self._drawings.pop(turn.id, None)
        if answer is None:
            answer = self._from_before(turn)
            self.state.answers.append(answer)
        answer.withdraw(turn)

    def _from_before(self, turn: Turn, *, resumed: bool = False) -> Answer:
        """The answer of a turn for which something may have been posted before."""
        answer = Answer(turn, lookup=Lookup.STORE, posts=turn.posts)
        if resumed or turn.id in self._tools.unsettled:  # after it was admitted, as far as anybody knows
            answer.unknown_since = self._timers.now() - self._age(turn)
        return answer

    def _age(self, turn: Turn) -> float:
        return max(0.0, self._tools.calls.poster.now() - turn.created_at.timestamp())

    def owe(self, turn: Turn) -> None:
        """A turn that has ended, or was forgotten, has parts that are to be shown or taken away."""
        if self._answer(turn.id) is None:
            phase = Phase.WITHDRAWN if turn.state == "forgotten" else Phase.OUTCOME
            answer = self._from_before(turn)
            answer.phase = phase
            if turn.state in ("done", "failed", "stopped"):
                answer.outcome = turn.state
            self.state.answers.append(answer)
            self._wake()

    def look_again(self) -> None:
        """Try what could not be done, and give up what is owed for a day."""
        shut = self._tools.calls.poster.permissions.shut_out(self.state.id) is not None
        given_up = [
            one
            for one in self.state.answers
            if one.has_ended and self._age(one.turn) > _LONGEST_DEBT
            if shut or one.phase is Phase.OWED or one.lookup is Lookup.BARRED
        ]
        look_again(self.state, self._timers.now(), shut=shut, given_up=given_up)
        self._wake()

    def removed(self) -> None:
        """The channel is gone: nobody can read an answer there any more."""
        self.state.state = ChannelState.GONE
        self._wake()

    def pause(self, note: Text) -> None:
        """Show no more of running turns, and say below them what the note says."""
        self._drawings.clear()
        self._typing.show(on=False)
        pause(self.state, note)
        self._wake()

    async def close(self) -> None:
        """End all requests where they are; what is not shown is shown after the next start."""
        self._drawings.clear()
        self.state.answers.clear()
        self._typing.show(on=False)
        for ticket in self._tickets.values():
            ticket.called.cancel()
        tasks = [*self._tasks, *self._timers.stop()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _answer(self, turn_id: str) -> Answer | None:
        return next((answer for answer in self.state.answers if answer.turn.id == turn_id), None)

    def _wake(self) -> None:
        """Something has changed: work out what is to be done, once for all that changes at this moment."""
        if not self._work_is_due:
            self._work_is_due = True
            self.rested.clear()
            self._loop.call_soon(self._work)

    def _work(self) -> None:
        self._work_is_due = False
        now = self._timers.now()
        text_at, tick_at = self._draw(now)
        self.state.may_read = self._tools.calls.poster.permissions.may_read_back(self.state.id)
        told = arrange(self.state, now, self._tools.calls.poster.old_before())
        plan = next_steps(self.state, now)
        for step in (*told, *plan.others):
            self._start(step)
        self._ask(Post, plan.post)
        self._ask(Edit, plan.change)
        self._timers.set(preview=min(plan.paced, text_at), retry=plan.retry, tick=tick_at)
        self._typing.show(on=any(drawing.is_writing for drawing in self._drawings.values()))
        retries = self._timers.has_retry and not self.state.is_ending  # then nobody waits for it
        if not (self._tasks or self._tickets or self._timers.has_preview or retries or self._work_is_due):
            self.rested.set()

    def _draw(self, now: float) -> tuple[float, float]:
        """Draw the running turns that have changed; returns when the next text is due, and the next thinking line."""
        ticket = self._tickets.get(Edit)
        # A preview is drawn when a request may be made. It does not wait for a courtesy, which gives it its place.
        waits = ticket is not None and not ticket.called.done() and ticket.importance <= Importance.PREVIEW
        text_at = tick_at = math.inf
        for turn_id, drawing in self._drawings.items():
            answer = self._answer(turn_id)
            if answer is None or (waits and drawing.text_at):
                continue
            if drawing.is_due(now):
                parts = drawing.draw(now)
                known = {part.key for part in answer.drawn}
                if any(part.key.kind == "card" and part.key not in known for part in parts):
                    answer.settles_at = now + CARD_SETTLES
                self._show(answer, parts)
            text_at, tick_at = min(text_at, drawing.text_at), min(tick_at, drawing.tick_at)
        return text_at, tick_at

    def _show(self, answer: Answer, parts: list[Part], phase: Phase | None = None) -> None:
        """Have these parts shown; what a file would hold stands in messages where no file can be sent."""
        for key, body in parts:
            permissions = self._tools.calls.poster.permissions
            if not all(permissions.may_attach(self.state.id, size) for size in attached_sizes(body)):
                answer.plain.add(key)
        answer.show(parts, phase)

    def _ask(self, lane: type[Step], step: Step | None) -> None:
        """Make a request when the budget allows it; which one is decided only then."""
        ticket = self._tickets.get(lane)
        if step is None:
            if ticket is not None:
                self._tickets.pop(lane).called.cancel()
            return
        shut = self._tools.calls.poster.permissions.shut_out(self.state.id) if isinstance(step, Post) else None
        if shut is not None:
            self._take(step, Shut(shut.code))
            return
        limiter, importance = self._tools.calls.poster.limiter, importance_of(step)
        if ticket is None:
            ticket = self._tickets[lane] = limiter.ticket(importance)
            if not ticket.called.done():
                ticket.called.add_done_callback(self._called)
        else:
            limiter.hurry(ticket, importance)
        if ticket.called.done():
            del self._tickets[lane]
            self._start(step, ticket)

    def _called(self, called: asyncio.Future[None]) -> None:
        if not called.cancelled():
            self._wake()

    def _start(self, step: Step, ticket: Ticket | None = None) -> None:
        begun(step, self._timers.now())
        if isinstance(step, Edit):
            self._counts.setdefault(step.answer.turn.id, TurnCounts()).edits += 1
        self._do(self._request(step, ticket, reply=isinstance(step, Post) and self._replies(step.answer)))

    def _do(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake()

    async def _request(self, step: Step, ticket: Ticket | None, *, reply: bool) -> None:
        try:
            with paid_by(ticket):
                result = await self._tools.calls.make(self.state.id, step, reply=reply, code=self.state.code)
        except Exception as error:  # a bug in one request must not end the delivery of the channel
            _log.exception("A request of channel %d failed", self.state.id)
            result = Unknown(str(error))
        self._take(step, result)

    def _take(self, step: Step, result: Result) -> None:
        """A request has this result."""
        if isinstance(result, Refused | Unknown | Unsure):
            _log.warning("Turn %s in channel %d: %s", step.answer.turn.id, self.state.id, result)
        if isinstance(step, Post) and isinstance(result, Done):
            self._counts.setdefault(step.answer.turn.id, TurnCounts()).count_post()
        for told in apply(self.state, step, result, self._timers.now(), self._tools.pace):
            self._start(told)
        if isinstance(result, Loaded):
            self._show(step.answer, step.answer.drawn)
        if isinstance(step, Store) and step.answer not in self.state.answers:
            self._settled(step.answer)
        self._wake()

    def _replies(self, answer: Answer) -> bool:
        """Whether a message refers to the question: the first one, and one below the messages of others."""
        shown = [slot.message_id for slot in answer.placed() if slot.message_id]
        if not shown or not answer.replies:
            return answer.replies
        client = self._tools.client
        channel = client.get_channel(self.state.id)
        if channel is None:  # discord.py keeps no DM; what was said there lately it has among all messages
            return any(one.id > shown[-1] and one.channel.id == self.state.id for one in client.cached_messages)
        return (getattr(channel, "last_message_id", None) or 0) > shown[-1]

    def _settled(self, answer: Answer) -> None:
        """Nothing more is to be shown of an answer, and the store knows it."""
        self._drawings.pop(answer.turn.id, None)
        self._tools.unsettled.discard(answer.turn.id)
        counts = self._counts.pop(answer.turn.id, TurnCounts())
        if answer.phase is Phase.DELIVERED:
            self._do(self._tools.announce(answer, counts))
            if answer.notice is NoticeState.BY_REACTION:
                self._start(Notify(answer, NoticeKind.TAKEN_BACK))
            if answer.waited:
                self._start(Notify(answer, NoticeKind.LATE))
