"""The operator's own tools, in the bot: what is in TOOLS_DIR is offered, and what is wrong with it is told."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from llmgine.errors import ConfigurationError
from programs.playground.entities import ADA_ID
from tests.programs.discord.scene import Scene, body_of, card_text, labels
from tests.waiting import eventually

DICE = '''\
"""Dice."""

from llmgine import File, ToolError, ToolOutput, current_tool_context, tool


@tool(idempotent=True)
def roll_dice(sides: int = 6) -> str:
    """Roll one die."""
    return f"of {sides}"


@tool(requires_approval=True)
async def draw_dice(sides: int = 6) -> ToolOutput:
    """Draw one die."""
    images = await current_tool_context().images()
    return ToolOutput(f"{sides} sides, {len(images)} images", [File("die.svg", b"<svg/>")])
'''
WAITING = '''\
"""It waits until it is told to go on."""

import time
from pathlib import Path

from llmgine import tool

folder = Path(__file__).parent
(folder / "_begun").touch()
while not (folder / "_go_on").exists():
    time.sleep(0.01)


@tool
def wait_done() -> str:
    """Wait no more."""
    return "done"
'''
TWICE = '''\
"""A name that is there already."""

from llmgine import tool


@tool
def calculate() -> str:
    """Calculate nothing."""
    return "nothing"
'''


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tools, outside of the data folder."""
    made = tmp_path_factory.mktemp("tools", numbered=True)
    made.chmod(0o755)
    write(made, "dice.py", DICE)
    return made


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o644)


async def test_a_file_that_waits_holds_nothing_else_up(unstarted: Scene, folder: Path) -> None:
    """Foreign code is imported beside the loop, so the bot can still be ended while a file takes its time."""
    write(folder, "a_waiting_one.py", WAITING)
    starting = asyncio.create_task(unstarted.start(demo=True, tools_dir=folder))
    await eventually((folder / "_begun").exists)

    write(folder, "_go_on", "")

    assert "wait_done" in (await starting).app.engine.tools.names


async def test_a_tool_works_without_a_key(unstarted: Scene, folder: Path) -> None:
    """The demo model calls it by its name, and its call has a card like any other's."""
    scene = await unstarted.start(demo=True, tools_dir=folder)
    scene.ask("call roll_dice sides=20")

    outcome = await scene.outcome()

    assert "roll" in card_text(await scene.card())
    assert body_of(outcome.content) == "**roll_dice:** of 20"


async def test_it_asks_takes_images_and_gives_files(unstarted: Scene, folder: Path) -> None:
    """What the decorator says holds, and what a tool returns beside text is posted."""
    scene = await unstarted.start(demo=True, tools_dir=folder)
    scene.ask("call draw_dice sides=8")
    card = await scene.card()
    await scene.until(lambda: "Approve" in labels(card))
    scene.click(card, "Approve")

    outcome = await scene.outcome()

    assert body_of(outcome.content).startswith("**draw_dice:** 8 sides, 0 images")
    await scene.until(lambda: [file for one in scene.shown() for file in one.attachments])


async def test_what_is_wrong_is_logged_and_in_doctor(
    unstarted: Scene, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator reads file and line; a name that is taken is wrong in the second place only; the rest works."""
    write(folder, "broken.py", "x = 1\nimport nowhere_at_all\n")
    write(folder, "twice.py", TWICE)
    scene = await unstarted.start(demo=True, tools_dir=folder)

    logged = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert f"A tool was not loaded: {folder.name}/broken.py, line 2: ModuleNotFoundError: No module named" in logged[0]
    assert f"{folder.name}/twice.py, line 6: there is already a tool called 'calculate'" in logged[1]
    scene.command("doctor")
    [told] = await scene.until(lambda: [one for one in scene.private(ADA_ID) if one.embeds])
    assert "⚠️ **Own tools**: 2 could not be loaded" in told.embeds[0]["description"]
    assert "broken.py, line 2" in told.embeds[0]["description"]
    scene.ask("call calculate expression=1+1")
    assert body_of((await scene.outcome()).content) == "**Result:** 2"


async def test_a_folder_in_the_data_folder_is_refused(unstarted: Scene, folder: Path) -> None:
    """The program does not start: what is written there may be what somebody said."""
    inside = {"log_dir": folder.parent, "outbox_dir": folder, "database_url": f"sqlite:///{folder.parent}/llmgine.db"}
    for name, value in inside.items():
        settings: dict[str, Any] = {name: value}
        with pytest.raises(ConfigurationError, match=r"TOOLS_DIR: .* lies in .*, where data is written"):
            await unstarted.start(demo=True, tools_dir=folder, **settings)
