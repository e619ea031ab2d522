"""A bot on a database that is damaged: it goes on until that is found, and then ends and says why."""

import asyncio

import pytest

from llmgine.errors import DamagedStoreError
from llmgine.sessions.sqlite import mark_of_unclean_end
from programs.discord.bot import serve
from programs.exit_codes import ExitCode, run
from tests.llmgine.sessions.data import old
from tests.llmgine.sessions.test_integrity import damage
from tests.programs.discord.scene import Scene


async def damaged(scene: Scene) -> bytes:
    """A database in which something was said, as it is after a loss of power that left it damaged; gives the file."""
    await scene.start()
    scene.ask("hello")
    await scene.outcome()
    await scene.stop()
    path = scene.folder / "llmgine.db"
    content = damage(path)
    mark_of_unclean_end(path).touch()
    return content


async def test_the_bot_ends_and_leaves_the_file(unstarted: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """The look follows an unclean end. The program says once what to do, and no restart would help."""
    content = await damaged(unstarted)
    caught: list[DamagedStoreError] = []
    try:
        async with asyncio.timeout(60):
            await serve(unstarted.settings, asyncio.Event())
    except DamagedStoreError as error:
        caught.append(error)

    def program() -> int:
        raise caught[0]

    assert run(program) == ExitCode.CONFIGURATION
    said = capsys.readouterr().err
    assert said.count("is damaged") == 1
    assert "python -m programs.backup --restore FILE" in said
    assert old.content(unstarted.folder / "llmgine.db") == content
    assert not unstarted.playground.state.bot_online


async def test_the_doctor_finds_damage_on_demand(unstarted: Scene) -> None:
    """Without an unclean end nobody looks until a moderator asks; then the bot ends too."""
    await damaged(unstarted)
    mark_of_unclean_end(unstarted.folder / "llmgine.db").unlink()
    serving = asyncio.create_task(serve(unstarted.settings, asyncio.Event()))
    await unstarted.until(lambda: unstarted.playground.state.bot_online)

    unstarted.command("doctor")

    async with asyncio.timeout(60):
        with pytest.raises(DamagedStoreError):
            await serving
