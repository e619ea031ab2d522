"""What may go wrong with the gateway, on request: connections that end or fall silent, events lost or sent twice."""

from collections import Counter
from collections.abc import Callable
from enum import Enum, auto

from programs.playground.entities import GUILD_ID, Json
from programs.playground.gateway_sessions import Connection, Op, Session
from programs.playground.greetings import UNAVAILABLE
from programs.playground.intents import Intent


class Availability(Enum):
    """How the guild is for the bot."""

    AVAILABLE = auto()  # It comes right after READY, and its events are sent.
    OUTAGE = auto()  # READY names it, and no event of it is sent until the outage is over.
    JOINED_IN_OUTAGE = auto()  # The bot was added meanwhile: READY names no guild, and GUILD_CREATE only its id.


class GatewayFaults:
    """The sessions and connections there are, and what a test may do to them."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self._losing: Counter[str] = Counter()
        self._refused_resumes = 0
        self._guild = Availability.AVAILABLE

    def drop(self, code: int = 4000) -> None:
        """Close every connection as Discord now and then does; sessions can be resumed."""
        for connection in self._connections:
            connection.close(code, "Dropped.")

    def ask_to_reconnect(self) -> None:
        """Ask every connection to reconnect, as Discord does before a restart."""
        for connection in self._connections:
            connection.send(Op.RECONNECT)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Say that the session is invalid: clients must identify again, or, when resumable, resume."""
        for session in self._sessions.values():
            if session.connection is not None:
                session.connection.send(Op.INVALID, data=resumable)
        if not resumable:
            self._sessions.clear()

    def refuse_resume(self, times: int = 1) -> None:
        """Answer the next RESUMEs as if their sessions were forgotten."""
        self._refused_resumes = times

    def repeat(self, name: str) -> None:
        """Send the last event of that name once more, as Discord says it may."""
        for session in self._sessions.values():
            told = [frame["d"] for frame in session.missed if frame["t"] == name]
            if told:
                session.dispatch(name, told[-1])

    def lose(self, name: str, times: int = 1) -> None:
        """Never send the next events of that name, as Discord says may happen."""
        self._losing[name] += times

    def reverse(self, count: int = 2) -> None:
        """Tell the next `count` events together and in reverse."""
        for session in self._sessions.values():
            session.reverse(count)

    def send_event(self, name: str, data: Json) -> None:
        """Tell something that never happened, or is no event at all: `{}` for one without its fields."""
        for session in self._sessions.values():
            session.dispatch(name, data)

    def stop_acks(self) -> None:
        """Make the present connections zombies that no longer acknowledge heartbeats."""
        for connection in self._connections:
            connection.acknowledges = False

    def freeze(self) -> None:
        """Send nothing more on the present connections, and leave them open."""
        for connection in self._connections:
            connection.frozen = True

    def outage(self, *, listed: bool = True) -> None:
        """The guild is unavailable until `restore`: no event of it is sent, not even later.

        Args:
            listed: Whether a bot that identifies meanwhile finds it in READY. If not, the bot was added to it in the
                outage, and gets only a GUILD_CREATE that says that it is unavailable.
        """
        self._guild = Availability.OUTAGE if listed else Availability.JOINED_IN_OUTAGE
        self._tell_guild("GUILD_DELETE" if listed else "GUILD_CREATE", lambda _: UNAVAILABLE)

    def _tell_guild(self, name: str, draw: Callable[[Session], Json]) -> None:
        for session in self._sessions.values():
            if session.covers(GUILD_ID) and session.intents & Intent.GUILDS:
                session.dispatch(name, draw(session))

    def _is_lost(self, name: str) -> bool:
        lost = self._losing[name] > 0
        self._losing[name] -= lost
        return lost
