"""What is in the queue of a feed."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import discord

from programs.discord.incoming.history import Found


@dataclass(frozen=True, slots=True)
class Created:
    """A person wrote a message. One that was `read`, not heard, is known to be for the bot, and joins no burst."""

    message: discord.Message
    read: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """A person changed a message. That was `read`, not heard."""

    message: discord.Message
    read: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages are gone."""

    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """This message and those before it were missed, and are too old or too many to be answered."""

    message: discord.Message


@dataclass(frozen=True, slots=True)
class Covered:
    """Everything up to here was looked at, and is processed when this is."""

    position: int


Item = Created | Edited | Deleted | GivenUp | Covered


def from_read(item: Item) -> bool:
    """Whether it was found by a read. So it is processed before the next read, which would find it once more."""
    return isinstance(item, GivenUp | Covered) or (isinstance(item, Created) and item.read)


def merged(live: Iterable[Item], found: Found) -> deque[Item]:
    """The queue once a place was read: what was read, and what was told live, in the order of their ids.

    A message that is in both is there once: as it was told live if it is to be answered, else not at all. So what the
    read decided about it does not depend on what happens before its turn, such as that the bot joins a thread.

    Args:
        live: The queue before.
        found: What was read.
    """
    first: list[Item] = [Edited(message, read=True) for message in found.edited]
    first += [Deleted(tuple(found.deleted))] if found.deleted else []
    if found.given_up is not None:
        first += [GivenUp(found.given_up), Covered(found.given_up.id)]  # no later read is to answer it
    new = {message.id: message for message in found.new}
    created: list[tuple[int, Item]] = []
    others: list[Item] = []
    for item in live:
        if not isinstance(item, Created):
            others.append(item)
        elif item.message.id in new or item.message.id not in found.seen:
            new.pop(item.message.id, None)
            created.append((item.message.id, item))
    created += [(message.id, Created(message, read=True)) for message in new.values()]
    if found.position is not None:
        created.append((found.position, Covered(found.position)))
    in_order = sorted(created, key=lambda one: (one[0], isinstance(one[1], Covered)))
    return deque([*first, *(item for _, item in in_order), *others])


def name(item: Item) -> str:
    """The item in a line of the log."""
    match item:
        case Deleted(message_ids):
            return f"The deletion of {len(message_ids)} messages"
        case Covered(position):
            return f"The cursor {position}"
        case _:
            return f"Message {item.message.id}"
