"""The whole of it for a test: a playground, a model service and the real bot in one event loop, restartable."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from llmgine.context import PEOPLE_NOTE
from llmgine.engine.retries import RetryPolicy
from llmgine.messages.events import Event
from llmgine.providers.base import Provider
from programs.application import Application
from programs.demo_model import DemoModel
from programs.discord.bot import discord_at, join
from programs.discord.client import Bot
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.ids import SOURCE, Kind
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    PERSON_PERMISSIONS,
    Json,
    Message,
    Permission,
)
from programs.playground.interactions import Interaction
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from programs.playground.state import Dispatch
from programs.settings import ProgramConfig, ProgramSettings
from tests.chat_completions import ChatCompletionsServer
from tests.prompt import PromptClient
from tests.waiting import PATIENCE, noted, patience

__all__ = ["PATIENCE"]

T = TypeVar("T")
INTERVAL = 0.01
PLENTY = Window(10_000, 1.0)
ROOMY = Rules(create=PLENTY, edit=PLENTY, other=PLENTY, everything=PLENTY)
MENTION = f"<@{BOT_ID}>"
_FOOTER = re.compile(r"^-# (?:.* · )?\d+[.,]\d s$")


class PromptBot(PromptClient, Bot):
    """The bot, ready as soon as it can be."""


@dataclass
class Shown:
    """One look at a message of the bot: as it was created, or as an edit left it."""

    id: int
    content: str
    payload: Json = field(repr=False)
    at: float = 0.0


class Scene:
    """Drive it as people would, and look at what they would see."""

    def __init__(self, playground: Playground, model: ChatCompletionsServer, folder: Path) -> None:
        self.playground = playground
        self.model = model
        self.folder = folder
        self.settings = ProgramSettings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            openai_base_url=model.base_url,
            openai_model="test-model",
            database_url=f"sqlite:///{folder}/llmgine.db",
            log_dir=folder / "logs",
            outbox_dir=folder / "outbox",
        )
        self.history: list[Shown] = []
        self.told: list[tuple[str, Json]] = []  # what only the page hears: modals, failed interactions, …
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()
        self._joined: asyncio.Task[None] | None = None
        self.bot: Bot
        self.app: Application
        playground.state.subscribe(self._record)

    def _record(self, dispatch: Dispatch) -> None:
        noted()
        payload = dispatch.render(BOT_ID)
        if dispatch.name in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            if payload["author"]["id"] == str(BOT_ID):
                now = asyncio.get_running_loop().time()
                self.history.append(Shown(int(payload["id"]), payload["content"], payload, now))
        elif dispatch.audience is not None:
            self.told.append((dispatch.name, payload))

    async def start(
        self,
        *,
        demo: bool = False,
        provider: Provider | None = None,
        interval: float = INTERVAL,
        tools: tuple[Callable[..., object], ...] = (),
        tool_options: Json | None = None,
        bot: Json | None = None,
        titles: bool = False,
        **settings: Any,
    ) -> Self:
        """Start the application and the bot on the scene's database, and wait until it is in.

        `demo` starts it as without any model configured, with a demo model that does not take its time.
        `bot` are further arguments of the bot.
        """
        if demo:
            settings["openai_base_url"] = None
            provider = DemoModel(delay=0.0)
        config = ProgramConfig(
            settings=self.settings.model_copy(update=settings), retry=RetryPolicy(first_wait=0.0), titles=titles
        )
        app = Application(config, provider=provider, renderers={SOURCE: render_deliveries})
        self.app = await self._stack.enter_async_context(app)
        self.app.bus.register_event_handler(Event, noted)
        for tool in tools:
            await self.app.engine.register_tool(tool, **(tool_options or {}))
        self._stack.enter_context(discord_at(self.settings))
        options = {
            "edit_interval": interval,
            "first_wait": 0.01,
            "rate": 1e6,
            "burst": 0.0,
        }
        self.bot = PromptBot(self.app, **{**options, **(bot or {})})
        self._stop = asyncio.Event()
        self._joined = asyncio.create_task(join(self.bot, self.playground.token, self._stop))
        async with patience("the bot to be in"):
            await self.bot.wait_until_in()
            if "rate" not in (bot or {}):  # a slow one registers its commands after all else
                await self.bot.commands.registration.known()
        return self

    async def stop(self) -> None:
        """Close bot and application as the program does when it is told to end."""
        if self._joined is not None:
            self._stop.set()
            await self._joined
            self._joined = None
        await self._stack.aclose()
        await self.until(lambda: not self.playground.state.bot_online)

    async def restart(self, **options: Any) -> None:
        """Stop, and start on the same database and the same playground."""
        await self.stop()
        await self.start(**options)

    async def until(self, find: Callable[[], T]) -> T:
        """The first truthy result of `find`, looked at whenever the playground changes."""
        async with patience("what people see to be so"):
            return await self.playground.wait_for(lambda _state: find())

    # People

    def say(self, text: str, *, by: int = ADA_ID, channel: int = GENERAL_ID, **options: Any) -> Message:
        """Write a message."""
        return self.playground.people.send(channel, by, text, **options)

    def ask(self, text: str, *, by: int = ADA_ID, channel: int = GENERAL_ID, **options: Any) -> Message:
        """Write a message that mentions the bot."""
        return self.say(f"{MENTION} {text}", by=by, channel=channel, **options)

    def command(
        self, name: str, options: Json | None = None, *, by: int = ADA_ID, channel: int = GENERAL_ID
    ) -> Interaction:
        """Use a slash command."""
        given = [{"name": key, "value": value} for key, value in (options or {}).items()]
        return self.playground.people.command(channel, by, name, given)

    def no_moderators(self) -> None:
        """Take the permission to manage messages from everybody but Ada, who owns the server."""
        self.playground.admin.set_role(MEMBERS_ROLE_ID, PERSON_PERMISSIONS & ~Permission.MANAGE_MESSAGES)

    def click(self, message: Message, label: str, *, by: int = ADA_ID) -> Interaction:
        """Press the button with this label."""
        found = [button for row in message.components for button in row["components"] if button.get("label") == label]
        return self.playground.people.click(message.channel_id, by, message.id, found[0]["custom_id"])

    # What people see

    def messages(self, channel: int = GENERAL_ID) -> list[Message]:
        """All messages of a channel that everybody sees, oldest first."""
        found = self.playground.state.channels[channel].messages.values()
        return [message for message in found if message.ephemeral_to is None]

    def shown(self, channel: int = GENERAL_ID) -> list[Message]:
        """The bot's messages in a channel, oldest first."""
        return [message for message in self.messages(channel) if message.author_id == BOT_ID]

    def private(self, user: int, channel: int = GENERAL_ID) -> list[Message]:
        """What only this person sees."""
        found = self.playground.state.channels[channel].messages.values()
        return [message for message in found if message.ephemeral_to == user]

    def outcomes(self, channel: int = GENERAL_ID) -> list[Message]:
        """The messages that end an answer: those with the footer."""
        return [message for message in self.shown(channel) if is_outcome(message.content)]

    async def outcome(self, number: int = 1, channel: int = GENERAL_ID) -> Message:
        """Wait for so many outcomes; gives the last of them, with every part of it marked as delivered."""
        found = await self.until(lambda: (self.outcomes(channel) + [None] * number)[number - 1])
        assert found is not None
        await self.delivered()
        return found

    async def cursors(self) -> dict[str, int]:
        """The stored cursors, by place."""
        page = self.app.store.cursors.page
        found = [
            one
            for guild in (None, GUILD_ID)
            for kind in Kind
            for one in await page(SOURCE, kind.value, guild, most=1_000)
        ]
        return {one.place: one.position for one in found}

    async def delivered(self) -> None:
        """Wait until the store knows that every outcome is shown."""
        async with patience("everything to be delivered"):
            while True:  # other channels' answers may be on their way
                await self.bot.caught_up()
                await self.app.bus.wait_until_idle()
                await self.bot.all_delivered()
                if not await self.app.store.undelivered(SOURCE):
                    return
                await asyncio.sleep(INTERVAL)

    async def card(self, number: int = 1, channel: int = GENERAL_ID) -> Message:
        """Wait for so many tool cards; gives the last of them."""
        found = await self.until(lambda: ([m for m in self.shown(channel) if m.embeds] + [None] * number)[number - 1])
        assert found is not None
        return found

    def sends(self, method: str = "POST", route: str = "/channels/{channel_id}/messages") -> list[Json]:
        """The bodies the bot sent to a route, oldest first."""
        return [r.request for r in self.playground.requests if (r.method, r.route) == (method, route)]

    def trail(self) -> Iterator[str]:
        """What the bot asked of Discord, a line each: what a failure is read from."""
        for one in self.playground.requests:
            yield f"{one.at} {one.method} {one.path} {one.status} {str(one.request)[:200]} -> {str(one.response)[:60]}"

    def edits(self) -> list[Json]:
        """The bodies of the bot's edits."""
        return self.sends("PATCH", "/channels/{channel_id}/messages/{message_id}")


def card_text(message: Message) -> str:
    """All that a card says of its calls: a line or a field for each."""
    embed = message.embeds[0]
    fields = [f"{field['name']}\n{field['value']}" for field in embed["fields"]]
    return "\n".join([*([embed["description"]] if "description" in embed else []), *fields])


def labels(message: Message) -> list[str]:
    """The labels of a message's buttons, row by row."""
    return [button["label"] for row in message.components for button in row["components"]]


def is_outcome(content: str) -> bool:
    """Whether a message ends with the footer of an answer."""
    return _FOOTER.match(content.rsplit("\n", 1)[-1]) is not None


def body_of(content: str) -> str:
    """An outcome without its footer."""
    return content.rsplit("\n", 1)[0] if is_outcome(content) else content


def people_said(request: Json) -> list[str]:
    """The texts of the people in a request to the model: plain, or out of JSON objects, which the system text tells of.

    Where the system text does not tell of them, none may be there.
    """
    told = PEOPLE_NOTE in request["messages"][0]["content"]
    texts = [message["content"] for message in request["messages"] if message["role"] == "user"]
    assert told == any(text.startswith("{") for text in texts), request["messages"]
    return [json.loads(text)["text"] if text.startswith("{") else text for text in texts]
