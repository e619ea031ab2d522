"""A store of turns and of the messages that show them, by the rules of `llmgine/sessions/operations`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from llmgine.messages.deliveries import Delivery, DeliveryKey
from llmgine.messages.steps import Turn, TurnStatus
from programs.discord.delivery.answer import NO_MORE, OLD, Part
from programs.discord.delivery.bodies import Body

ENDED = ("done", "failed", "stopped", "forgotten")
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Row:
    """One row of the table of deliveries."""

    message_id: str = ""
    body: Body = field(default_factory=dict)
    is_final: bool = False
    is_sent: bool = False


Rows = dict[tuple[int, DeliveryKey], Row]


class SimulatedStore:
    """Turns, and for each the rows of its parts by attempt and key."""

    def __init__(self) -> None:
        self.turns: dict[str, Turn] = {}
        self.rows: dict[str, Rows] = {}

    def admit(self, number: int, session: int) -> Turn:
        """A new turn, which runs at once."""
        turn = Turn(
            id=f"{number:016x}",
            session_id=f"session {session}",
            seq=number,
            attempt=1,
            claim=1,
            resumes=0,
            state="running",
            owner="",
            source="discord",
            origin={},
            created_at=_START,
        )
        self.turns[turn.id], self.rows[turn.id] = turn, {}
        return turn

    def run(self, turn_id: str) -> Turn:
        """A queued turn runs."""
        return self._change(turn_id, state="running")

    def finish(self, turn_id: str, state: TurnStatus, parts: Iterable[Part]) -> Turn:
        """A turn has its outcome."""
        turn = self._change(turn_id, state=state)
        for key, body in parts:
            row = self.rows[turn_id].setdefault((turn.attempt, key), Row())
            row.body, row.is_final, row.is_sent = body, True, False
        return turn

    def again(self, turn_id: str) -> Turn:
        """A turn is queued as its next attempt."""
        old = self.turns[turn_id].attempt
        messages = [row.message_id for row in self._shown(turn_id)]
        turn = self._change(turn_id, attempt=old + 1, state="queued")
        for message_id in messages:
            self._leave(turn_id, message_id)
        for (attempt, _), row in self.rows[turn_id].items():
            row.body = {} if attempt <= old else row.body
            row.is_sent |= attempt == old
        return turn

    def forget(self, turn_id: str) -> Turn:
        """A turn is forgotten; its messages are to be deleted."""
        turn = self._change(turn_id, state="forgotten")
        kept = {place: row for place, row in self.rows[turn_id].items() if row.message_id and place[0] == turn.attempt}
        self.rows[turn_id] = {place: Row(row.message_id) for place, row in kept.items()}
        self.rows[turn_id][turn.attempt, DeliveryKey(kind=OLD, round=0, part=-1)] = Row()  # it is to be looked for
        return turn

    def load(self, turn_id: str) -> tuple[Turn, tuple[Delivery, ...]]:
        """A turn and the parts of its present attempt, what is old behind them."""
        turn = self.turns[turn_id]
        parts = [
            Delivery(
                turn_id=turn_id,
                attempt=attempt,
                key=key,
                body=row.body,
                message_id=row.message_id,
                sent=row.is_sent,
            )
            for (attempt, key), row in self.rows[turn_id].items()
            if attempt == turn.attempt
        ]
        return turn, tuple(sorted(parts, key=lambda part: part.key.place))

    def place(self, turn: Turn, messages: Sequence[tuple[DeliveryKey, int | str]], posts: int, *, sent: bool) -> None:
        """Remember which message shows which part."""
        now = self._change(turn.id, posts=max(posts, self.turns[turn.id].posts))
        rows = self.rows[turn.id]
        if now.state == "forgotten" and sent and not messages:
            rows.clear()
            return
        sent = sent and now.state != "forgotten"
        if now.attempt > turn.attempt:
            for _, message_id in messages:
                self._leave(turn.id, str(message_id))
            return
        for place, row in list(rows.items()):
            if place[0] == turn.attempt and row.is_final:
                row.message_id, row.is_sent = "", row.is_sent or sent
            elif place[0] == turn.attempt:
                del rows[place]
        for key, message_id in messages:
            rows.setdefault((turn.attempt, key), Row(is_sent=sent)).message_id = str(message_id)

    def owners(self) -> dict[int, str]:
        """The turn of each message that is a part of one."""
        return {
            int(row.message_id): turn_id
            for turn_id, rows in self.rows.items()
            for row in rows.values()
            if row.message_id
        }

    def undelivered(self) -> list[Turn]:
        """Ended turns with something that is still to be sent, or taken away."""
        return [
            turn
            for turn in self.turns.values()
            if turn.state in ENDED and any(not row.is_sent for row in self.rows[turn.id].values())
        ]

    def has_no_more(self, turn: Turn) -> bool:
        """Whether it is noted that nothing else of an attempt is in the channel."""
        return turn.attempt == self.turns[turn.id].attempt and (turn.attempt, NO_MORE) in self.rows[turn.id]

    def unfinished(self) -> list[Turn]:
        """Turns that have not ended."""
        return [turn for turn in self.turns.values() if turn.state not in ENDED]

    def _shown(self, turn_id: str) -> list[Row]:
        attempt = self.turns[turn_id].attempt
        here = [(key, row) for (of, key), row in self.rows[turn_id].items() if of == attempt and row.message_id]
        return [row for _, row in sorted(here, key=lambda one: one[0].place)]

    def _leave(self, turn_id: str, message_id: str) -> None:
        attempt, rows = self.turns[turn_id].attempt, self.rows[turn_id]
        if any(of == attempt and row.message_id == message_id for (of, _), row in rows.items()):
            return
        number = max((key.part + 1 for of, key in rows if of == attempt and key.kind == OLD), default=0)
        rows[attempt, DeliveryKey(kind=OLD, round=0, part=number)] = Row(message_id)

    def _change(self, turn_id: str, **new: object) -> Turn:
        self.turns[turn_id] = self.turns[turn_id].model_copy(update=new)
        return self.turns[turn_id]
