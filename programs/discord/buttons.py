"""Buttons that work after a restart: what they do stands in their custom id, `lg:<action>:<turn>:<round>.<part>`."""

import re
from typing import Self

import discord

from llmgine.bus import MessageBus
from llmgine.errors import LLMgineError
from llmgine.messages.commands import Author, DecideToolCallCommand
from llmgine.sessions import SessionStore

_ID = r"lg:(?P<action>approve|deny):(?P<turn>[0-9a-f]{16}):(?P<round>\d+)\.(?P<part>\d+)"


class Decider:
    """Decides waiting tool calls for the people who press the buttons."""

    def __init__(self, bus: MessageBus, store: SessionStore) -> None:
        self._bus = bus
        self._store = store

    async def decide(
        self, user: discord.abc.User, turn_id: str, place: tuple[int, int], *, approved: bool
    ) -> str | None:
        """Approve or deny a call; returns what to tell the person, or None when the card says it all."""
        try:
            steps = await self._store.turn(turn_id)
            call = steps.replies[place[0]].tool_calls[place[1]]
        except (LLMgineError, IndexError):
            return "This conversation was cleared; there is nothing left to decide."
        asker = steps.prompt.author
        if not may_decide(user, asker):
            return f"Only {asker.name if asker else 'the one who asked'} or a moderator can decide this."
        command = DecideToolCallCommand(
            session_id=steps.turn.session_id,
            turn_id=turn_id,
            call_id=call.id,
            approved=approved,
            decided_by=Author(id=str(user.id), name=user.display_name),
        )
        counted = (await self._bus.execute(command)).unwrap()
        return None if counted else "This was decided before, or its time ran out."


def may_decide(user: discord.abc.User, asker: Author | None) -> bool:
    """The one who asked may, and who may manage messages in the channel. By id and permission, never by name."""
    if asker is not None and str(user.id) == asker.id:
        return True
    return is_moderator(user)


def is_moderator(user: discord.abc.User) -> bool:
    """Whether the user may manage messages where the interaction was."""
    if not isinstance(user, discord.Member):
        return False
    here = user.resolved_permissions  # without any permission it is falsy, and must not be taken for missing
    return (user.guild_permissions if here is None else here).manage_messages


def decision_button(decider: Decider) -> type[discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]]]:
    """The class of Approve and Deny buttons, for `Client.add_dynamic_items`."""

    class DecisionButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=_ID):
        def __init__(self, item: discord.ui.Button[discord.ui.View], match: re.Match[str]) -> None:
            super().__init__(item)
            self._turn = match["turn"]
            self._place = int(match["round"]), int(match["part"])
            self._approved = match["action"] == "approve"

        @classmethod
        async def from_custom_id(
            cls,
            _interaction: discord.Interaction,
            item: discord.ui.Item[discord.ui.View],
            match: re.Match[str],
            /,
        ) -> Self:
            if not isinstance(item, discord.ui.Button):
                raise TypeError("only buttons carry these custom ids")
            return cls(item, match)

        async def callback(self, interaction: discord.Interaction) -> None:
            await interaction.response.defer()
            told = await decider.decide(interaction.user, self._turn, self._place, approved=self._approved)
            if told is not None:
                await interaction.followup.send(told, ephemeral=True)

    return DecisionButton
