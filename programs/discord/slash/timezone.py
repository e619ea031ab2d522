"""/timezone: in which zone the model is told when somebody wrote a message."""

from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands

from llmgine.engine.timezones import matching, set_timezone, told_timezone
from llmgine.messages.translatable import Text, tr
from programs.application import Application
from programs.discord.components.button_press import author
from programs.discord.ids import SOURCE
from programs.discord.replies import answer_privately
from programs.discord.translation import described

_MOST_CHOICES = 25  # Discord's bound on what autocompletion offers


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    return (_timezone(app),)


def _timezone(app: Application) -> app_commands.Command[Any, ..., Any]:
    async def change(interaction: discord.Interaction, zone: str | None) -> Text:
        person = author(interaction)
        if zone is not None:
            await set_timezone(app.bus, SOURCE, person, zone)
        return await told_timezone(app.store, SOURCE, person)

    @app_commands.command(
        name="timezone", description=described(tr("Your time zone: the model is told when you wrote a message"))
    )
    @app_commands.describe(
        zone=described(tr("Such as Europe/Berlin; - for the default; leave empty to see the current one"))
    )
    async def timezone(interaction: discord.Interaction, zone: app_commands.Range[str, 1, 100] | None = None) -> None:
        await answer_privately(interaction, change, zone)

    @timezone.autocomplete("zone")
    async def suggest(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=name, value=name) for name in (await matching(typed))[:_MOST_CHOICES]]

    return timezone
