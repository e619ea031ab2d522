"""How often a person may ask the model: by messages, edits, buttons and forms together, over all channels."""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import NamedTuple

from llmgine.errors import UserError
from llmgine.messages.translatable import tr

WINDOW = 60.0  # seconds
_MOST_PEOPLE = 10_000  # who are remembered; the others' minutes begin again


class TooOften(NamedTuple):
    """A person asks too often: `most` is how often they may, in `seconds` they may again.

    `is_first`: they were not told within a window.
    """

    most: int
    seconds: float
    is_first: bool


@dataclass(slots=True)
class _Person:
    """When somebody asked, as far as it counts; when they were told that it is too often, and heard last."""

    asked: deque[float]
    told: float
    heard: float


class Rates:
    """Counts how often each person asks, within the last minute. It is in memory only: a restart forgets it.

    Args:
        most: How often a person may ask in a minute; 0 for as often as they like.
        exempt: The ids of people who may always ask.
        clock: Seconds that never go back.
    """

    def __init__(
        self, most: int, exempt: Callable[[], Container[int]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._exempt = exempt
        self._clock = clock
        self._people: OrderedDict[int, _Person] = OrderedDict()  # who was heard last is last

    def take(self, person_id: int) -> TooOften | None:
        """Count that a person asks; or why they may not."""
        if not self._most or person_id in self._exempt():
            return None
        now = self._clock()
        person = self._heard(person_id, now)
        if len(person.asked) < self._most or now - person.asked[0] >= WINDOW:
            person.asked.append(now)
            return None
        is_first = now - person.told >= WINDOW
        if is_first:
            person.told = now
        return TooOften(self._most, WINDOW - (now - person.asked[0]), is_first)

    def give_back(self, person_id: int) -> None:
        """What was counted last did not happen."""
        person = self._people.get(person_id)
        if person is not None and person.asked:
            person.asked.pop()

    def require(self, person_id: int) -> None:
        """Count that a person asks.

        Raises:
            UserError: They ask too often.
        """
        refusal = self.take(person_id)
        if refusal is not None:
            raise UserError(
                tr(
                    "I answer at most {count} of your messages, edits and button presses per minute. Try again in "
                    "{seconds} s.",
                    count=refusal.most,
                    seconds=int(refusal.seconds) + 1,
                )
            )

    def _heard(self, person_id: int, now: float) -> _Person:
        """What is known of a person; those of whom nothing counts any more are forgotten."""
        person = self._people.setdefault(person_id, _Person(deque(maxlen=self._most), -math.inf, now))
        person.heard = now
        self._people.move_to_end(person_id)
        while len(self._people) > _MOST_PEOPLE or now - next(iter(self._people.values())).heard >= WINDOW:
            self._people.popitem(last=False)
        return person
