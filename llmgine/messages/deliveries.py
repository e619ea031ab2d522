"""The parts of a turn's outcome as a front end posts them, and which part each message shows."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class DeliveryKey(_Record):
    """Which part of an outcome: the `part`-th message of its `kind` in a round.

    `transcript` is what was heard in voice messages and audio, above the answer; `old` is what an earlier attempt left
    and no part of this one has taken over yet, in the order it was posted.
    """

    kind: Literal["transcript", "text", "card", "files", "notice", "queue", "old"]
    round: int
    part: int

    @property
    def place(self) -> tuple[bool, int, int, int]:
        """Sorts parts as they are on screen: by round, transcript, text, card, files, notices; then what is old."""
        order = {"transcript": -1, "text": 0, "card": 1, "files": 2}.get(self.kind, 3)
        return self.kind == "old", self.round, order, self.part


class Delivery(_Record):
    """One part of an outcome as it is posted.

    `body` is rendered and final once the turn has its outcome; before, a preview. `message_id` is where it was posted.
    """

    turn_id: str
    attempt: int
    key: DeliveryKey
    body: dict[str, JsonValue]
    message_id: str | None = None
    sent: bool = False
