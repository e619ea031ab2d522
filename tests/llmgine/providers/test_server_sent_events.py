"""Server-sent events, however they are cut into pieces."""

from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from llmgine.providers.server_sent_events import event_data

STREAM = (
    b': a comment\r\n\r\ndata: {"a": 1}\r\n\r\nevent: x\nid: 7\ndata:two\ndata: lines\n\n\n\n'
    b"data: \xc3\xa9\xf0\x9f\x99\x82\n\nretry: 10\n\ndata: [DONE]"
)
EVENTS = [b'{"a": 1}', b"two\nlines", "é🙂".encode(), b"[DONE]"]


async def pieces(cuts: list[int]) -> AsyncIterator[bytes]:
    """The stream, cut at these places."""
    for begin, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True):
        yield STREAM[begin:end]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
async def test_events_are_the_same_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    """In the middle of a line, of a character, or of a line's end."""
    assert [data async for data in event_data(pieces(cuts)) if data] == EVENTS


async def test_bytes_that_end_no_event_are_a_sign_of_life() -> None:
    """A comment that keeps the connection alive is told, though it says nothing."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b": keep-alive\n\n"
        yield b"data: tw"
        yield b"o\n\n"

    assert [data async for data in event_data(chunks())] == [b"", b"", b"two"]
