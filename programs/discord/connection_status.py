"""How the connection to Discord is. It outlives a client, because one that failed is replaced."""

from enum import Enum


class ConnectionPhase(Enum):
    """How the connection is."""

    CONNECTING = "The bot is connecting to Discord."
    READY = "The bot is connected to Discord."
    LOST = "The connection to Discord was lost; the bot is connecting again."
    STOPPING = "The bot is shutting down."


class ConnectionStatus:
    """The present phase. The client changes it, others read it."""

    def __init__(self) -> None:
        self._phase = ConnectionPhase.CONNECTING

    @property
    def phase(self) -> ConnectionPhase:
        """The present phase."""
        return self._phase

    def change(self, phase: ConnectionPhase) -> None:
        """Note another phase. STOPPING is the last, and only what was READY can be LOST."""
        if self._phase is ConnectionPhase.STOPPING:
            return
        if phase is ConnectionPhase.LOST and self._phase is not ConnectionPhase.READY:
            return
        self._phase = phase
