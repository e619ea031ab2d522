"""A whole chat for the engine's tests: bus, store and engine on a file, and everything that was told."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from llmgine.bus import MessageBus
from llmgine.context import ContextManager
from llmgine.engine import ToolChatEngine
from llmgine.engine.model import Model
from llmgine.engine.rests import Rests
from llmgine.engine.retries import RetryPolicy
from llmgine.engine.setting_changes import Choices
from llmgine.engine.turn import Renderer
from llmgine.engine.turn_limits import TurnLimits
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Admitted, Author, DecideToolCallCommand, PromptCommand
from llmgine.messages.events import Event, ToolCallFinishedEvent, ToolCallWaitingEvent, TurnFinishedEvent
from llmgine.providers.base import ChatReply, ChatRequest, Provider
from llmgine.providers.prices import Prices
from llmgine.sessions import SessionStore, open_store
from tests.waiting import noted

E = TypeVar("E", bound=Event)
OnText = Callable[[str], None]

ADA = Author(id="1", name="Ada")
_numbers = itertools.count(1)


class Chat:
    """One process's part of a chat.

    Attributes:
        events: Everything told, in order.
    """

    def __init__(self, store: SessionStore, bus: MessageBus, engine: ToolChatEngine) -> None:
        self.store, self.bus, self.engine = store, bus, engine
        self.events: list[Event] = []
        self._told = asyncio.Event()
        bus.register_event_handler(Event, self._keep)

    @classmethod
    async def start(
        cls,
        path: Path,
        provider: Provider,
        *,
        calls_at_once: int = 8,
        tries: int = 4,
        longest_wait: float = 60.0,
        approval_timeout: float = 600.0,
        renderers: Mapping[str, Renderer] | None = None,
        window: int = 32_000,
        titles: bool = False,
        choices: Choices | None = None,
        allowed_tools: tuple[str, ...] = (),
        prices: Prices | None = None,
        limits: TurnLimits | None = None,
        fallbacks: tuple[str, ...] = (),
        rests: Rests | None = None,
    ) -> "Chat":
        """Open the store at `path` and begin to answer; retries do not wait."""
        store = await open_store(f"sqlite:///{path}")
        bus = MessageBus()
        retry = RetryPolicy(tries=tries, first_wait=0, longest_wait=longest_wait)
        engine = ToolChatEngine(
            bus=bus,
            store=store,
            model=Model(
                provider,
                store,
                calls_at_once=calls_at_once,
                retry=retry,
                prices=prices,
                fallbacks=fallbacks,
                rests=rests,
            ),
            context=ContextManager(store, system_prompt="Be brief.", window=window),
            renderers=renderers,
            approval_timeout=approval_timeout,
            titles=titles,
            choices=choices,
            allowed_tools=allowed_tools,
            limits=limits,
        )
        await bus.start()
        await engine.start()
        return cls(store, bus, engine)

    async def close(self) -> None:
        """End this process's part; as after a crash, turns that ran stay unfinished. Twice is harmless."""
        await self.engine.stop()
        await self.bus.stop(timeout=1)
        await self.store.close()

    def _keep(self, event: Event) -> None:
        self.events.append(event)
        noted()
        self._told.set()

    def of(self, event_type: type[E], turn_id: str | None = None) -> list[E]:
        """What was told of this type, of one turn or of all."""
        found = [event for event in self.events if isinstance(event, event_type)]
        return [event for event in found if turn_id is None or getattr(event, "turn_id", None) == turn_id]

    async def told(self, event_type: type[E], turn_id: str | None = None, *, times: int = 1) -> E:
        """Wait until an event of this type was told that often, and give the last."""
        while len(found := self.of(event_type, turn_id)) < times:
            self._told.clear()
            await self._told.wait()
        return found[times - 1]

    async def admit(self, text: str = "hello", session_id: str = "s", author: Author | None = None) -> Admitted:
        """Say something and go on."""
        command = prompt(text, session_id, author)
        admitted = (await self.bus.execute(command)).unwrap()
        assert isinstance(admitted, Admitted)
        return admitted

    async def outcome(self, turn_id: str) -> TurnFinishedEvent:
        """Wait until the turn has ended."""
        return await self.told(TurnFinishedEvent, turn_id)

    async def say(self, text: str = "hello", session_id: str = "s", author: Author | None = None) -> TurnFinishedEvent:
        """Say something and wait for what comes of it."""
        return await self.outcome((await self.admit(text, session_id, author)).turn_id)

    def results(self, turn_id: str | None = None) -> list[tuple[bool, str]]:
        """The results of the tool calls that ended."""
        return [(event.result.ok, event.result.content) for event in self.of(ToolCallFinishedEvent, turn_id)]

    async def decide(self, waiting: ToolCallWaitingEvent, *, approved: bool, by: Author = ADA) -> bool:
        """Decide a waiting call; whether it counted."""
        command = DecideToolCallCommand(
            session_id=waiting.session_id,
            turn_id=waiting.turn_id,
            call_id=waiting.call.id,
            approved=approved,
            decided_by=by,
        )
        counted: bool = (await self.bus.execute(command)).unwrap()
        return counted


class Held:
    """A reply that streams a beginning and then waits for the test."""

    def __init__(self, text: str = "the end", partial: str = "") -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self._text, self._partial = text, partial

    async def __call__(self, request: ChatRequest, on_text: OnText) -> ChatReply:
        if self._partial:
            on_text(self._partial)
        self.reached.set()
        await self.open.wait()
        return ChatReply(text=self._text, model="scripted")


def prompt(text: str = "hello", session_id: str = "s", author: Author | None = None) -> PromptCommand:
    return PromptCommand(
        session_id=session_id,
        text=text,
        source="test",
        source_id=str(next(_numbers)),
        author=author,
        origin={"channel": session_id},
    )


def call(*names: str, arguments: str = "{}") -> ChatReply:
    """A reply that calls these tools."""
    calls = tuple(ToolCall(name=name, arguments=arguments) for name in names)
    return ChatReply(tool_calls=calls, finish="tool_calls", model="scripted")


def echo() -> Callable[[ChatRequest, OnText], Awaitable[ChatReply]]:
    """Answers every prompt with its own text."""

    async def reply(request: ChatRequest, on_text: OnText) -> ChatReply:
        text = f"You said {request.messages[-1].content}"
        on_text(text)
        return ChatReply(text=text, model="scripted")

    return reply


def roll() -> int:
    """Roll a die."""
    return 4
