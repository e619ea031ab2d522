"""The simulated model: it streams numbered sentences, calls tools, and fails in every way a model does."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from llmgine.errors import (
    EmptyReplyError,
    ProviderBusyError,
    ProviderRefusedError,
    ProviderReplyError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    ReplyCutOffError,
)
from llmgine.messages.chat_messages import ToolCall, Usage
from llmgine.providers.base import ChatReply, ChatRequest, ListedModel
from tests.simulation.faults import Fault, Weather
from tests.simulation.life import Life
from tests.simulation.timeline import Timeline

NAME = "simulated"
QUESTION = re.compile(r"q(\d+)v(\d+)")
SENTENCE = re.compile(r"r(\d+)s(\d+)\.")
_TIME_LIMIT = 60.0  # seconds after which a model that says nothing counts as silent
_FILLER = "with as many words as it takes to make a message of it, and a few more"


@dataclass
class Outside:
    """What lies outside of the process and remembers what was done: the model service, and what tools changed.

    Attributes:
        replies: The texts that were given whole, by their number.
        paid: How often each payment was made.
    """

    timeline: Timeline
    weather: Weather
    chance: random.Random
    number: int = 0
    replies: dict[int, str] = field(default_factory=dict)
    paid: Counter[str] = field(default_factory=Counter)


class SimulatedModel:
    """The provider of one life of the bot."""

    model = NAME
    service = "simulation"

    def __init__(self, outside: Outside, life: Life) -> None:
        self._outside = outside
        self._life = life

    async def choose_model(self) -> str:
        """See `Provider`."""
        return NAME

    async def models(self) -> tuple[ListedModel, ...]:
        """See `Provider`."""
        return (ListedModel(NAME),)

    async def aclose(self) -> None:
        """See `Provider`."""

    async def reply(
        self, request: ChatRequest, on_text: Callable[[str], None], on_reset: Callable[[], None] | None = None
    ) -> ChatReply:
        """See `Provider`."""
        outside = self._outside
        outside.number += 1
        number, chance, weather = outside.number, outside.chance, outside.weather
        await asyncio.sleep(
            chance.uniform(0.1, 1.5) if chance.random() < 0.8 else chance.uniform(2.0, 30.0)
        )  # it thinks
        await self._fail()
        asked = request.messages[-1]
        rounds = _rounds(request)
        if request.tools and rounds < 3 and chance.random() < (0.3 if asked.role == "user" else 0.2):
            return self._calling(number, on_text)
        pause = 60.0 if weather.strikes(Fault.MODEL_SLOW) else chance.choice((0.0, 1.0, 4.0))
        sentences = self._sentences(number)
        text = ""
        for position, sentence in enumerate(sentences):
            if position and weather.strikes(Fault.MODEL_CUT):
                raise ReplyCutOffError("The simulated reply broke off", partial=text)
            on_text(sentence)
            text += sentence
            await asyncio.sleep(pause / len(sentences))
        outside.replies[number] = text.strip()
        return ChatReply(text=text, model=NAME, usage=Usage(input_tokens=100, output_tokens=len(sentences)))

    async def _fail(self) -> None:
        chance, weather = self._outside.chance, self._outside.weather
        if weather.strikes(Fault.MODEL_BUSY):
            raise ProviderBusyError("Busy", retry_after=chance.choice((None, 0.5, 5.0, 40.0)))
        if weather.strikes(Fault.MODEL_BUSY_LONG):
            raise ProviderBusyError("Busy for long", retry_after=300.0)
        if weather.strikes(Fault.MODEL_UNAVAILABLE):
            raise ProviderUnavailableError("Unavailable")
        if weather.strikes(Fault.MODEL_SILENT):
            await asyncio.sleep(_TIME_LIMIT)
            raise ProviderTimeoutError("Silent")
        if weather.strikes(Fault.MODEL_NO_REPLY):
            raise ProviderReplyError("Not a reply")
        if weather.strikes(Fault.MODEL_EMPTY):
            raise EmptyReplyError("Empty")
        if weather.strikes(Fault.MODEL_REFUSED):
            raise ProviderRefusedError("Refused")

    def _calling(self, number: int, on_text: Callable[[str], None]) -> ChatReply:
        chance = self._outside.chance
        text = ""
        if chance.random() < 0.3:
            text = f"r{number}s0. "
            on_text(text)
        names = [
            chance.choice(("look_up", "look_up", "pay", "pay", "transfer")) for _ in range(chance.choice((1, 1, 2, 3)))
        ]
        calls = tuple(
            ToolCall(name=name, arguments=f'{{"key": "c{number}.{place}"}}') for place, name in enumerate(names)
        )
        self._outside.replies[number] = text.strip()
        return ChatReply(text=text, tool_calls=calls, finish="tool_calls", model=NAME)

    def _sentences(self, number: int) -> list[str]:
        """Mostly a few; at times so many that they take several messages, and rarely more than five."""
        chance = self._outside.chance
        count = chance.choices((1, 3, 8, 60, 160), (30, 40, 20, 8, 2))[0]
        end = "\n\n" if count > 8 else " "
        filler = f" {_FILLER}" if count > 8 else ""
        return [f"r{number}s{place}.{filler}{end if place % 5 == 4 else ' '}" for place in range(count)]

    async def look_up(self, key: str) -> str:
        """Look something up; may be repeated.

        Args:
            key: What.
        """
        await self._use("look_up")
        return f"Found {key}."

    async def pay(self, key: str) -> str:
        """Pay; never to be repeated.

        Args:
            key: Which payment.
        """
        await self._use("pay")
        self._take_effect(key)
        return f"Paid {key}."

    async def transfer(self, key: str) -> str:
        """Transfer; never to be repeated, and only when somebody approves.

        Args:
            key: Which payment.
        """
        self._take_effect(key)
        return f"Transferred {key}."

    def _take_effect(self, key: str) -> None:
        outside = self._outside
        if self._life.alive:
            outside.paid[key] += 1
            outside.timeline.note(f"paid {key}")
            if outside.weather.strikes(Fault.KILL_IN_TOOL):
                self._life.kill("in a tool")

    async def _use(self, name: str) -> None:
        chance, weather = self._outside.chance, self._outside.weather
        if weather.strikes(Fault.TOOL_FAILED):
            raise ValueError(f"{name} does not work at present")
        if weather.strikes(Fault.TOOL_HANGS):
            await asyncio.sleep(100_000.0)
        await asyncio.sleep(chance.choice((0.0, 0.2, 5.0)))


def _rounds(request: ChatRequest) -> int:
    """How often tools were called for the last question."""
    rounds = 0
    for message in reversed(request.messages):
        if message.role == "user":
            break
        rounds += message.role == "assistant"
    return rounds
