"""The data of server-sent events, read from bytes as they come.

The client library has a decoder of its own; with a piece of text in each event it takes a fifth of all the time that
a stream costs. This one reads what streams of models hold: `data` fields, in one or several lines.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from collections.abc import AsyncGenerator, AsyncIterator


async def event_data(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The data of each event; one that the end of the stream cuts off counts: some services end without a line.

    Bytes that end no event, such as comments that keep a connection alive, are told as b"".
    """
    lines: list[bytes] = []
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        silent = True
        for line in whole:
            if line in (b"", b"\r"):
                if lines:
                    silent = False
                    yield b"\n".join(lines)
                    lines.clear()
            elif line.startswith(b"data:"):
                lines.append(line[5:].strip(b" \r"))
        if silent:
            yield b""
    if rest.startswith(b"data:"):
        lines.append(rest[5:].strip(b" \r"))
    if lines:
        yield b"\n".join(lines)
