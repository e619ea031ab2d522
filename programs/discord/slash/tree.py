"""The tree of commands: what there is."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import UserError
from programs.application import Application
from programs.discord.components.button_press import Handler
from programs.discord.components.custom_ids import Action
from programs.discord.components.registry import FOR_EVERYBODY
from programs.discord.languages import Languages
from programs.discord.permissions.authorize import authorize
from programs.discord.permissions.operator import Operators
from programs.discord.replies import explain
from programs.discord.slash import (
    ask_about,
    audit,
    branches,
    budgets,
    conversation,
    doctor,
    lessons,
    pauses,
    privacy,
    session_list,
    setting_commands,
    threads,
    timezone,
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
    budgets.commands,
    threads.commands,
    timezone.commands,
    pauses.commands,
    privacy.commands,
    why.commands,
    audit.commands,
    doctor.commands,
)
# What operators can use whatever lists they or others are on, also in servers that are not served.
OPERATOR_COMMANDS = {"doctor", "pause", "resume", "audit"}
# Each family with components or forms is a function that makes their handlers.
HANDLERS: tuple[Callable[[Application], Mapping[Action, Handler]], ...] = (
    conversation.handlers,
    session_list.handlers,
    ask_about.handlers,
    setting_commands.handlers,
    lessons.handlers,
    privacy.handlers,
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
        self._operators = Operators(app.config.settings.operators)
        self._languages = Languages(app.store)

    def handlers(self) -> Mapping[Action, Handler]:
        """The handlers of the components under their answers, and of their forms."""
        return {action: handler for family in HANDLERS for action, handler in family(self._app).items()}

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Whether a person may use commands, menus and suggestions here; who may not is told why.

        Nobody is refused what is for everybody, nor the operator what operators need to find out why.
        """
        if _name(interaction) in FOR_EVERYBODY:
            return True
        try:
            await authorize(interaction)
        except UserError as error:
            if await self._is_operators(interaction):
                return True
            if interaction.type is discord.InteractionType.autocomplete:
                await interaction.response.autocomplete([])
            else:
                await explain(interaction, self._languages, error)
            return False
        return True

    async def _is_operators(self, interaction: discord.Interaction) -> bool:
        """Whether it is a command that an operator always has, used by one."""
        with contextlib.suppress(UserError):
            return _name(interaction) in OPERATOR_COMMANDS and await self._operators.includes(interaction)
        return False

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the person."""
        await explain(interaction, self._languages, getattr(error, "original", error))

    def mention(self, name: str) -> str:
        """The full name of a command as what people can click, once its id is known."""
        command_id = self.registration.ids.get(name.partition(" ")[0])
        return f"`/{name}`" if command_id is None else f"</{name}:{command_id}>"


def _name(interaction: discord.Interaction) -> str:
    """The name of the command or menu that is used; of one in a group, the group's."""
    data: Any = interaction.data or {}
    return str(data.get("name", ""))
