"""Hearing presses: every button and form of ours, also one that an earlier process made, ends in an answer."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import discord

from llmgine.errors import ForgottenTurnError, RefusedError
from llmgine.messages.commands import Author
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from llmgine.sessions.records import TurnSteps
from programs.discord.buttons.ids import Press
from programs.discord.buttons.looks import LASTING
from programs.discord.buttons.views import kept
from programs.discord.ids import SOURCE, Origin
from programs.discord.permissions import may_decide
from programs.discord.slash.replies import explain

Action = Callable[[discord.Interaction, Press], Awaitable[None]]

_log = logging.getLogger(__name__)


class OutdatedError(RefusedError):
    """A button no longer applies; the text says why."""


class Presses:
    """Finds the action of each press, and sees that the person hears of a failure."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self._actions = actions

    async def hear(self, interaction: discord.Interaction) -> None:
        """Do what a press asks for, if it is one of ours."""
        data: Any = interaction.data or {}
        press = Press.read(data.get("custom_id"))
        if press is None or press.action not in self._actions:
            return
        try:
            await self._act(interaction, press)
        except discord.HTTPException as error:  # it was told too late, say
            _log.warning("A press of %s could not be answered: %s", press.action, error)

    async def _act(self, interaction: discord.Interaction, press: Press) -> None:
        try:
            await self._actions[press.action](interaction, press)
        except OutdatedError as error:
            await explain(interaction, error)
            await leave_buttons(interaction, lasting=True)
        except ForgottenTurnError as error:
            await explain(interaction, error)
            await leave_buttons(interaction, lasting=False)
        except Exception as error:  # whatever it is, a person waits for an answer
            await explain(interaction, error)


async def leave_buttons(interaction: discord.Interaction, *, lasting: bool) -> None:
    """Take buttons away from the message that was pressed: all, or all but those that still apply."""

    def keep(custom_id: str) -> bool:
        press = Press.read(custom_id)
        return lasting and press is not None and press.action in LASTING

    if interaction.message is None:
        return
    with contextlib.suppress(discord.NotFound):  # the message is gone, and its buttons with it
        await interaction.edit_original_response(view=kept(interaction.message, keep))


async def allowed_turn(store: SessionStore, interaction: discord.Interaction, press: Press) -> TurnSteps:
    """The turn that a press is about.

    Raises:
        OutdatedError: It was answered anew since.
        RefusedError: The person may not act on it.
        StoreError: It is gone, or cannot be read.
    """
    steps = await store.turns.get(press.turn_id)
    if not _is_here(steps.turn, interaction):  # its permissions are those of its channel
        raise OutdatedError("This belongs to another channel.")
    asker = steps.state.prompt.author
    if not may_decide(interaction.user, asker):
        raise RefusedError(f"Only {asker.name if asker else 'the one who asked'} or a moderator can do this.")
    if press.attempt not in (None, steps.turn.attempt) and press.action != "details":
        raise OutdatedError("This was done before: the question is being answered anew, or was.")
    return steps


def _is_here(turn: Turn, interaction: discord.Interaction) -> bool:
    """Whether the turn was answered where the press was."""
    return turn.source == SOURCE and Origin.of(turn).channel_id == interaction.channel_id


def who(interaction: discord.Interaction) -> Author:
    """The person who presses."""
    return Author(id=str(interaction.user.id), name=interaction.user.display_name)


async def tell(interaction: discord.Interaction, text: str) -> None:
    """Tell the person alone."""
    await interaction.followup.send(text, ephemeral=True, allowed_mentions=discord.AllowedMentions.none())
