"""The time in which a turn waited for people: for a decision on a tool call, or to be asked for again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from programs.logs.spans import Span, walk

_WORK = {"prompt", "command", "model", "tool", "span"}

Interval = tuple[datetime, datetime]


def waits(roots: list[Span]) -> list[Interval]:
    """When nothing was done because a person had the next word, in order and without overlaps.

    A time in which another call of the turn ran is not one of them.
    """
    spans = [span for _, span in walk(roots)]
    asked = [_interval(span) for span in spans if span.kind == "approval"]
    turns = sorted(_interval(span) for span in spans if span.kind == "turn")
    between = [(one[1], other[0]) for one, other in pairwise(turns)]
    return _without([*asked, *between], [_interval(span) for span in spans if span.kind in _WORK])


def _interval(span: Span) -> Interval:
    """When it was; what still runs counts as a moment."""
    return span.start, max(span.start, span.end or span.start)


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same times without overlaps, in order."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        elif start < end:
            joined.append((start, end))
    return joined


def _without(intervals: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """The parts of the intervals in which none of the others is."""
    rest: list[Interval] = []
    taken = _joined(others)
    for start, end in _joined(intervals):
        at = start
        for begin, until in taken:
            if begin >= end:
                break
            if begin > at:
                rest.append((at, begin))
            at = max(at, until)
        if at < end:
            rest.append((at, end))
    return rest
