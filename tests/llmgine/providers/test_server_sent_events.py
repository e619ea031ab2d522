"""Server-sent events, however they are cut into pieces."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from llmgine.providers.server_sent_events import EventReader

STREAM = (
    b': a comment\r\n\r\ndata: {"a": 1}\r\n\r\nevent: x\nid: 7\ndata:two\ndata: lines\n\n\n\n'
    b"data: \xc3\xa9\xf0\x9f\x99\x82\n\nretry: 10\n\ndata: [DONE]"
)
EVENTS = [b'{"a": 1}', b"two\nlines", "é🙂".encode(), b"[DONE]"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_events_are_the_same_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    """In the middle of a line, of a character, or of a line's end; two line ends make up for those at the end."""
    reader = EventReader()
    pieces = [STREAM[begin:end] for begin, end in itertools.pairwise([0, *cuts, len(STREAM)])]

    assert [data for piece in [*pieces, b"\n\n"] for data in reader.feed(piece)] == EVENTS


def test_bytes_that_end_no_event_give_none() -> None:
    """A comment that keeps the connection alive says nothing."""
    reader = EventReader()

    fed = [reader.feed(piece) for piece in (b": keep-alive\n\n", b"data: tw", b"o\n\n", b"data:\n\n")]

    assert fed == [[], [], [b"two"], [b""]]
