"""The gateway: HELLO, IDENTIFY, heartbeats, READY and RESUME over a WebSocket, and every event in order."""

import asyncio
import json
import secrets
from collections import deque

from aiohttp import WSMsgType, web

from programs.playground import payloads
from programs.playground.entities import BOT_ID, Json
from programs.playground.intents import Intent, as_intended
from programs.playground.rules import Rules
from programs.playground.sessions import ClosingError, Connection, Op, Session
from programs.playground.state import Dispatch, State

MAX_FRAME_BYTES = 4096
MAX_FRAMES_A_MINUTE = 120
MAX_SESSIONS = 16
CLOSE_SECONDS = 1.0  # for the client's half of a close


class Gateway:
    def __init__(self, state: State, token: str, rules: Rules) -> None:
        self._state = state
        self._token = token
        self._rules = rules
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self.url = ""
        state.subscribe(self._hear)

    def _hear(self, dispatch: Dispatch) -> None:
        if not dispatch.is_for(BOT_ID):
            return
        for session in self._sessions.values():
            data = as_intended(dispatch.name, dispatch.render(BOT_ID), session.intents)
            if data is not None:
                session.dispatch(dispatch.name, data)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, timeout=CLOSE_SECONDS, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, compress=request.query.get("compress") == "zlib-stream")
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
        clock = asyncio.get_running_loop().time
        async for message in socket:
            _count(frames, clock())
            session = self._answer(_frame(message.type, message.data), connection, session)

    def _answer(self, frame: Json, connection: Connection, session: Session | None) -> Session | None:
        op, data = frame.get("op"), frame.get("d")
        if op == Op.HEARTBEAT:
            connection.send(Op.ACK)
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
        elif op == Op.MEMBERS and isinstance(data, dict):
            self._send_members(session, data)
        return session

    def _authenticate(self, data: object) -> Json:
        if not isinstance(data, dict):
            raise ClosingError(4002, "Error while decoding payload.")
        given = str(data.get("token")).removeprefix("Bot ")
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            raise ClosingError(4004, "Authentication failed.")
        return data

    def _identify(self, data: object, connection: Connection) -> Session:
        identity = self._authenticate(data)
        wanted = identity.get("intents")
        if not isinstance(wanted, int) or wanted < 0:
            raise ClosingError(4013, "Invalid intent(s).")
        intents = Intent(wanted & Intent.known())
        allowed = self._rules.message_content or not intents & Intent.MESSAGE_CONTENT
        if not allowed or (intents & Intent.privileged() and not self._rules.privileged_intents):
            raise ClosingError(4014, "Disallowed intent(s).")
        session = Session(secrets.token_hex(16), intents, deque(maxlen=self._rules.replay), connection=connection)
        self._remember(session)
        session.dispatch("READY", self._ready(session, identity))
        session.dispatch("GUILD_CREATE", self._guild_create(session))
        self._state.set_online(True)
        return session

    def _remember(self, session: Session) -> None:
        self._sessions[session.id] = session
        gone = [old.id for old in self._sessions.values() if old.connection is None]
        for old in gone[: max(0, len(self._sessions) - MAX_SESSIONS)]:
            del self._sessions[old]

    def _ready(self, session: Session, identity: Json) -> Json:
        ready: Json = {
            "v": 10,
            "user": payloads.own_user(self._state.users[BOT_ID]),
            "guilds": [{"id": str(self._state.guild.id), "unavailable": True}],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "application": {"id": str(BOT_ID), "flags": 1 << 19},
            "private_channels": [],
            "user_settings": {},
        }
        return ready | ({"shard": identity["shard"]} if "shard" in identity else {})

    def _guild_create(self, session: Session) -> Json:
        state = self._state
        everyone = session.intents & Intent.GUILD_MEMBERS
        members = [user for user in state.users.values() if everyone or user.id == BOT_ID]
        channels = [channel for channel in state.channels.values() if channel.guild_id is not None]
        seen = [channel for channel in channels if state.may_see(BOT_ID, channel)]
        return payloads.guild(state.guild) | {
            "joined_at": payloads.partial_member(BOT_ID)["joined_at"],
            "large": False,
            "unavailable": False,
            "member_count": len(state.users),
            "members": [payloads.member(user) for user in members],
            "channels": [state.channel_payload(c, BOT_ID) for c in seen if c.thread is None],
            "threads": [
                state.channel_payload(c, BOT_ID) for c in seen if c.thread is not None and not c.thread.archived
            ],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _resume(self, data: object, connection: Connection) -> Session | None:
        wanted = self._authenticate(data)
        session = self._sessions.get(str(wanted.get("session_id")))
        seq = wanted.get("seq")
        missed = session.frames_after(seq) if session is not None and isinstance(seq, int) else None
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

    def _send_members(self, session: Session, wanted: Json) -> None:
        ids = wanted.get("user_ids")
        chosen = {str(one) for one in (ids if isinstance(ids, list) else [ids])} if ids else None
        query = str(wanted.get("query") or "").lower()
        members = [
            payloads.member(user)
            for user in self._state.users.values()
            if (str(user.id) in chosen if chosen is not None else user.username.startswith(query))
        ]
        session.dispatch(
            "GUILD_MEMBERS_CHUNK",
            {
                "guild_id": str(self._state.guild.id),
                "members": members,
                "chunk_index": 0,
                "chunk_count": 1,
                "not_found": [],
                "nonce": wanted.get("nonce"),
            },
        )

    def _lose(self, connection: Connection, *, ended: bool) -> None:
        """A session outlives its connection, unless the client closed it with 1000 or 1001."""
        self._connections.discard(connection)
        for session in list(self._sessions.values()):
            if session.connection is connection:
                session.connection = None
                if ended:
                    del self._sessions[session.id]
        self._state.set_online(any(session.connection for session in self._sessions.values()))

    def drop(self, code: int = 4000) -> None:
        """Close every connection as Discord now and then does; sessions can be resumed."""
        for connection in self._connections:
            connection.close(code, "Dropped.")

    def repeat(self, name: str) -> None:
        """Tell the last event of that name once more, as Discord says it may."""
        for session in self._sessions.values():
            told = [frame["d"] for frame in session.missed if frame["t"] == name]
            if told:
                session.dispatch(name, told[-1])

    def ask_to_reconnect(self) -> None:
        for connection in self._connections:
            connection.send(Op.RECONNECT)

    def invalidate(self) -> None:
        """Forget every session and say so: clients must identify again."""
        for session in self._sessions.values():
            if session.connection is not None:
                session.connection.send(Op.INVALID, data=False)
        self._sessions.clear()


def _count(frames: deque[float], now: float) -> None:
    if len(frames) == frames.maxlen and now - frames[0] < 60:
        raise ClosingError(4008, "You are being rate limited.")
    frames.append(now)


def _frame(kind: WSMsgType, data: str | bytes) -> Json:
    try:
        frame = json.loads(data) if kind in (WSMsgType.TEXT, WSMsgType.BINARY) else None
    except ValueError as broken:
        raise ClosingError(4002, "Error while decoding payload.") from broken
    if not isinstance(frame, dict):
        raise ClosingError(4002, "Error while decoding payload.")
    return frame
