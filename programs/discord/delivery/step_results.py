"""What follows from the result of a step: the only place that changes what is known of messages. No I/O."""

import math
from dataclasses import dataclass

from llmgine.messages.deliveries import Delivery
from llmgine.messages.steps import Turn
from programs.discord.components.button_layout import asks
from programs.discord.delivery.answer import (
    NO_MORE,
    OLD,
    Answer,
    Channel,
    ChannelState,
    Lookup,
    NoticeState,
    Part,
    Phase,
    Slot,
    SlotState,
)
from programs.discord.delivery.arranging import is_forgotten
from programs.discord.delivery.bodies import file_of, plain_form
from programs.discord.delivery.next_steps import Delete, Edit, LookUp, NoticeKind, Notify, Post, Step, Store
from programs.discord.delivery.notices import AGAINST_THE_RULES, NOT_TAKEN, WITHOUT_WORDS
from programs.discord.delivery.refusals import DeliveryRefusedError
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

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 30.0  # seconds between two tries
_LONGEST_UNSTORED = 4.0  # seconds between two tries to store where a message is: killed before, it may not be found
_LONG = 30.0  # seconds; discord.py itself waits for shorter limits


@dataclass(frozen=True)
class Pace:
    """How hurried requests are.

    Attributes:
        interval: Seconds between two previews in a message.
        first_wait: Seconds until a request that got no answer is made again; doubled each time.
    """

    interval: float
    first_wait: float

    def after(self, tries: int) -> float:
        """Seconds until the next try."""
        return min(_LONGEST_PAUSE, max(self.first_wait, _SHORTEST_PAUSE) * 2.0 ** min(tries - 1, 30))


def begun(step: Step, now: float) -> None:
    """A step is under way from here on."""
    match step:
        case Post(answer=answer, slot=slot, part=part):
            slot.asked, slot.shows = True, part.body
            if not slot.tries:  # what may be there from before is what this nonce brings back
                slot.began_at = now if answer.unknown_since is None else answer.unknown_since
            if slot not in answer.slots:
                answer.slots.append(slot)
        case Edit(slot=slot) | Delete(slot=slot):
            slot.asked = True
        case Store(answer=answer, no_more=no_more):
            answer.storing, answer.no_more = True, answer.no_more or no_more
        case LookUp(answer=answer):
            answer.looking = True
        case Notify(answer=answer, kind=NoticeKind.SHUT):
            answer.notice = NoticeState.BY_WORDS  # or is about to be
        case Notify(answer=answer, kind=NoticeKind.UNKNOWN):
            answer.told_unknown = True


def apply(channel: Channel, step: Step, result: Result, now: float, pace: Pace) -> list[Notify]:
    """A step has this result; returns what is to be told because of it."""
    if isinstance(result, Unsure):
        _may_be_done(step)
        result = result.last
    match step:
        case Post():
            step.slot.asked = False
            return _posted(channel, step, result, now, pace)
        case Edit():
            step.slot.asked = False
            return _edited(channel, step, result, now, pace)
        case Delete():
            step.slot.asked = False
            _deleted(channel, step, result, now, pace)
        case Store():
            step.answer.storing = False
            _stored(channel, step, result, now, pace)
        case LookUp():
            step.answer.looking = False
            _looked_up(channel, step.answer, result, now, pace)
        case Notify(kind=NoticeKind.SHUT) if isinstance(result, Notified):
            step.answer.notice = result.notice
    return []


def _may_be_done(step: Step) -> None:
    """An earlier request of the step got no answer, whatever the last one was answered with."""
    match step:
        case Post(slot=slot):
            slot.tries = max(1, slot.tries)
        case Edit(slot=slot):
            slot.shows = None


def _posted(channel: Channel, step: Post, result: Result, now: float, pace: Pace) -> list[Notify]:
    answer, slot = step.answer, step.slot
    match result:
        case Done(message_id=message_id):
            answer.posts = max(answer.posts, step.number + 1)
            answer.failing_since, answer.unknown_since, slot.tries = None, None, 0
            if any(other.message_id == message_id for one in channel.answers for other in one.slots):
                answer.slots.remove(slot)  # it was found by reading the channel
                return []
            slot.state, slot.message_id, slot.retry_at = SlotState.POSTED, message_id, now
            slot.shows = step.part.body if result.shown else None
            slot.inherited = step.attempt != answer.turn.attempt
            slot.paced_until = now + pace.interval
            answer.slots.sort(key=lambda one: one.message_id)
        case Unknown():
            _fail(answer, slot, now, pace)
        case Wait(seconds=seconds):
            _wait(answer, slot, seconds, now)
            answer.waited |= seconds > _LONG
        case _:
            _leave_posting(answer, slot)
            return _not_posted(channel, step, result)
    return []


