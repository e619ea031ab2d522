"""Taking away buttons that no longer apply from the message they are on."""

import contextlib
from collections.abc import Callable

import discord

from programs.discord.components.button_layout import LASTING
from programs.discord.components.button_press import ButtonPress, DecidedError, OutdatedError
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.views import custom_ids, kept

Keep = Callable[[ComponentId], bool]
_OPENED_BY = {Action.BECAUSE: Action.REASON}  # the buttons of forms


async def take_outdated(press: ButtonPress, error: OutdatedError | None = None) -> None:
    """Take the outdated buttons from the message that was pressed, if the pressed one is still there.

    While the press was processed the message may have got other buttons, which apply.

    Args:
        press: The press.
        error: Why they are outdated. Without one all buttons go: the turn is gone, or is answered again.
    """
    if press.interaction.message is None:
        return
    pressed = ComponentId(_OPENED_BY.get(press.id.action, press.id.action), press.id.about)
    with contextlib.suppress(discord.NotFound, discord.ClientException):  # the message is gone, or cannot be read
        now = await press.interaction.original_response()
        if str(pressed) in custom_ids(discord.ui.View.from_message(now)):
            await _take(press.interaction, now, _kept_by(pressed, error))


def _kept_by(pressed: ComponentId, error: OutdatedError | None) -> Keep:
    """Which of a message's buttons still apply."""
    if error is None:
        return lambda _: False
    if isinstance(error, DecidedError):
        return lambda one: one.action in LASTING or one.about != pressed.about
    return lambda one: one.action in LASTING


async def _take(interaction: discord.Interaction, message: discord.Message, keep: Keep) -> None:
    def keeps(custom_id: str) -> bool:
        found = ComponentId.read(custom_id)
        return found is not None and keep(found)

    with contextlib.suppress(discord.NotFound):  # the message is gone, and its buttons with it
        await interaction.edit_original_response(view=kept(message, keeps))
