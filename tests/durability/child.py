"""The bot as a process that kills itself at a numbered operation: what every cell of the kill matrix runs.

An operation is a commit, or a request with an effect: to Discord, to the model, or a tool's own. It is numbered by its
name ("commit runs.finish", "POST text1.0"), so that it is the same operation in every run, whatever else runs
beside it. A commit counts just before it; a request before it is sent, and again when it has been answered and nobody
has seen the answer. Previews and reactions do not count.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord

from llmgine.engine.retries import RetryPolicy
from llmgine.messages.deliveries import Delivery, DeliveryKey
from llmgine.messages.steps import DecisionStep, ReplyStep, ResultStep, StartedStep, WaitingStep
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.openai import OpenAIProvider
from llmgine.sessions.database import Operation
from llmgine.sessions.records import TurnSteps
from llmgine.tools.context import current_tool_context
from llmgine.turn_state import Call
from programs.application import Application
from programs.discord.bot import discord_at, join
from programs.discord.delivery.next_steps import Edit, Post
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.delivery.requests import requested
from programs.discord.ids import SOURCE
from programs.settings import ProgramConfig, ProgramSettings
from tests.programs.discord.scene import PromptBot
from tests.prompt import LONGEST


@dataclass(frozen=True)
class Order:
    """What a child is to do.

    Attributes:
        settings: Where its Discord, its model and its database are.
        trail: The file that gets the names of the operations, one a line.
        effects: The file that gets a line whenever a tool takes effect.
        kill_at: The operation at which it dies, if any.
        armed: Whether operations count from the start, or only from the first message on.
        edit_interval: Seconds between two edits of a message.
        servers_wait: Seconds for which it waits for servers at its start.
    """

    settings: ProgramSettings
    trail: Path
    effects: Path
    kill_at: str | None = None
    armed: bool = True
    edit_interval: float = 0.02
    servers_wait: float = LONGEST

    @property
    def is_in(self) -> Path:
        """The file that is there once the start is over."""
        return self.trail.with_suffix(".in")


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


class Operations:
    """Names every operation in the trail, and ends the process at one of them."""

    def __init__(self, order: Order) -> None:
        self.armed = order.armed
        self._kill_at = order.kill_at
        self._trail = _open(order.trail)
        self._seen: Counter[str] = Counter()

    def at(self, name: str) -> None:
        """An operation is reached."""
        if not self.armed:
            return
        self._seen[name] += 1
        label = name if self._seen[name] == 1 else f"{name} (again, {self._seen[name]})"
        os.write(self._trail, f"{label}\n".encode())
        if label == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class NumberedStore:
    """Counts each transaction that writes, just before it runs. No turn ends before people see all it did until then.

    Killed before it runs or before its commit, a transaction leaves the same behind: nothing.
    """

    def __init__(self, operations: Operations, all_is_shown: Callable[[], Awaitable[None]]) -> None:
        self._operations = operations
        self._all_is_shown = all_is_shown

    @contextlib.asynccontextmanager
    async def around(self, operation: Operation) -> AsyncIterator[None]:
        """Stand around an operation; see `SessionStore.observe`."""
        if operation.name == "runs.finish":
            await self._all_is_shown()
        if operation.writes:
            self._operations.at(f"commit {_name_of(operation)}")
        yield


def _name_of(operation: Operation) -> str:
    """The operation's name, and which step or part it is about."""
    for fact in operation.about:
        if (
            operation.name.startswith("deliveries.") and isinstance(fact, list) and fact
        ):  # messages, each with the part it shows: the last one is new
            return f"{operation.name} {_in_short(fact[-1][0])}"
        if isinstance(fact, ResultStep):
            return f"{operation.name} {fact.kind} {fact.result.name}"
        if isinstance(fact, StartedStep | ReplyStep | WaitingStep | DecisionStep):
            return f"{operation.name} {fact.kind}"
    return operation.name


class NumberedModel:
    """The model's service, each call two operations."""

    def __init__(self, provider: OpenAIProvider, operations: Operations) -> None:
        self._provider = provider
        self._operations = operations
        self.model = provider.model
        self.service = provider.service
        self.choose_model = provider.choose_model
        self.models = provider.models
        self.aclose = provider.aclose

    async def reply(
        self, request: ChatRequest, on_text: Callable[[str], None], on_reset: Callable[[], None] | None = None
    ) -> ChatReply:
        """Ask, counted before and after."""
        asked = f"model after {request.messages[-1].role}"
        self._operations.at(f"{asked}, before")
        reply = await self._provider.reply(request, on_text, on_reset)
        self._operations.at(f"{asked}, answered")
        return reply


