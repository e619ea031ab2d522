"""Observers: what listens to a bus and reports. They are below the bus, so they know only the part they use of it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from llmgine.messages.events import Event

E = TypeVar("E", bound=Event)


class ObservedBus(Protocol):
    """A bus as its observers use it."""

    async def publish(self, event: Event) -> None:
        """Publish an event."""

    def register_event_handler(self, event_type: type[E], handler: Callable[[E], object]) -> Callable[[], None]:
        """Register a handler of events of a type; returns a function that unsubscribes it."""


class Observer(Protocol):
    """Something that can be attached to a bus."""

    def attach(self, bus: ObservedBus) -> Callable[[], None]:
        """Listen to the bus; returns a function that unsubscribes."""


def all_of(*undos: Callable[[], None]) -> Callable[[], None]:
    """One function that unsubscribes several handlers."""

    def undo() -> None:
        for one in undos:
            one()

    return undo
