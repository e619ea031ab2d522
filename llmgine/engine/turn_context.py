"""What every part of a running turn needs: the turn with its steps, and the ways to write it down and to tell of it."""

from dataclasses import dataclass
from typing import Any

from llmgine.bus import MessageBus
from llmgine.errors import StoreError
from llmgine.messages.deliveries import Delivery
from llmgine.messages.events import TurnEvent
from llmgine.messages.steps import OutcomeStep, ReplyStep, Step, Turn, TurnStatus
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Claimed, Spent, TurnSteps


class TurnContext:
    """One turn while it runs. Its steps are in memory, and nobody else writes any.

    Attributes:
        steps: The turn with its steps.
        store: Where they are committed.
        waiting: How many tool calls wait for a person.
        tools: The tools that are offered; None for all.
    """

    def __init__(self, claimed: Claimed, store: SessionStore, bus: MessageBus) -> None:
        self.steps: TurnSteps = claimed.turn
        self.store = store
        self.waiting = 0
        self.tools: tuple[str, ...] | None = None
        self._next = claimed.next_step
        self._held: list[tuple[int, Step]] = []  # the last reply, until it is committed with the outcome
        self._spent: Spent | None = None  # what the last reply cost
        self._bus = bus

    @property
    def turn(self) -> Turn:
        """The turn."""
        return self.steps.turn

    async def tell(self, event_type: type[TurnEvent], **facts: Any) -> TurnEvent:
        """Publish an event of this turn, and return it."""
        turn = self.turn
        about = {"session_id": turn.session_id, "turn_id": turn.id, "source": turn.source, "origin": turn.origin}
        event = event_type(**about, **facts)
        await self._bus.publish(event)
        return event

    @property
    def status(self) -> TurnStatus:
        """What the turn is doing."""
        return "waiting" if self.waiting else "running"

    async def images(self) -> list[str]:
        """The images that came with what was said, as data URLs.

        Raises:
            StoreError: They cannot be read.
        """
        return await self.store.turns.images(self.turn.id, self.steps.state.images)

    async def append(self, step: Step) -> None:
        """Commit a step, and what the turn is doing.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        await self.store.runs.append(self.turn, self._number(), step, self.status)
        self._remember(step)

    async def append_reply(self, step: ReplyStep, spent: Spent) -> None:
        """Commit a reply before it is acted on; one that calls no tool is committed with the outcome.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        number = self._number()
        if step.tool_calls:
            try:
                await self.store.runs.append_reply(self.turn, number, step, spent)
            except StoreError:
                self._spent = spent  # it is counted with the outcome, or when the turn is given up
                raise
        else:
            self._held, self._spent = [(number, step)], spent
        self._remember(step)

    async def finish(self, outcome: OutcomeStep, parts: tuple[Delivery, ...]) -> None:
        """Commit the outcome with the last reply and all that is to be posted.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        steps = [*self._held, (self._next, outcome)]
        await self.store.runs.finish(self.turn, outcome.state, steps, parts, self._spent)
        self._held, self._spent = [], None

    async def give_up(self) -> None:
        """Leave the turn to whoever runs it now; what its last reply cost is counted all the same."""
        if self._spent is not None:
            spent, self._spent = self._spent, None
            await self.store.allowances.spend(self.turn.session_id, spent.tokens, spent.day)

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _remember(self, step: Step) -> None:
        self.steps = self.steps.plus(step)


@dataclass(frozen=True)
class RoundContext:
    """The round whose calls are run, with what was committed of the turn before it ran."""

    context: TurnContext
    steps: TurnSteps
    number: int
