"""The table of commands in docs/using.md, made from the tree.

`uv run python -m programs.discord.slash.command_table` prints it.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
from discord import app_commands

from programs.application import Application
from programs.command_line import program_parser
from programs.discord.slash.tree import Commands
from programs.settings import ProgramConfig, ProgramSettings


async def table() -> str:
    """The commands and the entries of a message's menu, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ProgramSettings(_env_file=None, database_url=f"sqlite:///{folder}/table.db", log_dir=Path(folder))
        async with Application(ProgramConfig(settings=settings)) as app:
            return _drawn(Commands(discord.Client(intents=discord.Intents.none()), app))


def _drawn(tree: Commands) -> str:
    rows = ["| in Discord | |", "|---|---|"]
    rows += [f"| `{_usage(one)}` | {one.description} |" for one in _leaves(tree)]
    for menu in tree.get_commands(type=discord.AppCommandType.message):
        rows.append(f"| {menu.name} | in the menu of a message, under Apps |")
    return "\n".join(rows)


def _leaves(tree: Commands) -> Iterator[app_commands.Command[Any, ..., Any]]:
    for command in tree.walk_commands():
        if isinstance(command, app_commands.Command):
            yield command


def _usage(command: app_commands.Command[Any, ..., Any]) -> str:
    """The command with its options; those in brackets may be left out."""
    names = [option.display_name if option.required else f"[{option.display_name}]" for option in command.parameters]
    return " ".join([f"/{command.qualified_name}", *names])


if __name__ == "__main__":
    program_parser("programs.discord.slash.command_table", __doc__).parse_args()
    sys.stdout.write(asyncio.run(table()) + "\n")
