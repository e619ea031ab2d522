"""Voice messages and audio in the page."""

import pytest
from playwright.async_api import Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID
from programs.playground.posting import Upload
from programs.playground.server import Playground
from tests.recordings import WAVEFORM, wav

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_voice_message_is_shown(playground: Playground, page: Page) -> None:
    """How long it is, how loud over time, and a button to hear it, which the page's own policy allows."""
    upload = Upload(0, "voice-message.wav", wav(2.0))
    playground.people.send(GENERAL_ID, ADA_ID, uploads=(upload,), voice=(2.0, WAVEFORM))
    shown = page.get_by_role("group", name="Voice message, 0:02")

    await expect(shown).to_contain_text("🎙 0:02")
    heights = await shown.locator("i").evaluate_all("bars => bars.map((bar) => bar.offsetHeight)")
    assert heights == sorted(heights)
    assert heights[0] == 3
    assert heights[-1] > 20
    await shown.get_by_role("button", name="Play").click()
    await expect(shown.get_by_role("button", name="Pause")).to_be_visible()


async def test_a_waveform_that_is_none(playground: Playground, page: Page) -> None:
    """Whatever the sender wrote there, the message is shown."""
    upload = Upload(0, "voice-message.wav", wav())
    playground.people.send(GENERAL_ID, ADA_ID, uploads=(upload,), voice=(3_661.0, "<b>no base64</b>"))

    await expect(page.get_by_role("group", name="Voice message, 61:01")).to_be_visible()


async def test_an_audio_file_is_shown(playground: Playground, page: Page) -> None:
    """It has its name and a button."""
    playground.people.send(GENERAL_ID, ADA_ID, uploads=(Upload(0, "monday.wav", wav()),))

    shown = page.get_by_role("group", name="monday.wav")
    await expect(shown.get_by_role("button", name="Play monday.wav")).to_be_visible()
