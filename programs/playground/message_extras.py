"""A message's poll, stickers and forwarded messages: how they come into it, and how people vote."""

from dataclasses import replace
from datetime import timedelta

from programs.playground.entities import Channel, Flag, Json, Message, MessageType, Permission, Poll, Reference, Sticker
from programs.playground.errors import ApiError, invalid_form, unknown
from programs.playground.forms import FORWARD, MessageForm, MessageReference, PollForm
from programs.playground.state import State

_FORWARDED = (MessageType.DEFAULT, MessageType.REPLY)  # a note of Discord's own cannot be
_KEPT = Flag.SUPPRESS_EMBEDS | Flag.IS_COMPONENTS_V2
_HOURS = 24  # how long a poll lasts if it does not say


def add_extras(state: State, message: Message, form: MessageForm) -> None:
    """Give a new message what its form names of these.

    Raises:
        ApiError: 10008, 10003 or 50001 for what cannot be forwarded, 50081 for what is no sticker.
    """
    if form.message_reference is not None and form.message_reference.type == FORWARD:
        _forward(state, message, form.message_reference)
    if form.poll is not None:
        message.poll = _poll(state, form.poll)
    message.stickers = [_sticker(state, one) for one in form.sticker_ids or []]


def _forward(state: State, message: Message, wanted: MessageReference) -> None:
    """A copy of another message goes with the new one, and stays as it is whatever becomes of the other."""
    channel = state.channel(wanted.channel_id or message.channel_id, message.author_id)
    if not state.permissions(message.author_id, channel) & Permission.READ_MESSAGE_HISTORY:
        raise unknown("Message")
    original = state.message(channel, wanted.message_id, message.author_id)
    if original.type not in _FORWARDED or (original.ephemeral_to is not None):
        raise invalid_form((("message_reference",), "MESSAGE_REFERENCE_INVALID", "This message cannot be forwarded"))
    copied = original.snapshots or [original]  # a forward that is forwarded is the message it began with
    message.reference = Reference(channel.id, original.id, FORWARD)
    message.snapshots = [_snapshot(state, one, message.channel_id) for one in copied]
    for file in message.files:
        state.attachments[file.id] = file


def _snapshot(state: State, of: Message, channel_id: int) -> Message:
    files = [replace(one, id=state.ids.next(), channel_id=channel_id) for one in of.attachments]
    return replace(
        of, attachments=files, snapshots=[], reactions={}, reference=None, nonce=None, poll=None, flags=of.flags & _KEPT
    )


def _poll(state: State, form: PollForm) -> Poll:
    answers = [one.poll_media.text or "" for one in form.answers]
    if not answers or not form.question.text:  # asked only after the permissions
        raise invalid_form((("poll",), "BASE_TYPE_REQUIRED", "A poll has a question and answers"))
    ends = state.ids.now() + timedelta(hours=form.duration or _HOURS)
    return Poll(form.question.text or "", answers, ends, multiselect=bool(form.allow_multiselect))


def _sticker(state: State, sticker_id: int) -> Sticker:
    if sticker_id not in state.guild.stickers:
        raise ApiError(400, 50081, "Invalid Sticker")
    return state.guild.stickers[sticker_id]


def vote(state: State, channel: Channel, message: Message, user_id: int, answer: int) -> None:
    """Choose an answer of a poll. Raises 10008 where there is none, 50035 for what is no answer."""
    poll = message.poll
    if poll is None:
        raise unknown("Message")
    if not 1 <= answer <= len(poll.answers):
        raise invalid_form((("answer_id",), "POLL_ANSWER_INVALID", "Unknown answer"))
    place = {"channel_id": str(channel.id), "message_id": str(message.id), "user_id": str(user_id)}
    if channel.guild_id is not None:
        place["guild_id"] = str(channel.guild_id)
    taken = [] if poll.multiselect else [one for one, who in poll.votes.items() if user_id in who and one != answer]
    for one in taken:
        poll.votes[one].remove(user_id)
        _tell(state, channel, "MESSAGE_POLL_VOTE_REMOVE", place | {"answer_id": one})
    if user_id not in poll.votes.setdefault(answer, []):
        poll.votes[answer].append(user_id)
        _tell(state, channel, "MESSAGE_POLL_VOTE_ADD", place | {"answer_id": answer})


def _tell(state: State, channel: Channel, name: str, payload: Json) -> None:
    state.emit(name, lambda _: dict(payload), state.audience(channel))
