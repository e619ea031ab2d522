"""What `channel.py` is around the rules, without a loop: requests are under way until a test answers them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import Turn
from programs.discord.delivery.answer import (
    NO_MORE,
    Answer,
    Channel,
    ChannelState,
    Lookup,
    NoticeState,
    Part,
    Phase,
    SlotState,
)
from programs.discord.delivery.arranging import arrange
from programs.discord.delivery.next_steps import (
    Delete,
    Edit,
    LookUp,
    NoticeKind,
    Notify,
    Plan,
    Post,
    Step,
    Store,
    next_steps,
)
from programs.discord.delivery.pausing import look_again, pause
from programs.discord.delivery.read_back import orphans_of
from programs.discord.delivery.refusals import UNKNOWN_MESSAGE, DeliveryRefusedError
from programs.discord.delivery.request_results import (
    Done,
    Found,
    Loaded,
    Notified,
    Refused,
    Result,
    Shut,
    Unknown,
    Unsure,
    Wait,
)
from programs.discord.delivery.step_results import Pace, apply, begun
from tests.programs.discord.delivery.discord_model import LANDS_WITHIN, SimulatedDiscord
from tests.programs.discord.delivery.store_model import SimulatedStore

PACE = Pace(interval=1.2, first_wait=1.0)
REQUEST_LASTS = 50.0  # seconds, at most
ACCESS_REMEMBERED = 600.0  # seconds for which a refusal is remembered
_MOST_ROUNDS = 60  # of work that leads to more work at the same moment


class Fate(StrEnum):
    """What becomes of a request; the store knows only the first three."""

    FINE = "fine"  # It is answered as things are.
    LOST = "lost"  # It never arrived, and there is no answer.
    UNANSWERED = "unanswered"  # It arrived, and there is no answer.
    LATE = "late"  # There is no answer, and it arrives later.
    LIMITED = "limited"  # Discord asks to wait for a short time.
    LONG_LIMITED = "long limited"  # Discord asks to wait for a long time.
    INVALID = "invalid"  # Discord does not take the body.
    AGAINST_RULES = "against the rules"  # The server's rules forbid it.
    UNSURE_SHUT = "unsure, then shut"  # It arrived without an answer, and is repeated when the bot may not write there.
    UNSURE_LIMITED = "unsure, then limited"  # It arrived without an answer, and is repeated when Discord asks to wait.
    TOO_OLD = "too old"  # The message takes no more edits.
    OUTDATED = "outdated"  # A look-up is answered by what was there when it began.


_WAITS = {Fate.LIMITED: 20.0, Fate.LONG_LIMITED: 45.0}
_UNSURE: dict[Fate, Shut | Wait] = {Fate.UNSURE_SHUT: Shut(50013), Fate.UNSURE_LIMITED: Wait(45.0)}
_REFUSALS = {Fate.INVALID: 50035, Fate.AGAINST_RULES: 200000}


@dataclass(eq=False)
class Request:
    """A step that is under way."""

    step: Step
    began: float
    reply_to: int | None = None
    code: int = 0
    seen: Callable[[], Result] | None = None  # what a look-up sees that is answered by what was there when it began
    write: Callable[[], None] | None = None  # what a write to the store writes


class Shell:
    """Drives the rules for one channel, as a process does that may be killed.

    Attributes:
        running: Requests that are under way.
        allowed: Whether the budget allows a request now.
        knows_rights: Whether the process is told at once when the bot's permissions change.
        settled: The answers for which nothing more is to be done, with the phase in which each was settled.
        told: What people were told.
        refused: Keys of the parts that Discord refused in some form, by turn.
        unsettled: The turns that an earlier process may have posted something of that nobody knows of.
    """

    def __init__(self, discord: SimulatedDiscord, store: SimulatedStore, questions: dict[str, int]) -> None:
        self.discord, self.store, self.questions = discord, store, questions
        self.channel = Channel(1)
        self.running: list[Request] = []
        self.allowed = True
        self.knows_rights = True
        self.is_ending = False
        self.settled: list[tuple[Answer, Phase]] = []
        self.told: list[tuple[str, NoticeKind]] = []
        self.refused: set[tuple[str, DeliveryKey]] = set()
        self.unsettled: set[str] = set()
        self.plan = Plan()
        self._shut: tuple[int, float] = 0, -math.inf  # the code of a refusal, and until when it is remembered

    # What comes in.

    def begin(self, turn: Turn, parts: list[Part], *, resumed: bool) -> None:
        """A turn begins, and shows these parts."""
        answer = self.answer(turn.id)
        if answer is None:
            is_known = turn.attempt == 1 and not resumed
            answer = Answer(turn) if is_known else self._from_before(turn, resumed=resumed)
        else:
            self.channel.answers.remove(answer)
            answer.again(turn)
        self.channel.answers.append(answer)
        answer.show(parts)
        self.work()

    def _from_before(self, turn: Turn, *, resumed: bool = False) -> Answer:
        answer = Answer(turn, lookup=Lookup.STORE, posts=turn.posts)
        if resumed or turn.id in self.unsettled:
            answer.unknown_since = self.asked_at(turn)
        return answer

    def asked_at(self, turn: Turn) -> float:
        """When the question of a turn was asked."""
        return self.discord.posted_at(self.questions[turn.id])

    def progress(self, turn_id: str, parts: list[Part]) -> None:
        """A running turn shows these parts now."""
        answer = self.answer(turn_id)
        if answer is not None and not self.is_ending:
            answer.show(parts)
            self.work()

    def finish(self, turn: Turn, parts: list[Part]) -> None:
        """A turn has ended."""
        answer = self.answer(turn.id)
        if answer is None:
            answer = self._from_before(turn)
            self.channel.answers.append(answer)
        if answer.turn.attempt == turn.attempt and answer.phase is not Phase.WITHDRAWN:
            answer.show(parts, Phase.OUTCOME)
        self.work()

    def withdraw(self, turn: Turn) -> None:
        """A turn was forgotten."""
        answer = self.answer(turn.id)
        if answer is None:
            answer = self._from_before(turn)
            self.channel.answers.append(answer)
        answer.withdraw(turn)
        self.work()

    def recover(self) -> None:
        """Take over what an earlier process owes."""
        self.unsettled = {turn.id for turn in (*self.store.undelivered(), *self.store.unfinished())}
        for turn in self.store.undelivered():
            phase = Phase.WITHDRAWN if turn.state == "forgotten" else Phase.OUTCOME
            self.channel.answers.append(self._from_before(turn))
            self.channel.answers[-1].phase = phase
        self.work()

    def look_again(self, given_up: list[Answer] | None = None) -> None:
        """Try what could not be done."""
        look_again(self.channel, self.discord.now, shut=self._shut_out() is not None, given_up=given_up or ())
        self.work()

    def rights_changed(self) -> None:
        """Permissions changed: what was refused before may be allowed now."""
        self._shut = 0, -math.inf
        self.look_again()

    def removed(self) -> None:
        """The channel is gone."""
        self.channel.state = ChannelState.GONE
        self.work()

    def pause(self, note: str) -> None:
        """The bot ends."""
        pause(self.channel, note)
        self.is_ending = True
        self.work()

    # What goes out.

    def answer(self, turn_id: str) -> Answer | None:
        """The answer of a turn that is not settled."""
        return next((one for one in self.channel.answers if one.turn.id == turn_id), None)

    def work(self) -> None:
        """Start all that may be started now."""
        for _ in range(_MOST_ROUNDS):
            if not self._work():
                return
        raise AssertionError("there is always more to do at the same moment")

    def _work(self) -> bool:
        """Returns whether something changed that calls for one more round."""
        self.channel.may_read = self.discord.may_read or not self.knows_rights
        told = arrange(self.channel, self.discord.now, self.discord.old_before)
        self.plan = next_steps(self.channel, self.discord.now)
        for step in (*told, *self.plan.others):
            self._start(step)
        if self.plan.post is not None:
            shut = self._shut_out()
            if shut is not None:
                self._take(Request(self.plan.post, self.discord.now), shut)
                return True
            if self.allowed:
                self._start(self.plan.post)
        if self.plan.change is not None and self.allowed:
            self._start(self.plan.change)
        return False

    def _start(self, step: Step) -> None:
        self._check(step)
        request = Request(step, self.discord.now, code=self.channel.code)
        if isinstance(step, Post):
            request.reply_to = self._reply_to(step.answer)
        elif isinstance(step, LookUp):
            found = self._look_up(step)
            request.seen = lambda: found
        elif isinstance(step, Store):
            request.write = self._write_of(step)
        elif isinstance(step, Notify):
            self.told.append((step.answer.turn.id, step.kind))
        begun(step, self.discord.now)
        self.running.append(request)

    def _check(self, step: Step) -> None:
        """The rules of order that hold for every single request."""
        steps = [request.step for request in self.running]
        if isinstance(step, Post):
            assert not self.store.has_no_more(step.answer.turn), "posted though the store has it that there is no more"
            assert not any(isinstance(one, Post) for one in steps), "two posts at once"
            assert not any(_reads(one) for one in steps), "posted while the channel is read back"
            assert step.answer.has_ended or not self.is_ending, "something new of a running turn after the end"
            for above in self.channel.answers[: self.channel.answers.index(step.answer)]:
                assert above.phase is not Phase.OUTCOME or _is_there(above), "posted below an answer that misses a part"
        elif _reads(step):
            assert not any(_reads(one) or isinstance(one, Post) for one in steps), "read back beside a post"
        elif isinstance(step, Edit | Delete):
            assert not any(isinstance(one, Edit | Delete) for one in steps), "two changes at once"
            assert step.slot.message_id, "a change of a message that is not there"
        elif isinstance(step, Store):
            assert not any(isinstance(one, Store) and one.answer is step.answer for one in steps), (
                "stored twice at once"
            )

    def _write_of(self, step: Store) -> Callable[[], None]:
        turn, posts = step.answer.turn, step.answer.posts
        messages: list[tuple[DeliveryKey, int | str]] = [(key, slot.message_id) for key, slot in step.places]
        messages += [(NO_MORE, "")] * step.no_more
        return lambda: self.store.place(turn, messages, posts, sent=step.last)

    def _reply_to(self, answer: Answer) -> int | None:
        shown = [slot.message_id for slot in answer.placed() if slot.message_id]
        may = self.discord.may_read or not self.knows_rights
        replies = may and answer.replies and (not shown or self.discord.last_id() > shown[-1])
        return self.questions[answer.turn.id] if replies else None

    def _shut_out(self) -> Shut | None:
        code, until = self._shut
        if self.discord.now < until:
            return Shut(code)
        may = self.discord.may_view and self.discord.may_write
        return Shut(50013) if self.knows_rights and not may and not self.discord.is_gone else None

    # What comes back.

    def resolve(self, request: Request, fate: Fate) -> None:
        """A request has this fate."""
        self.running.remove(request)
        self._take(request, self._result(request, fate))
        self.work()

    def pass_time(self, seconds: float, *, arrived: bool) -> None:
        """Time passes; requests that last too long get no answer, whether they arrived or not."""
        end = self.discord.now + seconds
        while self.discord.now < end:
            times = [request.began + REQUEST_LASTS for request in self.running]
            until = min([end, self.plan.paced, self.plan.retry, *times])
            self.discord.pass_time(max(until - self.discord.now, 0.01))
            self._time_out(arrived=arrived)
            self.work()

    def _time_out(self, *, arrived: bool) -> None:
        for request in list(self.running):
            if request in self.running and self.discord.now - request.began >= REQUEST_LASTS:
                self.resolve(request, Fate.UNANSWERED if arrived else Fate.LOST)

    def kill(self, *, arrived: bool) -> None:
        """All that is under way arrives or not, and nobody hears of it."""
        for request in self.running:
            if arrived:
                self._do(request)

    def _result(self, request: Request, fate: Fate) -> Result:
        step = request.step
        at_discord = isinstance(step, Post | Edit | Delete) or (
            isinstance(step, LookUp) and step.answer.lookup is Lookup.CHANNEL
        )
        if fate in _WAITS and at_discord:
            return Wait(_WAITS[fate])
        if fate in _UNSURE and isinstance(step, Post | Edit):
            self._do(request)
            return Unsure(_UNSURE[fate])
        if fate in _REFUSALS and isinstance(step, Post | Edit):
            self.refused.add((step.answer.turn.id, step.part.key))
            return Refused(DeliveryRefusedError(_REFUSALS[fate], "refused"))
        if fate is Fate.TOO_OLD and isinstance(step, Edit):
            self.discord.freeze(step.slot.message_id)
        if fate is Fate.OUTDATED and request.seen is not None:
            return request.seen()
        if fate is Fate.LATE and isinstance(step, Post):
            self.discord.late.append((self.discord.now + LANDS_WITHIN / 2, lambda: self._do(request)))
            fate = Fate.LOST
        if fate is Fate.LOST and not isinstance(step, Notify):
            return Unknown()
        result = self._do(request)
        return Unknown() if fate is Fate.UNANSWERED and not isinstance(step, Notify) else result

    def _do(self, request: Request) -> Result:
        match request.step:
            case Post(answer=answer, part=part, number=number):
                return self._post(answer, self.discord.post(part.body, (answer.turn.id, number), request.reply_to))
            case Edit(answer=answer, slot=slot, part=part):
                return self.discord.edit(slot.message_id, part.body, answer.turn.id)
            case Delete(slot=slot):
                return self.discord.delete(slot.message_id)
            case Store() if request.write is not None:
                request.write()
            case LookUp() as step:
                return self._look_up(step)
            case Notify(kind=kind) if kind is not NoticeKind.STOP:
                return Notified(NoticeState.BY_REACTION)
        return Done()

    def _post(self, answer: Answer, result: Result) -> Result:
        """A message that a nonce brought back may show another turn by now."""
        if isinstance(result, Done) and not result.shown:
            owner = self.store.owners().get(result.message_id)
            if owner not in (None, answer.turn.id):
                return Refused(DeliveryRefusedError(UNKNOWN_MESSAGE, "it shows another turn"))
        return result

    def _look_up(self, step: LookUp) -> Result:
        turn = step.answer.turn
        if step.answer.lookup is not Lookup.CHANNEL:
            return Loaded(*self.store.load(turn.id))
        question = self.questions[turn.id]
        seen = self.discord.read(question)
        if not isinstance(seen, list):
            return seen
        unsure = step.answer.unknown_since is not None
        return Found(orphans_of(turn.id, question, seen, self.store.owners(), unsure=unsure, alone=step.alone))

    def _take(self, request: Request, result: Result) -> None:
        step, now = request.step, self.discord.now
        last = result.last if isinstance(result, Unsure) else result
        if isinstance(last, Shut) and isinstance(step, Post | Edit):
            self._shut = last.code, now + ACCESS_REMEMBERED
        for told in apply(self.channel, step, result, now, PACE):
            self._start(told)
        if isinstance(result, Loaded):
            step.answer.show(step.answer.drawn)
        if isinstance(step, Store) and step.answer not in self.channel.answers:
            self.settled.append((step.answer, step.answer.phase))
            self.unsettled.discard(step.answer.turn.id)


def _reads(step: Step) -> bool:
    return isinstance(step, LookUp) and step.answer.lookup is Lookup.CHANNEL


def _is_there(answer: Answer) -> bool:
    """Whether each part of an answer has a message, or had one that a person deleted."""
    placed = answer.placed()
    there = all(slot.message_id or slot.state is SlotState.TAKEN_AWAY for slot in placed)
    return answer.lookup is Lookup.NOTHING and there and len(placed) >= len(answer.parts)
