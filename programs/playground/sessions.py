"""Gateway sessions: the events a client may still ask for, and the connection they go out on."""

import asyncio
import json
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum

from aiohttp import web

from programs.playground.entities import Json
from programs.playground.intents import Intent


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

    def __init__(self, socket: web.WebSocketResponse, *, compress: bool) -> None:
        self._socket = socket
        self._zlib = zlib.compressobj() if compress else None
        self.closing = False
        self._outgoing: asyncio.Queue[Json | ClosingError] = asyncio.Queue()

    def send(self, op: int, data: object = None) -> None:
        self._outgoing.put_nowait({"op": op, "d": data, "s": None, "t": None})

    def send_frame(self, frame: Json) -> None:
        self._outgoing.put_nowait(frame)

    def close(self, code: int, reason: str = "") -> None:
        self.closing = True
        self._outgoing.put_nowait(ClosingError(code, reason))

    async def write(self) -> None:
        """Send what is queued until the connection closes."""
        with suppress(ConnectionError):  # the client went between two frames; reading notices it too
            while not isinstance(item := await self._outgoing.get(), ClosingError):
                text = json.dumps(item)
                if self._zlib is None:
                    await self._socket.send_str(text)
                else:
                    flushed = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
                    await self._socket.send_bytes(flushed)
            await self._socket.close(code=item.code, message=item.reason.encode())


@dataclass
class Session:
    """What a client may resume: the last events, and the connection while there is one."""

    id: str
    intents: Intent
    missed: deque[Json]
    seq: int = 0
    connection: Connection | None = field(default=None, repr=False)

    def dispatch(self, name: str, data: Json) -> None:
        self.seq += 1
        frame: Json = {"op": Op.DISPATCH, "t": name, "s": self.seq, "d": data}
        self.missed.append(frame)
        if self.connection is not None:
            self.connection.send_frame(frame)

    def frames_after(self, seq: int) -> list[Json] | None:
        """The events after `seq`; None when they are no longer all there, or never were sent."""
        oldest = self.missed[0]["s"] if self.missed else self.seq + 1
        if not oldest - 1 <= seq <= self.seq:
            return None
        return [frame for frame in self.missed if frame["s"] > seq]
