"""Forms, buttons and selects that work after a restart: what they are for stands in their custom id.

`lg:form:<name>:<about>` is a form, `lg:press:<name>:<about>` a button or a select. discord.py forgets what it keeps of
them with its process, so nothing is kept there: whoever sends a form or presses a button is answered by its custom id.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import discord

from programs.discord.slash.replies import explain

_FORM, _PRESS = "lg:form:", "lg:press:"
# Does what a form asks for: the interaction, what the form is about, and the texts by the ids of their inputs.
Submit = Callable[[discord.Interaction, str, Mapping[str, str]], Awaitable[None]]
# Does what a button or select is for: the interaction, what it is about, and what was chosen.
Press = Callable[[discord.Interaction, str, Sequence[str]], Awaitable[None]]


def form(name: str, about: str, title: str, *labels: discord.ui.Label[Any]) -> discord.ui.Modal:
    """A form to send; the custom ids of its inputs are its own to choose."""
    modal = discord.ui.Modal(title=title, custom_id=f"{_FORM}{name}:{about}")
    for label in labels:
        modal.add_item(label)
    modal.stop()  # so that discord.py keeps nothing of it
    return modal


def press_id(name: str, about: str) -> str:
    """The custom id of a button or select."""
    return f"{_PRESS}{name}:{about}"


def rows(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Buttons and selects to send."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()  # so that discord.py keeps nothing of it
    return view


class Reactions:
    """Answers what people send in, by the name in its custom id; what goes wrong is told to the person.

    Args:
        forms: What is done with each form.
        presses: What is done with each button or select.
    """

    def __init__(self, forms: Mapping[str, Submit], presses: Mapping[str, Press]) -> None:
        self._forms = forms
        self._presses = presses

    async def react(self, interaction: discord.Interaction) -> None:
        """Answer the interaction, if it is with one of ours."""
        data: Any = interaction.data or {}
        custom_id = str(data.get("custom_id", ""))
        name, _, about = custom_id.removeprefix(_FORM).removeprefix(_PRESS).partition(":")
        try:
            if interaction.type is discord.InteractionType.modal_submit and custom_id.startswith(_FORM):
                inputs = [row["component"] for row in data["components"] if "component" in row]
                values = {one["custom_id"]: one.get("value") or "" for one in inputs}
                await self._forms[name](interaction, about, values)
            elif interaction.type is discord.InteractionType.component and custom_id.startswith(_PRESS):
                await self._presses[name](interaction, about, data.get("values", ()))
        except Exception as error:  # the person hears of it, whatever it is
            await explain(interaction, error)
