"""Messages of the bus tests' own, and a handler that keeps them."""

import asyncio

from llmgine.messages.commands import Command
from llmgine.messages.events import Event


class Add(Command):
    left: int = 1
    right: int = 2


class Noted(Event):
    number: int = 0


class LoudlyNoted(Noted):
    pass


class Keeper:
    """An `async def` handler that keeps the numbers it heard."""

    def __init__(self, until: int = -1) -> None:
        self.numbers: list[int] = []
        self.full = asyncio.Event()
        self._until = until

    async def __call__(self, event: Noted) -> None:
        self.numbers.append(event.number)
        if len(self.numbers) == self._until:
            self.full.set()
