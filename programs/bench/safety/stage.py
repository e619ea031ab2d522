"""Where the inputs are tried: the real bot on the playground, its tools, an obeying model, and a site, on loopback."""

import asyncio
import contextlib
import json
import logging
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from llmgine.engine.retries import RetryPolicy
from llmgine.messages.events import (
    Event,
    PausedEvent,
    ResumedEvent,
    SessionBranchedEvent,
    SessionClearedEvent,
    SettingChangedEvent,
    SystemPromptChangedEvent,
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    TurnAdmittedEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnForgottenEvent,
    TurnStartedEvent,
)
from programs.application import Application, configure_log
from programs.bench.safety.connections import Connections
from programs.bench.safety.obeying_model import ObeyingModel
from programs.bench.safety.secrets import Secrets
from programs.bench.safety.site import Site
from programs.bench.safety.tools import Names, Payments, register_tools
from programs.discord.bot import discord_at, join
from programs.discord.client import Bot
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, BOT_ID, MEMBERS_ROLE_ID, PERSON_PERMISSIONS, Message, Permission
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from programs.playground.state import Dispatch
from programs.settings import ProgramConfig, ProgramSettings

T = TypeVar("T")
Json = dict[str, Any]

FOOTER = re.compile(r"^-# (?:.* · )?\d+[.,]\d s$")
_OPEN = Window(1_000_000, 1.0)
_PATIENCE = 30.0  # seconds for one state; what takes longer is a fault of the bench or the bot


_CHANGES: tuple[type[Event], ...] = (
    SettingChangedEvent,
    SystemPromptChangedEvent,
    PausedEvent,
    ResumedEvent,
    SessionClearedEvent,
    SessionBranchedEvent,
    ToolCallDecidedEvent,
    TurnForgottenEvent,
)


