"""The page without a mouse."""

import pytest
from playwright.async_api import Browser, Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID, RANDOM_ID
from programs.playground.server import Playground
from tests.programs.playground.page.driver import message, open_page
from tests.programs.playground.page.raw_bot import RawBot
from tests.programs.playground.page.scene import COLOURS, row

pytestmark = pytest.mark.asyncio(loop_scope="package")

REPLY, UPDATE, MODAL = 4, 7, 9
MOST_STOPS = 80


async def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until the focus is on an element of that kind."""
    for _ in range(MOST_STOPS):
        await page.keyboard.press(key)
        if await page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
    pytest.fail(f"{selector} cannot be reached with {key}")


async def test_a_whole_conversation_by_keyboard(bot: RawBot, page: Page) -> None:
    """Write, press the answer's button, fill in its form, reply, react, and go to another channel: keys alone."""
    await page.keyboard.type("Hello, @LL")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    asked = await bot.event("MESSAGE_CREATE")
    button = {"type": 2, "style": 1, "label": "Tell more", "custom_id": "more"}
    await bot.send(
        GENERAL_ID, content="What is it?", components=[row(button)], message_reference={"message_id": asked["id"]}
    )
    await expect(message(page, "What is it?")).to_be_visible()

    await tab_to(page, "[data-custom-id='more']", "Shift+Tab")
    await page.keyboard.press("Enter")
    pressed = await bot.event("INTERACTION_CREATE")
    field = {"type": 4, "custom_id": "text", "style": 1, "label": "More"}
    await bot.answer(pressed, MODAL, {"custom_id": "form", "title": "Tell me", "components": [row(field)]})
    await expect(page.locator("dialog").get_by_label("More")).to_be_focused()
    await page.keyboard.type("A question")
    await page.keyboard.press("Enter")
    sent = await bot.event("INTERACTION_CREATE")
    await bot.answer(sent, REPLY, {"content": "Noted: 42"})
    await expect(message(page, "Noted: 42")).to_be_visible()
    await expect(page.locator("[data-custom-id='more']")).to_be_focused()

    await tab_to(page, ".message")
    await page.keyboard.press("End")
    await expect(message(page, "Noted: 42")).to_be_focused()
    await page.keyboard.press("Shift+F10")
    await page.keyboard.press("r")
    await page.keyboard.press("Enter")
    await expect(page.locator(".reply-bar")).to_contain_text("LLMgine")
    await page.keyboard.type("Thank you")
    await page.keyboard.press("Enter")
    await expect(message(page, "Thank you").locator(".reply-line")).to_contain_text("Noted: 42")

    await tab_to(page, ".message", "Shift+Tab")
    await tab_to(page, ".toolbar [aria-label='Add reaction']")
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(page.locator(".reaction.mine")).to_have_text("👎 1")

    await tab_to(page, f"[data-channel-id='{RANDOM_ID}']", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#header h1")).to_have_text("random")
    await expect(page.locator("#composer")).to_be_focused()


async def test_a_select_sends_nothing_until_one_is_chosen(bot: RawBot, page: Page) -> None:
    """The arrow keys walk through a select's choices; only Enter sends one, and Escape leaves without any."""
    select = {"type": 3, "custom_id": "colour", "placeholder": "Colour", "options": COLOURS}
    await bot.send(GENERAL_ID, components=[row(select)])
    choose = page.get_by_role("button", name="Colour")
    await choose.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Escape")
    await expect(choose).to_be_focused()
    await choose.press("Enter")
    await page.keyboard.press("b")
    await page.keyboard.press("Enter")

    used = await bot.event("INTERACTION_CREATE")
    await bot.answer(used, UPDATE, {"content": "Blue it is", "components": []})

    assert used["data"]["values"] == ["blue"]
    await expect(message(page, "Blue it is")).to_be_visible()


async def test_the_panel_takes_and_gives_back_the_focus(page: Page) -> None:
    """Opened by key, the list of requests has the focus; Escape closes it and leads back to its button."""
    button = page.get_by_role("button", name="Requests of the bot")
    await button.press("Enter")
    await expect(page.locator("#requests").get_by_role("button", name="Close")).to_be_focused()
    await page.keyboard.press("Escape")

    await expect(page.locator("#requests")).to_be_hidden()
    await expect(button).to_be_focused()


async def test_a_state_that_changes_leaves_the_focus_where_it_is(playground: Playground, page: Page) -> None:
    """The header is drawn anew when the bot comes online; who stands on one of its buttons stays there."""
    button = page.get_by_role("button", name="Light or dark")
    await button.focus()
    async with RawBot(playground):
        await expect(page.locator(".status")).to_contain_text("online")

        await expect(button).to_be_focused()


async def test_the_drawer_is_closed_to_the_focus_and_leads_back(browser: Browser, playground: Playground) -> None:
    """On a narrow screen the open drawer holds the focus, and Escape gives it back to its button."""
    page = await open_page(browser, playground, ADA_ID, width=380)
    await page.get_by_role("button", name="Show the channels").press("Enter")
    await expect(page.locator(f"[data-channel-id='{GENERAL_ID}']")).to_be_focused()
    await tab_to(page, "#user-switch")
    await page.keyboard.press("Tab")
    assert not await page.evaluate("document.querySelector('#main').contains(document.activeElement)")
    await page.keyboard.press("Escape")

    await expect(page.get_by_role("button", name="Show the channels")).to_be_focused()
    await page.context.close()
