"""Files and pictures: chosen, pasted, shown and taken home."""

import base64
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID, ChannelType
from programs.playground.posting import Upload
from programs.playground.server import Playground
from tests.programs.playground.page.driver import open_page, write
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def test_a_picture_is_shown(page: Page) -> None:
    """A picture sent with a message is drawn under it, with its name for those who cannot see it."""
    await page.get_by_label("Files to attach").set_input_files(
        {"name": "dot.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    await write(page, "Look")
    shown = page.get_by_role("img", name="dot.png")
    await expect(shown).to_be_visible()

    await expect(shown).to_have_js_property("naturalWidth", 1)


async def test_a_file_is_downloaded_as_it_was_sent(playground: Playground, page: Page, tmp_path: Path) -> None:
    """A click on a file's card saves its bytes under its name."""
    playground.people.send(GENERAL_ID, ADA_ID, uploads=(Upload(0, "notes.txt", b"hello\n"),))
    async with page.expect_download() as downloading:
        await page.locator(".attachment-file").click()
    download = await downloading.value
    await download.save_as(tmp_path / "saved")

    assert download.suggested_filename == "notes.txt"
    assert (tmp_path / "saved").read_bytes() == b"hello\n"


async def test_files_are_taken_out_again_before_sending(page: Page) -> None:
    """Each chosen file can be removed; what stays is sent without words."""
    files: list[FilePayload] = [
        {"name": name, "mimeType": "text/plain", "buffer": b"x"} for name in ("one.txt", "two.txt")
    ]
    await page.get_by_label("Files to attach").set_input_files(files)
    await page.get_by_role("button", name="Remove one.txt").click()
    await expect(page.locator("#composer")).to_be_focused()
    await page.locator("#composer").press("Enter")

    await expect(page.locator(".attachment-file")).to_contain_text(["two.txt"])


async def test_a_pasted_picture_is_attached(page: Page) -> None:
    """A picture in the clipboard goes with the next message, as in Discord."""
    await page.locator("#composer").evaluate(
        """(field, bytes) => {
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
          field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        list(PICTURE),
    )

    await expect(page.locator(".tray")).to_contain_text("pasted.png")


async def test_a_commands_files_come_from_the_box(playground: Playground, bot: RawBot, page: Page) -> None:
    """A file in the message box fills the command's option for one; without it the page says what is missing."""
    option = {"type": 11, "name": "report", "description": "What to read", "required": True}
    note = {"type": 3, "name": "note", "description": "What about it"}
    await bot.register({"name": "read", "description": "Read a file", "options": [option, note]})
    box = page.locator("#composer")
    await box.press_sequentially("/read ")
    await expect(page.locator(".option-suggestion")).to_have_count(1)
    await expect(page.locator(".command-hint")).to_contain_text("+ report *")
    await box.press_sequentially("note: twice")
    await box.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("/read needs report, a file: attach it")
    await page.get_by_label("Files to attach").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"read me"}
    )
    await box.press("Enter")

    used = (await bot.event("INTERACTION_CREATE"))["data"]
    values = {one["name"]: one["value"] for one in used["options"]}
    attachment = used["resolved"]["attachments"][values["report"]]
    assert (values["note"], attachment["filename"], attachment["size"]) == ("twice", "notes.txt", 7)
    async with aiohttp.ClientSession() as session, session.get(attachment["url"]) as answer:
        assert await answer.read() == b"read me"
    await expect(page.locator(".tray")).to_be_hidden()
    await expect(box).to_have_value("")


async def test_a_command_without_files_takes_none(bot: RawBot, page: Page) -> None:
    """A file too many is told, and stays in the box with the words."""
    await bot.register({"name": "clear", "description": "Forget"})
    await page.get_by_label("Files to attach").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"x"}
    )
    await page.locator("#composer").press_sequentially("/clear")
    await expect(page.locator(".command-suggestion")).to_have_count(1)
    await page.locator("#composer").press("Enter")

    await expect(page.locator(".toast")).to_contain_text("/clear takes no files.")
    await expect(page.locator(".tray")).to_contain_text("notes.txt")


async def test_a_post_begins_with_files(browser: Browser, playground: Playground) -> None:
    """A post in a forum takes files, with words or without."""
    forum = playground.admin.add_channel("questions", ChannelType.FORUM)
    page = await open_page(browser, playground, ADA_ID, channel=forum.id)
    await page.locator("#welcome").get_by_role("button", name="New post").click()
    dialog = page.get_by_role("dialog", name="New post in questions")
    await dialog.get_by_label("Title").fill("What is this?")
    await dialog.get_by_label("Files").set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": PICTURE})
    await dialog.get_by_role("button", name="Post").click()

    await expect(page.locator("#header h1")).to_have_text("What is this?")
    await expect(page.get_by_role("img", name="dot.png")).to_be_visible()
    await page.context.close()
