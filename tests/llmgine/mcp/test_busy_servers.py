"""A server that does one thing after another."""

import asyncio
from pathlib import Path

import pytest
from mcp import Client

from llmgine.mcp import connection
from llmgine.mcp.connection import Connection
from llmgine.mcp.definitions import Definition
from tests.llmgine.mcp.stage import Stage, tool
from tests.waiting import eventually


async def test_a_server_that_works_is_not_taken_for_one_that_hangs(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that answers nothing else during a call is asked again what it has until the call is done."""
    asked: list[object] = []
    ask = Connection._definitions

    async def counted(self: Connection, client: Client) -> list[Definition]:
        asked.append(client)
        return await ask(self, client)

    monkeypatch.setattr(Connection, "_definitions", counted)
    monkeypatch.setattr(connection, "_LIST_SECONDS", 2.0)
    done = tmp_path / "done"
    stage.add_scripted("s", tool("change"))
    async with stage.running():
        call = asyncio.create_task(stage.call("s__change", tools=[tool("change")], until=str(done)))
        await eventually(lambda: len(asked) > 2)
        done.touch()

        assert (await call).ok
    assert len({*map(id, asked)}) == 1
