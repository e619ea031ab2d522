"""A page of the playground, open in a real Chromium."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from programs.playground.entities import ADA_ID
from programs.playground.server import Playground
from tests.chromium import CHROMIUM, THERE, chromium
from tests.programs.playground.page.driver import open_page
from tests.programs.playground.page.raw_bot import RawBot


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of the page; without one they are skipped."""
    if not THERE:
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    async with chromium() as launched:
        yield launched


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
