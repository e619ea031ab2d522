"""Steps that the tests of the page share."""

import re
from typing import Literal

from playwright.async_api import Browser, Locator, Page, expect

from programs.playground.entities import GENERAL_ID
from programs.playground.server import Playground


async def open_page(
    browser: Browser,
    playground: Playground,
    person: int,
    *,
    channel: int = GENERAL_ID,
    width: int = 1200,
    theme: Literal["light", "dark"] = "light",
) -> Page:
    """The page as `person` sees it, read and connected."""
    context = await browser.new_context(viewport={"width": width, "height": 700}, color_scheme=theme)
    page = await context.new_page()
    async with page.expect_websocket() as connection:
        await page.goto(f"{playground.url}/?as={person}&channel={channel}")
    await connection.value
    await expect(page.locator(f"[data-channel-id='{channel}'][aria-current]")).to_be_attached()
    await expect(page.locator(".welcome h2, .message").first).to_be_visible()
    return page


def message(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.locator(".message", has=page.locator(".message-content", has_text=text))


async def write(page: Page, text: str) -> None:
    await page.locator("#composer").fill(text)
    await page.locator("#composer").press("Enter")
