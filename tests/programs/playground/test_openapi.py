"""Faithfulness: what discord.py sends and what the playground answers, against Discord's own OpenAPI document."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GUILD_ID
from programs.playground.gateway_events import told_to_bots
from programs.playground.openapi import Document
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw, within

MESSAGES = f"/channels/{GENERAL_ID}/messages"

pytestmark = pytest.mark.usefixtures("needs_the_document")


class Form(discord.ui.Modal, title="System prompt"):
    prompt: discord.ui.TextInput["Form"] = discord.ui.TextInput(label="Prompt", style=discord.TextStyle.long)

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        await interaction.response.send_message(f"Now: {self.prompt.value}", ephemeral=True)


async def test_every_exchange_fits_discords_document(playground: Playground, bot: Bot) -> None:
    """Of everything the bot does in a day, no request, answer or event strays from Discord's document."""
    await use_everything(playground, bot)

    assert [one for one in playground.violations if "BASE_TYPE_MAX_LENGTH" not in one.text] == []
    assert len({(record.method, record.route) for record in playground.requests}) >= 30
    assert {event.name for event in playground.log.dispatches} <= set(told_to_bots())


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", MESSAGES, {"content": "x", "sticker_ids": ["no id"]}),
        ("POST", MESSAGES, {"content": "x", "poll": {"question": {}}}),
        ("POST", f"/channels/{GENERAL_ID}/threads", {"name": "t", "type": 11, "rate_limit_per_user": -1}),
        ("GET", MESSAGES + "?limit=1000", None),
    ],
)
async def test_what_only_the_document_forbids_is_refused(
    playground: Playground, raw: Raw, method: str, path: str, body: Any
) -> None:
    """A form our own rules let pass meets Discord's 50035, and is kept as the bot's violation."""
    status, error = await raw.api(method, path, body)

    assert (status, error["code"]) == (400, 50035)
    assert error["errors"]
    assert {one.by for one in playground.violations} == {"bot"}


async def test_a_route_that_is_not_discords_is_a_violation(playground: Playground, raw: Raw) -> None:
    """What the playground has no route for is kept too: on Discord it may be there, or nowhere."""
    await raw.api("GET", "/channels/1/nonsense")

    assert ["there is no such route" in one.text for one in playground.violations] == [True]


async def test_a_document_that_is_none_is_told(tmp_path: Path) -> None:
    """Another JSON file is refused with its name."""
    path = tmp_path / "other.json"
    for text in ("[]", "{}", "no json"):
        path.write_text(text)
        with pytest.raises(ValueError):  # noqa: PT011  json's own error is one too
            Document(path)


async def use_everything(playground: Playground, bot: Bot) -> None:
    await talk(playground, bot)
    await use_threads(playground, bot)
    await answer_interactions(playground, bot)
    await look_around(bot)
    for refused in (
        lambda: bot.general.send("x" * 2001),
        lambda: bot.fetch_channel(1),
        lambda: bot.general.fetch_message(1),
    ):
        with pytest.raises(discord.HTTPException):
            await refused()


async def talk(playground: Playground, bot: Bot) -> None:
    playground.people.send(GENERAL_ID, ADA_ID, f"Hello <@{BOT_ID}>")
    asked = await bot.heard("message")
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Stop", custom_id="stop", emoji="🛑"))
    view.add_item(discord.ui.Button(label="Site", url="https://example.com"))
    view.add_item(discord.ui.Select(custom_id="s", options=[discord.SelectOption(label="a", description="b")]))
    embed = discord.Embed(
        title="t", description="d", url="https://example.com", colour=0xFF, timestamp=asked.created_at
    )
    embed.add_field(name="n", value="v").set_footer(text="f").set_author(name="a").set_image(
        url="https://example.com/i"
    )
    reply = await asked.reply(
        "…", embed=embed, view=view, suppress_embeds=True, allowed_mentions=discord.AllowedMentions.none()
    )
    await reply.edit(content="done", view=None, attachments=[discord.File(__file__, "a.txt")])
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.Container(discord.ui.TextDisplay("# words"), discord.ui.Separator()))
    await bot.general.send(view=layout)
    await reply.add_reaction("👍")
    assert [user.id async for user in (await reply.fetch()).reactions[0].users()] == [BOT_ID]
    await reply.remove_reaction("👍", bot.general.guild.me)
    await bot.general.typing()
    assert [message async for message in bot.general.history(limit=10)]
    await reply.delete()
    await asked.author.send("in private", file=discord.File(__file__, "a.png"))


