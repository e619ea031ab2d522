"""A page of the playground, open in a real Chromium."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from programs.playground.entities import ADA_ID
from programs.playground.server import Playground
from tests.programs.playground.page.driver import open_page
from tests.programs.playground.page.raw_bot import RawBot

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
THERE = Path(CHROMIUM).exists()
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of the page; without one they are skipped."""
    if not THERE:
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="package")
async def playground() -> AsyncIterator[Playground]:
    async with Playground() as served:
        yield served


@pytest_asyncio.fixture(loop_scope="package")
async def bot(playground: Playground) -> AsyncIterator[RawBot]:
    async with RawBot(playground) as connected:
        yield connected


@pytest_asyncio.fixture(loop_scope="package")
async def page(browser: Browser, playground: Playground) -> AsyncIterator[Page]:
    opened = await open_page(browser, playground, ADA_ID)
    yield opened
    await opened.context.close()
