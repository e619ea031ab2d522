"""The tree of commands: what there is, and its registration with Discord."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from programs.application import Application
from programs.discord.slash import conversation, forms, settings, threads
from programs.discord.slash.replies import explain

AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group

# Each family is a function that makes its commands and context menus.
FAMILIES: tuple[Callable[[Application], Iterable[AnyCommand]], ...] = (
    conversation.commands,
    settings.commands,
    threads.commands,
)
# What is done with each form when it is sent.
FORMS: Mapping[str, Callable[[Application], forms.Submit]] = {"system": settings.system_form}


class Commands(app_commands.CommandTree[discord.Client]):
    """The tree of slash commands."""

    def __init__(self, client: discord.Client, app: Application) -> None:
        super().__init__(client)
        for family in FAMILIES:
            for command in family(app):
                self.add_command(command)
        self._forms = {name: make(app) for name, make in FORMS.items()}

    async def submit(self, interaction: discord.Interaction) -> None:
        """Answer a form that was sent, if the interaction is one."""
        await forms.submit(interaction, self._forms)

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the person."""
        await explain(interaction, getattr(error, "original", error))

    async def sync_if_changed(self) -> bool:
        """Register the commands with Discord if what is registered differs; Discord counts registrations."""
        registered = {(c.name, c.type): _essence(c.to_dict()) for c in await self.fetch_commands()}
        ours = {(c["name"], discord.AppCommandType(c["type"])): _essence(c) for c in self._described()}
        if registered == ours:
            return False
        await self.sync()
        return True

    def _described(self) -> Iterable[dict[str, Any]]:
        """All commands and context menus as they are registered."""
        for kind in discord.AppCommandType:
            yield from (command.to_dict(self) for command in self.get_commands(type=kind))


def _essence(command: Mapping[str, Any]) -> dict[str, Any]:
    """What we say about a command, without what Discord adds and without empty values."""
    if "options" in command:
        command = {**command, "options": [_essence(option) for option in command["options"]]}
    kept = (
        *("name", "description", "type", "options", "required", "min_length", "max_length"),
        *("choices", "autocomplete", "default_member_permissions"),
    )
    return {key: command[key] for key in kept if command.get(key)}
