"""A run as the promises look at it: from the simulated Discord and from the database."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from llmgine.messages.deliveries import DeliveryKey
from llmgine.sessions.database import Row
from tests.simulation.entities import Message
from tests.simulation.world import World

_STORE_FAILED = "The session store failed"  # so begins the notice of a turn that ended because of that


@dataclass
class Turn:
    """A turn as the database has it.

    Attributes:
        parts: The delivery rows of its present attempt, from above to below.
        questions: The ids of the messages that it answers.
        text: All that the model said in it.
        unsure: The reply of which the store did not say that it has it; it is in `text` if it has it.
    """

    id: str
    state: str
    attempt: int
    channel_id: int
    parts: list[Row] = field(default_factory=list)
    questions: list[int] = field(default_factory=list)
    text: str = ""
    unsure: str = ""

    def add(self, step: Any) -> None:
        """Take the next of its steps."""
        is_reply = step["kind"] == "reply"
        said = step["text"] if is_reply else step.get("partial") or ""
        self.text += said
        if is_reply or not str(step.get("notice") or "").startswith(_STORE_FAILED):
            self.unsure = said if is_reply else ""

    def messages(self, world: World) -> list[Message]:
        """Its messages that can be seen, in the order of its parts."""
        channel = world.server.channels[self.channel_id]
        ids = [int(part["message_id"]) for part in self.parts if part["message_id"]]
        return [channel.messages[one] for one in ids if one in channel.messages]


class Findings:
    """A run as the promises look at it.

    Attributes:
        turns: By id.
        by_question: The turn of each question's message.
        of_message: The turns of which a message of the bot's is a part.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.turns = {row["id"]: _turn(row) for row in world.disk.rows("SELECT * FROM turn")}
        self.by_question: dict[int, Turn] = {}
        self.of_message: defaultdict[int, list[str]] = defaultdict(list)
        for row in world.disk.rows("SELECT * FROM inbox"):
            if row["source_id"].isdecimal():
                turn = self.turns[row["turn_id"]]
                turn.questions.append(int(row["source_id"]))
                self.by_question[int(row["source_id"])] = turn
        for row in world.disk.rows("SELECT * FROM delivery"):
            turn = self.turns[row["turn_id"]]
            if row["attempt"] == turn.attempt:
                turn.parts.append(row)
            if row["message_id"]:
                self.of_message[int(row["message_id"])].append(turn.id)
        for row in world.disk.rows("SELECT turn_id, attempt, body FROM step ORDER BY turn_id, attempt, seq"):
            turn = self.turns[row["turn_id"]]
            if row["attempt"] == turn.attempt:
                turn.add(json.loads(row["body"]))
        for turn in self.turns.values():
            turn.parts.sort(key=_place)


def _turn(row: Row) -> Turn:
    return Turn(row["id"], row["state"], row["attempt"], int(json.loads(row["origin"])["channel_id"]))


def _place(part: Row) -> Any:
    return DeliveryKey(kind=part["kind"], round=part["round"], part=part["part"]).place
