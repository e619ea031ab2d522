"""A playground with somebody in every channel, for `programs.bench discord`: `python -m programs.bench.crowd CHANNELS`.

It prints where it is, waits for a line, and lets somebody ask the bot in each channel, begun over some seconds, and
somebody use `/stop` in a quiet one four times a second meanwhile. When every answer has its footer it prints what it
saw, as JSON. Times are seconds of the monotonic clock, which all processes of a machine share.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter

from programs.playground.entities import ADA_ID, BOT_ID, GRACE_ID
from programs.playground.log import RequestRecord
from programs.playground.server import Playground
from programs.playground.state import Dispatch

_PATIENCE = 150.0  # seconds for all answers
_BETWEEN_COMMANDS = 0.25  # seconds
_LOOK = 0.5  # seconds between two looks at the log of requests, which forgets
_FOOTER = re.compile(r"\n-# (?:.* · )?\d+\.\d s$")


class Crowd:
    """What is seen in the channels.

    Attributes:
        changes: For each channel, when the bot posted or edited, and the text it then showed last.
        ended: When each channel's answer got its footer.
    """

    def __init__(self, playground: Playground, channels: int) -> None:
        self._playground = playground
        self.channels = [playground.admin.add_channel(f"bench-{number}").id for number in range(channels)]
        self._quiet = playground.admin.add_channel("quiet").id
        self.changes: dict[int, list[tuple[float, str]]] = {channel: [] for channel in self.channels}
        self.ended: dict[int, float] = {}
        self.acknowledged: list[float] = []  # seconds
        self.limited: Counter[str] = Counter()  # what was answered 429, by route
        self._seen: RequestRecord | None = None
        playground.state.subscribe(self._on_event)

    def _on_event(self, dispatch: Dispatch) -> None:
        if dispatch.name not in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            return
        payload = dispatch.render(BOT_ID)
        channel = int(payload["channel_id"])
        if payload["author"]["id"] != str(BOT_ID) or channel not in self.changes:
            return
        now, text = time.monotonic(), payload["content"]
        self.changes[channel].append((now, text))
        if _FOOTER.search(text):
            self.ended[channel] = now

    async def ask(self, ramp: float) -> None:
        """Ask in every channel, begun over `ramp` seconds, and wait for the answers."""
        using = asyncio.create_task(self._use_commands())
        looking = asyncio.create_task(self._count_requests())
        try:
            begin = time.monotonic()
            for number, channel in enumerate(self.channels):
                await asyncio.sleep(begin + ramp * number / len(self.channels) - time.monotonic())
                self._playground.people.send(channel, ADA_ID, f"<@{BOT_ID}> tell me everything")
            async with asyncio.timeout(_PATIENCE):
                await self._playground.wait_for(lambda _: len(self.ended) == len(self.channels))
        finally:
            using.cancel()
            looking.cancel()
        self._look()

    async def _use_commands(self) -> None:
        while True:
            begin = time.monotonic()
            used = self._playground.people.command(self._quiet, GRACE_ID, "stop", [])
            await self._playground.wait_for(lambda _, used=used: used.answered)  # type: ignore[misc]  # bound on purpose
            self.acknowledged.append(time.monotonic() - begin)
            await asyncio.sleep(_BETWEEN_COMMANDS)

    async def _count_requests(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(_LOOK)

    def _look(self) -> None:
        requests = list(self._playground.requests)
        new = requests[requests.index(self._seen) + 1 :] if self._seen in requests else requests
        self.limited.update(f"{request.method} {request.route}" for request in new if request.status == 429)
        self._seen = requests[-1] if requests else None


async def _serve(channels: int, ramp: float) -> None:
    async with Playground() as playground:  # with Discord's limits
        crowd = Crowd(playground, channels)
        place = {"token": playground.token, "api": playground.api_base, "gateway": playground.gateway_url}
        sys.stdout.write(json.dumps(place) + "\n")
        sys.stdout.flush()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, sys.stdin.readline)
        await crowd.ask(ramp)
        seen = {
            "changes": [crowd.changes[channel] for channel in crowd.channels],
            "ended": [crowd.ended[channel] for channel in crowd.channels],
            "acknowledged": crowd.acknowledged,
            "limited": crowd.limited,
        }
        sys.stdout.write(json.dumps(seen) + "\n")
        sys.stdout.flush()
        await loop.run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
