"""What is to be done next for the answers of a channel: all rules of order, in one place and without I/O.

`arranging.arrange` decides which messages stay, `next_steps` says what may be done now. What comes of a step is told to
`applied.apply`. Times are seconds of one clock that never goes back.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from llmgine.messages.deliveries import DeliveryKey
from programs.discord.components.button_layout import asks
from programs.discord.delivery.answer import (
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
    old_key,
)
from programs.discord.delivery.bodies import is_courtesy

OWED_AFTER = 120.0  # seconds until later answers wait no longer


@dataclass(frozen=True, eq=False)
class Post:
    """Post the part of a slot. `number` makes the nonce.

    `urgent` when what is below it is waited for, so that it goes first even where it is a courtesy.
    """

    answer: Answer
    slot: Slot
    part: Part
    number: int
    attempt: int
    urgent: bool = False


@dataclass(frozen=True, eq=False)
class Edit:
    """Show another body in a slot. `urgent` when people wait for it, so that it is no mere preview."""

    answer: Answer
    slot: Slot
    part: Part
    urgent: bool


@dataclass(frozen=True, eq=False)
class Delete:
    """Delete the message of a slot."""

    answer: Answer
    slot: Slot


@dataclass(frozen=True, eq=False)
class Store:
    """Store which message shows which part; `last` when nothing more is owed at this phase of this attempt.

    With `no_more` it is noted that there is nothing else of it in the channel.
    """

    answer: Answer
    places: tuple[tuple[DeliveryKey, Slot], ...]
    last: bool
    phase: Phase
    attempt: int
    no_more: bool


@dataclass(frozen=True, eq=False)
class LookUp:
    """Look up what is not known of an answer; `alone` when no other one may have a message that nobody knows of."""

    answer: Answer
    alone: bool


class NoticeKind(Enum):
    """What people, or the engine, are told of an answer."""

    SHUT = auto()  # The bot may not write where it was asked.
    LOCKED = auto()  # It was asked in a thread that is locked.
    FAILING = auto()  # Discord does not take it, so later answers come first.
    UNKNOWN = auto()  # Part of it may be there, and the bot may not read the channel to know.
    LATE = auto()  # Discord made it wait for long.
    TAKEN_BACK = auto()  # It is there after all, so the reaction on the question goes.
    STOP = auto()  # A person deleted it while it was written: its turn is to be stopped.


@dataclass(frozen=True, eq=False)
class Notify:
    """Tell people, or the engine, about an answer."""

    answer: Answer
    kind: NoticeKind


Step = Post | Edit | Delete | Store | LookUp | Notify


@dataclass
class Plan:
    """What may be done now: one post, one change of a message, and the rest beside them.

    Attributes:
        paced: When to look again because a preview may be shown then.
        retry: When to look again because something may be tried again then.
    """

    post: Post | None = None
    change: Edit | Delete | None = None
    others: list[Store | LookUp | Notify] = field(default_factory=list)
    paced: float = math.inf
    retry: float = math.inf

    def is_time(self, now: float, *, retry_at: float, paced_until: float = 0.0) -> bool:
        """Whether both times have come; else it is to be looked at again then."""
        if retry_at > now:
            self.retry = min(self.retry, retry_at)
        elif paced_until > now:
            self.paced = min(self.paced, paced_until)
        return max(retry_at, paced_until) <= now


def next_steps(channel: Channel, now: float) -> Plan:
    """What may be done now.

    At most one message is posted at a time in a channel, and one changed. Nothing is posted while a message that
    may not be stored yet is looked for, nor below an answer that has ended and is not all there.
    """
    plan = Plan()
    waiting = False  # for an answer above
    reading = any(answer.looking and answer.lookup is Lookup.CHANNEL for answer in channel.answers)
    posting = any(slot.asked and slot.state is SlotState.POSTING for answer in channel.answers for slot in answer.slots)
    changing = any(
        slot.asked and slot.state is not SlotState.POSTING for answer in channel.answers for slot in answer.slots
    )
    for answer in channel.answers:
        if answer.lookup is Lookup.STORE or (answer.lookup is Lookup.CHANNEL and answer.phase is not Phase.GIVEN_UP):
            _look_up(channel, answer, plan, now)
            if answer.drawn:
                _tell_of_shut(channel, answer, plan)
            waiting |= answer.phase is Phase.OUTCOME
            continue
        _store(channel, answer, plan, now)
        if not changing and channel.state is not ChannelState.GONE:
            _change(channel, answer, plan, now)
        part = _missing(answer)
        if part is None:
            continue
        _tell_of_shut(channel, answer, plan)
        if answer.lookup is Lookup.BARRED:
            if channel.state is ChannelState.OPEN and not answer.told_unknown:
                plan.others.append(Notify(answer, NoticeKind.UNKNOWN))
            continue
        if channel.state is not ChannelState.SHUT and not (waiting or posting or reading):
            _post(channel, answer, part, plan, now)
        waiting |= answer.phase is Phase.OUTCOME
    if any(_reads(step) for step in plan.others):
        plan.post = None  # it is posted when the channel was read
    return plan


def _reads(step: Step) -> bool:
    """Whether a step reads what is in the channel."""
    return isinstance(step, LookUp) and step.answer.lookup is Lookup.CHANNEL


def _tell_of_shut(channel: Channel, answer: Answer, plan: Plan) -> None:
    if channel.state is ChannelState.SHUT and answer.notice is NoticeState.NOT:
        plan.others.append(Notify(answer, NoticeKind.SHUT))


def _look_up(channel: Channel, answer: Answer, plan: Plan, now: float) -> None:
    if answer.looking or (answer.lookup is Lookup.CHANNEL and not _may_be_read(channel, plan)):
        return
    if plan.is_time(now, retry_at=answer.retry_at):
        plan.others.append(LookUp(answer, not any(one.is_in_doubt for one in channel.answers if one is not answer)))


def _may_be_read(channel: Channel, plan: Plan) -> bool:
    """Whether a message that is found in the channel, and that the store does not know, is nobody's yet."""
    if channel.state is ChannelState.GONE or any(_reads(step) for step in plan.others):
        return False
    return not any(
        (answer.looking and answer.lookup is Lookup.CHANNEL) or any(_is_unstored(slot) for slot in answer.slots)
        for answer in channel.answers
    )


