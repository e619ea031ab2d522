"""Load: `uv run --group test python -m tests.durability.load [messages] [sessions]`.

All messages are written while the model gives no answer; then it does. Every one must end, in its session's order,
and the memory they take is said.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path

from llmgine.messages.events import TurnFinishedEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import OnText, ScriptedProvider
from tests.llmgine.engine.chat import Chat, prompt

MESSAGES, SESSIONS = 10_000, 200


@dataclass
class Load:
    """What became of the messages.

    Attributes:
        ended: How many had an outcome.
        in_order: Whether every session's outcomes came in the order of its messages.
        queued_bytes: What the process took more of while all of them waited, over all.
        peak_bytes: What it took more of at the end.
    """

    ended: int
    in_order: bool
    queued_bytes: int
    peak_bytes: int
    admit_seconds: float
    seconds: float


def _memory() -> int:
    """The memory this process has now, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def run(folder: Path, messages: int, sessions: int) -> Load:
    """Queue the messages, then let the model answer."""
    go_on = asyncio.Event()

    async def answer(request: ChatRequest, _on_text: OnText) -> ChatReply:
        await go_on.wait()
        return ChatReply(text=request.messages[-1].content, model="scripted")

    chat = await Chat.start(folder / "load.db", ScriptedProvider(answer))
    ended: dict[str, list[int]] = defaultdict(list)
    done = asyncio.Event()

    def hear(event: TurnFinishedEvent) -> None:
        ended[event.session_id].append(int(event.text))
        if sum(map(len, ended.values())) == messages:
            done.set()

    chat.events = deque(maxlen=0)  # type: ignore[assignment]  # what is kept for looking would be counted
    chat.bus.register_event_handler(TurnFinishedEvent, hear)
    before, begin = _memory(), time.monotonic()
    for number in range(messages):
        (await chat.bus.execute(prompt(str(number), f"s{number % sessions}"))).unwrap()
    queued, admitted = _memory() - before, time.monotonic()
    go_on.set()
    await done.wait()
    finished = time.monotonic()
    peak = _memory() - before
    await chat.close()
    return Load(
        ended=sum(map(len, ended.values())),
        in_order=all(numbers == sorted(numbers) for numbers in ended.values()),
        queued_bytes=queued,
        peak_bytes=peak,
        admit_seconds=admitted - begin,
        seconds=finished - admitted,
    )


def main() -> int:
    """Run it, and say the figures."""
    messages, sessions = (*map(int, sys.argv[1:3]), *(MESSAGES, SESSIONS)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as folder:
        load = asyncio.run(run(Path(folder), messages, sessions))
    sys.stdout.write(
        f"{messages:,} messages over {sessions} sessions: {load.ended:,} ended, "
        f"{'in order' if load.in_order else 'OUT OF ORDER'}; admitted in {load.admit_seconds:.1f} s, "
        f"answered in {load.seconds:.1f} s; {load.queued_bytes / 2**20:.0f} MiB more while queued, "
        f"{load.peak_bytes / 2**20:.0f} MiB at the end\n"
    )
    return int(load.ended != messages or not load.in_order)


if __name__ == "__main__":
    sys.exit(main())
