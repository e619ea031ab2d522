"""Buttons as discord.py sends them."""

from collections.abc import Callable

import discord

_STYLES = {
    "primary": discord.ButtonStyle.primary,
    "success": discord.ButtonStyle.success,
    "danger": discord.ButtonStyle.danger,
}


def view_of(buttons: object) -> discord.ui.View | None:
    """The view of a body's buttons. It is stopped at once: presses are heard by custom id, see `pressed.py`."""
    if not isinstance(buttons, list) or not buttons:
        return None
    view = discord.ui.View(timeout=None)
    rows = sorted({button.get("row") or 0 for button in buttons})
    for button in buttons:
        view.add_item(
            discord.ui.Button(
                custom_id=button["custom_id"],
                label=button["label"],
                style=_STYLES.get(button["style"], discord.ButtonStyle.secondary),
                row=rows.index(button.get("row") or 0),
            )
        )
    view.stop()
    return view


def kept(message: discord.Message, keep: Callable[[str], bool]) -> discord.ui.View | None:
    """The buttons of a message with the custom ids that are to be kept; None where there are none."""
    view = discord.ui.View.from_message(message, timeout=None)
    for item in view.children:
        if not (isinstance(item, discord.ui.Button) and keep(item.custom_id or "")):
            view.remove_item(item)
    view.stop()
    return view if view.children else None


def custom_ids(view: discord.ui.View | None) -> list[str | None]:
    """The custom ids of a view's buttons, in their order."""
    return [item.custom_id for item in view.children if isinstance(item, discord.ui.Button)] if view else []