async def use_threads(playground: Playground, bot: Bot) -> None:
    starter = await bot.general.send("topic")
    thread = await starter.create_thread(name="topic", auto_archive_duration=60)
    await thread.send("inside")
    await thread.edit(archived=True)
    assert [one.id async for one in bot.general.archived_threads()] == [thread.id]
    assert not [one async for one in bot.general.archived_threads(private=True, joined=True)]
    await thread.send("opens it")
    alone = await bot.general.create_thread(name="alone", type=discord.ChannelType.public_thread)
    await alone.leave()
    await alone.join()
    await alone.fetch_members()
    assert len(await bot.general.guild.active_threads()) == 2
    await starter.fetch()


async def answer_interactions(playground: Playground, bot: Bot) -> None:
    steps: list[Callable[[discord.Interaction[Any]], Any]] = []

    @bot.tree.command(description="Say it")
    @app_commands.describe(text="What", who="Whom")
    async def say(interaction: discord.Interaction[Any], text: str, who: discord.Member | None = None) -> None:
        await steps.pop(0)(interaction)

    @bot.tree.context_menu(name="Explain This")
    async def explain(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.response.send_message(message.content)
        response = await interaction.original_response()
        await response.edit(content="edited")
        await response.delete()

    async def defer(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(thinking=True, ephemeral=True)
        await interaction.edit_original_response(content="thought", view=Buttons())
        followup = await interaction.followup.send("more", wait=True)
        await followup.edit(content="more!")

    class Buttons(discord.ui.View):
        @discord.ui.button(label="Form", custom_id="form")
        async def form(self, interaction: discord.Interaction[Any], _: Any) -> None:
            await interaction.response.send_modal(Form())

        @discord.ui.button(label="Change", custom_id="change")
        async def change(self, interaction: discord.Interaction[Any], _: Any) -> None:
            await interaction.response.edit_message(content="changed", view=None)

    async def offer(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message("choose", view=Buttons())

    await bot.tree.sync()
    bot.tree.copy_global_to(guild=discord.Object(GUILD_ID))
    await bot.tree.sync(guild=discord.Object(GUILD_ID))
    await bot.tree.fetch_commands()
    steps += [defer, offer]
    general = playground.state.channels[GENERAL_ID]
    playground.people.command(GENERAL_ID, ADA_ID, "say", [{"name": "text", "value": "hi"}])
    await within(playground.wait_for(lambda _: [m for m in general.messages.values() if m.content == "more!"]))
    playground.people.command(
        GENERAL_ID, ADA_ID, "say", [{"name": "text", "value": "hi"}, {"name": "who", "value": str(ADA_ID)}]
    )
    offered = await within(
        playground.wait_for(lambda _: [m for m in general.messages.values() if m.content == "choose"])
    )
    opened = playground.people.click(GENERAL_ID, ADA_ID, offered[0].id, "form")
    await within(playground.wait_for(lambda _: opened.answered))
    playground.people.submit_modal(ADA_ID, opened.id, {Form.prompt.custom_id: "Be kind."})
    await within(playground.wait_for(lambda _: [m for m in general.messages.values() if "Be kind." in m.content]))
    playground.people.click(GENERAL_ID, ADA_ID, offered[0].id, "change")
    await within(playground.wait_for(lambda _: offered[0].content == "changed"))
    playground.people.command(GENERAL_ID, ADA_ID, "Explain This", target_id=offered[0].id)
    await within(
        playground.wait_for(
            lambda _: [r for r in playground.requests if r.method == "DELETE" and "webhooks" in r.route]
        )
    )
    for command in await bot.tree.fetch_commands():
        await command.edit(name=command.name)
        await command.delete()


async def look_around(bot: Bot) -> None:
    await bot.fetch_guild(GUILD_ID)
    await bot.fetch_channel(GENERAL_ID)
    await bot.fetch_user(ADA_ID)
    await bot.general.guild.fetch_member(ADA_ID)
    await bot.general.guild.fetch_channels()
    await bot.general.guild.fetch_roles()
    await bot.application_info()
    await bot.http.get_bot_gateway()