def _is_unstored(slot: Slot) -> bool:
    """Whether Discord has, or may have, a message that the store does not know of."""
    return slot.stored is None and (slot.message_id != 0 or slot.asked or slot.tries > 0)


def _store(channel: Channel, answer: Answer, plan: Plan, now: float) -> None:
    """A message is stored when it is there, and before it is deleted it is stored as one that shows no part."""
    placed = answer.placed()
    last = _is_over(answer, placed)
    leaving = [slot for slot in answer.slots if slot.state is SlotState.LEAVING and slot.message_id]
    changed = any(slot.message_id and slot.stored is None for slot in answer.slots) or (
        answer.phase is not Phase.WITHDRAWN and any(slot.stored and slot.stored.kind != OLD for slot in leaving)
    )
    posts = _missing(answer) is not None and channel.state is ChannelState.OPEN
    is_due = last or changed or (posts and answer.no_more)  # a process that dies over a post must not leave the note
    if answer.storing or not is_due or not plan.is_time(now, retry_at=answer.retry_at):
        return
    is_known = answer.lookup is Lookup.NOTHING and answer.unknown_since is None and _missing(answer) is None
    plan.others.append(_places(answer, placed, last=last, no_more=is_known and not (last or channel.may_read)))


def _places(answer: Answer, placed: list[Slot], *, last: bool, no_more: bool) -> Store:
    """Where the parts are shown now, to be stored."""
    leaving = [slot for slot in answer.slots if slot.state is SlotState.LEAVING and slot.message_id]
    keys = [part.key for part in answer.parts]
    shown = [slot for slot in placed if slot.message_id]
    # What was not shown yet in a message from before is stored only when it is: a missing one is no person's doing.
    places = [
        (keys[number] if number < len(keys) and (last or not slot.inherited) else old_key(number), slot)
        for number, slot in enumerate(shown)
    ]
    places += [(old_key(number), slot) for number, slot in enumerate(leaving, len(shown))]
    if last and not answer.drawn:  # it was forgotten, or there is nothing to show
        places = []
    return Store(answer, tuple(places), last, answer.phase, answer.turn.attempt, no_more)


