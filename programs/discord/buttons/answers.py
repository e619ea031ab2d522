"""The buttons of an answer: Stop, Regenerate, Retry, Continue, Undo and Details."""

import io
from collections.abc import Mapping

import discord

from llmgine.bus import MessageBus
from llmgine.messages.commands import (
    ForgetTurnCommand,
    PromptCommand,
    RegenerateTurnCommand,
    StopTurnCommand,
)
from llmgine.sessions import SessionStore
from llmgine.sessions.records import TurnSteps
from programs.discord.buttons.details import details
from programs.discord.buttons.ids import Press
from programs.discord.buttons.pressed import Action, OutdatedError, allowed_turn, leave_buttons, tell, who
from programs.discord.channels import Channels, ChannelSettings
from programs.discord.delivery.bodies import TextFile
from programs.discord.ids import SOURCE, Origin, Place, scopes_now
from programs.discord.permissions import require_role

GO_ON = "Go on exactly where your last answer was cut off."


class AnswerButtons:
    """What the buttons of an answer do."""

    def __init__(self, bus: MessageBus, store: SessionStore) -> None:
        self._bus = bus
        self._store = store
        self._channels = Channels(store)

    def actions(self) -> Mapping[str, Action]:
        """The actions by name."""
        return {
            "stop": self._stop,
            "skip": self._stop,
            "regenerate": self._regenerate,
            "retry": self._regenerate,
            "continue": self._continue,
            "undo": self._undo,
            "details": self._details,
        }

    async def _stop(self, interaction: discord.Interaction, press: Press) -> None:
        await interaction.response.defer()
        turn = (await allowed_turn(self._store, interaction, press)).turn
        stopped = (await self._bus.execute(StopTurnCommand(session_id=turn.session_id, turn_id=turn.id))).unwrap()
        if not stopped:
            raise OutdatedError("This has ended already.")

    async def _regenerate(self, interaction: discord.Interaction, press: Press) -> None:
        turn = (await self._last(interaction, press)).turn
        require_role(interaction, await self._channels.settings(interaction.channel))
        await leave_buttons(interaction, lasting=False)
        inside = scopes_now(interaction.channel)
        command = RegenerateTurnCommand(
            session_id=turn.session_id, turn_id=turn.id, attempt=turn.attempt, scopes=inside
        )
        (await self._bus.execute(command)).unwrap()

    async def _continue(self, interaction: discord.Interaction, press: Press) -> None:
        steps = await self._last(interaction, press)
        settings = await self._channels.settings(interaction.channel)
        source_id = f"continue:{steps.turn.id}:{steps.turn.attempt}"
        (await self._bus.execute(follow_up(interaction, steps, settings, GO_ON, source_id))).unwrap()

    async def _undo(self, interaction: discord.Interaction, press: Press) -> None:
        turn = (await self._last(interaction, press)).turn
        (await self._bus.execute(ForgetTurnCommand(session_id=turn.session_id, turn_id=turn.id))).unwrap()
        await tell(interaction, "Forgotten: I know nothing of that question and of my answer any more.")

    async def _last(self, interaction: discord.Interaction, press: Press) -> TurnSteps:
        """The turn, which is to be the last of its session."""
        await interaction.response.defer()
        steps = await allowed_turn(self._store, interaction, press)
        last = await self._store.turns.last(steps.turn.session_id)
        if last is None or last.id != steps.turn.id:
            raise OutdatedError("There is something newer here, so this stays as it is.")
        return steps

    async def _details(self, interaction: discord.Interaction, press: Press) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        steps = await allowed_turn(self._store, interaction, press)
        is_of_card = (
            interaction.message is not None and bool(interaction.message.embeds) and steps.state.outcome is None
        )
        text, file = details(steps, press.round if is_of_card else None)
        attached = [_attached(file)] if file else []
        await interaction.edit_original_response(
            content=text, attachments=attached, allowed_mentions=discord.AllowedMentions.none()
        )


def follow_up(
    interaction: discord.Interaction, steps: TurnSteps, settings: ChannelSettings, text: str, source_id: str
) -> PromptCommand:
    """What a button says for the person who presses it; its answer replies to the message with the button.

    Raises:
        RefusedError: The person is not answered where these settings hold.
    """
    require_role(interaction, settings)
    origin, place = Origin.of(steps.turn), Place.of(interaction.channel)
    message_id = origin.reply_to if interaction.message is None else interaction.message.id
    return PromptCommand(
        session_id=steps.turn.session_id,
        text=text,
        scopes=scopes_now(interaction.channel),
        source=SOURCE,
        source_id=source_id,
        author=who(interaction),
        origin=Origin.at(place, message_id, cards=origin.cards).as_json(),
        place=str(place.channel_id),
        guild=place.guild_id,
    )


def _attached(file: TextFile) -> discord.File:
    return discord.File(io.BytesIO(file.text.encode()), filename=file.name)
