"""What every part of a running turn needs: the turn with its steps, and the ways to write it down and to tell of it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from llmgine.bus import MessageBus
from llmgine.context import tokens_of_tools
from llmgine.engine.file_room import FileRoom, without_data
from llmgine.messages.chat_messages import ToolSchema
from llmgine.messages.deliveries import Delivery
from llmgine.messages.events import TurnEvent
from llmgine.messages.steps import OutcomeStep, ReplyStep, ResultStep, Step, Turn, TurnStatus
from llmgine.messages.translatable import Text
from llmgine.sessions import SessionStore
from llmgine.sessions.costs import Asker, Spent
from llmgine.sessions.limits import person_scope
from llmgine.sessions.operations.result_files import stored_form
from llmgine.sessions.records import Claimed, TurnSteps
from llmgine.tools.searching import MANY, SEARCHING
from llmgine.tools.tool_manager import ToolManager, is_named

_MOST_OF_WINDOW = 0.05  # that definitions of tools may take; if they are more, some are searched


class TurnContext:
    """One turn while it runs. Its steps are in memory, and nobody else writes any.

    Attributes:
        steps: The turn with its steps.
        store: Where they are committed.
        waiting: How many tool calls wait for a person.
        tools: The tools that may be called; None for all.
        searched: Those of them that `search_tools` finds.
        spent: What the last reply cost, until that is counted.
        warnings: What people are told of limits that are nearly used up.
        file_room: How many files its tools may still give.
    """

    def __init__(self, claimed: Claimed, store: SessionStore, bus: MessageBus) -> None:
        self.steps: TurnSteps = claimed.turn
        self.store = store
        self.waiting = 0
        self.tools: tuple[str, ...] | None = None
        self._searchable: set[str] = set()
        self._offered: tuple[ToolSchema, ...] | None = None  # in the first round
        self.searched: tuple[ToolSchema, ...] = ()
        self.warnings: list[Text] = []
        self.file_room = FileRoom(claimed.turn.state)
        self._next = claimed.next_step
        self._held: list[tuple[int, Step]] = []  # the last reply, until it is committed with the outcome
        self.spent: Spent | None = None
        self._bus = bus

    @property
    def turn(self) -> Turn:
        """The turn."""
        return self.steps.turn

    @property
    def asker(self) -> Asker:
        """For whom the model is asked."""
        prompt = self.steps.state.prompt
        return Asker(person=person_scope(self.turn.source, prompt.author), roles=prompt.roles)

    async def tell(self, event_type: type[TurnEvent], **facts: Any) -> TurnEvent:
        """Publish an event of this turn, and return it."""
        turn = self.turn
        about = {"session_id": turn.session_id, "turn_id": turn.id, "source": turn.source, "origin": turn.origin}
        event = event_type(**about, **facts)
        await self._bus.publish(event)
        return event

    @property
    def person(self) -> str:
        """Who waits for the answer: the asker, or whoever is in the session where that is no person who is known."""
        author = self.steps.state.prompt.author
        if author is None or not author.is_person:  # a webhook can have any number of names
            return f"session {self.turn.session_id}"
        return f"person {author.id}"

    @property
    def status(self) -> TurnStatus:
        """What the turn is doing."""
        return "waiting" if self.waiting else "running"

    def offer(self, tools: ToolManager, names: Collection[str] | None, window: int) -> tuple[ToolSchema, ...]:
        """What the model is offered: of the tools there were in the turn's first round those that are set here.

        Where these are many, or too much of a window of so many tokens, some are left to `search_tools`.
        """
        if self._offered is None:  # a tool that comes or changes meanwhile is for the next turn
            self._offered = tools.schemas()
            self._searchable = {one.name for one in self._offered if tools.get(one.name).searchable}
        schemas = tuple(one for one in self._offered if names is None or is_named(one.name, names))
        self.tools, self.searched = tuple(one.name for one in schemas), ()
        if len(schemas) > MANY or tokens_of_tools(schemas) > window * _MOST_OF_WINDOW:
            self.searched = tuple(one for one in schemas if one.name in self._searchable)
        if not self.searched:
            return schemas
        self.tools += tuple(SEARCHING)
        shown = (one for one in schemas if one.name not in self._searchable)
        return (*shown, *(tool.schema for tool in SEARCHING.values()))

    async def images(self) -> list[str]:
        """The images that came with what was said, and those of the messages it replies to, as data URLs.

        Raises:
            StoreError: They cannot be read.
        """
        images = await self.store.turns.images(self.turn.id, self.steps.state.images)
        for one in self.steps.state.images_shown_again:
            images += await self.store.turns.images(one.turn_id, [one.number])
        return images

    async def append(self, step: Step) -> None:
        """Commit a step, and what the turn is doing.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        files: tuple[str, ...] = ()
        if isinstance(step, ResultStep) and step.result.files:
            files, step = await stored_form(step), without_data(step)
        await self.store.runs.append(self.turn, self._number(), step, self.status, files)
        self._remember(step)

    async def append_unless_paused(self, step: Step) -> bool:
        """Commit a step by which a tool with effects comes nearer to running, unless such tools are paused.

        Returns:
            Whether it was committed.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        added = await self.store.runs.append_unless_paused(self.turn, self._number(), step, self.status)
        if added:
            self._remember(step)
        return added

    async def append_reply(self, step: ReplyStep) -> None:
        """Commit a reply before it is acted on, with what it cost; one that calls no tool, with the outcome.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        number = self._number()
        if step.tool_calls:
            await self.store.runs.append_reply(self.turn, number, step, self.spent)
            self.spent = None
        else:
            self._held = [(number, step)]
        self._remember(step)

    async def finish(self, outcome: OutcomeStep, parts: tuple[Delivery, ...]) -> None:
        """Commit the outcome with the last reply and all that is to be posted.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        steps = [*self._held, (self._next, outcome)]
        await self.store.runs.finish(self.turn, outcome.state, steps, parts, self.spent)
        self._held, self.spent = [], None

    async def refresh(self, revision: int) -> None:
        """Read the steps again if they were rewritten: somebody who was forgotten was taken out of them.

        Raises:
            StoreError: They cannot be read.
        """
        if revision != self.turn.revision:
            for stored in await self.store.turns.many([self.turn.id]):
                if stored.turn.claim == self.turn.claim:
                    self.steps = stored

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
