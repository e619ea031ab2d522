"""/doctor: what works and what does not, each with what to do; for moderators."""

import asyncio
import contextlib
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
from llmgine.messages.commands import RecordUseCommand
from llmgine.messages.translatable import Language, Text, joined, tr, tr_many
from llmgine.sessions.records import Cursor
from llmgine.sessions.schema import MIGRATIONS
from llmgine.sessions.store import database_file
from programs.application import Application
from programs.command_line import version
from programs.discord.breaker import Breaker
from programs.discord.components.button_press import audit_origin
from programs.discord.ids import Place
from programs.discord.permissions.actor import MANAGE_MESSAGES, is_moderator
from programs.discord.permissions.operator import Operators
from programs.discord.permissions.required import missing, required, vital
from programs.discord.replies import show_privately
from programs.discord.slash import (
    access_check,
    erasing,
    fallback_check,
    lessons,
    mcp_check,
    pauses,
    tool_check,
    transcription_check,
)
from programs.discord.slash.budgets import COST, Budgets
from programs.discord.slash.findings import PATIENCE, Finding, milliseconds, quoted, reason
from programs.discord.slash.model_check import ModelCheck
from programs.discord.slash.registration import Phase, Registration
from programs.discord.translation import described, language_of

_PORTAL = "https://discord.com/developers/applications"
_SLOW_STORE, _SLOW_DISCORD = 0.25, 1.0  # seconds from which each is worth a word
_LOOK = 10.0  # seconds in which the doctor waits for the look through the database; it goes on after that
_LITTLE, _VERY_LITTLE = 1_000_000_000, 100_000_000  # bytes of free disk space
_LIMITED_BY_ITSELF = {"Model": 10.0}  # seconds more for a check that has its own limit, and may wait for another's
_DISCORD, _INTENT, _PERMISSIONS = tr("Discord"), tr("Message Content intent"), tr("Permissions here")
_COMMANDS, _MODEL, _STORE, _DATABASE = tr("Slash commands"), tr("Model"), tr("Store"), tr("Database")
_DISK, _REQUESTS, _VERSION = tr("Log and disk"), tr("Requests"), tr("Version")
_PAUSES = tr("Pauses")
_UNKNOWN = tr("nothing is known about them")
_SIGNS = ("✅", "⚠️", "❌")
_COLOURS = (discord.Colour.green(), discord.Colour.gold(), discord.Colour.red())
_MAX_WHY = 300  # characters of what Discord said of the commands
_REINVITE = tr("Invite me again with the scopes `bot` and `applications.commands`.")
# How far the registration of the commands is, and what to do, while they are not registered.
_NOT_REGISTERED: Mapping[Phase, tuple[Text, Text]] = {
    Phase.WAITING: (
        tr("Discord hasn't said yet which commands it knows."),
        tr("Run /doctor again in a minute."),
    ),
    Phase.REFUSED: (
        tr("Discord refused the commands, and will until something is changed."),
        tr("Its message names the command and what is wrong with it: update me, or correct the command."),
    ),
    Phase.LIMITED: (
        tr("Discord takes no registration for now."),
        tr("There is nothing to do but wait."),
    ),
    Phase.UNANSWERED: (
        tr("Discord could not be reached, failed, or sent an answer that can't be read."),
        tr("Check the network, and https://discordstatus.com."),
    ),
    Phase.FAILED: (
        tr("My program failed; its log has the details."),
        tr("Whoever runs me should check my log, and update me."),
    ),
    Phase.CLOSED: (
        tr("I'm leaving Discord, so nothing is tried any more."),
        tr("Ask again after the restart."),
    ),
}