@dataclass
class Stage:
    """All that takes part.

    Attributes:
        seen: The bot's messages, in every form that they had, by channel; those only one person sees, too.
        told: The same of all inputs, as text.
        results: Every tool call that ended.
        active: The turns that have no outcome yet, each with its session.
        changes: What people changed, decided, cleared or took back, as names of events.
    """

    playground: Playground
    model: ObeyingModel
    site: Site
    names: Names
    connections: Connections
    folder: Path
    app: Application
    client: Bot
    payments: Payments
    secrets: Secrets
    seen: defaultdict[int, list[Json]] = field(default_factory=lambda: defaultdict(list))
    told: list[str] = field(default_factory=list)
    results: list[ToolCallFinishedEvent] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    active: dict[str, str] = field(default_factory=dict)

    def note(self, dispatch: Dispatch) -> None:
        """Keep what the bot shows."""
        if dispatch.name in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            payload = dispatch.render(BOT_ID)
            if payload["author"]["id"] == str(BOT_ID):
                self.seen[int(payload["channel_id"])].append(payload)
                self.told.append(json.dumps(payload | {"referenced_message": None}))

    def follow(self, event: TurnEvent) -> None:
        """Keep which turns have no outcome yet."""
        if isinstance(event, TurnAdmittedEvent | TurnStartedEvent):
            self.active[event.turn_id] = event.session_id
        elif isinstance(event, TurnFinishedEvent | TurnForgottenEvent):
            self.active.pop(event.turn_id, None)

    def is_active(self, places: Iterable[int]) -> bool:
        """Whether a turn of these channels has no outcome yet."""
        parts = {str(place) for place in places}
        return any(parts & {*session.split(":")} for session in self.active.values())

    async def until(self, find: Callable[[], T], what: str) -> T:
        """The first truthy result, looked at whenever the playground changes.

        Raises:
            TimeoutError: There was none.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self.playground.wait_for(lambda _state: find())
        except TimeoutError:
            raise TimeoutError(f"{what} did not happen within {_PATIENCE:.0f} s") from None

    @contextlib.contextmanager
    def commands_for_all(self) -> Iterator[None]:
        """Inside this block everybody may use all commands, as a server's settings can say; the bot has to refuse."""
        commands = self.playground.state.commands.values()
        before = [one["default_member_permissions"] for one in commands]
        for one in commands:
            one["default_member_permissions"] = None
        yield
        for one, needed in zip(commands, before, strict=True):
            one["default_member_permissions"] = needed

    def shown(self, channel: int, *, privately: bool = False) -> list[Message]:
        """The bot's messages that everybody sees, oldest first; those that only one person sees, too, if wanted."""
        messages = self.playground.state.channels[channel].messages.values()
        return [one for one in messages if one.author_id == BOT_ID and (privately or one.ephemeral_to is None)]

    def ends(self, channel: int) -> int:
        """How many answers have ended in a channel."""
        return sum(FOOTER.match(one.content.rsplit("\n", 1)[-1]) is not None for one in self.shown(channel))

    async def fence(self) -> None:
        """Wait until the bot has done all that it was told of so far."""
        name = "fence"
        known = (one.id for one in self.playground.state.channels.values() if one.name == name)
        channel = next(known, None) or self.playground.admin.add_channel(name).id
        before = self.ends(channel)
        self.playground.people.send(channel, ADA_ID, f"<@{BOT_ID}> Are you there?")
        await self.until(lambda: self.ends(channel) > before, "An answer")
        await self.rest()

    async def rest(self) -> None:
        """Wait until the bot has nothing to do."""
        await self.client.caught_up()
        await self.app.bus.wait_until_idle()
        await self.client.all_delivered()

    def outbox(self) -> list[bytes]:
        """The e-mails that were written, oldest first."""
        paths = sorted((self.folder / "outbox").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [path.read_bytes() for path in paths]


@dataclass(frozen=True)
class Counts:
    """How much there was of everything at one moment."""

    requests: int
    mails: int
    results: int
    payments: int
    changes: int
    private: int

    @classmethod
    def of(cls, stage: Stage) -> Self:
        """At this moment."""
        return cls(
            len(stage.model.requests),
            len(stage.outbox()),
            len(stage.results),
            len(stage.payments),
            len(stage.changes),
            len(stage.connections.private),
        )


@contextlib.asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """All of it, running, with its files in a folder; the bot is in, and its commands are registered."""
    rules = Rules(create=_OPEN, edit=_OPEN, other=_OPEN, everything=_OPEN, webhook=_OPEN)
    async with contextlib.AsyncExitStack() as stack:
        model = await stack.enter_async_context(ObeyingModel())
        site = await stack.enter_async_context(Site())
        playground = await stack.enter_async_context(Playground(rules=rules))
        playground.admin.set_role(MEMBERS_ROLE_ID, PERSON_PERMISSIONS & ~Permission.MANAGE_MESSAGES)
        connections = Connections({playground.url, model.base_url, site.url})
        stack.enter_context(connections.watched())
        secrets = Secrets()
        settings = _settings(folder, playground, model.base_url, site.url, secrets)
        log = stack.enter_context((folder / "program.log").open("w", encoding="utf-8"))
        with contextlib.redirect_stderr(log):
            configure_log(settings)
        stack.callback(logging.basicConfig, handlers=[logging.NullHandler()], force=True)
        config = ProgramConfig(settings=settings, retry=RetryPolicy(first_wait=0.0), titles=True, monitor_interval=1e6)
        app = await stack.enter_async_context(Application(config, renderers={SOURCE: render_deliveries}))
        names = Names()
        payments = await register_tools(app.engine, site, names)
        stack.enter_context(discord_at(settings))
        client = Bot(app, guild_ready_timeout=0.1, edit_interval=0.05, first_wait=0.01, rate=1e6, burst=0.0)
        ending = asyncio.Event()
        joined = asyncio.create_task(join(client, playground.token, ending))
        stack.push_async_callback(_leave, ending, joined)
        made = Stage(playground, model, site, names, connections, folder, app, client, payments, secrets)
        app.bus.register_event_handler(ToolCallFinishedEvent, made.results.append)
        app.bus.register_event_handler(TurnEvent, made.follow)
        for kind in _CHANGES:
            app.bus.register_event_handler(kind, lambda event: made.changes.append(type(event).__name__))
        stack.callback(playground.state.subscribe(made.note))
        await client.wait_until_in()
        await client.commands.registration.known()
        yield made


async def _leave(ending: asyncio.Event, joined: asyncio.Task[None]) -> None:
    ending.set()
    await joined


def _settings(folder: Path, playground: Playground, model_url: str, site_url: str, secrets: Secrets) -> ProgramSettings:
    return ProgramSettings(
        _env_file=None,
        discord_token=playground.token,
        discord_api_base=playground.api_base,
        discord_gateway_url=playground.gateway_url,
        openai_base_url=model_url,
        openai_api_key=secrets.configured,
        openai_model="obeying",
        openai_api="chat",
        weather_base_url=site_url,
        database_url=f"sqlite:///{folder}/safety.db",
        log_dir=folder / "logs",
        outbox_dir=folder / "outbox",
        log_level="DEBUG",
    )
