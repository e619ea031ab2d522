"""/doctor: what works and what does not, each with what to do; for moderators."""

import asyncio
import importlib.metadata
import math
import os
import platform
import shutil
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import DamagedStoreError, LLMgineError, StoreError, UserError
from llmgine.sessions.records import Cursor
from llmgine.sessions.schema import MIGRATIONS
from llmgine.sessions.store import database_file
from programs.application import Application
from programs.discord.breaker import Breaker
from programs.discord.permissions.actor import is_moderator
from programs.discord.permissions.required import missing, required, vital
from programs.discord.replies import show_privately
from programs.discord.slash import lessons
from programs.discord.slash.findings import PATIENCE, Finding, milliseconds, quoted, reason
from programs.discord.slash.model_check import ModelCheck
from programs.discord.slash.registration import Phase, Registration, Status

_PORTAL = "https://discord.com/developers/applications"
_SLOW_STORE, _SLOW_DISCORD = 0.25, 1.0  # seconds from which each is worth a word
_LOOK = 10.0  # seconds in which the doctor waits for the look through the database; it goes on after that
_LITTLE, _VERY_LITTLE = 1_000_000_000, 100_000_000  # bytes of free disk space
_LIMITED_BY_ITSELF = {"Model": 10.0}  # seconds more for a check that has its own limit, and may wait for another's
_SIGNS = ("✅", "⚠️", "❌")
_COLOURS = (discord.Colour.green(), discord.Colour.gold(), discord.Colour.red())
_MAX_WHY = 300  # characters of what Discord said of the commands
_REINVITE = "Invite me again with the scopes `bot` and `applications.commands`."
# What to do while the commands are not registered.
_ADVICE: Mapping[Phase, str] = {
    Phase.WAITING: "Ask the doctor again in a minute.",
    Phase.REFUSED: "Discord's words name the command and what is wrong with it: update me, or correct the command.",
    Phase.LIMITED: "There is nothing to do but wait.",
    Phase.UNANSWERED: "Look at the network, and at https://discordstatus.com.",
    Phase.FAILED: "The person who runs me looks in my log, and updates me.",
    Phase.CLOSED: "Ask again after the start.",
}


