"""What commands and events have in common: identity, time, session, and their place in a trace."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class SpanContext(BaseModel):
    """Where in a trace something happens. Ids are free text; ours are 16 hex digits."""

    model_config = ConfigDict(frozen=True)

    trace_id: str
    span_id: str
    parent_id: str | None = None


# A counter started from the wall clock (1,024 ids per millisecond): unique in a process, all but unique between
# processes, exact in a JavaScript number, and twenty times cheaper than uuid4.
_ids = itertools.count(time.time_ns() // 1_000_000 << 10)
# What a line of the log says beside the message's own fields (see observability/reader.py).
_KEYS_OF_THE_LOG = ("v", "type")
# Trace and span of the running code. Set with `inside`; directly only in a task of one's own.
CURRENT: ContextVar["SpanContext | Message | None"] = ContextVar("llmgine_span", default=None)


def next_id() -> int:
    """A new id, greater than every earlier one of this process."""
    return next(_ids)


def current_span() -> SpanContext | None:
    """The span that the running code belongs to, or None outside any."""
    here = CURRENT.get()
    return SpanContext(trace_id=here.trace_id, span_id=here.span_id) if here else None


@contextmanager
def inside(span: "SpanContext | Message") -> Iterator[None]:
    """Messages built in this block are children of the span; the span before is restored at its end."""
    token = CURRENT.set(span)
    try:
        yield
    finally:
        CURRENT.reset(token)


def _now() -> datetime:
    return datetime.now(UTC)


def _trace_id(data: dict[str, Any]) -> str:
    here = CURRENT.get()
    span_id: str = data["span_id"]
    return here.trace_id if here else span_id


def _span_id(data: dict[str, Any]) -> str:
    return f"{data['id']:016x}"


def _parent_id() -> str | None:
    here = CURRENT.get()
    return here.span_id if here else None


class Message(BaseModel):
    """One message on the bus: immutable, and a span of its own in the trace it was built in.

    `session_id` is None for what belongs to the whole application. No field may be called `v` or `type`: a line of
    the log has these keys for itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int = Field(default_factory=_ids.__next__)
    at: datetime = Field(default_factory=_now)
    session_id: str | None = None
    span_id: str = Field(default_factory=_span_id)
    trace_id: str = Field(default_factory=_trace_id)  # of a root: its span's id
    parent_id: str | None = Field(default_factory=_parent_id)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name in _KEYS_OF_THE_LOG:
            if name in cls.model_fields or name in cls.model_computed_fields:
                raise TypeError(f"{cls.__name__}.{name}: the log has this key for itself; give the field another name")
