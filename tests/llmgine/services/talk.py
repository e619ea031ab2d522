"""A conversation between the real engine and a stand-in of a service, with what is common to all its tests."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from llmgine.messages.events import ToolCallFinishedEvent, TurnFinishedEvent
from llmgine.providers.anthropic import AnthropicProvider
from llmgine.providers.base import Provider
from llmgine.providers.openai import OpenAIProvider
from tests.llmgine.engine.chat import Chat
from tests.services.catalogue import Api, Entry
from tests.services.refusal import Kind
from tests.services.script import ANSWER
from tests.services.service import Service
from tests.waiting import patience

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def provider_for(service: Service, api: Api) -> Provider:
    """Who asks a stand-in by one of its APIs."""
    if api == "messages":
        return AnthropicProvider(service.model, service.key, service.base_url)
    return OpenAIProvider(service.model, service.key, service.base_url, api=api)


class Tools:
    """The two tools that the model of the stand-ins calls; `look` can be held in the middle.

    Attributes:
        held: Whether `look` never ends.
        began: Set once `look` has begun.
    """

    def __init__(self) -> None:
        self.held = False
        self.began = asyncio.Event()

    async def roll(self, sides: int) -> str:
        """Roll a die.

        Args:
            sides: How many sides it has.
        """
        return f"4 of {sides}"

    async def look(self, place: str) -> str:
        """Look around.

        Args:
            place: Where to look.
        """
        self.began.set()
        if self.held:
            await asyncio.Event().wait()
        return f"{place} is empty"


class Talk:
    """One database, and chats on it one after another, each as a process of its own would have it.

    Attributes:
        entry: The service asked.
        service: Its stand-in.
        tools: Those the model may call.
    """

    def __init__(self, stack: AsyncExitStack, entry: Entry, service: Service, path: Path) -> None:
        self.entry, self.service = entry, service
        self.tools = Tools()
        self._stack, self._path = stack, path
        self._chat: Chat | None = None

    @property
    def has_tools(self) -> bool:
        """Whether the model can call tools."""
        return "tools" in self.entry.works

    async def start(self, entry: Entry | None = None, service: Service | None = None, **options: object) -> Chat:
        """Begin a chat; the one before has ended, as with its process. Another service may answer from here on."""
        if self._chat is not None:
            await self._chat.close()
        entry, service = entry or self.entry, service or self.service
        provider = provider_for(service, entry.api)
        self._stack.push_async_callback(provider.aclose)
        chat = await Chat.start(self._path, provider, **options)  # type: ignore[arg-type]  # as given
        self._stack.push_async_callback(chat.close)
        for tool in (self.tools.roll, self.tools.look):
            await chat.engine.register_tool(tool, idempotent=True)
        self._chat = chat
        return chat

    async def held(self) -> None:
        """Wait until an answer is held; a service that refused the request instead never comes there."""
        async with patience("the service to hold an answer"):
            await self.service.holding.wait()

    async def in_tool(self) -> None:
        """Wait until a tool is held."""
        async with patience("the tool to begin"):
            await self.tools.began.wait()

    def used_tools(self, chat: Chat, outcome: TurnFinishedEvent, *, times: int = 3) -> bool:
        """Whether a turn called all tools it should: three calls in two rounds, if the model can call any."""
        results = [event.result.ok for event in chat.of(ToolCallFinishedEvent, outcome.turn_id)]
        return results == [True] * (times if self.has_tools else 0)


def is_answered(outcome: TurnFinishedEvent) -> bool:
    """Whether a turn ended with the model's whole answer and no word about a trouble, one about the service aside."""
    return outcome.state == "done" and outcome.text.startswith(ANSWER) and "thought" not in outcome.text.lower()


def wrongs(service: Service) -> list[str]:
    """What a service had to refuse that a right client does not send, and what it had to teach more than once."""
    taught = Counter(service.refused(Kind.LEARN))
    return [
        *map(repr, service.broken),
        *(f"taught {count} times: {rule}" for rule, count in taught.items() if count > 1),
    ]