class Doctor:
    """Makes the checks."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._settings = app.config.settings
        self._model = ModelCheck(app)

    async def findings(self, interaction: discord.Interaction) -> list[Finding]:
        """All of them, made at the same time."""
        client = interaction.client
        checks: dict[str, Callable[[], Awaitable[Finding]]] = {
            "Discord": lambda: self._discord(client),
            "Message Content intent": lambda: self._intents(client),
            "Permissions here": lambda: self._permissions(interaction),
            "Slash commands": lambda: self._commands(client),
            "Model": lambda: self._model.finding(interaction),
            "Store": self._store,
            "Database": self._database,
            "Log and disk": self._disk,
            "Requests": lambda: self._requests(client),
            "Version": self._version,
        }
        return await asyncio.gather(*(_made(about, check) for about, check in checks.items()))

    async def _discord(self, client: discord.Client) -> Finding:
        name = client.user.name if client.user else "nobody"
        seconds = client.latency if math.isfinite(client.latency) else 0.0  # nothing is known before the first beat
        words = f"logged in as {name} in {len(client.guilds)} server(s); the gateway answers in {milliseconds(seconds)}"
        if seconds > _SLOW_DISCORD:
            return Finding(
                "Discord", 1, f"{words}. That is slow: look at the network, and at https://discordstatus.com"
            )
        return Finding("Discord", 0, words)

    async def _intents(self, client: discord.Client) -> Finding:
        about = "Message Content intent"
        flags = (await client.application_info()).flags
        if flags.gateway_message_content or flags.gateway_message_content_limited:
            return Finding(about, 0, "on")
        return Finding(
            about,
            2,
            "off: I read only messages that mention me, and cannot log in again. The bot's owner switches it on under "
            f"Bot, Privileged Gateway Intents, at {_PORTAL}",
        )

    async def _permissions(self, interaction: discord.Interaction) -> Finding:
        about = "Permissions here"
        in_a_thread = isinstance(interaction.channel, discord.Thread)
        lacking = missing(required(in_a_thread=in_a_thread), interaction.app_permissions)
        if not lacking:
            return Finding(about, 0, "all that I need")
        what = "; ".join(f"**{need.name}** is missing: {need.without}" for need in lacking)
        mute = missing(vital(in_a_thread=in_a_thread), interaction.app_permissions)
        return Finding(about, 2 if mute else 1, f"{what}. Give me these in this channel's settings, or by my role")

    async def _commands(self, client: discord.Client) -> Finding:
        about, registration = "Slash commands", getattr(getattr(client, "commands", None), "registration", None)
        if not isinstance(registration, Registration):
            raise UserError("nothing is known of them")
        status = registration.status
        if status.phase is Phase.REGISTERED:
            return Finding(about, 0, f"all are registered, {len(registration.ids)} and the menus")
        said = f" It said: {quoted(status.why, _MAX_WHY)}." if status.why else ""
        next_try = f" The next try is <t:{int(status.again_at)}:R>." if status.again_at is not None else ""
        words = f"{status.phase.value}{said} {_advice(status)}{next_try} Until then the commands of before are offered."
        return Finding(about, 1, words)

    async def _store(self) -> Finding:
        file = database_file(self._settings.database_url)
        begun = time.monotonic()
        try:
            await self._app.store.cursors.move("doctor", [Cursor("visits", int(time.time()))])
        except StoreError as error:
            return Finding("Store", 2, f"cannot be written: {reason(error)} Look at the disk and its permissions")
        seconds = time.monotonic() - begun
        where = "on PostgreSQL" if file is None else _mb(_size(file))
        words = f"writable in {milliseconds(seconds)}, {where}, schema {len(MIGRATIONS)}"
        slow = seconds > _SLOW_STORE
        return Finding("Store", int(slow), f"{words}. That is slow: look at the disk's load" if slow else words)

    async def _database(self) -> Finding:
        begun, integrity = time.monotonic(), self._app.integrity
        if integrity is None:
            return Finding("Database", 0, "on PostgreSQL: whoever runs the server looks after it")
        try:
            async with asyncio.timeout(_LOOK):
                await integrity.run()
        except TimeoutError:
            return Finding("Database", 0, "is being looked through for damage; ask the doctor again in a minute")
        except DamagedStoreError as error:
            return Finding("Database", 2, f"{reason(error)}. I end now")
        return Finding("Database", 0, f"looked through in {milliseconds(time.monotonic() - begun)}, no damage")

    async def _disk(self) -> Finding:
        about, folder = "Log and disk", self._settings.log_dir
        if not os.access(folder, os.W_OK):
            return Finding(about, 2, "the log folder cannot be written: look at LOG_DIR and its permissions")
        file = database_file(self._settings.database_url)
        places = [folder] if file is None else [folder, file.parent]
        free = min(shutil.disk_usage(place).free for place in places)
        words = f"the log can be written; {_mb(free)} of disk are free"
        if free < _LITTLE:
            return Finding(
                about, 2 if free < _VERY_LITTLE else 1, f"{words}. Make room: without any, nothing is stored"
            )
        return Finding(about, 0, words)

    async def _requests(self, client: discord.Client) -> Finding:
        breaker = getattr(client, "breaker", None)
        if not isinstance(breaker, Breaker):
            raise UserError("nothing is known of them")
        if breaker.open:
            return Finding("Requests", 2, "Discord asked for none at present; they go on by themselves")
        limited = breaker.limited_lately
        if limited:
            words = f"{limited} were over Discord's limits in the last hour; each was sent again by itself"
            return Finding("Requests", 1, words)
        return Finding("Requests", 0, "none was over Discord's limits in the last hour")

    async def _version(self) -> Finding:
        version = importlib.metadata.version("llmgine")
        words = f"LLMgine {version}, discord.py {discord.__version__}, Python {platform.python_version()}"
        return Finding("Version", 0, words)


def _advice(status: Status) -> str:
    """What to do about commands that are not registered."""
    return _REINVITE if status.phase is Phase.REFUSED and status.code == 403 else _ADVICE[status.phase]


async def _made(about: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    """The finding of a check, whatever happens to it: one that fails says so, and spoils no other."""
    try:
        async with asyncio.timeout(PATIENCE + _LIMITED_BY_ITSELF.get(about, 0.0)):
            return await check()
    except TimeoutError:
        return Finding(about, 2, f"no answer in {PATIENCE:.0f} s")
    except (LLMgineError, discord.DiscordException, OSError, importlib.metadata.PackageNotFoundError) as error:
        return Finding(about, 1, f"could not be looked at: {reason(error)}")


def card(findings: Iterable[Finding]) -> discord.Embed:
    """The findings as a card, in the colour of the worst."""
    found = list(findings)
    worst = max(finding.level for finding in found)
    warnings = sum(finding.level == 1 for finding in found)
    flawed = "Working, with one warning" if warnings == 1 else f"Working, with {warnings} warnings"
    titles = ("All is well", flawed, "Something does not work")
    lines = (f"{_SIGNS[finding.level]} **{finding.about}**: {finding.words}" for finding in found)
    return discord.Embed(title=titles[worst], description="\n".join(lines), colour=_COLOURS[worst])


def _size(database: Path) -> int:
    """The size of a SQLite database and its write-ahead log, in bytes."""
    return sum(file.stat().st_size for file in (database, database.with_name(f"{database.name}-wal")) if file.exists())


def _mb(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def commands(app: Application) -> Iterator[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    doctor = Doctor(app)

    @app_commands.command(name="doctor", description="Check that everything works here, and say what to do")
    @app_commands.guild_only()
    async def command(interaction: discord.Interaction) -> None:
        if not is_moderator(interaction.user):
            raise UserError("Only people with the permission Manage Messages can call the doctor.")
        await interaction.response.defer(ephemeral=True)
        shown = card(await doctor.findings(interaction))
        learnt = app.engine.model.lessons.all()
        if learnt:
            shown.add_field(name=lessons.TITLE, value=lessons.listed(learnt), inline=False)
        await show_privately(interaction, shown, view=lessons.forget_button() if learnt else None)

    yield command