class Doctor:
    """Makes the checks."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._settings = app.config.settings
        self._model = ModelCheck(app)
        self.operators = Operators(self._settings.operators)
        self._budgets = Budgets(app)

    async def findings(self, interaction: discord.Interaction) -> list[Finding]:
        """All of them, made at the same time."""
        client, is_operator = interaction.client, False
        with contextlib.suppress(UserError):
            is_operator = await self.operators.includes(interaction)
        checks: list[tuple[Text, Callable[[], Awaitable[Finding]]]] = [
            (_DISCORD, lambda: self._discord(client)),
            (_INTENT, lambda: self._intents(client)),
            (_PERMISSIONS, lambda: self._permissions(interaction)),
            (_COMMANDS, lambda: self._commands(client)),
            (_MODEL, lambda: self._model.finding(interaction)),
            (COST, lambda: self._budgets.finding(interaction, all_of_it=is_operator)),
            (_STORE, self._store),
            (_DATABASE, self._database),
            (_DISK, self._disk),
            (_REQUESTS, lambda: self._requests(client)),
            (_PAUSES, lambda: self._pauses(interaction)),
            (erasing.ABOUT, lambda: erasing.finding(self._app, all_of_it=is_operator)),
            (_VERSION, self._version),
        ]
        made = await asyncio.gather(*(_made(about, check) for about, check in checks))
        made += fallback_check.findings(self._app, all_of_it=is_operator)
        heard = transcription_check.findings(self._app, all_of_it=is_operator)
        heard += mcp_check.findings(self._app, all_of_it=is_operator)
        own = tool_check.findings(self._app, all_of_it=is_operator)
        return [*made, *heard, *own, *await self._limits(interaction, is_operator=is_operator)]

    async def _limits(self, interaction: discord.Interaction, *, is_operator: bool) -> list[Finding]:
        """What there is to say of the operator's limits; which servers are not served is for the operator alone."""
        found: list[Finding] = []
        with contextlib.suppress(StoreError):
            found += await access_check.choices(self._app, interaction.channel)
        return [*found, *(access_check.servers(interaction.client) if is_operator else [])]

    async def _discord(self, client: discord.Client) -> Finding:
        name = client.user.name if client.user else ""
        seconds = client.latency if math.isfinite(client.latency) else 0.0  # nothing is known before the first beat
        servers = tr_many("{count} server", "{count} servers", len(client.guilds))
        words = tr(
            "logged in as {name} in {servers}; the gateway answers in {time}",
            name=name,
            servers=servers,
            time=milliseconds(seconds),
        )
        if seconds > _SLOW_DISCORD:
            slow = tr("{words}. That is slow: check the network, and https://discordstatus.com", words=words)
            return Finding(_DISCORD, 1, slow)
        return Finding(_DISCORD, 0, words)

    async def _intents(self, client: discord.Client) -> Finding:
        flags = (await client.application_info()).flags
        if flags.gateway_message_content or flags.gateway_message_content_limited:
            return Finding(_INTENT, 0, tr("on"))
        words = tr(
            "off: I can only read messages that mention me, and can't log in again. The bot's owner can switch it on "
            "at {address}, under Bot, Privileged Gateway Intents",
            address=_PORTAL,
        )
        return Finding(_INTENT, 2, words)

    async def _permissions(self, interaction: discord.Interaction) -> Finding:
        in_a_thread = isinstance(interaction.channel, discord.Thread)
        lacking = missing(required(in_a_thread=in_a_thread), interaction.app_permissions)
        if not lacking:
            return Finding(_PERMISSIONS, 0, tr("everything I need"))
        what = joined(
            "; ",
            *(
                tr("**{permission}** is missing: {without}", permission=need.name, without=need.without)
                for need in lacking
            ),
        )
        mute = missing(vital(in_a_thread=in_a_thread), interaction.app_permissions)
        words = tr("{missing}. Grant these in this channel's settings, or to my role", missing=what)
        return Finding(_PERMISSIONS, 2 if mute else 1, words)

    async def _commands(self, client: discord.Client) -> Finding:
        registration = getattr(getattr(client, "commands", None), "registration", None)
        if not isinstance(registration, Registration):
            raise UserError(_UNKNOWN)
        status = registration.status
        if status.phase is Phase.REGISTERED:
            count = len(registration.ids)
            return Finding(_COMMANDS, 0, tr("all {count} are registered, and the menus", count=count))
        phase, advice = _NOT_REGISTERED[status.phase]
        if status.phase is Phase.REFUSED and status.code == 403:
            advice = _REINVITE
        said = tr("It said: {words}.", words=quoted(status.why, _MAX_WHY)) if status.why else ""
        when = "" if status.again_at is None else f"<t:{int(status.again_at)}:R>"
        next_try = tr("The next try is {when}.", when=when) if when else ""
        offered = tr("Until then the previous commands are offered.")
        return Finding(_COMMANDS, 1, joined(" ", phase, said, advice, next_try, offered))

    async def _store(self) -> Finding:
        file = database_file(self._settings.database_url)
        begun = time.monotonic()
        try:
            await self._app.store.cursors.move("doctor", [Cursor("visits", int(time.time()))])
        except StoreError as error:
            words = tr("cannot be written: {reason}. Check the disk and its permissions", reason=reason(error))
            return Finding(_STORE, 2, words)
        seconds = time.monotonic() - begun
        words = tr(
            "writable in {time}, {where}, schema {schema}",
            time=milliseconds(seconds),
            where=tr("on PostgreSQL") if file is None else _mb(_size(file)),
            schema=len(MIGRATIONS),
        )
        if seconds > _SLOW_STORE:
            return Finding(_STORE, 1, tr("{words}. That is slow: check the disk's load", words=words))
        return Finding(_STORE, 0, words)

    async def _database(self) -> Finding:
        begun, integrity = time.monotonic(), self._app.integrity
        if integrity is None:
            return Finding(_DATABASE, 0, tr("on PostgreSQL, so its server's administrator takes care of it"))
        try:
            async with asyncio.timeout(_LOOK):
                await integrity.run()
        except TimeoutError:
            return Finding(_DATABASE, 0, tr("still being checked for damage; run /doctor again in a minute"))
        except DamagedStoreError as error:
            return Finding(_DATABASE, 2, tr("{reason}. I'm shutting down now", reason=reason(error)))
        took = milliseconds(time.monotonic() - begun)
        return Finding(_DATABASE, 0, tr("checked in {time}, no damage", time=took))

    async def _disk(self) -> Finding:
        folder = self._settings.log_dir
        if not os.access(folder, os.W_OK):
            return Finding(_DISK, 2, tr("the log folder cannot be written: check LOG_DIR and its permissions"))
        file = database_file(self._settings.database_url)
        places = [folder] if file is None else [folder, file.parent]
        free = min(shutil.disk_usage(place).free for place in places)
        words = tr("the log can be written; {size} of disk space free", size=_mb(free))
        if free < _LITTLE:
            full = tr("{words}. Free some space: without it, nothing is stored", words=words)
            return Finding(_DISK, 2 if free < _VERY_LITTLE else 1, full)
        return Finding(_DISK, 0, words)

    async def _requests(self, client: discord.Client) -> Finding:
        breaker = getattr(client, "breaker", None)
        if not isinstance(breaker, Breaker):
            raise UserError(_UNKNOWN)
        if breaker.open:
            return Finding(_REQUESTS, 2, tr("paused, because Discord asked for it; they resume by themselves"))
        limited = breaker.limited_lately
        if limited:
            words = tr_many(
                "{count} went over Discord's limits in the last hour and was sent again",
                "{count} went over Discord's limits in the last hour and were sent again",
                limited,
            )
            return Finding(_REQUESTS, 1, words)
        return Finding(_REQUESTS, 0, tr("none went over Discord's limits in the last hour"))

    async def _pauses(self, interaction: discord.Interaction) -> Finding:
        place = Place.of(interaction.channel)
        found = await self._app.store.pauses.of(place.scopes)
        if not found:
            return Finding(_PAUSES, 0, pauses.NOTHING)
        return Finding(_PAUSES, 1, joined("; ", *(pauses.line(one, place) for one in found)))

    async def _version(self) -> Finding:
        words = f"LLMgine {version()}, discord.py {discord.__version__}, Python {platform.python_version()}"
        return Finding(_VERSION, 0, joined("", words))


