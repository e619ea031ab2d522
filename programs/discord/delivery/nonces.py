"""Nonces: the same part of the same turn always carries the same one, so that Discord posts it once."""

from llmgine.sessions.records import DeliveryKey, Turn

MAX_NONCE = 25  # Discord's limit


def nonce(turn: Turn, key: DeliveryKey) -> str:
    """The nonce of a part, at most 25 characters."""
    text = f"{turn.id}{turn.attempt}{key.kind[0]}{key.round}.{key.part}"
    if len(text) > MAX_NONCE:
        raise ValueError(f"{text!r} is longer than the {MAX_NONCE} characters Discord takes")
    return text
