"""Observers: what listens to a bus and reports. They are below the bus, so they know it only by what they use of it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from llmgine.messages.events import Event

E = TypeVar("E", bound=Event)


class ObservedBus(Protocol):
    """A bus as its observers use it."""

    async def publish(self, event: Event) -> None:
        """Tell an event."""

    def register_event_handler(self, event_type: type[E], handler: Callable[[E], object]) -> Callable[[], None]:
        """Hear events of a type; returns the undo."""


class Observer(Protocol):
    """Something that can be switched on for a bus."""

    def attach(self, bus: ObservedBus) -> Callable[[], None]:
        """Listen to the bus; returns a function that ends it."""


def all_of(*undos: Callable[[], None]) -> Callable[[], None]:
    """One undo for several."""

    def undo() -> None:
        for one in undos:
            one()

    return undo
