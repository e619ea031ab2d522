"""/pause and /resume: nobody is answered somewhere, or no tool with effects runs, until somebody resumes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import UserError
from llmgine.messages.commands import EVERYWHERE, Pausable
from llmgine.messages.pausing_commands import PauseCommand, ResumeCommand
from llmgine.messages.translatable import Text, joined, tr, tr_many
from llmgine.sessions.records import Pause, PauseBegun
from programs.application import Application
from programs.discord.components.button_press import audit_origin
from programs.discord.ids import Place
from programs.discord.languages import Languages
from programs.discord.permissions.actor import may_set
from programs.discord.permissions.operator import Operators
from programs.discord.replies import answer, plain_name
from programs.discord.setting_specs import WHERE, Where, scope_at
from programs.discord.translation import described

NOTHING = tr("nothing is paused")


@dataclass(frozen=True)
class Target:
    """What can be paused.

    Attributes:
        name: What people see.
        what: Answers, or tools with effects.
        where: At which scope; None is everywhere, for the operator alone.
    """

    name: Text
    what: Pausable
    where: Where | None


HERE = "channel"
TARGETS: Mapping[str, Target] = {
    HERE: Target(tr("Answers in this channel, thread or DM"), "answers", "here"),
    "category": Target(tr("Answers in this category"), "answers", "category"),
    "server": Target(tr("Answers in this server"), "answers", "server"),
    "tools": Target(tr("Tools that change or send something, in this server"), "tools", "server"),
    "everywhere": Target(tr("Tools that change or send something, everywhere"), "tools", None),
}
_PAUSED: Mapping[Pausable, Text] = {
    "answers": tr("I answer nobody there. Messages written during the pause are not answered afterwards."),
    "tools": tr("Their calls don't run, even if approved. What is already running is not stopped."),
}
_RESUMED: Mapping[Pausable, Text] = {
    "answers": tr("Messages written during the pause are not answered: ask again if you still need an answer."),
    "tools": tr("Calls that were refused are not repeated: ask again if you still need them."),
}


class Pausing:
    """What the commands do."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._operators = Operators(app.config.settings.operators)
        self.languages = Languages(app.store)

    async def pause(self, interaction: discord.Interaction, name: str) -> Text:
        """Pause something, as far as the person may; returns what to tell everybody.

        Raises:
            UserError: The person may not, or it is paused already.
        """
        scope, target = await self._scope(interaction, TARGETS[name]), TARGETS[name]
        audit = audit_origin(interaction)
        about = {"scope": scope, "what": target.what, "mark": str(interaction.id)}
        command = PauseCommand.model_validate({**about, "paused_by": audit.by, "audit": audit})
        begun: PauseBegun = (await self._app.bus.execute(command)).unwrap()
        if not begun.is_new:
            place = Place.of(interaction.channel)
            raise UserError(joined("\n", tr("This is paused already."), line(begun.pause, place)))
        count = len(begun.stopped)
        stopped = tr_many("{count} answer was stopped.", "{count} answers were stopped.", count) if count else ""
        said = tr("⏸️ {name} paused: **{what}**.", name=plain_name(interaction), what=target.name)
        return joined(" ", said, _PAUSED[target.what], stopped, tr("Resume with {command}.", command=_resume(name)))

    async def resume(self, interaction: discord.Interaction, name: str) -> Text:
        """Resume something, as far as the person may; returns what to tell everybody.

        Raises:
            UserError: The person may not, or it is not paused.
        """
        scope, target = await self._scope(interaction, TARGETS[name]), TARGETS[name]
        audit = audit_origin(interaction)
        about = {"scope": scope, "what": target.what, "mark": str(interaction.id)}
        command = ResumeCommand.model_validate({**about, "resumed_by": audit.by, "audit": audit})
        ended = (await self._app.bus.execute(command)).unwrap()
        place = Place.of(interaction.channel)
        left = await self._app.store.pauses.of(place.scopes)
        still = joined("\n", tr("Still paused:"), listed(left, place)) if left else ""
        if not ended:
            raise UserError(joined("\n", tr("This is not paused: **{what}**.", what=target.name), still))
        said = tr("▶️ {name} resumed: **{what}**.", name=plain_name(interaction), what=target.name)
        return joined("\n", joined(" ", said, _RESUMED[target.what]), still)

    async def _scope(self, interaction: discord.Interaction, target: Target) -> str:
        """The scope that is meant, for those who may pause and resume there.

        Raises:
            UserError: There is no such place here, or the person may not.
        """
        if target.where is None:
            await self._operators.require(interaction)
            return EVERYWHERE
        scope = scope_at(interaction.channel, target.where)
        # The owner of a thread does not lift what a moderator paused.
        if not may_set(interaction, target.where, bounds=True) and not await self._operators.includes(interaction):
            _, needed = WHERE[target.where]
            raise UserError(
                tr("Only people with the permission {permission} can pause or resume this.", permission=needed)
            )
        return scope


def listed(pauses: Iterable[Pause], place: Place) -> Text:
    """Pauses as they are seen at a place: what, by whom, since when, and how to resume it; a line each."""
    return joined("\n", *(line(one, place) for one in pauses))


def line(pause: Pause, place: Place) -> Text:
    """One of them."""
    who = tr("my operator") if pause.scope == EVERYWHERE else f"<@{pause.paused_by}>"
    if not pause.paused_by:
        who = tr("somebody who was forgotten since")
    name = _target(pause, place)
    when = discord.utils.format_dt(pause.since, "R")
    if name is None:
        channel = f"<#{pause.scope.rsplit(':', 1)[-1]}>"
        return tr(
            "Answers in {channel}: paused by {who} {when}; resume with `/resume` there",
            channel=channel,
            who=who,
            when=when,
        )
    words = tr("{what}: paused by {who} {when}; resume with {command}", what=TARGETS[name].name)
    return words.filled(who=who, when=when, command=_resume(name))


def _target(pause: Pause, place: Place) -> str | None:
    """What a command at the place calls it; None for what is paused in the channel of a thread."""
    scopes = {
        "here": place.session_id(),
        "category": place.category_scope,
        "server": place.server_scope,
        None: EVERYWHERE,
    }
    found = (name for name, one in TARGETS.items() if (one.what, scopes[one.where]) == (pause.what, pause.scope))
    return next(found, None)


def _resume(name: str) -> str:
    return "`/resume`" if name == HERE else f"`/resume what:{name}`"


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    pausing = Pausing(app)
    offered = app_commands.choices(
        what=[app_commands.Choice(name=described(one.name), value=name) for name, one in TARGETS.items()]
    )
    default = tr("Leave empty for answers in this channel")

    @app_commands.command(
        name="pause", description=described(tr("Answer nobody here, or stop tools that change something, for now"))
    )
    @app_commands.describe(what=described(default))
    @offered
    async def pause(interaction: discord.Interaction, what: str = HERE) -> None:
        await answer(interaction, pausing.languages, pausing.pause, what)

    @app_commands.command(name="resume", description=described(tr("End what /pause began")))
    @app_commands.describe(what=described(default))
    @offered
    async def resume(interaction: discord.Interaction, what: str = HERE) -> None:
        await answer(interaction, pausing.languages, pausing.resume, what)

    return pause, resume
