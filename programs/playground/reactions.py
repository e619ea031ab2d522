"""What may be a reaction, and how many a message carries."""

from programs.playground.entities import Message
from programs.playground.errors import ApiError, unknown

MAX_REACTIONS = 20  # different ones on one message
MAX_EMOJI_LENGTH = 32


def require_emoji(emoji: str) -> str:
    """`emoji`, unless it cannot be one. Raises 10014 for text, and for custom emoji, of which there are none here."""
    plain_text = emoji.isascii() and not emoji.startswith(tuple("0123456789#*"))
    if not emoji or len(emoji) > MAX_EMOJI_LENGTH or plain_text or ":" in emoji:
        raise unknown("Emoji")
    return emoji


def require_reactable(message: Message, emoji: str) -> None:
    """Raises 30010 when the message carries its full number of different reactions."""
    if emoji not in message.reactions and len(message.reactions) >= MAX_REACTIONS:
        raise ApiError(403, 30010, f"Maximum number of reactions reached ({MAX_REACTIONS})")
