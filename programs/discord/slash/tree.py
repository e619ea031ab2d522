"""The tree of commands: what there is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from programs.application import Application
from programs.discord.components.button_press import Handler
from programs.discord.components.custom_ids import Action
from programs.discord.languages import Languages
from programs.discord.replies import explain
from programs.discord.slash import (
    ask_about,
    branches,
    conversation,
    doctor,
    lessons,
    session_list,
    setting_commands,
    threads,
    why,
)
from programs.discord.slash.help import help_command
from programs.discord.slash.registration import Registration

AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group

# Each family is a function that makes its commands and context menus.
FAMILIES: tuple[Callable[[Application], Iterable[AnyCommand]], ...] = (
    conversation.commands,
    session_list.commands,
    branches.commands,
    ask_about.commands,
    setting_commands.commands,
    threads.commands,
    why.commands,
    doctor.commands,
)
# Each family with components or forms is a function that makes their handlers.
HANDLERS: tuple[Callable[[Application], Mapping[Action, Handler]], ...] = (
    conversation.handlers,
    session_list.handlers,
    ask_about.handlers,
    setting_commands.handlers,
    lessons.handlers,
)


class Commands(app_commands.CommandTree[discord.Client]):
    """The tree of slash commands.

    Attributes:
        registration: Sees that Discord knows them.
    """

    def __init__(self, client: discord.Client, app: Application) -> None:
        super().__init__(client)
        for family in FAMILIES:
            for command in family(app):
                self.add_command(command)
        self.add_command(help_command(self, app))
        self.registration = Registration(self)
        self._app = app
        self._languages = Languages(app.store)

    def handlers(self) -> Mapping[Action, Handler]:
        """The handlers of the components under their answers, and of their forms."""
        return {action: handler for family in HANDLERS for action, handler in family(self._app).items()}

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the person."""
        await explain(interaction, self._languages, getattr(error, "original", error))

    def mention(self, name: str) -> str:
        """The full name of a command as what people can click, once its id is known."""
        command_id = self.registration.ids.get(name.partition(" ")[0])
        return f"`/{name}`" if command_id is None else f"</{name}:{command_id}>"
