"""The data of server-sent events, read from bytes as they come.

The client library has a decoder of its own; with a piece of text in each event it takes a fifth of all the time that
a stream costs. This one reads what streams of models hold: `data` fields, in one or several lines.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""


class EventReader:
    """Takes the bytes of a stream as they come and gives the data of each event that is whole.

    An event that the end of the stream cuts off becomes whole with two line ends fed behind it.
    """

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._rest: list[bytes] = []  # of a line that has not ended; joined once, for a line may come in thousands

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that these bytes end."""
        self._rest.append(chunk)
        if b"\n" not in chunk:
            return []
        *whole, rest = b"".join(self._rest).split(b"\n")
        self._rest = [rest]
        found, lines = list[bytes](), self._lines
        for line in whole:
            if line.startswith(b"data:"):
                lines.append(line[5:].strip(b" \r"))
            elif lines and line in (b"", b"\r"):
                found.append(b"\n".join(lines))
                lines.clear()
        return found
