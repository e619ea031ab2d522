"""Owners: alive while their process lives, however it ends."""

import asyncio
import sys
from pathlib import Path

from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.owners import Owners
from tests.llmgine.sessions.examples import admit, prompt, said
from tests.processes import ending

ADMIT_AND_HANG = """
import asyncio, sys
from tests.processes import ending
from llmgine.messages.commands import PromptCommand
from tests.processes import ending
from llmgine.sessions import open_store
from llmgine.sessions.clock import now

async def main():
    store = await open_store(sys.argv[1])
    await store.turns.admit(PromptCommand(session_id="s", text="hello", source="test", source_id="1"), "t", now())
    print(store.owners.me, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_an_owner_is_alive_until_it_closes(tmp_path: Path) -> None:
    """To itself and to the others; closing twice is harmless and leaves no file."""
    one, other = Owners(tmp_path), Owners(tmp_path)

    assert one.is_alive(one.me)
    assert other.is_alive(one.me)
    one.close()
    one.close()
    assert not one.is_alive(one.me)
    assert not other.is_alive(one.me)
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_owner_is_dead(tmp_path: Path) -> None:
    """No file means no process."""
    owners = Owners(tmp_path)

    assert not owners.is_alive("0123456789abcdef")

    owners.close()


async def test_a_killed_process_is_dead_at_once(tmp_path: Path) -> None:
    """While it lives nobody takes its turn; after SIGKILL the next one to look does, and its lock file is gone."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ADMIT_AND_HANG, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with ending(process):
        owner = (await process.stdout.readline()).decode().strip()
        store = await open_store(url)

        assert store.owners.is_alive(owner)
        assert await store.take_over(["test"]) == []

    assert await _taken_texts(store) == ["hello"]
    assert not (tmp_path / "owners" / f"{owner}.lock").exists()
    assert (await admit(store, prompt("1"))).duplicate
    await store.close()


async def _taken_texts(store: SessionStore) -> list[str]:
    return [said(await store.turns.get(turn.id)) for turn in await store.take_over(["test"])]
