"""The engine: ask the model, call tools, ask again, answer."""

from llmgine.engine.ask import ask
from llmgine.engine.engine import ToolChatEngine

__all__ = ["ToolChatEngine", "ask"]
