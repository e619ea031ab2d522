"""The faults there are, and the weather of a run: which of them happen in it, and how often."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum, auto


class Fault(Enum):
    """What can go wrong, or is done by people just then."""

    __hash__ = object.__hash__  # Enum's own is slow, and whether one happens is asked a hundred times in each turn

    # The gateway.
    EVENT_LOST = auto()  # An event never comes.
    EVENT_TWICE = auto()  # An event comes twice.
    EVENT_LATE = auto()  # An event comes seconds later, after others.
    EVENT_MALFORMED = auto()  # A message's event lacks what it must have.
    CONNECTION_LOST = auto()  # The connection ends, and the session is resumed.
    CONNECTION_SILENT = auto()  # Nothing comes any more, though the connection looks open.
    RECONNECT_ASKED = auto()  # Discord asks the bot to reconnect.
    SESSION_LOST = auto()  # The session cannot be resumed.
    SERVER_LATE = auto()  # A server comes only after READY.
    SERVER_OUTAGE = auto()  # A server is out of reach for a while.
    # Requests.
    SLOW = auto()  # An answer takes seconds.
    ERROR_BEFORE = auto()  # A 5xx, and nothing was done.
    ERROR_AFTER = auto()  # A 5xx, though it was done.
    RESET_BEFORE = auto()  # The connection is reset, and nothing was done.
    RESET_AFTER = auto()  # The connection is reset, though it was done.
    HANG_BEFORE = auto()  # No answer ever, and nothing was done.
    HANG_AFTER = auto()  # No answer ever, though it was done.
    DISCORD_DOWN = auto()  # Every request fails for minutes.
    LIMIT_SHORT = auto()  # A 429 of a few seconds.
    LIMIT_LONG = auto()  # A 429 of more than half a minute.
    LIMIT_GLOBAL = auto()  # A 429 for all routes.
    PROXY_BLOCK = auto()  # The proxy before Discord refuses all requests for a while.
    TOO_OLD = auto()  # An edit is refused because the message is too old.
    AGAINST_RULES = auto()  # The server's rules forbid a text.
    # Permissions that are taken for a while, and given back.
    NO_SEND = auto()  # Messages cannot be posted in a channel.
    NO_VIEW = auto()  # A channel cannot be seen.
    NO_HISTORY = auto()  # A channel's messages cannot be read.
    NO_EMBEDS = auto()  # Cards are not shown.
    NO_FILES = auto()  # Files cannot be posted.
    # People.
    BURST = auto()  # Somebody writes several messages in a row.
    CROWD = auto()  # Several people write at once.
    QUESTION_EDITED = auto()  # A question is changed.
    QUESTION_DELETED = auto()  # A question is deleted.
    ANSWER_DELETED = auto()  # One of the bot's messages is deleted.
    PRESSED = auto()  # Buttons are pressed: Stop, Regenerate, Undo, Approve …
    CHANNEL_DELETED = auto()  # A channel is deleted.
    THREAD_DELETED = auto()  # A thread is deleted.
    # The store.
    STORE_BEFORE = auto()  # An operation fails, and nothing was committed.
    STORE_AFTER = auto()  # An operation fails, though it was committed.
    STORE_SLOW = auto()  # An operation takes seconds.
    STORE_FULL = auto()  # No operation can write for a while.
    # The model and the tools.
    MODEL_SLOW = auto()  # A reply takes a minute.
    MODEL_BUSY = auto()  # The model asks to wait.
    MODEL_BUSY_LONG = auto()  # The model asks to wait for longer than anybody would.
    MODEL_UNAVAILABLE = auto()  # The model cannot be reached.
    MODEL_SILENT = auto()  # The model says nothing until its time is over.
    MODEL_NO_REPLY = auto()  # What comes is no reply.
    MODEL_EMPTY = auto()  # A reply has nothing in it.
    MODEL_CUT = auto()  # A reply breaks off.
    MODEL_REFUSED = auto()  # The model refuses for good.
    TOOL_FAILED = auto()  # A tool raises.
    TOOL_HANGS = auto()  # A tool never ends.
    # The process.
    KILL_BEFORE_COMMIT = auto()  # The process dies before a commit.
    KILL_AFTER_COMMIT = auto()  # The process dies after a commit that it does not hear of.
    KILL_BEFORE_REQUEST = auto()  # The process dies when it has sent a request that never arrives.
    KILL_AFTER_REQUEST = auto()  # The process dies before the answer to a request comes.
    KILL_IN_TOOL = auto()  # The process dies after a tool took effect.
    STOP = auto()  # The process is told to end.
    LONG_DOWN = auto()  # It takes long until the process is started again, so that Discord forgets the nonces.


# How likely each is, every time that it could happen; a run has some of them, at half to twice of that.
_RATES: Mapping[Fault, float] = {
    Fault.EVENT_LOST: 0.04,
    Fault.EVENT_TWICE: 0.08,
    Fault.EVENT_LATE: 0.08,
    Fault.EVENT_MALFORMED: 0.02,
    Fault.CONNECTION_LOST: 0.006,
    Fault.CONNECTION_SILENT: 0.001,
    Fault.RECONNECT_ASKED: 0.003,
    Fault.SESSION_LOST: 0.003,
    Fault.SERVER_LATE: 0.2,
    Fault.SERVER_OUTAGE: 0.003,
    Fault.SLOW: 0.05,
    Fault.ERROR_BEFORE: 0.04,
    Fault.ERROR_AFTER: 0.04,
    Fault.RESET_BEFORE: 0.03,
    Fault.RESET_AFTER: 0.03,
    Fault.HANG_BEFORE: 0.004,
    Fault.HANG_AFTER: 0.004,
    Fault.DISCORD_DOWN: 0.002,
    Fault.LIMIT_SHORT: 0.04,
    Fault.LIMIT_LONG: 0.004,
    Fault.LIMIT_GLOBAL: 0.004,
    Fault.PROXY_BLOCK: 0.002,
    Fault.TOO_OLD: 0.02,
    Fault.AGAINST_RULES: 0.005,
    Fault.NO_SEND: 0.03,
    Fault.NO_VIEW: 0.02,
    Fault.NO_HISTORY: 0.03,
    Fault.NO_EMBEDS: 0.03,
    Fault.NO_FILES: 0.03,
    Fault.BURST: 0.12,
    Fault.CROWD: 0.06,
    Fault.QUESTION_EDITED: 0.1,
    Fault.QUESTION_DELETED: 0.08,
    Fault.ANSWER_DELETED: 0.06,
    Fault.PRESSED: 0.15,
    Fault.CHANNEL_DELETED: 0.008,
    Fault.THREAD_DELETED: 0.02,
    Fault.STORE_BEFORE: 0.008,
    Fault.STORE_AFTER: 0.004,
    Fault.STORE_SLOW: 0.02,
    Fault.STORE_FULL: 0.001,
    Fault.MODEL_SLOW: 0.08,
    Fault.MODEL_BUSY: 0.06,
    Fault.MODEL_BUSY_LONG: 0.02,
    Fault.MODEL_UNAVAILABLE: 0.06,
    Fault.MODEL_SILENT: 0.02,
    Fault.MODEL_NO_REPLY: 0.03,
    Fault.MODEL_EMPTY: 0.03,
    Fault.MODEL_CUT: 0.04,
    Fault.MODEL_REFUSED: 0.03,
    Fault.TOOL_FAILED: 0.08,
    Fault.TOOL_HANGS: 0.02,
    Fault.KILL_BEFORE_COMMIT: 0.002,
    Fault.KILL_AFTER_COMMIT: 0.002,
    Fault.KILL_BEFORE_REQUEST: 0.006,
    Fault.KILL_AFTER_REQUEST: 0.006,
    Fault.KILL_IN_TOOL: 0.03,
    Fault.STOP: 0.03,
    Fault.LONG_DOWN: 0.1,
}


class Weather:
    """The faults of one run: some of them never happen in it, so that others are seen more clearly.

    Args:
        chance: Where it is drawn from.
        without: Faults that do not happen.
        only: If there are any, no others happen.
    """

    def __init__(self, chance: random.Random, *, without: frozenset[Fault], only: frozenset[Fault]) -> None:
        self._chance = chance
        share = chance.choice((0.0, 0.15, 0.35, 0.35, 0.6))
        allowed = only or frozenset(Fault)
        self.rates: dict[Fault, float] = {}
        for fault in Fault:
            happens, force = chance.random() < share, chance.choice((0.5, 1.0, 2.0))
            if fault in allowed and fault not in without and (happens or only):
                self.rates[fault] = _RATES[fault] * force
        self.counts: Counter[Fault] = Counter()
        self.is_calm = False
        self.happened: Callable[[Fault], None] = lambda _: None

    def strikes(self, fault: Fault) -> bool:
        """Whether a fault happens now."""
        if self.is_calm:
            return False
        rate = self.rates.get(fault)
        if rate is None or self._chance.random() >= rate:
            return False
        self.counts[fault] += 1
        self.happened(fault)
        return True

    def calm(self, *, calm: bool = True) -> None:
        """From here on there are no faults, or there are some again."""
        self.is_calm = calm