def _is_over(answer: Answer, placed: list[Slot]) -> bool:
    """Whether nothing more is to be done for it in Discord."""
    if answer.phase is Phase.GIVEN_UP:
        return not any(slot.asked for slot in answer.slots)
    has_ended = answer.phase in (Phase.OUTCOME, Phase.OWED, Phase.WITHDRAWN)
    if not has_ended or answer.lookup is not Lookup.NOTHING or len(placed) < len(answer.slots):
        return False
    if answer.phase is Phase.WITHDRAWN:  # and no message is there that nobody knows of
        return not answer.slots and answer.unknown_since is None
    return len(placed) == len(answer.parts) and all(
        slot.state is SlotState.TAKEN_AWAY or (slot.message_id != 0 and slot.shows == part.body and not slot.asked)
        for slot, part in zip(placed, answer.parts, strict=True)
    )


def _missing(answer: Answer) -> Part | None:
    """The first part that has no message, if there is one; also where its message is being posted."""
    placed = answer.placed()
    if answer.phase in (Phase.GIVEN_UP, Phase.DELIVERED):
        return None
    for number, slot in enumerate(placed):
        if slot.state is SlotState.POSTING:  # where it has no part any more it is posted all the same, and then leaves
            body = slot.shows or {}
            return answer.parts[number] if number < len(answer.parts) else Part(old_key(number), body)
    if answer.phase is Phase.WITHDRAWN:
        return None
    return answer.parts[len(placed)] if len(placed) < len(answer.parts) else None


def _post(channel: Channel, answer: Answer, part: Part, plan: Plan, now: float) -> None:
    """The first part that has no message, unless something of the answer is still to be stored, or a note to go.

    What is above it in the channel is posted first, and as soon as this would be.
    """
    if plan.post is not None:
        if not is_courtesy(part.body):
            plan.post = replace(plan.post, urgent=True)
        return
    if channel.state is ChannelState.GONE or (channel.is_ending and not answer.has_ended):
        return
    if answer.storing or answer.no_more or any(slot.message_id and slot.stored is None for slot in answer.slots):
        return
    if not answer.has_ended and part.key in answer.refused:
        return
    slot = next((slot for slot in answer.slots if slot.state is SlotState.POSTING), None)
    settles_at = answer.settles_at if part.key.kind == "card" and not answer.has_ended else 0.0
    retry_at = max(answer.retry_at, slot.retry_at if slot else 0.0)
    if not plan.is_time(now, retry_at=retry_at, paced_until=settles_at):
        if answer.failing_since is not None and answer.phase is not Phase.OWED:
            plan.retry = min(plan.retry, answer.failing_since + OWED_AFTER)
        return
    plan.post = Post(answer, slot or Slot(SlotState.POSTING), part, answer.posts, answer.turn.attempt)


def _change(channel: Channel, answer: Answer, plan: Plan, now: float) -> None:
    """What people wait for is shown first, then what is to go goes, then come previews."""
    for step in _changes(channel, answer):
        paced_until = step.slot.paced_until if isinstance(step, Edit) and not step.urgent else 0.0
        retry_at = max(step.slot.retry_at, answer.retry_at)
        if plan.is_time(now, retry_at=retry_at, paced_until=paced_until) and _rank(step) < _rank(plan.change):
            plan.change = step


def _changes(channel: Channel, answer: Answer) -> Iterator[Edit | Delete]:
    if answer.phase in (Phase.GIVEN_UP, Phase.DELIVERED):
        return
    # A message that nobody stored is recognized by the one above it, so that one stays until it is stored.
    may_go = not answer.storing and all(slot.stored is not None for slot in answer.slots)
    kept = answer.slots[-1:] if answer.lookup is Lookup.BARRED else []
    for slot in answer.slots:
        is_old = slot.stored is not None and (slot.stored.kind == OLD or answer.phase is Phase.WITHDRAWN)
        if slot.state is SlotState.LEAVING and is_old and may_go and slot not in kept:
            yield Delete(answer, slot)
    for slot, part in zip(answer.placed(), answer.parts, strict=False):
        if slot.state not in (SlotState.POSTED, SlotState.LIMITED) or slot.shows == part.body:
            continue
        urgent = answer.has_ended or channel.is_ending or asks(part.body)
        if urgent or part.key not in answer.refused:
            yield Edit(answer, slot, part, urgent)


def _rank(step: Edit | Delete | None) -> int:
    rank = 2 + is_courtesy(step.part.body) if isinstance(step, Edit) else 4 if step is None else 1
    return 0 if isinstance(step, Edit) and step.urgent else rank
