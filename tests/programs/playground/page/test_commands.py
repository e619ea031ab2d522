"""Slash commands, modals and buttons in the page."""

import pytest
from playwright.async_api import Browser, Page, expect

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID
from programs.playground.rules import Rules
from programs.playground.server import Playground
from tests.programs.playground.page.driver import message, open_page, write
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")

REPLY, DEFER, UPDATE, MODAL = 4, 5, 7, 9

SYSTEM = {
    "name": "system",
    "description": "Show or set the system prompt",
    "options": [{"type": 3, "name": "prompt", "description": "The new prompt"}],
}
CLEAR = {"name": "clear", "description": "Forget the conversation"}


async def expect_commands(page: Page, count: int) -> None:
    """Wait until the page knows that many commands."""
    await page.locator("#composer").press_sequentially("/")
    await expect(page.locator(".command-suggestion")).to_have_count(count)
    await page.locator("#composer").press("Backspace")


async def test_slash_commands_are_completed_by_keyboard(bot: RawBot, page: Page) -> None:
    """Names are offered as one types, Tab takes one, what follows is its option, Enter sends it."""
    await bot.register(SYSTEM, CLEAR)
    composer = page.locator("#composer")
    await composer.press_sequentially("/")
    await expect(page.locator(".command-suggestion")).to_have_count(2)
    await expect(page.locator(".command-suggestion[aria-selected='true']")).to_contain_text("/system")
    await composer.press("ArrowDown")
    await expect(page.locator(".command-suggestion[aria-selected='true']")).to_contain_text("/clear")
    await composer.press("Escape")
    await expect(page.locator("#suggestions")).to_be_hidden()
    await composer.press_sequentially("sy")
    await composer.press("Tab")
    await expect(composer).to_have_value("/system ")
    await composer.press_sequentially("prompt: Be brief: two words")
    await composer.press("Enter")

    used = await bot.event("INTERACTION_CREATE")
    await bot.answer(used, REPLY, {"content": "Set."})

    assert used["data"]["options"] == [{"name": "prompt", "type": 3, "value": "Be brief: two words"}]
    await expect(message(page, "Set.").locator(".reply-line")).to_contain_text("Ada used /system")
    await expect(composer).to_have_value("")


async def test_a_modal_is_filled_in_and_sent(bot: RawBot, page: Page) -> None:
    """A modal shows its present text, refuses what is too short, and sends what was written."""
    await bot.register(SYSTEM)
    prompt = {"type": 4, "custom_id": "prompt", "style": 2, "value": "Be kind.", "min_length": 5, "max_length": 100}
    rows = [{"type": 18, "label": "System prompt", "component": prompt}]
    await expect_commands(page, 1)
    await write(page, "/system")
    used = await bot.event("INTERACTION_CREATE")
    await bot.answer(used, MODAL, {"custom_id": "form", "title": "This session", "components": rows})
    dialog = page.locator("dialog.modal")
    field = dialog.get_by_label("System prompt")
    await expect(field).to_have_value("Be kind.")
    await expect(field).to_be_focused()
    await field.press("ControlOrMeta+a")
    await field.press_sequentially("Hm")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog).to_be_visible()
    await field.fill("Be brief.")
    await dialog.get_by_role("button", name="Submit").click()

    sent = await bot.event("INTERACTION_CREATE")
    await bot.answer(sent, REPLY, {"content": "Saved.", "flags": 64})

    assert sent["data"]["custom_id"] == "form"
    assert sent["data"]["components"][0]["component"]["value"] == "Be brief."
    await expect(dialog).to_have_count(0)
    await message(page, "Saved.").get_by_role("button", name="Dismiss").click()
    await expect(message(page, "Saved.")).to_have_count(0)


async def test_a_button_is_pressed_and_its_message_changes(bot: RawBot, page: Page) -> None:
    """A press reaches the bot with its id; the answer changes the message in place."""
    row = {"type": 1, "components": [{"type": 2, "style": 4, "label": "Stop", "custom_id": "lg:stop:1"}]}
    await bot.send(GENERAL_ID, content="Working", components=[row])
    await page.locator("[data-custom-id='lg:stop:1']").click()

    pressed = await bot.event("INTERACTION_CREATE")
    await bot.answer(pressed, UPDATE, {"content": "Stopped", "components": []})

    assert pressed["data"]["custom_id"] == "lg:stop:1"
    await expect(page.locator(".message-content")).to_contain_text("Stopped")
    await expect(page.locator("[data-custom-id]")).to_have_count(0)


async def test_an_unanswered_command_says_so(browser: Browser) -> None:
    """When the bot stays silent past the deadline, the person is told, and can put the note away."""
    async with Playground(rules=Rules(first_answer_seconds=0.1)) as playground, RawBot(playground) as silent:
        await silent.register(CLEAR)
        page = await open_page(browser, playground, ADA_ID)
        await write(page, "/clear")

        note = message(page, "The application did not respond")
        await expect(note).to_be_visible()
        await note.get_by_role("button", name="Dismiss").click()
        await expect(note).to_have_count(0)
        await page.context.close()


async def test_a_deferred_answer_thinks_first(bot: RawBot, page: Page) -> None:
    """Between deferral and answer the page says that the bot is thinking; then the answer stands there."""
    await bot.register(CLEAR)
    await expect_commands(page, 1)
    await write(page, "/clear")
    used = await bot.event("INTERACTION_CREATE")
    await bot.answer(used, DEFER)
    await expect(page.locator(".message")).to_have_count(1)
    await expect(page.locator(".message-content")).to_have_text("LLMgine is thinking…")

    await bot.call("PATCH", f"/webhooks/{BOT_ID}/{used['token']}/messages/@original", {"content": "Forgotten."})

    await expect(page.locator(".message")).to_have_count(1)
    await expect(page.locator(".message-content")).to_have_text("Forgotten.")


async def test_a_message_command_is_used_from_the_menu(bot: RawBot, page: Page) -> None:
    """The menu of a message offers the bot's message commands under Apps; the bot hears which message is meant."""
    await bot.register({"name": "Explain this", "type": 3})
    target = await bot.send(GENERAL_ID, content="E = mc²")
    await message(page, "E = mc²").hover()
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Apps").press("ArrowRight")
    await page.get_by_role("menuitem", name="Explain this").press("Enter")

    used = await bot.event("INTERACTION_CREATE")
    await bot.answer(used, REPLY, {"content": "Energy is mass."})

    assert used["data"]["target_id"] == target
    await expect(message(page, "Energy is mass.")).to_be_visible()
    await expect(page.locator(".menu")).to_have_count(0)
