"""The state of a turn, folded from its records: once for each attempt to answer."""

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
from llmgine.turns import TurnState, fold, step_of

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
            if attempt not in (None, event.attempt):  # the same one goes on after a restart
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
    try:
        # What a newer program added is left out: a reader expects fields that it does not know.
        return kind.model_validate({name: record.data[name] for name in kind.model_fields.keys() & record.data.keys()})
    except ValidationError:
        return None
