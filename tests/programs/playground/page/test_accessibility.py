"""Nothing on the page keeps anybody out: axe-core looks at every part of it, light and dark, wide and narrow."""

import importlib.util
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, Permission
from programs.playground.server import Playground
from tests.programs.playground.page.driver import message, open_page, write
from tests.programs.playground.page.raw_bot import RawBot
from tests.programs.playground.page.scene import furnish

pytestmark = pytest.mark.asyncio(loop_scope="package")

MODAL = 9
# Menus lie over the page, in no landmark: the focus is in them as long as they are open.
DELIBERATE = ["region"]


@pytest.fixture(scope="module")
def axe() -> str:
    """The program axe-core, from the development package that carries it."""
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-core is not installed: it comes with the package axe-playwright-python")
    return (Path(package.origin).parent / "axe.min.js").read_text()


async def faults(page: Page, axe: str, within: str = "html") -> list[str]:
    """What axe-core has against the page, or a part of it, as it is now."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe)
    options = {"rules": {rule: {"enabled": False} for rule in DELIBERATE}}
    found: dict[str, Any] = await page.evaluate("([within, options]) => axe.run(within, options)", [within, options])
    return [f"{fault['id']}: {node['html'][:200]} {node['failureSummary']}"
            for fault in found["violations"] for node in fault["nodes"]]  # fmt: skip


@pytest.mark.parametrize("width", [1200, 380])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_against_the_page(
    browser: Browser, playground: Playground, axe: str, theme: Literal["light", "dark"], width: int
) -> None:
    """Labels, roles and contrast hold for messages, embeds, components, menus, completions, panel and modal."""
    async with RawBot(playground) as bot:
        await furnish(playground, bot)
        page = await open_page(browser, playground, ADA_ID, width=width, theme=theme)
        assert await faults(page, axe) == []
        await message(page, "Yes.").locator(".message-content").click(button="right")
        await expect(page.get_by_role("menu")).to_be_visible()
        assert await faults(page, axe, ".menu") == []
        await page.keyboard.press("Escape")
        await page.locator("#composer").press_sequentially("/")
        await expect(page.locator(".command-suggestion").first).to_be_visible()
        assert await faults(page, axe, "#composer-form") == []
        await page.locator("#composer").fill("/play ")
        await expect(page.locator(".command-hint")).to_be_visible()
        assert await faults(page, axe, "#composer-form") == []
        await write(page, "/clear")
        used = await bot.event("INTERACTION_CREATE")
        prompt = {"type": 4, "custom_id": "prompt", "style": 2, "label": "Prompt", "value": "x"}
        form = {"custom_id": "f", "title": "A form", "components": [{"type": 1, "components": [prompt]}]}
        await bot.answer(used, MODAL, form)
        await expect(page.locator("dialog.modal")).to_be_visible()
        assert await faults(page, axe, "dialog") == []
        await page.keyboard.press("Escape")
        await page.locator("#requests-button").click()
        await bot.send(GENERAL_ID, content="one more")
        await expect(page.locator(".request").first).to_be_visible()
        assert await faults(page, axe, "#requests") == []
        await page.context.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1200), ("dark", 380)])
async def test_axe_finds_nothing_against_the_settings(
    browser: Browser, playground: Playground, axe: str, theme: Literal["light", "dark"], width: int
) -> None:
    """Nor against grids of permissions, the settings of a channel, and the box that is shut or too full."""
    playground.admin.overwrite(GENERAL_ID, GRACE_ID, allow=Permission.PIN_MESSAGES, deny=Permission.EMBED_LINKS)
    page = await open_page(browser, playground, ADA_ID, width=width, theme=theme)
    await page.locator("#composer").fill("x" * 2001)
    await expect(page.locator(".limit")).to_be_visible()
    assert await faults(page, axe, "#composer-form") == []
    await page.get_by_role("button", name="Channel settings").click()
    await page.get_by_label("Permissions here of").select_option(str(GRACE_ID))
    await expect(page.get_by_role("radio", name="Denied", checked=True)).to_have_count(1)
    assert await faults(page, axe, "dialog") == []
    await page.get_by_role("button", name="Done").click()
    for name in ("Roles and permissions", "Members", "New channel"):
        if width < 700:
            await page.get_by_role("button", name="Show the channels").click()
        await page.locator("#guild-button").click()
        await page.get_by_role("menuitem", name=name).click()
        await expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert await faults(page, axe, "dialog") == []
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        if width < 700:
            await page.keyboard.press("Escape")
    await page.context.close()
