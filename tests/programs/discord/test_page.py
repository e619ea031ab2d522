"""The bot as a newcomer meets it: the program with no settings, and its page in a real Chromium."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID, RANDOM_ID
from tests.chromium import CHROMIUM, THERE, chromium
from tests.programs.discord.process import address, running
from tests.programs.playground.page.driver import write

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not THERE, reason=f"there is no Chromium at {CHROMIUM}"),
]
FOOTER = re.compile(r"offline demo model · [\d,]+ tokens · \d+\.\d s")


@dataclass
class Started:
    """A running bot: the address of its page, and the folder it runs in."""

    url: str
    folder: Path


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Started]:
    folder = tmp_path_factory.mktemp("newcomer")
    async with running("programs.discord.bot", folder=folder, PLAYGROUND_PORT=0) as process:
        yield Started(await address(process), folder)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


async def open_channel(browser: Browser, started: Started, channel: int) -> Page:
    """The page as Ada sees it, in a channel, once the bot is there."""
    page = await browser.new_page()
    await page.goto(f"{started.url}?as={ADA_ID}&channel={channel}")
    await expect(page.locator(f"[data-channel-id='{channel}'][aria-current]")).to_be_attached()
    await expect(page.get_by_text("demo model").first).to_be_visible()
    return page


def contents(page: Page) -> Locator:
    return page.locator(".message-content")


async def test_the_weather_is_asked_and_answered(browser: Browser, started: Started) -> None:
    """A question streams in as an answer, with the card of the tool above it and the demo's label below."""
    page = await open_channel(browser, started, GENERAL_ID)

    await write(page, "@LLMgine What's the weather like in San Francisco?")

    card = page.locator(".embed")
    await expect(card).to_contain_text("get_weather")
    await expect(card).to_contain_text("San Francisco")
    await expect(card).to_contain_text("✅")
    await expect(contents(page).last).to_contain_text(FOOTER)
    await expect(contents(page).last).to_contain_text("San Francisco")
    await page.close()


async def test_a_file_is_read(browser: Browser, started: Started) -> None:
    """A text file that came with the question is read, in the playground that the program starts by itself."""
    page = await open_channel(browser, started, RANDOM_ID)
    await page.get_by_label("Files to attach").set_input_files(
        {"name": "list.txt", "mimeType": "text/plain", "buffer": b"eggs"}
    )

    await write(page, "@LLMgine What is in this file?")

    await expect(contents(page).last).to_contain_text(FOOTER)
    await expect(contents(page).last).not_to_contain_text("could not be read")
    await page.close()


async def test_an_e_mail_is_approved(browser: Browser, started: Started) -> None:
    """The call waits with its arguments on the card; a press of Approve runs it once: here it becomes a file."""
    page = await open_channel(browser, started, GENERAL_ID)
    await write(
        page,
        "@LLMgine Send an email to test@example.com with subject 'Hello' "
        "and body 'Testing the function calling capability'",
    )
    card = page.locator(".embed", has_text="send_email")
    await expect(card).to_contain_text("Testing the function calling capability")

    await page.get_by_role("button", name="Approve").click()

    await expect(page.locator(".embed").last).to_contain_text("⚠️")
    await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(contents(page).last).to_contain_text(FOOTER)
    assert len(list((started.folder / "outbox").glob("*.eml"))) == 1
    await page.close()


async def test_the_system_prompt_is_set_in_a_modal(browser: Browser, started: Started) -> None:
    """/system opens a modal, and what is submitted there is told to the channel; opened again it stands there."""
    page = await open_channel(browser, started, RANDOM_ID)
    await write(page, "/system")
    dialog = page.locator("dialog.modal")
    await dialog.get_by_label("Instructions for the model").fill("Speak like a pirate.")
    await dialog.get_by_role("button", name="Submit").click()

    await expect(contents(page).last).to_contain_text("Ada set the system prompt")
    await expect(contents(page).last).to_contain_text("Speak like a pirate.")

    await write(page, "/system")
    await expect(dialog.get_by_label("Instructions for the model")).to_have_value("Speak like a pirate.")
    await page.close()
