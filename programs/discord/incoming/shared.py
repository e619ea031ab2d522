"""What the feeds of all places share."""

import asyncio
import logging
from enum import Enum, auto

from llmgine.errors import StoreError
from programs.discord.ids import Place
from programs.discord.incoming.cursors import Cursors
from programs.discord.incoming.history import History
from programs.discord.incoming.intake import Intake
from programs.discord.incoming.read_queue import ReadQueue

_LONGEST_WAIT = 60.0  # seconds between two tries

_log = logging.getLogger(__name__)


class FeedsPhase(Enum):
    """What all feeds together are at."""

    STARTING = auto()  # What an earlier process left comes first; what comes in waits.
    LISTENING = auto()  # Everything is processed.
    ENDING = auto()  # Nothing is begun any more; the next process finds it.


class Shared:
    """What all feeds share.

    Attributes:
        phase: What they are at.
        idle: Set while no feed has anything to do, apart from those that wait for another try.
    """

    def __init__(
        self, intake: Intake, history: History, reads: ReadQueue, cursors: Cursors, *, first_wait: float = 1.0
    ) -> None:
        self.intake = intake
        self.history = history
        self.reads = reads
        self.cursors = cursors
        self._first_wait = first_wait
        self.phase = FeedsPhase.STARTING
        self.idle = asyncio.Event()
        self.idle.set()
        self._busy: set[object] = set()
        self._done = asyncio.Event()

    def wait(self, failures: int) -> float:
        """How many seconds to wait after something failed so many times."""
        return min(self._first_wait * 2.0 ** min(failures - 1, 10), _LONGEST_WAIT)

    async def forget(self, place: Place) -> None:
        """A place is gone for good, so it is not looked for at the next start."""
        try:
            await self.gone(place)
        except StoreError as error:
            _log.warning("What is stored of channel %d could not be deleted: %s", place.channel_id, error)

    async def gone(self, place: Place) -> None:
        """The same. Raises StoreError where that cannot be stored."""
        await self.intake.place_gone(place)
        await self.cursors.forget(place)

    def busy(self, who: object) -> None:
        """Somebody has something to do."""
        self._busy.add(who)
        self.idle.clear()

    def done(self, who: object) -> None:
        """They have not."""
        self._busy.discard(who)
        self._done.set()
        if not self._busy:
            self.idle.set()

    async def another_done(self) -> None:
        """Wait until somebody has nothing to do any more."""
        self._done.clear()
        await self._done.wait()
