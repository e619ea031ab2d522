"""The state of a turn, folded from its records: once for each attempt to answer."""

import copy
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from llmgine.messages.events import (
    LLMResponseEvent,
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.observability.reader import Record
from llmgine.turn_state import TurnState, fold, step_of

_EVENTS: dict[str, type[TurnEvent]] = {
    one.__name__: one
    for one in (
        TurnStartedEvent,
        LLMResponseEvent,
        ToolCallWaitingEvent,
        ToolCallDecidedEvent,
        ToolCallStartedEvent,
        ToolCallFinishedEvent,
        TurnFinishedEvent,
    )
}


def attempts_of(records: list[Record]) -> list[TurnState]:
    """What has become of a turn in each attempt, the present one last; there is one at least."""
    states, attempt = [TurnState()], None
    for record in records:
        event = event_of(record)
        if isinstance(event, TurnStartedEvent):
            # The same one continues after a restart. Where the log was cut, the start of the one before may be missing.
            if attempt not in (None, event.attempt) or states[-1].outcome is not None:
                states.append(TurnState())
            attempt = event.attempt
        step = step_of(event) if event else None
        if step is not None:
            states[-1] = fold(states[-1], step)
    return states


def event_of(record: Record) -> TurnEvent | None:
    """The event that a record was written of; None for one that changes no turn, or cannot be read as one."""
    kind = _EVENTS.get(record.type)
    if kind is None:
        return None
    # What a newer program added is left out: a reader expects fields that it does not know.
    facts = copy.deepcopy({name: record.data[name] for name in kind.model_fields.keys() & record.data.keys()})
    try:
        return kind.model_validate(facts)
    except ValidationError as error:
        for fault in error.errors():
            if fault["type"] != "extra_forbidden":
                return None
            _remove(facts, fault["loc"])
    try:
        return kind.model_validate(facts)
    except ValidationError:
        return None


def _remove(facts: Any, place: Sequence[int | str]) -> None:
    """Remove what is at a place inside of facts."""
    for part in place[:-1]:
        facts = facts[part]
    del facts[place[-1]]
