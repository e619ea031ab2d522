"""Buttons, selects and forms as discord.py sends them; nothing else of the bot makes any.

All views and forms are stopped when they are made, so that discord.py keeps nothing of them: what is pressed is told
by its custom id, see `router.py`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import discord

from llmgine.messages.translatable import Text
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.translation import language_of

_STYLES = {
    "primary": discord.ButtonStyle.primary,
    "success": discord.ButtonStyle.success,
    "danger": discord.ButtonStyle.danger,
}


@dataclass(frozen=True)
class Field:
    """What is asked for in a form.

    Attributes:
        name: The custom id of the input, by which its text is found again.
        label: What people see above it.
        most: How many characters it takes.
        description: What people see below the label.
        default: What is in it at first.
        lines: Whether it takes several lines.
        required: Whether something has to be written.
    """

    name: str
    label: Text
    most: int
    description: Text | None = None
    default: str | None = None
    lines: bool = True
    required: bool = True


def form(interaction: discord.Interaction, custom_id: ComponentId, title: Text, *fields: Field) -> discord.ui.Modal:
    """A form to send, in the language of the person."""
    say = language_of(interaction.locale).say
    modal = discord.ui.Modal(title=say(title), custom_id=str(custom_id))
    for one in fields:
        text: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=one.name,
            style=discord.TextStyle.paragraph if one.lines else discord.TextStyle.short,
            default=one.default,
            required=one.required,
            max_length=one.most,
        )
        description = None if one.description is None else say(one.description)
        modal.add_item(discord.ui.Label(text=say(one.label), description=description, component=text))
    modal.stop()
    return modal


def button(
    custom_id: ComponentId, label: str, *, style: str = "secondary", disabled: bool = False
) -> discord.ui.Button[Any]:
    """A button."""
    return discord.ui.Button(label=label, custom_id=str(custom_id), style=_style(style), disabled=disabled)


def select(action: Action, placeholder: str, options: Iterable[discord.SelectOption]) -> discord.ui.Select[Any]:
    """A select of one."""
    return discord.ui.Select(custom_id=str(ComponentId(action)), placeholder=placeholder, options=list(options))


def rows(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Buttons and selects to send."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


def view_of(buttons: object) -> discord.ui.View | None:
    """The view of a body's buttons."""
    if not isinstance(buttons, list) or not buttons:
        return None
    used = sorted({one.get("row") or 0 for one in buttons})
    return rows(
        *(
            discord.ui.Button(
                custom_id=one["custom_id"],
                label=one["label"],
                style=_style(one["style"]),
                row=used.index(one.get("row") or 0),
            )
            for one in buttons
        )
    )


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


def _style(name: str) -> discord.ButtonStyle:
    return _STYLES.get(name, discord.ButtonStyle.secondary)
