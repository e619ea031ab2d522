"""The engine: ask the model, call tools, ask again, answer."""

from llmgine.engine.ask import ask
from llmgine.engine.engine import ToolChatEngine

# The first README called the engine by this name too: programs that import it keep working.
LLMEngine = ToolChatEngine

__all__ = ["LLMEngine", "ToolChatEngine", "ask"]
