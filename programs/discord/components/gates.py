"""The gates of what people press: checked at the moment of each press, before anything is done."""

import discord

from llmgine.errors import UserError
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import Text, tr
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Session, TurnSteps
from programs.discord.channel_settings import Channels
from programs.discord.components.button_press import ButtonPress, OutdatedError
from programs.discord.components.custom_ids import Action
from programs.discord.components.registry import FOR_EVERYBODY, Gate
from programs.discord.ids import SOURCE, Origin
from programs.discord.permissions.actor import (
    MANAGE_MESSAGES,
    is_moderator,
    may_decide,
    require_permission,
    require_reading,
    require_role,
    require_writing,
)
from programs.discord.permissions.authorize import authorize
from programs.discord.permissions.rates import Rates
from programs.discord.permissions.viewer import Viewer
from programs.discord.setting_specs import SETTING_SPECS, WHERE, SettingSpec, Where, scope_at

SYSTEM_PROMPT = next(spec for spec in SETTING_SPECS if spec.name == "system_prompt")


class Gates:
    """Checks the gates of an entry.

    Args:
        store: Where turns, conversations and settings are.
        rates: How often a person may ask; where forms are only opened, that does not count.
    """

    def __init__(self, store: SessionStore, rates: Rates | None = None) -> None:
        self._store = store
        self._rates = rates
        self._channels = Channels(store)

    async def require(self, press: ButtonPress) -> ButtonPress:
        """Check all gates of a press, in the order of its entry, and before them that the person may use the bot.

        What is for everybody needs no such permission.

        Returns:
            The press with what it is about.

        Raises:
            UserError: A gate is closed for the person; the text says why.
            OutdatedError: What it is about has changed since the button was made.
            ForgottenTurnError: The turn was forgotten, or its conversation was cleared.
            StoreError: That cannot be looked up.
        """
        if press.id.action not in FOR_EVERYBODY:
            await authorize(press.interaction)
        for gate in press.entry.gates:
            match gate:
                case Gate.HISTORY:
                    require_reading(press.interaction)
                case Gate.ASKER:
                    press = press.about(await self._turn(press))
                case Gate.READER | Gate.RENAMER:
                    press = press.about(await self._session(press, to_rename=gate is Gate.RENAMER))
                case Gate.LISTENING | Gate.ROLE:
                    await self._require_answered(press.interaction, gate)
                case Gate.RATE:  # the last one: what another gate refuses does not count
                    if self._rates is not None:
                        self._rates.require(press.interaction.user.id)
                case _:
                    _require_permission(gate, press)
        return press

    async def _require_answered(self, interaction: discord.Interaction, gate: Gate) -> None:
        """Where no message of the person is answered, no button of theirs asks the model anything either."""
        settings = await self._channels.settings(interaction.channel)
        if gate is Gate.ROLE:
            require_role(interaction, settings)
        elif settings.listen == "off":
            raise UserError(tr("I'm switched off here, see /settings."))
        elif settings.answers_are_paused:
            raise UserError(tr("Answers are paused here, see /settings."))

    async def _turn(self, press: ButtonPress) -> TurnSteps:
        """The turn that is pressed about, for the one who asked or a moderator."""
        target, user = press.id.target, press.interaction.user
        steps = await self._store.turns.get(target.turn_id)
        if not _is_here(steps.turn, press.interaction.channel_id):  # its permissions are those of its channel
            raise OutdatedError(tr("This belongs to another channel."))
        asker = steps.state.prompt.author
        if not may_decide(user, asker):
            if asker is not None and not asker.is_person:
                raise UserError(tr("A webhook asked this. Only a moderator can do this."))
            who = tr("the person who asked") if asker is None else asker.name
            raise UserError(tr("Only {who} or a moderator can do this.", who=who))
        if target.attempt not in (None, steps.turn.attempt) and press.id.action is not Action.DETAILS:
            raise OutdatedError(tr("This was already done: the question was, or is being, answered again."))
        return steps

    async def _session(self, press: ButtonPress, *, to_rename: bool) -> Session:
        """The conversation that was chosen, or whose button it is, for those who may read it."""
        viewer = Viewer(press.interaction, self._store)
        session = await viewer.session(press.id.about or next(iter(press.values), ""))
        if to_rename and not await viewer.may_rename(session):
            raise UserError(
                tr("Only people with the permission {permission} there can rename this.", permission=MANAGE_MESSAGES)
            )
        return session


def _require_permission(gate: Gate, press: ButtonPress) -> None:
    """What Discord's permissions decide."""
    interaction, what = press.interaction, press.entry.what
    match gate:
        case Gate.WRITING:
            require_writing(interaction)
        case Gate.MODERATOR:
            _require_moderator(interaction, what)
        case Gate.SERVER_MODERATOR:
            _require_server_moderator(interaction, what)
        case Gate.SETTER:
            require_setter(interaction, SYSTEM_PROMPT, next(one for one in WHERE if one == press.id.about))


def _require_moderator(interaction: discord.Interaction, what: Text | None) -> None:
    """In a server, what concerns everybody in the channel is for moderators, and for the owner of a thread."""
    channel = interaction.channel
    owns_thread = isinstance(channel, discord.Thread) and channel.owner_id == interaction.user.id
    if interaction.guild_id is not None and not owns_thread:
        _require_server_moderator(interaction, what)


def require_setter(interaction: discord.Interaction, spec: SettingSpec, where: Where) -> None:
    """A setting is changed where there is such a place, by those who may.

    Raises:
        UserError: The channel lies in no such place, or the person may not.
    """
    scope_at(interaction.channel, where)
    require_permission(interaction, spec, where)


def _require_server_moderator(interaction: discord.Interaction, what: Text | None) -> None:
    if not is_moderator(interaction.user):
        about = tr("do this") if what is None else what
        raise UserError(
            tr("Only people with the permission {permission} can {what}.", permission=MANAGE_MESSAGES, what=about)
        )


def _is_here(turn: Turn, channel_id: int | None) -> bool:
    """Whether the turn was answered where the press was."""
    return turn.source == SOURCE and Origin.of(turn).channel_id == channel_id
