"""Models that failed rest for a while: where others can be asked, these are asked first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from llmgine.messages.translatable import Text

RESTS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25))  # after one failure, two, and more in a row


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> datetime:
        """The time of day, in UTC."""


@dataclass(frozen=True)
class ServiceModel:
    """A model where it is asked: two names of it are one.

    Attributes:
        service: Who answers.
        model: Its name there; "" where none was chosen yet.
    """

    service: str
    model: str


@dataclass(frozen=True)
class Rest:
    """A rest of a model.

    Attributes:
        asked: The model.
        until: When it ends.
        reason: What had failed, for people.
        failures: How many rests in a row this makes.
    """

    asked: ServiceModel
    until: datetime
    reason: Text
    failures: int


class Rests:
    """Which models rest; one object for all turns.

    Args:
        clock: What their lengths are measured by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[ServiceModel, Rest] = {}

    def now(self) -> datetime:
        """The time by which rests begin and end."""
        return self._clock.now()

    def of(self, asked: ServiceModel) -> Rest | None:
        """The rest of a model; None for one that does not rest now."""
        rest = self._last.get(asked)
        return rest if rest is not None and self.now() < rest.until else None

    def all(self) -> list[Rest]:
        """The models that rest now; the one that is back first is the first."""
        return sorted((rest for one in self._last if (rest := self.of(one)) is not None), key=lambda rest: rest.until)

    def failed(self, asked: ServiceModel, reason: Text, begun: datetime) -> None:
        """A model failed, and rests for longer each time.

        Args:
            asked: The model.
            reason: What failed, for people.
            begun: When it was asked. What was asked before the last rest ended tells nothing new of it.
        """
        last = self._last.get(asked)
        if last is not None and begun < last.until:
            return
        failures = 1 if last is None else last.failures + 1
        until = self.now() + RESTS[min(failures, len(RESTS)) - 1]
        self._last[asked] = Rest(asked, until, reason, failures)

    def succeeded(self, asked: ServiceModel) -> None:
        """A model answered: it does not rest any more, and its next rest is short."""
        self._last.pop(asked, None)
