"""The CPU that work takes, in moments: a moment is what a million rounds of an empty loop take at the same time.

Where a figure in seconds says how fast and how busy the machine is, this one says how much work there is. A moment is
22 ms on one of the machines this was written on.
"""

import gc
import time
from collections.abc import Callable

_TRIES = 5  # the least of them counts: something else may take the processor in between


def cpu_seconds(work: Callable[[], object]) -> float:
    """The seconds of CPU that a piece of work takes this thread.

    Other tests' garbage is not collected meanwhile, which takes a tenth of a second with a heap as large as theirs.
    """
    gc.disable()
    try:
        begun = time.thread_time()
        work()
        return time.thread_time() - begun
    finally:
        gc.enable()


def _rounds() -> None:
    for _ in range(1_000_000):
        pass


def moment() -> float:
    """The seconds of CPU that a moment takes now, the longest of a few: what is compared with it was made beside it."""
    return max(cpu_seconds(_rounds) for _ in range(_TRIES))


def moments(work: Callable[[], object], most: float) -> float:
    """How many moments a piece of work takes; it is done again only where it took more than `most`."""
    least = float("inf")
    for _ in range(_TRIES):
        least = min(least, cpu_seconds(work) / cpu_seconds(_rounds))
        if least <= most:
            break
    return least
