"""Requests that are too long: how much shorter the next one must be, what that teaches, and what to tell people."""

from llmgine.context import Conversation
from llmgine.errors import ContextOverflowError
from llmgine.messages.pointed_at import files_of
from llmgine.messages.translatable import Text, tr
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


def too_long(steps: TurnSteps, conversation: Conversation, overflow: ContextOverflowError) -> Text:
    """What is too long for a model by itself, and what to do."""
    said = _tokens(*(prompt.text for prompt in steps.state.prompts))
    given = _tokens(*(call.result.content for call in steps.state.calls.values() if call.result))
    parts = [
        (said, tr("This message is too long for the model"), tr("Send a shorter one.")),
        (given, tr("The tools returned too much for the model"), tr("Ask for less at once.")),
        (
            conversation.fixed_tokens,
            tr("The system prompt and the tools are too long for the model"),
            tr("Shorten the prompt (/system) or offer fewer tools (/tools)."),
        ),
    ]
    if overflow.window is None and overflow.lasting and conversation.tokens < _SMALL:
        return tr(
            "The model has no room to answer even a short message. Check the context size set at the model's service."
        )
    files = [one for prompt in steps.state.prompts for one in files_of(prompt) if one.text]
    if files:
        longest = max(files, key=lambda file: len(file.text or ""))
        what = tr("The file {name} is too long for the model", name=longest.name)
        parts.append((_tokens(longest.text or ""), what, tr("Send less of it, or fewer files at once.")))
    if conversation.image_tokens:
        what = tr("The images are too large for the model")
        parts.append((conversation.image_tokens, what, tr("Send smaller or fewer images.")))
    size, part, advice = max(parts, key=lambda entry: entry[0])
    return tr("{part}: {numbers}. {advice}", part=part, numbers=_numbers(size, overflow), advice=advice)


def _numbers(size: int, overflow: ContextOverflowError) -> Text:
    """How long it is, and how long it may be; by the service's own count where it told."""
    if overflow.window is None:
        return tr("about {tokens} tokens", tokens=size)
    window = overflow.window
    takes = tr("its limit is {tokens}", tokens=window)
    if not overflow.lasting:
        takes = tr("the service allows {tokens}", tokens=window)
    if overflow.requested is not None:
        return tr("the whole request has {tokens} tokens, {limit}", tokens=overflow.requested, limit=takes)
    if size > window:
        return tr("about {tokens} tokens, {limit}", tokens=size, limit=takes)
    return tr("{limit} tokens", limit=takes)


def _tokens(*texts: str) -> int:
    return sum(len(text.encode()) for text in texts) // 3
