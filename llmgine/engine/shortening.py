"""Requests that are too long: how much shorter the next one must be, what that teaches, and what to tell people."""

from llmgine.context import Conversation
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


def too_long(steps: TurnSteps, conversation: Conversation, overflow: ContextOverflowError) -> str:
    """What is too long for a model by itself, and what to do."""
    bound = ""
    if overflow.window:
        bound = f", and it takes {overflow.window:,}" if overflow.lasting else f", and {overflow.window:,} are allowed"
    files = [one for prompt in steps.prompts for one in prompt.attachments if one.text]
    longest = max(files, key=lambda file: len(file.text or ""), default=None)
    parts = {
        "The system prompt and the tools are": (
            conversation.fixed_tokens,
            "Shorten the one or offer fewer of the others",
        ),
        "What was said is": (_tokens(*(prompt.text for prompt in steps.prompts)), "Say it in fewer words"),
        "What the tools gave is": (
            _tokens(*(one.result.content for one in steps.results.values())),
            "Ask for less at once",
        ),
    }
    if longest is not None:
        parts[f"The file {longest.name} is"] = (_tokens(longest.text or ""), "Send less of it, or fewer files at once")
    part, (size, advice) = max(parts.items(), key=lambda entry: entry[1][0])
    return f"{part} too long for the model: about {size:,} tokens{bound}. {advice}."


def _tokens(*texts: str) -> int:
    return sum(len(text.encode()) for text in texts) // 3
