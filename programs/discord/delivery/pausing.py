"""What the answers of a channel are told from outside: to try once more, and that the bot ends. No I/O."""

import math
from collections.abc import Iterable

from llmgine.messages.translatable import Text
from programs.discord.delivery.answer import Answer, Channel, ChannelState, Lookup, Part, Phase
from programs.discord.delivery.bodies import Body


def look_again(channel: Channel, now: float, *, shut: bool, given_up: Iterable[Answer] = ()) -> None:
    """Try what could not be done: the bot may write there now, or some time has passed."""
    if channel.state is ChannelState.SHUT and not shut:
        channel.state = ChannelState.OPEN
    for answer in given_up:
        answer.enter(Phase.GIVEN_UP)
    for answer in channel.answers:
        if answer.lookup is Lookup.BARRED:
            answer.lookup = Lookup.CHANNEL
        if answer.phase is Phase.OWED or math.isinf(answer.retry_at):
            answer.retry_at = min(answer.retry_at, now)
        for slot in answer.slots:
            if slot.tries or math.isinf(slot.retry_at):
                slot.retry_at = min(slot.retry_at, now)


def pause(channel: Channel, note: Text | str) -> None:
    """The bot ends: below the last message of each running turn is said that it will go on, and no more is shown."""
    if channel.is_ending:
        return
    channel.is_ending = True
    for answer in channel.answers:
        if answer.has_ended:
            continue
        placed = zip(answer.placed(), answer.parts, strict=False)
        shown = [Part(part.key, part.body if slot.shows is None else slot.shows) for slot, part in placed]
        if shown:
            key, body = shown[-1]
            shown[-1] = Part(key, noted(body, answer.say(note)))
        answer.show(shown)


def noted(body: Body, note: str) -> Body:
    """A body with a note in small print at its end."""
    if isinstance(body.get("embed"), dict):
        return {**body, "embed": {**body["embed"], "footer": {"text": note}}}  # type: ignore[dict-item]  # checked above
    kept = {key: value for key, value in body.items() if key != "courtesy"}  # the note is none
    return {**kept, "content": f"{body['content']}\n-# {note}"}
