"""Forms that work after a restart: what one is for stands in its custom id, `lg:form:<name>:<about>`.

discord.py forgets a modal with its process. So none is kept there: whoever submits one is answered by its custom id.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import discord

from programs.discord.slash.replies import explain

_PREFIX = "lg:form:"
# Does what a form asks for: the interaction, what the form is about, and the texts by the ids of their inputs.
Submit = Callable[[discord.Interaction, str, Mapping[str, str]], Awaitable[None]]


def form(name: str, about: str, title: str, *labels: discord.ui.Label[Any]) -> discord.ui.Modal:
    """A form to send; the custom ids of its inputs are its own to choose."""
    modal = discord.ui.Modal(title=title, custom_id=f"{_PREFIX}{name}:{about}")
    for label in labels:
        modal.add_item(label)
    modal.stop()  # so that discord.py keeps nothing of it
    return modal


async def submit(interaction: discord.Interaction, submits: Mapping[str, Submit]) -> None:
    """Answer a form that was sent in, if the interaction is one; what goes wrong is told to the person."""
    data: Any = interaction.data
    if interaction.type is not discord.InteractionType.modal_submit or not data["custom_id"].startswith(_PREFIX):
        return
    name, _, about = data["custom_id"].removeprefix(_PREFIX).partition(":")
    inputs = [row["component"] for row in data["components"] if "component" in row]
    try:
        await submits[name](interaction, about, {one["custom_id"]: one.get("value") or "" for one in inputs})
    except Exception as error:  # the person hears of it, whatever it is
        await explain(interaction, error)
