"""Requests that are too long: how much shorter the next one must be, what that teaches, and what to tell people."""

from llmgine.context import Conversation, estimated_tokens, messages_of
from llmgine.errors import ContextOverflowError
from llmgine.providers.base import ChatReply
from llmgine.sessions.records import TurnSteps


def shorter(error: ContextOverflowError, conversation: Conversation) -> int:
    """How large the next request may be, by our own estimate, after one that was too long."""
    most = int(0.6 * conversation.tokens)
    if error.window is None:
        return most
    if error.requested is not None and error.requested > error.window:
        # The service's own count of this request says how much one of our tokens is.
        return min(int(0.9 * conversation.tokens * error.window / error.requested), int(0.9 * conversation.tokens))
    return min(most, int(0.9 * error.window))


def own_window(error: ContextOverflowError, reply: ChatReply, tokens: int) -> int:
    """A model's window by our own estimate, after a request of so many tokens was answered."""
    counted = reply.usage.input_tokens if reply.usage else 0
    if error.window is None or not counted:
        return tokens
    return max(tokens, int(error.window * tokens / counted))


def too_long(steps: TurnSteps, overflow: ContextOverflowError | None) -> str:
    """What is too long for a model by itself, and what to do."""
    takes = ""
    if overflow is not None and overflow.window:
        takes = f"; it takes {overflow.window:,}" if overflow.lasting else f"; {overflow.window:,} are allowed at once"
    if steps.results:
        size = estimated_tokens(messages_of(steps))
        return f"What the tools gave is too long for the model (about {size:,} tokens{takes}). Ask for less at once."
    size = estimated_tokens(messages_of(steps))
    files = [file for prompt in steps.prompts for file in prompt.attachments if file.text]
    longest = max(files, key=lambda file: len(file.text or ""), default=None)
    if longest is None:
        return f"This message is too long for the model (about {size:,} tokens{takes}). Send a shorter one."
    part = len((longest.text or "").encode()) // 3
    return (
        f"This message is too long for the model (about {size:,} tokens{takes}). Its longest part is the file "
        f"{longest.name} (about {part:,} tokens). Send less of it, or fewer files at once."
    )
