"""One life of the bot: from the start of its process to its end or its death."""

from collections.abc import Callable

from tests.simulation.loop import VirtualLoop
from tests.simulation.timeline import Timeline


class Life:
    """What is alive has effects. What is dead has none any more, whatever still runs of it.

    Attributes:
        alive: Whether it is.
        loop: Its event loop.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.alive = True
        self.loop = VirtualLoop(timeline)
        self.died: str | None = None
        self._timeline = timeline
        self.at_the_end: list[Callable[[], None]] = []

    def kill(self, where: str) -> None:
        """The process dies: from here on it has no effect, and its loop ends."""
        if self.alive:
            self.died = where
            self._timeline.note(f"killed {where}")
            self.end()
            self.loop.stop()

    def end(self) -> None:
        """It has no effects any more; who is connected to it notices."""
        if self.alive:
            self.alive = False
            for one in self.at_the_end:
                one()