async def _made(about: Text, check: Callable[[], Awaitable[Finding]]) -> Finding:
    """The finding of a check, whatever happens to it: one that fails says so, and spoils no other."""
    try:
        async with asyncio.timeout(PATIENCE + _LIMITED_BY_ITSELF.get(about.id, 0.0)):
            return await check()
    except TimeoutError:
        return Finding(about, 2, tr("no answer in {seconds:.0f} s", seconds=PATIENCE))
    except (LLMgineError, discord.DiscordException, OSError) as error:
        return Finding(about, 1, tr("could not be checked: {reason}", reason=reason(error)))


def card(findings: Iterable[Finding], language: Language) -> discord.Embed:
    """The findings as a card, in the colour of the worst."""
    say = language.say
    found = list(findings)
    worst = max(finding.level for finding in found)
    warnings = sum(finding.level == 1 for finding in found)
    flawed = tr_many("Working, with one warning", "Working, with {count} warnings", warnings)
    titles = (tr("Everything works"), flawed, tr("Something doesn't work"))
    lines = (f"{_SIGNS[finding.level]} **{say(finding.about)}**: {say(finding.words)}" for finding in found)
    return discord.Embed(title=say(titles[worst]), description="\n".join(lines), colour=_COLOURS[worst])


def _size(database: Path) -> int:
    """The size of a SQLite database and its write-ahead log, in bytes."""
    return sum(file.stat().st_size for file in (database, database.with_name(f"{database.name}-wal")) if file.exists())


def _mb(size: int) -> Text:
    return tr("{size:,.1f} GB", size=size / 1e9) if size >= 1e9 else tr("{size:,.1f} MB", size=size / 1e6)


def commands(app: Application) -> Iterator[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    doctor = Doctor(app)

    @app_commands.command(
        name="doctor", description=described(tr("Check that everything works here, and how to fix what doesn't"))
    )
    @app_commands.guild_only()
    async def command(interaction: discord.Interaction) -> None:
        if not is_moderator(interaction.user) and not await doctor.operators.includes(interaction):
            what = tr("use /doctor")
            raise UserError(
                tr("Only people with the permission {permission} can {what}.", permission=MANAGE_MESSAGES, what=what)
            )
        await interaction.response.defer(ephemeral=True)
        # Its result does not matter: the store may be what is wrong.
        await app.bus.execute(RecordUseCommand(what="/doctor", audit=audit_origin(interaction)))
        language = language_of(interaction.locale)
        shown = card(await doctor.findings(interaction), language)
        learnt = app.engine.model.lessons.all()
        if learnt:
            listed = language.say(lessons.listed(learnt))
            shown.add_field(name=language.say(lessons.TITLE), value=listed, inline=False)
        await show_privately(interaction, shown, view=lessons.forget_button(interaction) if learnt else None)

    yield command
