"""People press the buttons under the bot's messages, and Discord takes the bot's answers to that."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from programs.discord.components.custom_ids import Action, ComponentId
from programs.playground.entities import BOT_ID, BOT_PERMISSIONS, GUILD_ID
from tests.simulation import entities
from tests.simulation.entities import PEOPLE, Json, Kind, Message, RefusalError
from tests.simulation.server import Server
from tests.simulation.timeline import Timeline

_FIRST, _LAST = 3.0, 900.0  # seconds within which the first answer has to come, and all others
_WANTED = {
    Action.STOP: 3,
    Action.SKIP: 3,
    Action.REGENERATE: 4,
    Action.RETRY: 6,
    Action.CONTINUE: 4,
    Action.UNDO: 1,
    Action.DETAILS: 1,
    Action.APPROVE: 20,
    Action.ALWAYS: 4,
    Action.DENY: 8,
}


@dataclass(frozen=True)
class _Press:
    id: int
    message: Message
    at: float


class Presses:
    """Everything that was pressed.

    Attributes:
        undone: The turns that somebody took back.
        ids: The ids of all presses: what the bot says in a channel about one has it as its nonce.
    """

    def __init__(self, server: Server, timeline: Timeline, chance: random.Random) -> None:
        self.undone: set[str] = set()
        self.ids: set[str] = set()
        self._server = server
        self._timeline = timeline
        self._chance = chance
        self._known: dict[str, _Press] = {}  # by token
        server.other = self.answer

    def press_one(self, message: Message) -> None:
        """Press a button of a message, if it has one."""
        there = [found for custom_id in _buttons(message.components) if (found := ComponentId.read(custom_id))]
        wanted = [(one, custom_id) for custom_id, one in zip(_buttons(message.components), there, strict=False)]
        weights = [_WANTED.get(one.action, 0) for one, _ in wanted]
        if not sum(weights):
            return
        pressed, custom_id = self._chance.choices(wanted, weights)[0]
        if pressed.action is Action.UNDO:
            self.undone.add(pressed.about.partition(":")[0])
        self._timeline.note(f"pressed {custom_id}")
        self._press(message, custom_id)

    def _press(self, message: Message, custom_id: str) -> None:
        press = _Press(self._server.new_id(), message, self._timeline.now)
        token = f"token-{press.id}"
        self._known[token] = press
        self.ids.add(str(press.id))
        channel = message.channel
        asker = message.replies_to.author_id if message.replies_to else self._chance.choice(list(PEOPLE))
        allowed = str(int(BOT_PERMISSIONS))
        payload: Json = {
            "id": str(press.id),
            "application_id": str(BOT_ID),
            "type": 3,
            "token": token,
            "version": 1,
            "channel_id": str(channel.id),
            "channel": {**entities.channel(channel), "permissions": allowed},
            "message": entities.message(message),
            "data": {"component_type": 2, "custom_id": custom_id},
            "locale": "en-US",
            "entitlements": [],
            "app_permissions": str(int(BOT_PERMISSIONS & ~self._server.denied(channel))),
            "authorizing_integration_owners": {"0": str(GUILD_ID)},
            "attachment_size_limit": 10_000_000,
        }
        if channel.kind is Kind.DM:
            payload |= {"user": entities.user(channel.person_id or 0), "context": 1}
        else:
            who = {**entities.member(), "user": entities.user(asker), "permissions": allowed}
            guild = {"id": str(GUILD_ID), "locale": "en-US", "features": []}
            payload |= {"guild_id": str(GUILD_ID), "guild": guild, "member": who, "context": 0}
        self._server.tell("INTERACTION_CREATE", payload)

    def answer(self, method: str, parts: list[str], body: Json) -> object:
        """Take what the bot answers; nobody else sees that, so it is not kept.

        Raises:
            RefusalError: It came too late, or is about nothing known.
        """
        match parts:
            case ["interactions", number, token, "callback"]:
                press = self._within(token, _FIRST, RefusalError(404, 10062))
                return {"interaction": {"id": number, "type": 3}} if press else None
            case ["webhooks", _, token, *rest]:
                press = self._within(token, _LAST, RefusalError(401, 50027))
                if method == "DELETE":
                    return None
                if rest and method == "PATCH":
                    self._server.change(press.message, body)
                    return entities.message(press.message)
                private = Message(self._server.new_id(), press.message.channel, BOT_ID, str(body.get("content") or ""))
                return entities.message(private)
        raise RefusalError(404, 0)

    def _within(self, token: str, seconds: float, error: RefusalError) -> _Press:
        press = self._known.get(token)
        if press is None or self._timeline.now - press.at > seconds:
            raise error
        return press


def _buttons(components: list[Json]) -> Iterator[str]:
    for one in components:
        if "custom_id" in one:
            yield one["custom_id"]
        yield from _buttons(one.get("components", []))
