"""The simulated Discord: what it has, and what it does when it is asked over REST."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from programs.playground.entities import BOT_ID, GUILD_ID, Permission
from tests.simulation import entities
from tests.simulation.entities import EPOCH_MS, PEOPLE, Channel, Json, Kind, Message, RefusalError
from tests.simulation.faults import Fault, Weather
from tests.simulation.timeline import Timeline

_OLD = 3_600.0  # seconds
_EDITS_OF_OLD = 3
MAX_CONTENT = 2_000
_BUCKETS = {"create": (5, 5.0), "edit": (5, 5.0), "react": (4, 1.0)}


class Tell(Protocol):
    """Tells the bot of something over the gateway."""

    def __call__(self, name: str, payload: Json) -> None: ...


@dataclass(frozen=True)
class Request:
    """What comes with a request besides its path."""

    query: Mapping[str, Any]
    body: Json
    files: list[tuple[str, str]]


class Limited(Exception):  # noqa: N818  # an answer, not a fault
    """Too many requests: wait so long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds}")
        self.seconds = seconds


class Server:
    """All that Discord has.

    Attributes:
        channels: By id, those that are gone too.
        posts: Every message of the bot's, in the order they were posted; those that are gone too.
        tell: Tells the bot.
        other: Answers requests that are about no channel, see `Presses`.
        reacted: Is told of each reaction that the bot adds.
        forgetful: Whether nonces are ignored: a fault that only a test of the promises asks for.
    """

    def __init__(self, timeline: Timeline, weather: Weather, chance: random.Random) -> None:
        self.channels: dict[int, Channel] = {}
        self.posts: list[Message] = []
        self.tell: Tell = _nobody
        self.other: Callable[[str, list[str], Json], object] = _unknown
        self.reacted: Callable[[Message, str], None] = lambda *_: None
        self.forgetful = False
        self._timeline = timeline
        self._weather = weather
        self._chance = chance
        self._last = 0
        self._nonces: dict[str, tuple[float, Message]] = {}
        self._nonce_seconds = chance.choice((180.0, 300.0, 600.0))
        self._used: dict[tuple[str, int], tuple[int, float]] = {}  # requests in the window that began then
        self._commands: list[Json] = []

    def new_id(self) -> int:
        """An id greater than all before."""
        now = (int(self._timeline.wall * 1000) - EPOCH_MS) << 22
        self._last = max(now, self._last + 1)
        return self._last

    def add(self, kind: Kind, name: str, *, parent_id: int | None = None, person_id: int | None = None) -> Channel:
        """A new channel, which nobody is told of."""
        made = Channel(self.new_id(), kind, name, parent_id, person_id)
        self.channels[made.id] = made
        return made

    def say(self, channel: Channel, author_id: int, content: str, replies_to: Message | None = None) -> Message:
        """Somebody writes."""
        said = Message(self.new_id(), channel, author_id, content, replies_to=replies_to)
        self._put(said)
        return said

    def _put(self, message: Message) -> None:
        channel = message.channel
        channel.messages[message.id] = message
        channel.last_message_id = message.id
        self.announce(channel, "MESSAGE_CREATE", lambda: entities.told(message))

    def announce(self, channel: Channel, name: str, payload: Callable[[], Json]) -> None:
        """Tell the bot, if it can see the channel."""
        if not channel.gone and Permission.VIEW_CHANNEL not in self.denied(channel):
            self.tell(name, payload())

    def revise(self, message: Message, content: str) -> None:
        """Somebody edits a message."""
        message.content, message.edited_at = content, self._timeline.wall
        self.announce(message.channel, "MESSAGE_UPDATE", lambda: entities.told(message))

    def remove(self, message: Message, who: str) -> None:
        """Somebody deletes a message."""
        message.gone = who
        del message.channel.messages[message.id]
        gone = {"id": str(message.id), "channel_id": str(message.channel.id)}
        if message.channel.kind is not Kind.DM:
            gone["guild_id"] = str(GUILD_ID)
        self.announce(message.channel, "MESSAGE_DELETE", lambda: gone)

    def close(self, channel: Channel) -> None:
        """Somebody deletes a channel or a thread."""
        for one in [channel, *(other for other in self.channels.values() if other.parent_id == channel.id)]:
            for message in one.messages.values():
                message.gone = "channel"
            one.messages.clear()
            payload = entities.channel(one)
            one.gone = True
            self.tell("THREAD_DELETE" if one.kind is Kind.THREAD else "CHANNEL_DELETE", payload)

    def allow(self, channel: Channel, denied: Permission) -> None:
        """Somebody changes what the bot may do in a channel, and in its threads."""
        channel.denied = denied
        self.tell("CHANNEL_UPDATE", entities.channel(channel))

    def denied(self, channel: Channel) -> Permission:
        """What the bot may not do there."""
        parent = channel if channel.parent_id is None else self.channels[channel.parent_id]
        return parent.denied

    def shown(self) -> Iterator[Message]:
        """The bot's messages that can be seen, the oldest first."""
        return (one for one in self.posts if one.gone is None)

    # What the bot asks for. Each takes the ids in the path and the rest of the request, and gives what is answered.

    def answer(
        self, method: str, parts: list[str], query: Mapping[str, Any], body: Json, files: list[tuple[str, str]]
    ) -> tuple[object, tuple[int, int, float] | None]:
        """Do what is asked; gives what to answer, and the limit, the rest and the seconds of its bucket.

        Raises:
            RefusalError: It is refused.
            Limited: There were too many such requests.
        """
        if parts[0] == "channels":
            channel = self._seen(int(parts[1]))
            bucket = self._bucket(method, parts[2:], channel)
            return self._in_channel(method, channel, parts[2:], Request(query, body, files)), bucket
        return self._elsewhere(method, parts, body), None

    def _elsewhere(self, method: str, parts: list[str], body: Json) -> object:
        answer: object
        match method, parts:
            case "GET", ["users", "@me"]:
                answer = {**entities.user(BOT_ID), "verified": True, "mfa_enabled": False, "flags": 0}
            case "GET", ["oauth2", "applications", "@me"]:
                answer = _application()
            case "GET", ["applications", _, "commands"]:
                answer = self._commands
            case "PUT", ["applications", _, "commands"]:
                commands: Any = body
                answer = self._commands = [{**one, "id": str(self.new_id()), "version": "1"} for one in commands]
            case "GET", ["guilds", _, "members", user_id]:
                answer = {"user": entities.user(int(user_id)), **entities.member()}
            case "POST", ["users", "@me", "channels"]:
                answer = self._dm(int(body["recipient_id"]))
            case _:
                answer = self.other(method, parts, body)
        return answer

    def _in_channel(self, method: str, channel: Channel, rest: list[str], request: Request) -> object:
        answer: object = None
        match method, rest:
            case "POST", ["messages"]:
                answer = self._create(channel, request.body, request.files)
            case "GET", ["messages"]:
                answer = self._history(channel, request.query)
            case "GET", ["messages", message_id]:
                self._require(channel, Permission.READ_MESSAGE_HISTORY, 50001)
                answer = entities.message(_message(channel, message_id))
            case "PATCH", ["messages", message_id]:
                answer = self._edit(_message(channel, message_id), request.body, request.files)
            case "DELETE", ["messages", message_id]:
                self.remove(_message(channel, message_id), "bot")
            case "PUT" | "DELETE", ["messages", message_id, "reactions", emoji, _]:
                self._react(_message(channel, message_id), emoji, on=method == "PUT")
            case "POST", ["typing"]:
                self._require(channel, Permission.SEND_MESSAGES, 50013)
            case "GET" | "PATCH", []:
                channel.archived = channel.archived and method == "GET"
                answer = entities.channel(channel)
            case _:
                raise RefusalError(404, 0)
        return answer

    def _bucket(self, method: str, rest: list[str], channel: Channel) -> tuple[int, int, float] | None:
        kind = {("POST", 1): "create", ("PATCH", 2): "edit", ("PUT", 5): "react"}.get((method, len(rest)))
        if kind is None or rest[0] != "messages":
            return None
        limit, seconds = _BUCKETS[kind]
        used, began = self._used.get((kind, channel.id), (0, self._timeline.now))
        if self._timeline.now - began >= seconds:
            used, began = 0, self._timeline.now
        rest_of_window = began + seconds - self._timeline.now
        if used >= limit:
            raise Limited(rest_of_window)
        self._used[kind, channel.id] = used + 1, began
        return limit, limit - used - 1, rest_of_window

    def _seen(self, channel_id: int) -> Channel:
        channel = self.channels.get(channel_id)
        if channel is None or channel.gone:
            raise RefusalError(404, 10003)
        self._require(channel, Permission.VIEW_CHANNEL, 50001)
        return channel

    def _require(self, channel: Channel, what: Permission, code: int) -> None:
        if channel.kind is not Kind.DM and what in self.denied(channel):
            raise RefusalError(403, code)

    def _create(self, channel: Channel, body: Json, files: list[tuple[str, str]]) -> Json:
        nonce = body.get("nonce")
        if body.get("enforce_nonce") and nonce is not None and not self.forgetful:
            moment, known = self._nonces.get(nonce, (-1e9, None))
            if known is not None and self._timeline.now - moment < self._nonce_seconds:
                if known.gone is not None:
                    raise RefusalError(404, 10008)
                return entities.message(known)
        threads = Permission.SEND_MESSAGES_IN_THREADS | Permission.SEND_MESSAGES
        self._require(channel, Permission.SEND_MESSAGES if channel.kind is Kind.TEXT else threads, 50013)
        if files:
            self._require(channel, Permission.ATTACH_FILES, 50013)
        reference = body.get("message_reference")
        replies_to = None
        if reference is not None:
            self._require_history_for_reply(channel)
            replies_to = channel.messages.get(int(reference["message_id"]))
        message = Message(self.new_id(), channel, BOT_ID, nonce=nonce, replies_to=replies_to)
        self._fill(message, body, files)
        self.posts.append(message)
        if nonce is not None:
            self._nonces[nonce] = self._timeline.now, message
        self._put(message)
        return entities.message(message)

    def _require_history_for_reply(self, channel: Channel) -> None:
        if channel.kind is not Kind.DM and Permission.READ_MESSAGE_HISTORY in self.denied(channel):
            raise RefusalError(400, 160002)

    def _fill(self, message: Message, body: Json, files: list[tuple[str, str]]) -> None:
        content = message.content if body.get("content", message) is message else body["content"] or ""
        if len(content) > MAX_CONTENT:
            raise RefusalError(400, 50035)
        if "r" in content and self._weather.strikes(Fault.AGAINST_RULES):
            raise RefusalError(400, 200000)
        embeds = message.embeds if "embeds" not in body else body["embeds"] or []
        if embeds and Permission.EMBED_LINKS in self.denied(message.channel):
            embeds = []
        if "components" in body:
            message.components = body["components"] or []
        if files or "attachments" in body:
            message.files = files
        if not content and not embeds and not message.files:
            raise RefusalError(400, 50006)
        message.content, message.embeds = content, embeds
        message.flags = body.get("flags", message.flags) or 0

    def _edit(self, message: Message, body: Json, files: list[tuple[str, str]]) -> Json:
        if message.author_id != BOT_ID:
            raise RefusalError(403, 50005)
        old = self._timeline.wall - entities.time_of(message.id) > _OLD
        message.edits += old
        if (old and message.edits > _EDITS_OF_OLD) or self._weather.strikes(Fault.TOO_OLD):
            raise RefusalError(400, 30046)
        if files:
            self._require(message.channel, Permission.ATTACH_FILES, 50013)
        self._fill(message, body, files)
        message.edited_at = self._timeline.wall
        self.announce(message.channel, "MESSAGE_UPDATE", lambda: entities.told(message))
        return entities.message(message)

    def change(self, message: Message, body: Json) -> None:
        """Give a message another body in answer to a press of its buttons."""
        if message.gone is not None:
            raise RefusalError(404, 10008)
        self._fill(message, body, [])
        message.edited_at = self._timeline.wall
        self.announce(message.channel, "MESSAGE_UPDATE", lambda: entities.told(message))

    def _history(self, channel: Channel, query: Mapping[str, Any]) -> list[Json]:
        if channel.kind is not Kind.DM and Permission.READ_MESSAGE_HISTORY in self.denied(channel):
            return []
        after, limit = int(query.get("after", 0)), int(query.get("limit", 50))
        before = int(query["before"]) if "before" in query else None
        found = [one for one in channel.messages.values() if one.id > after and (before is None or one.id < before)]
        page = found[:limit] if "after" in query else found[-limit:]
        return [entities.message(one) for one in reversed(page)]

    def _react(self, message: Message, emoji: str, *, on: bool) -> None:
        self._require(message.channel, Permission.READ_MESSAGE_HISTORY, 50001)
        if on and emoji not in message.reactions:
            self._require(message.channel, Permission.ADD_REACTIONS, 50013)
            message.reactions.append(emoji)
            self.reacted(message, emoji)
        elif not on and emoji in message.reactions:
            message.reactions.remove(emoji)

    def _dm(self, person_id: int) -> Json:
        for channel in self.channels.values():
            if channel.person_id == person_id:
                return entities.channel(channel)
        if person_id not in PEOPLE:
            raise RefusalError(404, 10013)
        return entities.channel(self.add(Kind.DM, "", person_id=person_id))


def _nobody(name: str, payload: Json) -> None:
    """Nobody is connected."""


def _unknown(method: str, parts: list[str], body: Json) -> object:
    """There is nothing else that could be asked for."""
    raise RefusalError(404, 0)


def _message(channel: Channel, message_id: str) -> Message:
    found = channel.messages.get(int(message_id))
    if found is None:
        raise RefusalError(404, 10008)
    return found


def _application() -> Json:
    return {
        "id": str(BOT_ID),
        "name": "LLMgine",
        "icon": None,
        "description": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 1 << 19,
        "owner": entities.user(next(iter(PEOPLE))),
        "team": None,
    }
