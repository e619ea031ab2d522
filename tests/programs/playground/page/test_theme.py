"""Light and dark."""

import pytest
from playwright.async_api import Browser, Page, expect

from programs.playground.entities import ADA_ID
from programs.playground.server import Playground
from tests.programs.playground.page.driver import open_page

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def background(page: Page) -> str:
    colour: str = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


async def test_the_page_is_as_light_as_the_system(browser: Browser, playground: Playground) -> None:
    """Without a choice of one's own the page follows the system, also when that changes."""
    page = await open_page(browser, playground, ADA_ID, theme="dark")
    dark = await background(page)

    await page.emulate_media(color_scheme="light")

    light = await background(page)
    assert dark != light
    await page.get_by_role("button", name="Light or dark").click()
    assert await background(page) == dark
    await page.context.close()


async def test_a_chosen_theme_is_remembered(browser: Browser, playground: Playground) -> None:
    """What one chose with the button holds after a reload, whatever the system says."""
    page = await open_page(browser, playground, ADA_ID, theme="light")
    light = await background(page)
    await page.get_by_role("button", name="Light or dark").click()
    dark = await background(page)

    await page.reload()
    await expect(page.locator("#header h1")).to_be_visible()

    assert light != dark
    assert await background(page) == dark
    await page.context.close()
