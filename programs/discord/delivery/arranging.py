"""Which messages of the answers in a channel stay, and what follows from the time that passes. No I/O."""

import math

from programs.discord.delivery.answer import Answer, Channel, ChannelState, Lookup, Phase, Slot, SlotState
from programs.discord.delivery.bodies import Body, attached_sizes
from programs.discord.delivery.next_steps import OWED_AFTER, NoticeKind, Notify

PLAIN_AFTER = 60.0  # seconds without an answer from Discord until a part is shown without its file
NONCE_IS_SURE = 120.0  # seconds in which a post is repeated with its nonce; Discord remembers it for a few minutes
_STALLED = 60.0  # seconds until the answer of a running turn is tried again after that


def arrange(channel: Channel, now: float, old_before: int) -> list[Notify]:
    """Decide which messages stay; returns what is to be told because of it.

    Args:
        channel: The channel.
        now: The time.
        old_before: Messages with smaller ids are too old to be edited often.
    """
    told = []
    for answer in channel.answers:
        told += _passed(channel, answer, now)
        if answer.lookup in (Lookup.NOTHING, Lookup.BARRED):
            _place(answer, now, old_before)
    if not any(answer.phase is Phase.OWED for answer in channel.answers):
        channel.told_of_failure = False
    return told


def _passed(channel: Channel, answer: Answer, now: float) -> list[Notify]:
    """What follows from the time for which Discord has not answered."""
    if channel.state is ChannelState.GONE and answer.has_ended:
        answer.enter(Phase.GIVEN_UP)
    _forget_posting(answer, now - NONCE_IS_SURE)
    if answer.lookup is Lookup.BARRED and answer.phase is Phase.OUTCOME:
        answer.enter(Phase.OWED)
    since = answer.failing_since
    if since is None or answer.phase in (Phase.OWED, Phase.GIVEN_UP) or _is_being_posted(answer):
        return []
    files = {part.key for part in answer.parts if attached_sizes(part.body)}
    if files and now - since >= PLAIN_AFTER:
        answer.plain |= files
        answer.reform()
    if now - since < OWED_AFTER:
        return []
    _forget_posting(answer, now)
    answer.failing_since = None
    if answer.phase is not Phase.OUTCOME:
        answer.retry_at = now + _STALLED
        return []
    answer.phase, answer.retry_at = Phase.OWED, math.inf
    if channel.told_of_failure:
        return []
    channel.told_of_failure = True
    return [Notify(answer, NoticeKind.FAILING)]


def is_forgotten(since: float | None, now: float) -> bool:
    """Whether Discord may have forgotten the nonce of what was posted then."""
    return since is not None and since <= now - NONCE_IS_SURE


def _forget_posting(answer: Answer, until: float) -> None:
    """What may have been posted until then is looked for before anything else of the answer is posted."""
    slot = next((slot for slot in answer.slots if slot.state is SlotState.POSTING), None)
    since = slot.began_at if slot is not None and slot.tries else answer.unknown_since
    if since is None or since > until or answer.lookup is not Lookup.NOTHING or (slot is not None and slot.asked):
        return
    if slot is not None:
        answer.slots.remove(slot)
    answer.lookup, answer.unknown_since = Lookup.CHANNEL, since


def _is_being_posted(answer: Answer) -> bool:
    return any(slot.asked and slot.state is SlotState.POSTING for slot in answer.slots)


def _place(answer: Answer, now: float, old_before: int) -> None:
    """From above to below, slots that cannot show their part leave, and so do those that have none."""
    left = iter(answer.parts if answer.phase is not Phase.WITHDRAWN else ())
    part = next(left, None)
    for slot in answer.slots:
        if slot.state is SlotState.LEAVING:
            continue
        if part is not None:
            if _can_show(answer, slot, part.body, now, old_before):
                part = next(left, None)
            else:
                slot.state, slot.retry_at = SlotState.LEAVING, now  # a limit of edits is none of deletions
        elif slot.state is not SlotState.POSTING and (answer.has_ended or _is_of_this_run(slot)):
            slot.state, slot.retry_at = SlotState.LEAVING, now
    if answer.has_ended:
        answer.slots = [slot for slot in answer.slots if slot.message_id or slot.state is not SlotState.LEAVING]


def _can_show(answer: Answer, slot: Slot, body: Body, now: float, old_before: int) -> bool:
    if slot.state in (SlotState.POSTING, SlotState.TAKEN_AWAY) or slot.shows == body:
        return True
    if slot.state is SlotState.TOO_OLD or (
        slot.state is SlotState.LIMITED and answer.has_ended and slot.retry_at > now
    ):
        return False
    is_known = slot.shows is not None or slot.inherited  # to be other than the body
    return not (is_known and slot.message_id < old_before)


def _is_of_this_run(slot: Slot) -> bool:
    """Whether it shows something that was drawn since the turn began; what is from before stays until it is covered."""
    return not slot.inherited and slot.shows is not None
