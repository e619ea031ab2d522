"""What the tests of this folder say and show to the model."""

import base64
import struct
import zlib

from llmgine.messages.chat_messages import ChatMessage
from llmgine.providers.base import ChatRequest

WINDOW = 1536  # tokens of a slot, by default
_WORDS = ("tea", "milk", "salt", "gold", "fish", "rain", "moon", "bread", "glass", "stone")


def words(count: int, first: int = 0) -> str:
    """So many words, each about one token."""
    return " ".join(_WORDS[(first + number) % len(_WORDS)] for number in range(count))


def ask(text: str, *, images: tuple[str, ...] = (), max_output_tokens: int | None = None) -> ChatRequest:
    """A request with one question."""
    messages = (
        ChatMessage(role="system", content="Be brief."),
        ChatMessage(role="user", content=text, images=images),
    )
    return ChatRequest(messages=messages, max_output_tokens=max_output_tokens)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _red_square(side: int = 8) -> str:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xff\0\0" * side) * side
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


RED_SQUARE = _red_square()
