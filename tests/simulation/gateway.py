"""The simulated gateway: sessions, their sequence of events, and connections that break."""

import asyncio
import json
import random
from collections import deque
from types import SimpleNamespace
from typing import Any

import aiohttp

from programs.playground.entities import BOT_ID, GUILD_ID
from tests.simulation import entities
from tests.simulation.entities import Json
from tests.simulation.faults import Fault, Weather
from tests.simulation.life import Life
from tests.simulation.server import Server
from tests.simulation.timeline import Timeline

_HELLO = '{"op": 10, "s": null, "t": null, "d": {"heartbeat_interval": 41250}}'
_ACK = '{"op": 11}'
_NOT_RESUMABLE = '{"op": 9, "d": false}'
_RECONNECT = '{"op": 7, "d": null}'
_DEAD = 50.0  # seconds after which a silent connection is noticed
_MESSAGES = ("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE")
_TEXT = aiohttp.WSMsgType.TEXT
_CLOSED = SimpleNamespace(type=aiohttp.WSMsgType.CLOSED, data=None, extra=None)


class Socket:
    """The bot's end of a connection, in place of aiohttp's.

    Attributes:
        silent: Whether nothing comes any more, though it looks open.
    """

    def __init__(self, gateway: "Gateway", life: Life) -> None:
        self.closed = False
        self.close_code: int | None = None
        self.silent = False
        self._gateway = gateway
        self._life = life
        self._frames: deque[str] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._dead = False

    def push(self, frame: str) -> None:
        """Something comes from Discord."""
        if self._life.alive and not self.closed and not self.silent:
            self._frames.append(frame)
            self._wake()

    def drop(self, code: int) -> None:
        """The connection ends."""
        self.closed, self.close_code = True, code
        self._wake()

    def starve(self) -> None:
        """So long nothing came that the bot notices."""
        self._dead = True
        self._wake()

    def _wake(self) -> None:
        if self._life.alive and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def receive(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109  # as aiohttp has it
        """The next message."""
        del timeout
        while not self._frames:
            if self.closed:
                return _CLOSED
            if self._dead:
                raise TimeoutError
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return SimpleNamespace(type=_TEXT, data=self._frames.popleft(), extra=None)

    async def send_str(self, data: str) -> None:
        """Something goes to Discord."""
        if self._life.alive and not self.closed:
            self._gateway.heard(self, json.loads(data))

    async def close(self, *, code: int = 4000, message: bytes = b"") -> bool:
        """The bot ends the connection."""
        del message
        if not self.closed and self._life.alive:
            self._gateway.left(self, code)
            self.drop(code)
        return True


class _Session:
    def __init__(self, number: int) -> None:
        self.id = f"session-{number}"
        self.sequence = 0
        self.backlog: list[tuple[int, str]] = []
        self.socket: Socket | None = None
        self.served_at = -1.0  # when it was told of the server last
        self.serves = False  # whether it was told of the server: nothing of it comes before that
        self.free = 0.0  # when the next frame may arrive: they keep their order


class Gateway:
    """Tells the bot what happens.

    Attributes:
        served: Whether the server is in reach.
        began_at: When each session began.
    """

    def __init__(self, server: Server, weather: Weather, timeline: Timeline, chance: random.Random) -> None:
        self.served = True
        self.began_at: list[float] = []
        self._server = server
        self._weather = weather
        self._timeline = timeline
        self._chance = chance
        self._session: _Session | None = None
        self._sessions = 0
        self._told: dict[str, float] = {}  # when the last event about a channel itself is sent
        server.tell = self.tell

    def connect(self, life: Life) -> Socket:
        """A new connection."""
        socket = Socket(self, life)
        socket.push(_HELLO)
        return socket

    def heard(self, socket: Socket, frame: Json) -> None:
        """The bot sent something."""
        if frame["op"] == 1:
            socket.push(_ACK)
        elif frame["op"] == 2:
            self._identified(socket)
        elif frame["op"] == 6:
            self._resumed(socket, frame["d"]["session_id"], frame["d"]["seq"] or 0)

    def left(self, socket: Socket, code: int) -> None:
        """The bot ended its connection; by some codes it ends its session too."""
        session = self._session
        if session is not None and session.socket is socket:
            session.socket = None
            if code in (1000, 1001):
                self._session = None

    def _identified(self, socket: Socket) -> None:
        self._sessions += 1
        session = self._session = _Session(self._sessions)
        session.socket = socket
        self.began_at.append(self._timeline.now)
        self._timeline.note(f"READY {session.id}")
        ready = {
            "v": 10,
            "user": {**entities.user(BOT_ID), "verified": True, "mfa_enabled": False, "flags": 0},
            "guilds": [{"id": str(GUILD_ID), "unavailable": True}],
            "session_id": session.id,
            "resume_gateway_url": "wss://gateway.discord.gg",
            "application": {"id": str(BOT_ID), "flags": 1 << 19},
            "private_channels": [],
        }
        self._send(session, "READY", ready)
        if self.served:
            late = self._chance.uniform(3.0, 20.0) if self._weather.strikes(Fault.SERVER_LATE) else 0.0
            self._timeline.after(late, lambda: self._serve(session))

    def _serve(self, session: _Session) -> None:
        if self._session is session and self.served:
            session.serves = True
            session.served_at = self._timeline.now
            self._send(session, "GUILD_CREATE", entities.guild(list(self._server.channels.values())))

    def _resumed(self, socket: Socket, session_id: str, sequence: int) -> None:
        session = self._session
        if session is None or session.id != session_id:
            self._timeline.note("cannot be resumed")
            socket.push(_NOT_RESUMABLE)
            return
        self._timeline.note(f"RESUMED {session.id}")
        session.socket = socket
        for number, frame in session.backlog:
            if number > sequence:
                socket.push(frame)
        self._send(session, "RESUMED", {})

    def outage(self, seconds: float) -> None:
        """The server cannot be reached for a while."""
        if not self.served:
            return
        self.served = False
        if self._session is not None and self._session.serves:
            self._session.serves = False
            self._send(self._session, "GUILD_DELETE", {"id": str(GUILD_ID), "unavailable": True})
        self._timeline.after(seconds, self.recover)

    def recover(self) -> None:
        """The server can be reached again."""
        if not self.served:
            self.served = True
            if self._session is not None and not self._session.serves:
                self._serve(self._session)

    def tell(self, name: str, payload: Json) -> None:
        """Something happened: tell the bot, unless a fault comes between."""
        session, weather, happened_at = self._session, self._weather, self._timeline.now
        if session is None or (not session.serves and "guild_id" in payload):
            return
        if name in _MESSAGES:
            if weather.strikes(Fault.EVENT_LOST):
                return
            if name == "MESSAGE_CREATE" and weather.strikes(Fault.EVENT_MALFORMED):
                payload = {key: value for key, value in payload.items() if key not in ("author", "type")}
            if weather.strikes(Fault.EVENT_TWICE):
                again = self._chance.uniform(0.0, 5.0)
                self._timeline.after(again, lambda: self._send_in(session, name, payload, happened_at))
        late = self._chance.uniform(0.2, 20.0) if weather.strikes(Fault.EVENT_LATE) else 0.0
        moment = self._timeline.now + late
        if name not in _MESSAGES:  # what a channel is like is told in its order, or it would be known wrongly for ever
            moment = self._told[payload["id"]] = max(moment, self._told.get(payload["id"], 0.0))
        if moment > self._timeline.now:
            self._timeline.at(moment, lambda: self._send_in(session, name, payload, happened_at))
        else:
            self._send(session, name, payload)
        if weather.strikes(Fault.SERVER_OUTAGE):
            self.outage(self._chance.uniform(5.0, 200.0))

    def _send_in(self, session: _Session, name: str, payload: Json, happened_at: float) -> None:
        """Send something late, unless the whole server was told since, and with it what its channels are like."""
        if self._session is session and (name in _MESSAGES or session.served_at < happened_at):
            self._send(session, name, payload)

    def _send(self, session: _Session, name: str, payload: Json) -> None:
        session.sequence += 1
        frame = json.dumps({"op": 0, "s": session.sequence, "t": name, "d": payload})
        session.backlog.append((session.sequence, frame))
        if len(session.backlog) > 1_000:
            del session.backlog[:500]
        arrival = max(session.free, self._timeline.now + 0.002 + 0.05 * self._chance.random())
        session.free = arrival
        socket = session.socket
        if socket is not None:
            self._timeline.at(arrival, lambda: socket.push(frame))
            self._shake(session, socket)

    def _shake(self, session: _Session, socket: Socket) -> None:
        """Let the connection break."""
        weather = self._weather
        if socket.silent:
            return
        if weather.strikes(Fault.CONNECTION_LOST):
            session.socket = None
            socket.drop(self._chance.choice((1000, 1006, 4000, 4009)))
        elif weather.strikes(Fault.CONNECTION_SILENT):
            session.socket = None
            socket.silent = True
            self._timeline.after(_DEAD, socket.starve)
        elif weather.strikes(Fault.RECONNECT_ASKED):
            socket.push(_RECONNECT)
        elif weather.strikes(Fault.SESSION_LOST):
            self._session = None
            socket.push(_NOT_RESUMABLE)


class NoKeepAlive:
    """In place of discord.py's heartbeat, which is a thread."""

    latency = 0.05

    def __init__(self, **_options: object) -> None:
        """Nothing to prepare."""

    def start(self) -> None:
        """Nothing to do."""

    stop = tick = ack = start

    def get_payload(self) -> Json:
        """A heartbeat."""
        return {"op": 1, "d": None}

    beat = get_payload
