"""Messages of the bus tests' own."""

from llmgine.messages.commands import Command
from llmgine.messages.events import Event


class Add(Command):
    left: int = 1
    right: int = 2


class Noted(Event):
    number: int = 0


class LoudlyNoted(Noted):
    pass


class Silent(Event):
    logged = False
