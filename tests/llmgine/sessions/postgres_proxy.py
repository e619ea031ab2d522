"""A proxy before a PostgreSQL server that cuts a connection at a chosen message of the client."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum, auto
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Wanted = Callable[[str, bytes], bool]
_SOCKET = ".s.PGSQL.5432"


class Cut(Enum):
    """Where a connection is cut."""

    BEFORE = auto()  # The server never gets the message, and hears that the connection has ended.
    UNHEARD = auto()  # The server never gets the message, and does not hear that the connection has ended.
    DURING = auto()  # The server is still at the message.
    AFTER = auto()  # The server has done what the message says, and its answer is lost.


class PostgresProxy:
    """Listens on a socket of its own; the messages of all connections go through it.

    Attributes:
        url: The address of the database, by the proxy.
        messages: The messages of clients so far: the kind and the text of each.
        cuts: How many connections were cut.
        passing: While it is not set nothing is passed on, in no direction: the server seems to hang.
    """

    def __init__(self, url: str, server: str) -> None:
        self.url = url
        self.messages: list[tuple[str, bytes]] = []
        self.cuts = 0
        self.passing = asyncio.Event()
        self.passing.set()
        self._server = server
        self._wanted: Wanted | None = None
        self._how = Cut.BEFORE
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self, wanted: Wanted, how: Cut) -> None:
        """Cut the connection at the next message that is wanted."""
        self._wanted, self._how = wanted, how

    def cut_at_commit(self, how: Cut) -> None:
        """Cut the connection at the next COMMIT."""
        self.cut(lambda kind, text: kind == "Q" and text.startswith(b"COMMIT"), how)

    def cut_at_number(self, number: int, how: Cut) -> None:
        """Cut the connection at the message with this number from here on, counted from 0."""
        place = len(self.messages) + number
        self.cut(lambda _kind, _text: len(self.messages) > place, how)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends."""
        self._writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.passing.wait()
        try:
            from_server, to_server = await asyncio.open_unix_connection(self._server)
        except OSError:  # there is no server
            writer.transport.abort()
            return
        self._writers.append(to_server)
        answers = asyncio.create_task(self._pass_answers(from_server, writer))
        how = None
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                size = await reader.readexactly(4)  # the first message of a connection has no kind
                to_server.write(size + await reader.readexactly(int.from_bytes(size) - 4))
                how = await self._pass_messages(reader, to_server)
                if how is Cut.AFTER:
                    answers.cancel()
                    await asyncio.gather(answers, return_exceptions=True)
                    await from_server.read(1)
        finally:
            answers.cancel()
            self.cuts += how is not None
            writer.transport.abort()
            if how is not Cut.UNHEARD:
                to_server.close()

    async def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)
        for writer in self._writers:
            writer.transport.abort()

    async def _pass_messages(self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> Cut:
        """Pass messages on until one of them is where the connection is cut."""
        while True:
            head = await reader.readexactly(5)
            text = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            self.messages.append((chr(head[0]), text))
            await self.passing.wait()
            wanted = self._wanted is not None and self._wanted(chr(head[0]), text)
            if wanted:
                self._wanted = None
            if not wanted or self._how in {Cut.DURING, Cut.AFTER}:
                to_server.write(head + text)
                await to_server.drain()
            if wanted:  # to most messages there is no answer before the one that asks for it
                return Cut.DURING if self._how is Cut.AFTER and head[:1] not in b"QSH" else self._how

    async def _pass_answers(self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await from_server.read(65536):
                await self.passing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def proxy_to(url: str) -> AsyncIterator[PostgresProxy]:
    """A proxy before the server of an address with one socket."""
    folder = parse_qs(urlsplit(url).query)["host"][0]
    with tempfile.TemporaryDirectory(prefix="px-") as ours:
        proxy = PostgresProxy(url.replace(folder, ours), f"{folder}/{_SOCKET}")
        server = await asyncio.start_unix_server(proxy.serve, Path(ours) / _SOCKET)
        try:
            yield proxy
        finally:
            server.close()
            await proxy.close()
