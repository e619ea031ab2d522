"""What the model sees: the conversation that a call is made with."""

from llmgine.context.context_manager import PAGE, Bounds, ContextManager, Conversation, trim
from llmgine.context.envelope import PEOPLE_NOTE, TOOLS_NOTE, may_be_envelope, unwrapped
from llmgine.context.past_turns import PastTurn, estimated_tokens, fitting, messages_of, seen, tokens_of_tools

__all__ = [
    "PAGE",
    "PEOPLE_NOTE",
    "TOOLS_NOTE",
    "Bounds",
    "ContextManager",
    "Conversation",
    "PastTurn",
    "estimated_tokens",
    "fitting",
    "may_be_envelope",
    "messages_of",
    "seen",
    "tokens_of_tools",
    "trim",
    "unwrapped",
]
