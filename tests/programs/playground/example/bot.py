"""A bot as anybody writes one with discord.py; it knows nothing of the playground."""

import io
import os
from typing import Any

import discord
from discord import app_commands

Interaction = discord.Interaction["Example"]


class Example(discord.Client):
    """Registers its commands when it starts, and answers whoever says hello."""

    def __init__(self) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        super().__init__(intents=intents)
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        self.tree.add_command(order)
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if message.author == self.user or not message.content.startswith("!"):
            return
        if message.content == "!thread":
            thread = await message.create_thread(name="A place to talk", auto_archive_duration=60)
            await thread.send("Here we are.")
        elif message.content == "!file":
            report = discord.File(io.BytesIO(b"a,b\n1,2\n"), filename="report.csv")
            await message.reply("As you wished.", file=report)
        elif message.content == "!echo" and message.attachments:
            await message.channel.send((await message.attachments[0].read()).decode())


class Feedback(discord.ui.Modal, title="How was it?"):
    name: discord.ui.TextInput["Feedback"] = discord.ui.TextInput(label="Name")
    text: discord.ui.TextInput["Feedback"] = discord.ui.TextInput(label="Words", style=discord.TextStyle.long)

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        await interaction.response.send_message(f"Thank you, {self.name}!", ephemeral=True)


class Choice(discord.ui.View):
    @discord.ui.button(label="Tea", style=discord.ButtonStyle.green)
    async def tea(self, interaction: discord.Interaction[Any], _: discord.ui.Button["Choice"]) -> None:
        await interaction.response.edit_message(content="Tea it is.", view=None)

    @discord.ui.button(label="Tell us", style=discord.ButtonStyle.grey)
    async def tell(self, interaction: discord.Interaction[Any], _: discord.ui.Button["Choice"]) -> None:
        await interaction.response.send_modal(Feedback())
        await interaction.followup.send("Take your time.", ephemeral=True)


@app_commands.command(description="Order something to drink")
@app_commands.describe(sugar="How many pieces")
async def order(interaction: Interaction, sugar: app_commands.Range[int, 0, 5] = 0) -> None:
    await interaction.response.defer(thinking=True)
    await interaction.followup.send(f"With {sugar} pieces of sugar. What will it be?", view=Choice())
    await interaction.followup.send("Press a button.", ephemeral=True)


if __name__ == "__main__":
    Example().run(os.environ["DISCORD_TOKEN"])
