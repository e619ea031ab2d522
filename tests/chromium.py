"""A real Chromium, for the tests of pages and for the pictures of the README."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
THERE = Path(CHROMIUM).exists()

# Chromium must neither look for updates nor open its own sandbox, which root may not.
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

# Seconds for a page to come to a state, and for a step on it. Progress in a browser is not to be seen from here, so it
# is long: only a failure takes it.
_PATIENCE = 60.0


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Chromium, running inside this block."""
    expect.set_options(timeout=_PATIENCE * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()