def _not_posted(channel: Channel, step: Post, result: Result) -> list[Notify]:
    answer = step.answer
    if isinstance(result, Shut):
        _shut(channel, result.code)
        return []
    if not isinstance(result, Refused):
        raise TypeError(f"{result} is no result of a post")
    if result.error.no_history:
        answer.replies = False
    elif result.error.no_message:  # Discord answers so to the nonce of a message that was deleted
        answer.posts = step.number + 1
        answer.unknown_since = None
    else:
        return _refused(channel, answer, step.part, result.error)
    return []


def _edited(channel: Channel, step: Edit, result: Result, now: float, pace: Pace) -> list[Notify]:
    answer, slot = step.answer, step.slot
    match result:
        case Done():
            slot.shows, slot.tries, slot.retry_at = step.part.body, 0, now
            slot.state = SlotState.POSTED if slot.state is SlotState.LIMITED else slot.state
            slot.inherited, answer.failing_since = False, None
            slot.paced_until = now + pace.interval
        case Unknown():
            slot.shows = None
            _fail(answer, slot, now, pace)
        case Wait(seconds=seconds):
            _wait(answer, slot, seconds, now)
            slot.state = SlotState.LIMITED if seconds > _LONG else slot.state
        case Shut(code=code):
            slot.retry_at = math.inf
            _shut(channel, code)
            return [Notify(answer, NoticeKind.SHUT)] if answer.notice is NoticeState.NOT else []
        case Refused(error=error) if error.too_old:
            slot.state = SlotState.TOO_OLD
        case Refused(error=error) if error.no_message:
            return _missed(step)
        case Refused(error=error):
            return _refused(channel, answer, step.part, error)
    return []


def _missed(step: Edit) -> list[Notify]:
    """The message is not there. Somebody took it away, unless it was from before, or people have to press in it."""
    answer, slot = step.answer, step.slot
    if slot.inherited or slot.state is SlotState.LEAVING or asks(step.part.body):
        answer.slots.remove(slot)
        return []
    slot.state = SlotState.TAKEN_AWAY
    return [] if answer.has_ended else [Notify(answer, NoticeKind.STOP)]


def _deleted(channel: Channel, step: Delete, result: Result, now: float, pace: Pace) -> None:
    match result:
        case Unknown():
            _fail(step.answer, step.slot, now, pace)
        case Wait(seconds=seconds):
            step.slot.retry_at = now + seconds
        case Shut(code=code):
            step.slot.retry_at = math.inf
            _shut(channel, code)
        case Refused(error=error) if error.gone:
            channel.state = ChannelState.GONE
        case _:  # where Discord does not let it be deleted it stays
            step.answer.slots.remove(step.slot)
            step.answer.failing_since = None


def _stored(channel: Channel, step: Store, result: Result, now: float, pace: Pace) -> None:
    answer = step.answer
    if not isinstance(result, Done):
        answer.tries += 1
        answer.retry_at = now + min(_LONGEST_UNSTORED, pace.after(answer.tries))
        return
    answer.tries, answer.no_more = 0, step.no_more
    for key, slot in step.places:
        slot.stored = key
    if step.last and (step.phase, step.attempt) == (answer.phase, answer.turn.attempt):  # else there is more to do
        if answer.phase in (Phase.OUTCOME, Phase.OWED):
            answer.phase = Phase.DELIVERED
        channel.answers.remove(answer)


def _looked_up(channel: Channel, answer: Answer, result: Result, now: float, pace: Pace) -> None:
    match result:
        case Loaded(turn=turn) if turn is not None and turn.attempt == answer.turn.attempt:
            _loaded(answer, turn, result.parts)
        case Loaded(turn=turn) if turn is not None and turn.attempt < answer.turn.attempt:
            pass  # it was read before the present attempt was stored, so it is read once more
        case Loaded():  # it was forgotten with all of its messages, or a newer attempt shows them
            channel.answers.remove(answer)
        case Found(message_ids=found):
            _found(answer, found, now)
        case Wait(seconds=seconds):
            answer.retry_at = now + seconds
        case Shut(code=code):
            answer.retry_at = math.inf
            _shut(channel, code)
        case Refused(error=error) if error.gone:
            channel.state = ChannelState.GONE
        case _ if answer.phase is Phase.OWED:
            answer.retry_at = math.inf
        case _:
            answer.tries += 1
            answer.retry_at = now + pace.after(answer.tries)
            if answer.lookup is Lookup.CHANNEL:
                answer.failing_since = now if answer.failing_since is None else answer.failing_since


