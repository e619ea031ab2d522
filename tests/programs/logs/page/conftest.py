"""The page of a log, open in a real Chromium."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from programs.logs.serve import LogPage
from tests.chromium import CHROMIUM, THERE, chromium
from tests.programs.logs.story import Story


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of the page; without one they are skipped."""
    if not THERE:
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    async with chromium() as launched:
        yield launched


@pytest_asyncio.fixture(autouse=True)
async def deadline() -> None:
    """Chromium's own tasks outlive a test; Playwright's waits have deadlines of their own."""


@pytest_asyncio.fixture(loop_scope="package")
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    telling = Story(tmp_path)
    yield telling
    telling.close()


@pytest_asyncio.fixture(loop_scope="package")
async def served(story: Story) -> AsyncIterator[LogPage]:
    async with LogPage(story.path).served() as page:
        yield page


@pytest_asyncio.fixture(loop_scope="package")
async def page(browser: Browser, served: LogPage) -> AsyncIterator[Page]:
    """The page, connected; a script's error or a breach of the policy fails the test."""
    context = await browser.new_context(viewport={"width": 1200, "height": 800})
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    await opened.goto(served.url)
    yield opened
    await context.close()
    assert not wrong
