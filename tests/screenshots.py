"""Makes the pictures of the documents: `uv run --group test python -m tests.screenshots`. Needs Chromium."""

import asyncio
import os
import tempfile
from pathlib import Path

from playwright.async_api import Page, expect

from llmgine.settings import Settings
from programs.application import DEMO_NOTICE
from programs.discord.bot import serve
from programs.logs.serve import LogPage
from programs.playground.server import Playground
from tests.chromium import chromium

PICTURES = Path(__file__).parent.parent / "docs"


async def ask(page: Page, text: str, answer: str) -> None:
    """Write into the composer, and wait until the answer is whole."""
    await page.fill("#composer", f"@LLMgine {text}")
    await page.keyboard.press("Enter")
    last = page.locator(".message").filter(has_text="offline demo model").last
    await expect(last).to_contain_text(answer)


async def use(page: Page, command: str, told: str) -> None:
    """Use a slash command, and wait for what it says."""
    await page.fill("#composer", command)
    await page.keyboard.press("Escape")  # the suggestions
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last).to_contain_text(told)


async def take_pictures(playground_url: str, logs_url: str) -> None:
    """A conversation with tool calls, and its last turn in the log page."""
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1120, "height": 760}, color_scheme="light")
        await page.goto(playground_url)
        await ask(page, "What's the weather like in San Francisco?", "San Francisco")
        await ask(page, "Can you calculate 24*7 for me?", "168")
        await page.screenshot(path=PICTURES / "playground.png")
        await page.fill(
            "#composer", "@LLMgine Send an email to test@example.com with subject 'Hello' and body 'Hi there'"
        )
        await page.keyboard.press("Enter")
        approve = page.get_by_role("button", name="Approve")
        await expect(approve).to_be_visible()
        await page.screenshot(path=PICTURES / "approval.png")
        await approve.click()
        await expect(page.locator(".message").filter(has_text="offline demo model").last).to_contain_text("E-mail")
        await use(page, "/settings", "style")
        await page.screenshot(path=PICTURES / "settings.png")
        await ask(page, "Show me a long answer", "long")
        await page.goto(logs_url)
        await page.locator("#turns tbody tr").nth(2).click()
        await expect(page.locator("#turn")).to_contain_text("calculate")
        await page.screenshot(path=PICTURES / "logs.png")


async def main() -> None:
    """Run the playground, the bot on a store of its own, and the log page, and take the pictures."""
    folder = tempfile.mkdtemp()
    os.chdir(folder)  # so that the pictures show the paths that people see
    stop = asyncio.Event()
    async with Playground(notice=DEMO_NOTICE) as playground:
        settings = Settings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            database_url=f"sqlite:///{folder}/llmgine.db",
            log_dir=Path("logs"),
            outbox_dir=Path(folder),
        )
        bot = asyncio.create_task(serve(settings, stop))
        async with LogPage(Path("logs/events.jsonl")).served() as logs:
            await take_pictures(playground.url, logs.url)
        stop.set()
        await bot


if __name__ == "__main__":
    asyncio.run(main())
