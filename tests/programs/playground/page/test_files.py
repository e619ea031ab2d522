"""Files and pictures: chosen, pasted, shown and taken home."""

import base64
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID
from programs.playground.posting import Upload
from programs.playground.server import Playground
from tests.programs.playground.page.driver import write

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
