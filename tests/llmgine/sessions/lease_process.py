"""A process with a lease, told what to do by lines: `python -m tests.llmgine.sessions.lease_process URL SECONDS`."""

import asyncio
import os
import signal
import sys

from llmgine.errors import LLMgineError
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.database import Operation, Steps
from tests.llmgine.sessions.examples import DONE, admit, begun, prompt, spent


def say(what: object) -> None:
    """Answer with a line."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def writes(store: SessionStore, turn: Turn) -> list[str]:
    """What comes of each kind of write."""
    attempts = (
        admit(store, prompt("late")),
        store.runs.set_status(turn, "running"),
        store.runs.finish(turn, "done", [(2, DONE)], ()),
        store.allowances.settle(spent(1)),
        store.logins.count("test", 1, 0),
    )
    found = await asyncio.gather(*attempts, return_exceptions=True)
    return [type(one).__name__ for one in found]


def hang() -> Steps[None]:
    """A transaction in the middle of which the process is stopped."""
    yield "INSERT INTO login (source, at) VALUES ('hung', 1)", ()
    os.kill(os.getpid(), signal.SIGSTOP)
    yield "INSERT INTO login (source, at) VALUES ('hung', 2)", ()


async def main(url: str, seconds: float) -> None:
    """Do what the lines say, until there are no more."""
    store = await open_store(url, lease_seconds=seconds)
    turn = await begun(store, "1")
    say(store.owners.me)
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        if line == "writes":
            say(",".join(await writes(store, turn)))
        elif line == "lost":
            await store.owners.lost.wait()
            holding = asyncio.ensure_future(store.owners.hold())
            done, _ = await asyncio.wait({holding}, timeout=2 * seconds)
            holding.cancel()
            say(f"lost, may post: {bool(done)}")
        else:
            try:
                await store.run(hang, Operation("test.hang"))
            except LLMgineError as error:
                say(type(error).__name__)
    await store.close()
    say("closed")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