def _loaded(answer: Answer, turn: Turn, parts: tuple[Delivery, ...]) -> None:
    """The messages that the store knows of, and what is to be shown in them. What an earlier attempt left is old."""
    answer.slots += [
        Slot(SlotState.POSTED, int(part.message_id), stored=part.key, inherited=part.key.kind == OLD)
        for part in parts
        if part.message_id
    ]
    answer.slots.sort(key=lambda slot: slot.message_id)
    answer.posts, answer.tries = max(answer.posts, turn.posts), 0
    answer.lookup = Lookup.CHANNEL
    if any(part.key == NO_MORE for part in parts):
        answer.no_more, answer.unknown_since = True, None
    if answer.phase in (Phase.OUTCOME, Phase.OWED) and not answer.drawn:
        answer.show([Part(part.key, part.body) for part in parts if part.body])
    stored = {part.key for part in parts if part.message_id}
    for key, body in answer.drawn:
        if file_of(body) and key.model_copy(update={"part": key.part + 1}) in stored:  # it was begun without its file
            answer.plain.add(key)
    answer.reform()


def _found(answer: Answer, found: tuple[int, ...] | None, now: float) -> None:
    """The messages that nobody stored. Where they cannot be looked for, the nonce finds one as long as it is known."""
    answer.tries = 0
    if found is None and is_forgotten(answer.unknown_since, now):
        answer.lookup = Lookup.BARRED
        return
    answer.lookup = Lookup.NOTHING
    if found is None:
        return
    answer.unknown_since = None
    known = {slot.message_id for slot in answer.slots}
    new = [one for one in found if one not in known]
    answer.slots += [Slot(SlotState.POSTED, one, inherited=True) for one in new]
    answer.slots.sort(key=lambda slot: slot.message_id)
    answer.posts += len(new)


def _fail(answer: Answer, slot: Slot, now: float, pace: Pace) -> None:
    """There was no answer; it is tried again, for an answer that is owed only when something has changed."""
    slot.tries += 1
    slot.retry_at = now + pace.after(slot.tries)
    if answer.phase is Phase.OWED:
        answer.retry_at = math.inf
        if slot.state is SlotState.POSTING:
            _leave_posting(answer, slot)
    elif answer.failing_since is None:
        answer.failing_since = now


def _wait(answer: Answer, slot: Slot, seconds: float, now: float) -> None:
    slot.retry_at = now + seconds
    if answer.failing_since is not None:  # that nothing may be asked does not count as failing
        answer.failing_since += seconds


def _leave_posting(answer: Answer, slot: Slot) -> None:
    """It was not posted, unless an earlier request without an answer did it, which is looked for."""
    if slot in answer.slots:
        answer.slots.remove(slot)
    if slot.tries:
        answer.lookup, answer.unknown_since = Lookup.CHANNEL, slot.began_at


def _shut(channel: Channel, code: int) -> None:
    if channel.state is not ChannelState.GONE:
        channel.state, channel.code = ChannelState.SHUT, code


def _refused(channel: Channel, answer: Answer, part: Part, error: DeliveryRefusedError) -> list[Notify]:
    """Discord does not take a part: it is shown in another form, or not at all."""
    if error.gone:
        channel.state = ChannelState.GONE
        return []
    if error.locked:
        answer.enter(Phase.GIVEN_UP)
        return [Notify(answer, NoticeKind.LOCKED)]
    if part.key not in answer.plain and part.key not in answer.replaced and plain_form(part.body) != [part.body]:
        answer.plain.add(part.key)
    elif not answer.has_ended:  # a preview that is not taken need not mean that the whole text is not
        answer.refused.add(part.key)
    else:
        answer.replaced[part.key] = _in_place(answer, answer.replaced.get(part.key, ""), error)
    answer.reform()
    return []


def _in_place(answer: Answer, refused: str | None, error: DeliveryRefusedError) -> str | None:
    """What is shown in place of a part, after this was refused in its place: words, then a sign, then nothing."""
    if refused == "":
        return answer.say(AGAINST_THE_RULES if error.against_the_rules else NOT_TAKEN)
    return None if refused in (WITHOUT_WORDS, None) else WITHOUT_WORDS