class NumberedBot(PromptBot):
    """The bot, whose first message is the first operation, and whose requests are operations."""

    def __init__(self, app: Application, operations: Operations, **options: Any) -> None:
        super().__init__(app, **options)
        self._operations = operations
        self._send = self.http.request
        self.http.request = self._request  # type: ignore[method-assign]  # the one way to stand around every request

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Without Discord's politeness of five seconds between two sessions."""
        await super().before_identify_hook(shard_id, initial=True)

    async def on_message(self, message: discord.Message) -> None:
        """Count what a person wrote."""
        if not message.author.bot:
            self._operations.armed = True
            self._operations.at("message received")
        await super().on_message(message)

    async def _request(self, route: discord.http.Route, **options: Any) -> Any:
        part = _drawn()
        taken_away = route.method == "DELETE" and "/reactions/" not in route.path
        counted = taken_away or (part is not None and (route.method == "POST" or "final" in part))
        name = f"{route.method} {part or 'message'}"
        if counted:
            self._operations.at(f"{name}, before")
        answer = await self._send(route, **options)
        if counted:
            self._operations.at(f"{name}, answered")
        return answer


def _drawn() -> str | None:
    """The part that the present request shows."""
    step = requested.get()
    if not isinstance(step, Post | Edit):
        return None
    suffix = " final" if isinstance(step, Edit) and step.answer.has_ended else ""
    return f"{_in_short(step.part.key)}{suffix}"


def _in_short(key: DeliveryKey) -> str:
    return f"{key.kind}{key.round}.{key.part}"


def main(order: Order) -> None:
    """Run the bot until it is killed."""
    logging.basicConfig(filename=order.trail.with_suffix(".log"), level=logging.INFO)
    asyncio.run(_serve(order))


async def _serve(order: Order) -> None:
    settings, operations = order.settings, Operations(order)
    effects = _open(order.effects)

    async def look_up(name: str) -> str:
        """Look a name up; harmless to repeat.

        Args:
            name: The name.
        """
        await _until(app, lambda steps, _: _second(steps).started or _second(steps).result is not None)
        operations.at("look_up, before")
        os.write(effects, b"look_up\n")
        operations.at("look_up, done")
        return f"{name} is number 7."

    async def pay(amount: int) -> str:
        """Pay; never to be repeated.

        Args:
            amount: How much.
        """
        await _until(app, lambda steps, parts: _first(steps).result is not None and (order.armed or _has_card(parts)))
        operations.at("pay, before")
        os.write(effects, b"pay\n")
        operations.at("pay, done")
        return f"Paid {amount}."

    service = OpenAIProvider(settings.openai_model, api_key=None, base_url=settings.openai_base_url)
    provider = NumberedModel(service, operations)
    config = ProgramConfig(settings=settings, retry=RetryPolicy(first_wait=0.0))
    async with Application(config, provider=provider, renderers={SOURCE: render_deliveries}) as app:
        # A lambda, because the bot comes later.
        app.store.observe(NumberedStore(operations, lambda: bot.all_delivered()).around)  # noqa: PLW0108
        await app.engine.register_tool(look_up, idempotent=True)
        await app.engine.register_tool(pay)
        with discord_at(settings):
            bot = NumberedBot(
                app,
                operations,
                edit_interval=order.edit_interval,
                guild_ready_timeout=order.servers_wait,
                rate=1e6,
            )
            looking = asyncio.create_task(_say_when_in(bot, order))
            await join(bot, settings.discord_token or "", asyncio.Event())
            looking.cancel()


async def _say_when_in(bot: NumberedBot, order: Order) -> None:
    """Write down that the start is over: nothing that was missed is read any more."""
    await bot.caught_up()
    order.is_in.touch()


async def _until(app: Application, state: Callable[[TurnSteps, list[Delivery]], bool]) -> None:
    """Wait for a state of the turn whose tool runs."""
    turn_id = current_tool_context().turn_id
    while True:
        if state(await app.store.turns.get(turn_id), await app.store.deliveries.of(turn_id)):
            return
        await asyncio.sleep(0.001)


def _calls(steps: TurnSteps) -> list[Call]:
    return list(steps.state.calls.values())


def _first(steps: TurnSteps) -> Call:
    return _calls(steps)[0]


def _second(steps: TurnSteps) -> Call:
    return _calls(steps)[1]


def _has_card(parts: list[Delivery]) -> bool:
    """Whether the store knows where the tools' card stands."""
    return any(part.message_id for part in parts if part.key.kind == "card")
