"""Slots for calls of the model, shared fairly between the people who wait for one."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator


class FairSlots:
    """So many calls may run at once; a slot that is freed goes to the person with the fewest running calls.

    Of those with equally few, the one who has waited longest since one of theirs began or ended goes first, so a person
    with no running call is passed at most once by each other person, however many calls those wait for. A person's own
    calls go in their order.

    Args:
        count: How many calls may run at once.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._running: Counter[str] = Counter()  # calls, by person
        self._waiting: dict[str, dict[asyncio.Future[None], None]] = {}  # by person, in their order
        # The people who wait, by how many of their calls run: within each, who has waited longest is first.
        self._next: tuple[dict[str, None], ...] = tuple({} for _ in range(count + 1))
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_idle(self) -> bool:
        """Whether a slot is free, which also says that nobody waits for one."""
        return self._free > 0

    async def idle(self) -> None:
        """Wait until a slot is free and nobody wants it."""
        while not self.is_idle:
            await self._idle.wait()

    @contextlib.asynccontextmanager
    async def slot(self, person: str) -> AsyncIterator[None]:
        """A slot for the length of the block, for a call that is made for this person."""
        await self._take(person)
        try:
            yield
        finally:
            self._give_back(person)

    async def _take(self, person: str) -> None:
        if self._free:
            self._free -= 1
            if not self._free:
                self._idle.clear()
            self._count(person, 1)
            return
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(person, {})[called] = None
        self._next[self._running[person]].setdefault(person)
        try:
            await called
        except asyncio.CancelledError:
            if called.cancelled():
                self._leave(person, called)
            else:  # it was called in the same moment
                self._give_back(person)
            raise

    def _give_back(self, person: str) -> None:
        self._count(person, -1)
        found = self._first()
        if found is None:
            self._free += 1
            self._idle.set()
            return
        person, called = found
        self._leave(person, called)
        self._count(person, 1)
        called.set_result(None)

    def _first(self) -> tuple[str, asyncio.Future[None]] | None:
        """Whose call is next, and which; None where nobody waits."""
        for people in self._next:
            for person in people:
                for called in self._waiting[person]:
                    if not called.cancelled():  # one that is leaves when its task runs
                        return person, called
        return None

    def _leave(self, person: str, called: asyncio.Future[None]) -> None:
        """The call no longer waits."""
        calls = self._waiting[person]
        del calls[called]
        if not calls:
            del self._waiting[person]
            del self._next[self._running[person]][person]

    def _count(self, person: str, change: int) -> None:
        """So many more calls of the person run; one who waits queues behind those with equally many."""
        running = self._running[person]
        if person in self._waiting:
            del self._next[running][person]
            self._next[running + change][person] = None
        self._running[person] += change
        if not self._running[person]:
            del self._running[person]
