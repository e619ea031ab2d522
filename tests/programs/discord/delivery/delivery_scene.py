"""What the tests of deliveries need beside the scene: bounded waits, time that only tests move, choosy refusals."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import discord
import pytest
from aiohttp import web

from llmgine.messages.events import TurnFinishedEvent
from programs.discord.ids import SOURCE, session_id
from programs.playground.entities import BOT_ID, GENERAL_ID, Channel, Message, Permission
from programs.playground.errors import ApiError
from programs.playground.forms import MessageForm
from programs.playground.posting import Posting, Upload
from tests.chat_completions import Exchange
from tests.programs.discord.scene import MENTION, Scene

T = TypeVar("T")
SHORT = 3.0  # seconds in which a state comes, or is a failure
CREATE = ("POST", "/channels/{channel_id}/messages")
EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
DELETE = ("DELETE", "/channels/{channel_id}/messages/{message_id}")
HISTORY = ("GET", "/channels/{channel_id}/messages")
QUICK_REACTIONS = {"reaction_interval": 0.01, "reaction_delay": 0.0}

# What is refused of a message that is created, or edited; None for what is not.
Refusal = Callable[[MessageForm, tuple[Upload, ...]], ApiError | None]
EditRefusal = Callable[[Message, MessageForm], ApiError | None]


class Time:
    """Time that passes while the bot sleeps, at once, and when the test says so."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += seconds
        await asyncio.sleep(0)


class Sleep:
    """A sleep that ends when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.wait()


async def soon(scene: Scene, find: Callable[[], T], *, seconds: float = SHORT) -> T:
    """The first truthy result of `find`, looked at whenever the playground changes."""
    async with asyncio.timeout(seconds):
        return await scene.playground.wait_for(lambda _state: find())


async def before_long(state: Callable[[], object | Awaitable[object]], *, seconds: float = SHORT) -> None:
    """Wait until a state is truthy that nobody tells of."""
    async with asyncio.timeout(seconds):
        while True:
            found = state()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.01)


class Ended:
    """Counts the turns that have ended, from now on."""

    def __init__(self, scene: Scene) -> None:
        self.count = 0
        self._bus = scene.app.bus
        self._bus.register_event_handler(TurnFinishedEvent, self._add)

    def _add(self, _event: TurnFinishedEvent) -> None:
        self.count += 1

    async def reach(self, count: int) -> None:
        """Wait until so many have ended, and all that heard of it are done with it."""
        await before_long(lambda: self.count >= count)
        await self._bus.wait_until_idle()


async def at_rest(scene: Scene, *, requests: int = 1) -> None:
    """Wait until the model has answered so many requests, and all of the events are dealt with."""
    await scene.model.until(lambda: len(scene.model.requests) >= requests and not scene.model.active)
    await scene.app.bus.wait_until_idle()


def bodies(scene: Scene, channel: int = GENERAL_ID) -> list[str]:
    """The first line of each message of the bot: the marks of a test's texts, from above to below."""
    return [message.content.split("\n", 1)[0].strip() for message in scene.shown(channel)]


def marked(*marks: str, characters: int = 1_700) -> str:
    """A text of so many messages, each of which begins with its mark."""
    return "\n\n".join(f"{mark}\n" + "word " * (characters // 5) for mark in marks)


def stages(scene: Scene, *texts: str) -> list[asyncio.Event]:
    """Have the model answer with these texts, and wait before each one but the first for its event."""
    events = [asyncio.Event() for _ in texts[1:]]

    async def answer(exchange: Exchange) -> web.StreamResponse:
        await exchange.chunk({"role": "assistant", "content": ""})
        for number, text in enumerate(texts):
            if number:
                await events[number - 1].wait()
            await exchange.chunk({"content": text})
        await exchange.chunk({}, "stop")
        return await exchange.end()

    scene.model.answer(answer)
    return events


def refuse_posts(patch: pytest.MonkeyPatch, refusal: Refusal) -> None:
    """Let Discord refuse what the bot posts."""
    create = Posting.create

    def choosy(
        posting: Posting, channel: Channel, author_id: int, form: MessageForm, uploads: Any = (), **options: Any
    ) -> Message:
        error = refusal(form, uploads) if author_id == BOT_ID else None
        if error is not None:
            raise error
        return create(posting, channel, author_id, form, uploads, **options)

    patch.setattr(Posting, "create", choosy)


def refuse_edits(patch: pytest.MonkeyPatch, refusal: EditRefusal) -> None:
    """Let Discord refuse how the bot changes its messages."""
    edit = Posting.edit

    def choosy(posting: Posting, message: Message, form: MessageForm, uploads: Any = ()) -> Message:
        error = refusal(message, form) if message.author_id == BOT_ID else None
        if error is not None:
            raise error
        return edit(posting, message, form, uploads)

    patch.setattr(Posting, "edit", choosy)


def unavailable() -> ApiError:
    """Discord cannot do it at present."""
    return ApiError(503, 0, "Service Unavailable")


def too_old() -> ApiError:
    """Discord takes no more edits of so old a message in this hour."""
    words = "Maximum number of edits to messages older than 1 hour reached. Try again later"
    return ApiError(429, 30046, words, retry_after=3_000.0)


def deny(scene: Scene, *permissions: Permission, channel: int = GENERAL_ID) -> None:
    """Take these from the bot in a channel; without any it has all again."""
    scene.playground.admin.overwrite(channel, BOT_ID, deny=Permission(sum(permissions)))


async def allowed(scene: Scene, name: str, *, yes: bool, channel: int = GENERAL_ID) -> None:
    """Wait until the bot knows of a permission."""

    def known() -> bool:
        found = scene.bot.get_channel(channel)
        assert isinstance(found, discord.TextChannel)
        return getattr(found.permissions_for(found.guild.me), name) is yes

    await before_long(known)


async def channels(scene: Scene, count: int) -> list[int]:
    """So many more channels, known to the bot."""
    made = [scene.playground.admin.add_channel(f"channel-{number}").id for number in range(count)]
    await before_long(lambda: all(scene.bot.get_channel(one) for one in made))
    return made


def reword(scene: Scene, asked: Message, text: str = "once more") -> None:
    """Let somebody change their question, so that it is answered again."""
    scene.playground.people.edit(asked.channel_id, asked.id, asked.author_id, f"{MENTION} {text}")


async def attempt_ended(scene: Scene, asked: Message, attempt: int) -> bool:
    """Whether a question was answered so many times."""
    turn_id = await scene.app.store.turns.of_message(SOURCE, str(asked.id))
    turns = await scene.app.store.turns.many([str(turn_id)])
    return any(one.turn.attempt == attempt and one.state.outcome is not None for one in turns)


async def answered_anew(scene: Scene, asked: Message, attempt: int = 2) -> None:
    """Wait until a question was answered so many times, and nothing more is to be shown."""
    await before_long(lambda: attempt_ended(scene, asked, attempt))
    await delivered(scene)


async def delivered(scene: Scene) -> None:
    """Wait until the store knows that all outcomes are shown."""
    await scene.app.bus.wait_until_idle()
    await before_long(lambda: nothing_owed(scene))


async def nothing_owed(scene: Scene) -> bool:
    """Whether the store knows that all outcomes are shown, or will never be."""
    return not await scene.app.store.undelivered(SOURCE)


def signs(message: Message) -> set[str]:
    """The bot's reactions on a message."""
    return {sign for sign, who in message.reactions.items() if BOT_ID in who}


def here() -> str:
    """The session of the channel."""
    return session_id(GENERAL_ID)
