"""Waiting between tries at something that has to succeed in the end, such as storing an outcome."""

import asyncio

FIRST, LONGEST = 1.0, 60.0  # seconds


class Backoff:
    """Waits that double from one to the next."""

    def __init__(self) -> None:
        self.next = FIRST

    async def wait(self) -> None:
        """Wait for the next one."""
        seconds, self.next = self.next, min(2 * self.next, LONGEST)
        await asyncio.sleep(seconds)
