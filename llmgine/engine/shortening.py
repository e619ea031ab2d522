"""Requests that are too long: how much shorter the next one must be, what that teaches, and what to tell people."""

from llmgine.context import Conversation
from llmgine.errors import ContextOverflowError
from llmgine.providers.base import ChatReply
from llmgine.sessions.records import TurnSteps

_SMALL = 2_000  # tokens; every model takes as much


def shorter(error: ContextOverflowError, conversation: Conversation) -> int:
    """How large the next request may be, by our own estimate, after one that was too long."""
    most = int(0.6 * conversation.tokens)
    if error.window is None:
        return most
    if error.requested is not None and error.requested > error.window:
        # The service's own count of this request says how much one of our tokens is.
        return min(int(0.9 * conversation.tokens * error.window / error.requested), int(0.9 * conversation.tokens))
    return min(most, int(0.9 * error.window))


def own_window(error: ContextOverflowError, reply: ChatReply, conversation: Conversation) -> int:
    """A model's window by our own estimate, after a shorter request was answered."""
    counted, tokens = reply.usage.input_tokens if reply.usage else 0, conversation.tokens
    if error.window is None or not counted or conversation.image_tokens:
        return tokens
    return max(tokens, int(error.window * tokens / counted))


def too_long(steps: TurnSteps, conversation: Conversation, overflow: ContextOverflowError) -> str:
    """What is too long for a model by itself, and what to do."""
    said = _tokens(*(prompt.text for prompt in steps.state.prompts))
    given = _tokens(*(call.result.content for call in steps.state.calls.values() if call.result))
    parts = {
        "This message is": (said, "Send a shorter one."),
        "What the tools gave is": (given, "Ask for less at once."),
        "The system prompt with the tools is": (
            conversation.fixed_tokens,
            "Shorten the prompt (/system) or offer fewer tools (/tools).",
        ),
    }
    if overflow.window is None and overflow.lasting and conversation.tokens < _SMALL:
        return (
            "The model has no room for an answer, even to a short message. Check the size of the context that its "
            "service is set to."
        )
    files = [one for prompt in steps.state.prompts for one in prompt.attachments if one.text]
    if files:
        longest = max(files, key=lambda file: len(file.text or ""))
        advice = "Send less of it, or fewer files at once."
        parts[f"The file {longest.name} is"] = (_tokens(longest.text or ""), advice)
    if conversation.image_tokens:
        parts["The images are"] = (conversation.image_tokens, "Send smaller ones, or fewer.")
    part, (size, advice) = max(parts.items(), key=lambda entry: entry[1][0])
    return f"{part} too long for the model: {_numbers(size, overflow)}. {advice}"


def _numbers(size: int, overflow: ContextOverflowError) -> str:
    """How long it is, and how long it may be; by the service's own count where it told."""
    if overflow.window is None:
        return f"about {size:,} tokens"
    takes = f"{'it takes' if overflow.lasting else 'its service allows'} {overflow.window:,}"
    if overflow.requested is not None:
        return f"the whole request has {overflow.requested:,} tokens, and {takes}"
    return f"about {size:,} tokens, and {takes}" if size > overflow.window else f"{takes} tokens"


def _tokens(*texts: str) -> int:
    return sum(len(text.encode()) for text in texts) // 3
