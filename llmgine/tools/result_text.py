"""What a tool gave, as text a model can be sent: any value, of any size, with any characters."""

import json

from pydantic_core import to_jsonable_python

MAX_RESULT_BYTES = 16_000

_NOTE_ROOM = 100


class NotDone(str):
    """What a tool gives that ran, and did not do what it was asked: no error, and nothing that people see as done."""

    __slots__ = ()


def to_text(value: object) -> str:
    """The value as text: strings as they are, None as "done", all else as JSON.

    Objects without a JSON form stand as their `str()`.

    Raises:
        ValueError: It has no text: it contains itself, or bytes that are not UTF-8.
        Exception: Whatever the value's own `__str__` or serializer raises.
    """
    if value is None:
        return "done"
    if isinstance(value, str):
        return str.__str__(value)  # the text itself, also of an enum, whose own str() is its name
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json.dumps(to_jsonable_python(value, fallback=str), ensure_ascii=False)


def cap(text: str, limit: int = MAX_RESULT_BYTES) -> str:
    """At most `limit` bytes of UTF-8: a longer text keeps its head and its tail around a note of what is missing.

    `text` is without lone surrogates. `limit` counts bytes because tokens follow them more closely than
    characters, and is above 200.
    """
    data = text.encode()
    if len(data) <= limit:
        return text
    half = (limit - _NOTE_ROOM) // 2
    note = f"\n[... {len(data) - 2 * half:,} of {len(data):,} bytes are left out here ...]\n"
    return data[:half].decode("utf-8", "ignore") + note + data[-half:].decode("utf-8", "ignore")
