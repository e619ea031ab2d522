"""The message bus: commands with one handler, events with many."""

from llmgine.bus.message_bus import MessageBus

__all__ = ["MessageBus"]
