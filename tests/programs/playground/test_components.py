"""Buttons and selects of messages, through the real discord.py."""

from typing import Any

import discord
import pytest

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, MEMBERS_ROLE_ID, MessageType
from programs.playground.errors import ApiError
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, within
from tests.programs.playground.test_interactions import said

Interaction = discord.Interaction[Any]


class Panel(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Count", custom_id="count")
    async def count(self, interaction: Interaction, button: discord.ui.Button["Panel"]) -> None:
        button.label = "Counted"
        await interaction.response.edit_message(view=self)

    @discord.ui.select(custom_id="pick", options=[discord.SelectOption(label=x, value=x) for x in "abc"], max_values=2)
    async def pick(self, interaction: Interaction, select: discord.ui.Select["Panel"]) -> None:
        await interaction.response.send_message(" and ".join(select.values))

    @discord.ui.button(label="Off", custom_id="off", disabled=True)
    async def off(self, interaction: Interaction, _: discord.ui.Button["Panel"]) -> None:
        await interaction.response.defer()


async def test_a_button_changes_its_message(playground: Playground, bot: Bot) -> None:
    """A press reaches the view, and its update is the message's."""
    posted = await bot.general.send("panel", view=Panel())

    playground.people.click(GENERAL_ID, GRACE_ID, posted.id, "count")

    message = playground.state.channels[GENERAL_ID].messages[posted.id]
    await within(playground.wait_for(lambda _: message.components[0]["components"][0]["label"] == "Counted"))
    assert (await bot.heard("interaction")).user.id == GRACE_ID


async def test_a_select_brings_its_values(playground: Playground, bot: Bot) -> None:
    """What was chosen arrives, and the answer replies to the message with the select."""
    posted = await bot.general.send("panel", view=Panel())

    playground.people.click(GENERAL_ID, ADA_ID, posted.id, "pick", ["a", "c"])

    answer = await within(playground.wait_for(lambda _: said(playground, "a and c")))
    assert answer is not None
    assert answer.type is MessageType.REPLY
    assert answer.reference is not None
    assert answer.reference.message_id == posted.id


@pytest.mark.parametrize(
    ("custom_id", "values"),
    [("nothing", None), ("off", None), ("pick", []), ("pick", ["a", "b", "c"]), ("pick", ["d"]), ("pick", ["a", "a"])],
)
async def test_only_what_is_offered_can_be_used(
    playground: Playground, bot: Bot, custom_id: str, values: list[str] | None
) -> None:
    """Unknown and disabled components, and choices out of bounds, never reach the bot."""
    posted = await bot.general.send("panel", view=Panel())

    with pytest.raises(ApiError) as refused:
        playground.people.click(GENERAL_ID, ADA_ID, posted.id, custom_id, values)
    assert refused.value.code == 50035


@pytest.mark.parametrize(
    ("select", "values", "expected"),
    [
        (discord.ui.UserSelect, [GRACE_ID], ["Grace"]),
        (discord.ui.RoleSelect, [MEMBERS_ROLE_ID], ["Members"]),
        (discord.ui.ChannelSelect, [GENERAL_ID], ["general"]),
        (discord.ui.MentionableSelect, [MEMBERS_ROLE_ID, ADA_ID], ["Members", "Ada"]),
    ],
)
async def test_selects_of_things_bring_the_things(
    playground: Playground, bot: Bot, select: Any, values: list[int], expected: list[str]
) -> None:
    """Users, roles, channels and both kinds of mentionables arrive resolved; what does not exist cannot be chosen."""
    view = discord.ui.View(timeout=None)
    item = select(custom_id="pick", max_values=2)
    chosen: list[Any] = []

    async def callback(interaction: Interaction) -> None:
        chosen.extend(item.values)
        await interaction.response.defer()

    item.callback = callback
    posted = await bot.general.send("pick", view=view.add_item(item))

    playground.people.click(GENERAL_ID, ADA_ID, posted.id, "pick", [str(value) for value in values])

    await within(playground.wait_for(lambda _: chosen))
    assert sorted(getattr(one, "global_name", None) or one.name for one in chosen) == sorted(expected)
    with pytest.raises(ApiError):
        playground.people.click(GENERAL_ID, ADA_ID, posted.id, "pick", ["1"])
