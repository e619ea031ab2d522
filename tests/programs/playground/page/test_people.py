"""Who one is on the page, and what one does with people: switching, direct messages, their menus."""

import pytest
from playwright.async_api import Browser, Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID
from programs.playground.server import Playground
from tests.programs.playground.page.driver import message, open_page, write
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")

REPLY = 4
EPHEMERAL = 1 << 6


async def test_one_switches_between_all_people(browser: Browser) -> None:
    """Everybody who is here can be chosen; what one writes then is theirs, and the channel stays open."""
    async with Playground(people=["Linus", "Margaret"]) as playground:
        page = await open_page(browser, playground, ADA_ID)
        await page.locator("#user-switch").click()
        await expect(page.get_by_role("menuitem")).to_have_text(
            ["Switch to Grace", "Switch to Linus", "Switch to Margaret"]
        )
        await page.get_by_role("menuitem", name="Switch to Margaret").click()
        await expect(page.locator("#user-switch")).to_contain_text("Margaret")
        await write(page, "It is me")

        await expect(page.locator(".message .author-name")).to_have_text("Margaret")
        await expect(page.locator(f"[data-channel-id='{GENERAL_ID}']")).to_have_attribute("aria-current", "page")
        await page.context.close()


async def test_people_come_and_go(playground: Playground, page: Page) -> None:
    """Who joins can be switched to without a reload, and who leaves cannot."""
    playground.admin.join("Linus")
    playground.admin.leave(GRACE_ID)
    playground.people.send(GENERAL_ID, ADA_ID, "Who is here?")
    await expect(message(page, "Who is here?")).to_be_visible()
    await page.locator("#user-switch").click()

    await expect(page.get_by_role("menuitem")).to_have_text(["Switch to Linus"])


async def test_a_direct_message_is_between_one_person_and_the_bot(
    browser: Browser, playground: Playground, bot: RawBot, page: Page
) -> None:
    """A conversation with the bot alone opens at first use; nobody else has it in their list."""
    other = await open_page(browser, playground, GRACE_ID)
    await page.locator("#sidebar").get_by_role("button", name="LLMgine").click()
    await expect(page.locator("#welcome")).to_contain_text("Here you talk with LLMgine alone")
    await write(page, "Between us")
    asked = await bot.event("MESSAGE_CREATE")
    await bot.send(int(asked["channel_id"]), content="Of course")

    await expect(message(page, "Of course")).to_be_visible()
    assert "guild_id" not in asked
    await expect(page.locator("#composer")).to_have_attribute("placeholder", "Message @LLMgine")
    await expect(other.locator(f"[data-channel-id='{asked['channel_id']}']")).to_have_count(0)
    await other.context.close()


async def test_a_person_has_a_menu_with_the_bots_commands(bot: RawBot, page: Page) -> None:
    """A name opens the person's menu; a user command of the bot hears whom it is about."""
    await bot.register({"name": "Greet", "type": 2})
    await bot.send(GENERAL_ID, content="I am here")
    await message(page, "I am here").get_by_role("button", name="LLMgine").click()
    await page.get_by_role("menuitem", name="Mention LLMgine").click()
    await expect(page.locator("#composer")).to_have_value("@LLMgine ")
    await message(page, "I am here").locator(".avatar").click(button="right")
    await page.get_by_role("menuitem", name="Apps").click()
    await page.get_by_role("menuitem", name="Greet").click()

    used = await bot.event("INTERACTION_CREATE")
    await bot.answer(used, REPLY, {"content": "Hello, me"})

    assert list(used["data"]["resolved"]["users"]) == [used["data"]["target_id"]]
    await expect(message(page, "Hello, me")).to_be_visible()


async def test_an_ephemeral_answer_is_seen_by_one_alone(
    browser: Browser, playground: Playground, bot: RawBot, page: Page
) -> None:
    """What only one may see says so, and is on no other page."""
    other = await open_page(browser, playground, GRACE_ID)
    await bot.register({"name": "secret", "description": "Tell a secret"})
    await page.locator("#composer").press_sequentially("/secret")
    await expect(page.locator(".command-suggestion")).to_have_count(1)
    await page.locator("#composer").press("Enter")
    used = await bot.event("INTERACTION_CREATE")
    await bot.answer(used, REPLY, {"content": "The cake is a lie", "flags": EPHEMERAL})
    await bot.send(GENERAL_ID, content="Something public")

    await expect(message(page, "The cake is a lie")).to_contain_text("Only you can see this")
    await expect(message(other, "Something public")).to_be_visible()
    await expect(message(other, "The cake is a lie")).to_have_count(0)
    await other.context.close()


async def test_typing_is_shown_until_the_message_comes(playground: Playground, bot: RawBot, page: Page) -> None:
    """The line under the box names who types, and forgets each whose message is there."""
    playground.people.typing(GENERAL_ID, GRACE_ID)
    await bot.call("POST", f"/channels/{GENERAL_ID}/typing")
    await expect(page.locator("#typing")).to_contain_text("Grace and LLMgine are typing…")

    playground.people.send(GENERAL_ID, GRACE_ID, "Here")

    await expect(page.locator("#typing")).to_contain_text("LLMgine is typing…")


async def test_typing_of_the_person_reaches_the_bot(bot: RawBot, page: Page) -> None:
    """The bot, and so everybody, hears that somebody writes."""
    await page.locator("#composer").press_sequentially("He")

    await expect(page.locator("#composer")).to_have_value("He")
    assert (await bot.event("TYPING_START"))["user_id"] == str(ADA_ID)
