"""The conversation before a prompt, in the request of its own turn: as data in the prompt's JSON, at its end.

So all that services cache of a request stays the same when the turn is sent again later, without it.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from llmgine.context.past_turns import PastTurn, estimated_tokens
from llmgine.messages.chat_messages import ChatMessage
from llmgine.messages.context_messages import ContextMessage
from llmgine.messages.text import shorten

_SHORTEST = 100  # characters that are worth sending of a message that is too long
_EMPTY = ChatMessage(role="user", content="")


def entry(message: ContextMessage) -> dict[str, Any]:
    """A message as the model is shown it: who wrote it and when, and what."""
    author = message.author
    told: dict[str, Any] = {"from": {"id": author.id, "name": author.name}}
    if author.kind != "person":
        told["from"]["is"] = author.kind
    told |= {"at": message.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "text": message.text}
    return told | ({"mentions": message.mentions} if message.mentions else {})


def tokens_of(messages: Sequence[ContextMessage]) -> int:
    """About how many tokens messages take in a request, by our own estimate."""
    if not messages:
        return 0
    content = json.dumps({"earlier": list(map(entry, messages))}, ensure_ascii=False)
    return estimated_tokens([_EMPTY.model_copy(update={"content": content})]) - estimated_tokens([_EMPTY])


def newest_within(messages: Sequence[ContextMessage], tokens: int) -> list[ContextMessage]:
    """The newest messages that take so many tokens at most; the first that does not fit whole is shortened, if it can.

    Args:
        messages: Messages, oldest first.
        tokens: How many they may take, by our own estimate.
    """
    found: list[ContextMessage] = []
    for message in reversed(messages):
        if tokens_of([message, *found]) <= tokens:
            found.insert(0, message)
            continue
        short = _shortened(message, tokens - tokens_of(found))
        if short is not None and tokens_of([short, *found]) <= tokens:
            found.insert(0, short)
        break
    return found


def _shortened(message: ContextMessage, tokens: int) -> ContextMessage | None:
    """As much of a message as takes so many tokens; None where that is next to nothing."""
    fits, too_long = 0, len(message.text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if tokens_of([message.model_copy(update={"text": shorten(message.text, middle)})]) <= tokens:
            fits = middle
        else:
            too_long = middle
    return message.model_copy(update={"text": shorten(message.text, fits)}) if fits >= _SHORTEST else None


def with_earlier(turn: PastTurn, messages: Sequence[ContextMessage]) -> PastTurn:
    """A turn, whose prompt is sent as JSON, with what was written before it."""
    if not messages or not turn.messages:
        return turn
    prompt = turn.messages[0]
    told = json.loads(prompt.content) | {"earlier": list(map(entry, messages))}
    new = prompt.model_copy(update={"content": json.dumps(told, ensure_ascii=False)})
    return replace(turn, messages=(new, *turn.messages[1:]), tokens=turn.tokens + tokens_of(messages))
