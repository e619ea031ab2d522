"""The gateway: HELLO, IDENTIFY, heartbeats, READY and RESUME over a WebSocket, and every event in order."""

import asyncio
import json
from collections import deque
from collections.abc import Callable

from aiohttp import WSMsgType, web

from programs.playground.contract import Contract
from programs.playground.credentials import Credentials
from programs.playground.entities import BOT_ID, GUILD_ID, Json
from programs.playground.gateway_events import as_intended, needed
from programs.playground.gateway_faults import Availability, GatewayFaults
from programs.playground.gateway_sessions import ClosingError, Connection, Op, Session
from programs.playground.greetings import UNAVAILABLE, guild_create, members_chunk, ready
from programs.playground.intents import Intent
from programs.playground.log import DispatchRecord, Log
from programs.playground.rules import Rules
from programs.playground.state import Dispatch, State
from programs.playground.viewers import BotViewer

MAX_FRAME_BYTES = 4096
MAX_FRAMES_A_MINUTE = 120
MAX_SESSIONS = 16
MAX_SHARDS = 16
_DAY = 86_400.0
ACK_SECONDS = 0.01  # as long as the way to Discord and back takes at least
CLOSE_SECONDS = 1.0  # for the client's half of a close


class Gateway(GatewayFaults):
    """Connections and their sessions. `clock` gives seconds that never go back, for how often clients may identify."""

    def __init__(
        self,
        state: State,
        credentials: Credentials,
        rules: Rules,
        seen: Log,
        *,
        contract: Contract | None,
        clock: Callable[[], float],
        secret: Callable[[int], str],
    ) -> None:
        super().__init__()
        self._state = state
        self._viewer = BotViewer(state)
        self._credentials = credentials
        self._rules = rules
        self._log = seen
        self._contract = contract
        self._clock = clock
        self._secret = secret
        self._starts: deque[float] = deque()
        self._last_start: dict[int, float] = {}
        self.url = ""
        state.subscribe(self._hear)

    def _hear(self, dispatch: Dispatch) -> None:
        for name, data in self._viewer.follow(dispatch):
            if needed(name, data) is not None:
                self._keep(DispatchRecord(name, data))
                if not self._is_lost(name):
                    self._tell(name, data)

    def _tell(self, name: str, data: Json) -> None:
        guild_id = int(data["guild_id"]) if "guild_id" in data else None
        if guild_id == GUILD_ID and self._guild is not Availability.AVAILABLE:
            return
        for session in self._sessions.values():
            intended = as_intended(name, data, session.intents) if session.covers(guild_id) else None
            if intended is not None:
                session.dispatch(name, intended)

    def _keep(self, record: DispatchRecord) -> None:
        self._log.dispatches.append(record)
        if self._contract is not None:
            self._log.violations.extend(self._contract.event_violations(record))

    def start_limit(self) -> Json:
        """How often a bot may still identify today, for `GET /gateway/bot`."""
        day_ago = self._clock() - _DAY
        while self._starts and self._starts[0] <= day_ago:
            self._starts.popleft()
        reset = self._starts[0] - day_ago if self._starts else _DAY
        return {
            "total": self._rules.session_starts,
            "remaining": self._rules.session_starts - len(self._starts),
            "reset_after": round(reset * 1000),
            "max_concurrency": self._rules.max_concurrency,
        }

    def restore(self) -> None:
        """The guild is back after an outage; bots get it whole, as it is now."""
        self._guild = Availability.AVAILABLE
        self._tell_guild("GUILD_CREATE", lambda session: guild_create(self._state, session.intents))

    def add_bot(self) -> None:
        """Somebody adds the bot to the guild, where it was not a member."""
        self._state.members[BOT_ID].joined_at = self._state.ids.now()
        self._guild = Availability.AVAILABLE
        self._tell_guild("GUILD_CREATE", lambda session: _just_joined(guild_create(self._state, session.intents)))

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one WebSocket of a bot until it is closed."""
        socket = web.WebSocketResponse(timeout=CLOSE_SECONDS, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, compress=request.query.get("compress", ""))
        self._connections.add(connection)
        connection.send(Op.HELLO, {"heartbeat_interval": round(self._rules.heartbeat_seconds * 1000)})
        writer = asyncio.create_task(connection.write())
        try:
            await self._read(socket, connection)
        except ClosingError as closing:
            connection.close(closing.code, closing.reason)
            await writer
        finally:
            writer.cancel()
            self._lose(connection, ended=not connection.closing and socket.close_code in (1000, 1001))
        return socket

    async def _read(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        frames: deque[float] = deque(maxlen=MAX_FRAMES_A_MINUTE)
        session: Session | None = None
        async for message in socket:
            _count(frames, self._clock())
            session = self._answer(_frame(message.type, message.data), connection, session)

    def _answer(self, frame: Json, connection: Connection, session: Session | None) -> Session | None:
        op, data = frame.get("op"), frame.get("d")
        if op == Op.HEARTBEAT:
            if connection.acknowledges:
                # Not before the sender has noted that it sent: discord.py counts its latency from there, in a thread.
                asyncio.get_running_loop().call_later(ACK_SECONDS, connection.send, Op.ACK)
        elif op in (Op.IDENTIFY, Op.RESUME) and session is not None:
            raise ClosingError(4005, "Already authenticated.")
        elif op == Op.IDENTIFY:
            return self._identify(data, connection)
        elif op == Op.RESUME:
            return self._resume(data, connection)
        elif op not in (Op.PRESENCE, Op.VOICE, Op.MEMBERS):
            raise ClosingError(4001, "Unknown opcode.")
        elif session is None:
            raise ClosingError(4003, "Not authenticated.")
        elif op == Op.PRESENCE:
            self._state.set_presence(data)
        elif op == Op.MEMBERS and isinstance(data, dict) and self._guild is Availability.AVAILABLE:
            session.dispatch("GUILD_MEMBERS_CHUNK", members_chunk(self._state, data))
        return session

    def _authenticate(self, data: object) -> Json:
        if not isinstance(data, dict):
            raise ClosingError(4002, "Error while decoding payload.")
        if not self._credentials.accept(str(data.get("token")).removeprefix("Bot ")):
            raise ClosingError(4004, "Authentication failed.")
        return data

    def _identify(self, data: object, connection: Connection) -> Session | None:
        identity = self._authenticate(data)
        shard = _shard(identity.get("shard", [0, 1]))
        intents = self._intents(identity.get("intents"))
        if not self._may_start(shard[0] % self._rules.max_concurrency):
            connection.send(Op.INVALID, data=False)
            return None
        if identity.get("compress") is True:
            connection.compress_payloads()
        missed: deque[Json] = deque(maxlen=self._rules.replay)
        session = Session(self._secret(16), intents, missed, shard, connection=connection)
        self._remember(session)
        self._greet(session)
        self._state.set_presence(identity.get("presence"))
        self._state.set_online(True)
        return session

    def _greet(self, session: Session) -> None:
        """READY, and the guild where it is available."""
        covered = session.covers(GUILD_ID)
        listed = covered and self._guild is not Availability.JOINED_IN_OUTAGE
        session.dispatch("READY", ready(self._state, session, self.url, [UNAVAILABLE] if listed else []))
        if not covered or not session.intents & Intent.GUILDS or self._guild is Availability.OUTAGE:
            return
        available = self._guild is Availability.AVAILABLE
        session.dispatch("GUILD_CREATE", guild_create(self._state, session.intents) if available else UNAVAILABLE)

    def _intents(self, wanted: object) -> Intent:
        if not isinstance(wanted, int) or wanted < 0:
            raise ClosingError(4013, "Invalid intent(s).")
        intents = Intent(wanted & Intent.known())
        allowed = self._rules.message_content or not intents & Intent.MESSAGE_CONTENT
        if not allowed or (intents & Intent.privileged() and not self._rules.privileged_intents):
            raise ClosingError(4014, "Disallowed intent(s).")
        return intents

    def _may_start(self, turnstile: int) -> bool:
        """Whether a session may begin now. One too many in a day costs the bot its token: all of them end."""
        if self.start_limit()["remaining"] <= 0:
            self._credentials.revoke()
            self._sessions.clear()
            self.drop(4004)
            raise ClosingError(4004, "Authentication failed.")
        now = self._clock()
        if now - self._last_start.get(turnstile, -_DAY) < self._rules.identify_seconds:
            return False
        self._last_start[turnstile] = now
        self._starts.append(now)
        return True

    def _remember(self, session: Session) -> None:
        self._sessions[session.id] = session
        gone = [old.id for old in self._sessions.values() if old.connection is None]
        for old in gone[: max(0, len(self._sessions) - MAX_SESSIONS)]:
            del self._sessions[old]

    def _resume(self, data: object, connection: Connection) -> Session | None:
        wanted = self._authenticate(data)
        session = self._sessions.get(str(wanted.get("session_id")))
        seq = wanted.get("seq")
        missed = session.frames_after(seq) if session is not None and isinstance(seq, int) else None
        if self._refused_resumes:
            self._refused_resumes -= 1
            missed = None
        if session is None or missed is None:
            connection.send(Op.INVALID, data=False)
            return None
        if session.connection is not None:
            session.connection.close(4000, "Resumed elsewhere.")
        session.connection = connection
        for frame in missed:
            connection.send_frame(frame)
        session.dispatch("RESUMED", {})
        self._state.set_online(True)
        return session

    def _lose(self, connection: Connection, *, ended: bool) -> None:
        """A session outlives its connection, unless the client closed it with 1000 or 1001."""
        self._connections.discard(connection)
        for session in list(self._sessions.values()):
            if session.connection is connection:
                session.connection = None
                if ended:
                    del self._sessions[session.id]
        self._state.set_online(any(session.connection for session in self._sessions.values()))


def _just_joined(guild: Json) -> Json:
    """Of a guild that is new to the bot nothing is said of outages."""
    return {name: value for name, value in guild.items() if name != "unavailable"}


def _count(frames: deque[float], now: float) -> None:
    if len(frames) == frames.maxlen and now - frames[0] < 60:
        raise ClosingError(4008, "You are being rate limited.")
    frames.append(now)


def _shard(wanted: object) -> tuple[int, int]:
    if isinstance(wanted, list) and len(wanted) == 2 and all(type(one) is int for one in wanted):
        mine, of = wanted
        if 0 <= mine < of <= MAX_SHARDS:
            return mine, of
    raise ClosingError(4010, "Invalid shard.")


def _frame(kind: WSMsgType, data: str | bytes) -> Json:
    if len(data if isinstance(data, bytes) else data.encode()) > MAX_FRAME_BYTES:
        raise ClosingError(4002, "Error while decoding payload.")
    try:
        frame = json.loads(data) if kind in (WSMsgType.TEXT, WSMsgType.BINARY) else None
    except ValueError as broken:
        raise ClosingError(4002, "Error while decoding payload.") from broken
    if not isinstance(frame, dict):
        raise ClosingError(4002, "Error while decoding payload.")
    return frame
