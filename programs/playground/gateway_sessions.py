"""Gateway sessions: the events a client may still ask for, and the connection they go out on."""

import asyncio
import json
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum

from aiohttp import web

from programs.playground.compression import stream
from programs.playground.entities import Json
from programs.playground.intents import Intent

LARGE_PAYLOAD = 1024  # characters from which a frame is worth compressing


class Op(IntEnum):
    """Gateway opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE = 4
    RESUME = 6
    RECONNECT = 7
    MEMBERS = 8
    INVALID = 9
    HELLO = 10
    ACK = 11


class ClosingError(Exception):
    """The connection ends with this close code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection:
    """One WebSocket: what is sent goes through a queue, so that whoever emits never waits."""

    def __init__(self, socket: web.WebSocketResponse, *, compress: str) -> None:
        self._socket = socket
        self._compress = stream(compress)
        self._compress_payloads = False
        self._outgoing: asyncio.Queue[Json | ClosingError] = asyncio.Queue()
        self.closing = False
        self.acknowledges = True  # a zombie does not
        self.frozen = False  # nothing goes out any more, and the socket stays open

    def compress_payloads(self) -> None:
        """As IDENTIFY may ask: a large frame is compressed for itself, unless the transport already does it."""
        self._compress_payloads = self._compress is None

    def send(self, op: int, data: object = None) -> None:
        """Send a frame that is no event."""
        self.send_frame({"op": op, "d": data, "s": None, "t": None})

    def send_frame(self, frame: Json) -> None:
        """Send a frame, unless the connection is frozen."""
        if not self.frozen:
            self._outgoing.put_nowait(frame)

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection with a code, behind what waits to be sent."""
        self.closing = True
        self._outgoing.put_nowait(ClosingError(code, reason))

    async def write(self) -> None:
        """Send what is queued until the connection closes."""
        with suppress(ConnectionError):  # the client went between two frames; reading notices it too
            while not isinstance(item := await self._outgoing.get(), ClosingError):
                await self._send(json.dumps(item))
            await self._socket.close(code=item.code, message=item.reason.encode())

    async def _send(self, text: str) -> None:
        if self._compress is not None:
            await self._socket.send_bytes(self._compress(text.encode()))
        elif self._compress_payloads and len(text) >= LARGE_PAYLOAD:
            await self._socket.send_bytes(zlib.compress(text.encode()))
        else:
            await self._socket.send_str(text)


@dataclass
class Session:
    """What a client may resume: the last events, and the connection while there is one."""

    id: str
    intents: Intent
    missed: deque[Json]
    shard: tuple[int, int] = (0, 1)
    seq: int = 0
    connection: Connection | None = field(default=None, repr=False)
    _reversing: int = 0
    _held: list[tuple[str, Json]] = field(default_factory=list, repr=False)

    def reverse(self, count: int) -> None:
        """Tell the next `count` events together and in reverse."""
        self._reversing = count

    def dispatch(self, name: str, data: Json) -> None:
        """Send an event, or keep it where the order is being reversed."""
        if not self._reversing:
            self._tell(name, data)
            return
        self._held.append((name, data))
        self._reversing -= 1
        while not self._reversing and self._held:
            self._tell(*self._held.pop())

    def _tell(self, name: str, data: Json) -> None:
        self.seq += 1
        frame: Json = {"op": Op.DISPATCH, "t": name, "s": self.seq, "d": data}
        self.missed.append(frame)
        if self.connection is not None:
            self.connection.send_frame(frame)

    def covers(self, guild_id: int | None) -> bool:
        """Whether this session's shard gets the events of a guild; those without a guild go to shard 0."""
        mine, of = self.shard
        return mine == (0 if guild_id is None else (guild_id >> 22) % of)

    def frames_after(self, seq: int) -> list[Json] | None:
        """The events after `seq`; None when they are no longer all there, or never were sent."""
        oldest = self.missed[0]["s"] if self.missed else self.seq + 1
        if not oldest - 1 <= seq <= self.seq:
            return None
        return [frame for frame in self.missed if frame["s"] > seq]
