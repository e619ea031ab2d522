"""Percentiles of any number of values in little memory."""

import math
from collections import Counter

_WIDTH = math.log(1.02)  # each bucket ends two percent above its beginning, so its middle is within one percent


class Quantiles:
    """Counts values in buckets that grow with the value; every percentile is within one percent of the exact one.

    Values below a millionth, and negative ones, count as zero.

    Attributes:
        count: How many values there were.
        least: The least of them, exactly.
        greatest: The greatest of them, exactly.
    """

    def __init__(self) -> None:
        self.count = 0
        self.least = math.inf
        self.greatest = 0.0
        self._buckets: Counter[int | None] = Counter()

    def add(self, value: float) -> None:
        """Take one value."""
        self.count += 1
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)
        self._buckets[math.floor(math.log(value) / _WIDTH) if value >= 1e-6 else None] += 1

    def at(self, part: float) -> float:
        """The value that `part` (0 to 1) of all values do not exceed; 0 without values."""
        left = math.ceil(part * self.count)
        if left >= self.count:
            return self.greatest
        for bucket in sorted(self._buckets, key=lambda b: -math.inf if b is None else b):
            left -= self._buckets[bucket]
            if left <= 0:
                middle = 0.0 if bucket is None else math.exp((bucket + 0.5) * _WIDTH)
                return min(self.greatest, max(self.least, middle))
        return 0.0

    def summary(self) -> dict[str, float]:
        """Count, median, 90th and 99th percentile, and maximum."""
        points = {f"p{round(part * 100)}": self.at(part) for part in (0.5, 0.9, 0.99)}
        return {"count": self.count, **points, "max": self.greatest}
