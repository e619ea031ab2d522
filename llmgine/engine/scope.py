"""What every part of a running turn needs: the turn, and the ways to write it down and to tell of it."""

from dataclasses import dataclass
from typing import Any

from llmgine.bus import MessageBus
from llmgine.errors import SupersededError
from llmgine.messages.events import TurnEvent
from llmgine.messages.steps import Step
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Turn, TurnSteps


class TurnScope:
    """One turn while it runs."""

    def __init__(self, turn: Turn, store: SessionStore, bus: MessageBus) -> None:
        self.turn = turn
        self.store = store
        self.waiting = 0  # tool calls that wait for a person
        self.tools: tuple[str, ...] | None = None  # the tools that are offered; None: all
        self._bus = bus

    async def tell(self, event_type: type[TurnEvent], **facts: Any) -> TurnEvent:
        """Publish an event of this turn, and return it."""
        turn = self.turn
        about = {"session_id": turn.session_id, "turn_id": turn.id, "source": turn.source, "origin": turn.origin}
        event = event_type(**about, **facts)
        await self._bus.publish(event)
        return event

    async def append(self, step: Step) -> None:
        """Commit a step."""
        await self.store.append(self.turn, step)

    async def steps(self) -> TurnSteps:
        """The turn with all its committed steps.

        Raises:
            SupersededError: There is a newer attempt.
        """
        steps = await self.store.turn(self.turn.id)
        if steps.turn.attempt != self.turn.attempt:
            raise SupersededError(f"Attempt {self.turn.attempt} of the turn {self.turn.id!r} was given up")
        return steps


@dataclass(frozen=True)
class RoundScope:
    """The round whose calls are run, with what was committed of the turn before it ran."""

    scope: TurnScope
    steps: TurnSteps
    number: int
