"""What a feed is at, and what it may have missed."""

from enum import Enum, IntEnum, auto


class FeedState(Enum):
    """What a feed is at."""

    UNKNOWN = auto()  # Nothing was read or looked up of this place yet, so it has no cursor.
    BEHIND = auto()  # Something may have been missed; a read of its history waits for its turn.
    READING = auto()  # Its history is being read; what comes in meanwhile waits behind it.
    LIVE = auto()  # Everything before the next item was processed; items are processed as they come.
    BLOCKED = auto()  # The store or Discord failed; nothing is done until it is tried again.
    UNREADABLE = auto()  # Its history could not be read several times; what comes in is processed all the same.
    GONE = auto()  # Deleted, or in a server that is unavailable; what comes in is dropped until it is back.


class Missed(IntEnum):
    """What may have been missed; the greater includes the lesser."""

    NOTHING = 0  # All of it was heard, or read.
    MESSAGES = 1  # Messages.
    CHANGES = 2  # Messages, and edits and deletions of questions.
