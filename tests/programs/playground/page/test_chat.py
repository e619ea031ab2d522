"""Writing, editing, answering and reading messages in the page."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, Route, expect

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, RANDOM_ID
from programs.playground.server import Playground
from tests.programs.playground.page.driver import message, open_page, write
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_message_sent_is_shown_once_to_everyone(browser: Browser, playground: Playground, page: Page) -> None:
    """What one person writes appears once on both pages, under the writer's name."""
    other = await open_page(browser, playground, GRACE_ID)

    await write(page, "Hello **world**")

    for seen in (page, other):
        await expect(seen.locator(".message")).to_have_count(1)
        await expect(seen.locator(".message .author-name")).to_have_text("Ada")
        await expect(seen.locator(".message-content strong")).to_have_text("world")
    await expect(page.locator("#composer")).to_have_value("")
    await other.context.close()


async def test_a_refusal_is_told_and_keeps_the_text(page: Page) -> None:
    """A message too long for Discord is not sent; the page says why and the person keeps the words."""
    await write(page, "x" * 2001)

    await expect(page.locator(".toast")).to_contain_text("at most 2000 characters: this one is 1 too long")
    await expect(page.locator("#composer")).to_have_value("x" * 2001)
    await expect(page.locator(".message")).to_have_count(0)


async def test_what_is_too_long_is_said_before_it_is_sent(playground: Playground, page: Page) -> None:
    """The characters left are counted as Discord counts them: whole ones, and a mention by the id it is sent as."""
    box, send = page.locator("#composer"), page.get_by_role("button", name="Send", exact=True)
    await box.fill("x" * 1800)
    await expect(page.locator(".counter")).to_have_text("")
    await box.fill("🙂" * 1990)
    await expect(page.locator(".counter")).to_have_text("10")
    await box.fill("🙂" * 1980 + " @Ada")
    await expect(page.locator(".counter")).to_have_text("-2")
    await expect(page.locator(".limit")).to_have_text("A message has at most 2000 characters: this one is 2 too long.")
    await expect(send).to_be_disabled()

    await box.fill("🙂" * 1978 + " @Ada")
    await send.click()

    sent = await playground.wait_for(lambda state: list(state.channels[GENERAL_ID].messages.values()))
    assert len(sent[0].content) == 2000
    await expect(page.locator(".limit")).to_be_hidden()


async def test_a_mention_is_completed_and_sent_as_an_id(playground: Playground, page: Page) -> None:
    """A name chosen after @ is shown as a name and sent as the id that makes it a mention."""
    await page.locator("#composer").press_sequentially("@ll")
    await page.locator("#composer").press("Tab")
    await expect(page.locator("#composer")).to_have_value("@LLMgine ")
    await page.locator("#composer").press_sequentially("hi")
    await page.locator("#composer").press("Enter")

    await expect(page.locator(".message .mention")).to_have_text("@LLMgine")
    sent = list(playground.state.channels[GENERAL_ID].messages.values())
    assert [one.content for one in sent] == [f"<@{BOT_ID}> hi"]


async def test_one_edits_the_last_own_message_with_the_up_key(page: Page) -> None:
    """Up in an empty box opens the last own message in its place; Enter saves it."""
    await write(page, "Helo")
    await expect(message(page, "Helo")).to_be_visible()
    await page.locator("#composer").press("ArrowUp")
    field = page.get_by_label("Edit the message")
    await expect(field).to_be_focused()
    await field.fill("Hello")
    await field.press("Enter")

    await expect(page.locator(".message-content")).to_have_text("Hello (edited)")
    await expect(page.locator("#composer")).to_be_focused()


async def test_a_reply_shows_what_it_answers(playground: Playground, page: Page) -> None:
    """A reply carries a preview of the message it answers."""
    playground.people.send(GENERAL_ID, GRACE_ID, "Where **is** it?")
    await message(page, "Where is it?").hover()
    await page.get_by_role("button", name="Reply").click()
    await expect(page.locator(".reply-bar")).to_contain_text("Grace")
    await write(page, "Here.")

    await expect(message(page, "Here.").locator(".reply-line")).to_have_text("GGraceWhere is it?")
    await expect(page.locator(".reply-bar")).to_be_hidden()


async def test_files_are_attached(playground: Playground, page: Page) -> None:
    """A chosen file travels with the message and is shown as a card."""
    await page.get_by_label("Files to attach").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"}
    )
    await expect(page.locator(".tray")).to_contain_text("notes.txt")
    await write(page, "See this")

    await expect(page.locator(".attachment-file")).to_contain_text("notes.txt5 bytes")
    await expect(page.locator(".tray")).to_be_hidden()


async def test_an_empty_channel_offers_prompts(browser: Browser, playground: Playground) -> None:
    """A click on an example sends it, with the mention that makes the bot answer."""
    page = await open_page(browser, playground, ADA_ID, channel=RANDOM_ID)

    await page.get_by_role("button", name="What's the weather like in San Francisco?").click()

    await expect(page.locator(".message-content")).to_have_text("@LLMgine What's the weather like in San Francisco?")
    await expect(page.locator("#welcome")).to_be_hidden()
    await page.context.close()


async def test_an_edit_redraws_only_its_message(bot: RawBot, page: Page) -> None:
    """While an answer streams, the other messages stay the very elements they were."""
    await bot.send(GENERAL_ID, content="stays")
    streamed = await bot.send(GENERAL_ID, content="The ans")
    await expect(message(page, "The ans")).to_be_visible()
    kept = await message(page, "stays").element_handle()

    await bot.call("PATCH", f"/channels/{GENERAL_ID}/messages/{streamed}", {"content": "The answer is 42"})

    await expect(page.locator(f"[data-message-id='{streamed}'] .message-content")).to_have_text(
        "The answer is 42 (edited)"
    )
    assert kept is not None
    assert await kept.evaluate("element => element.isConnected")


async def test_reading_further_up_is_not_disturbed(playground: Playground, page: Page) -> None:
    """A new message does not move who reads history; a button leads down to it."""
    for number in range(60):
        playground.people.send(GENERAL_ID, GRACE_ID, f"line {number}\n" * 2)
    await expect(message(page, "line 59")).to_be_in_viewport()
    await message(page, "line 30").scroll_into_view_if_needed()
    await page.locator("#scroller").hover()
    await page.mouse.wheel(0, -300)
    await expect(message(page, "line 59")).not_to_be_in_viewport()
    before = await page.locator("#scroller").evaluate("element => element.scrollTop")

    playground.people.send(GENERAL_ID, GRACE_ID, "something new")

    await expect(page.locator("#jump")).to_be_visible()
    assert await page.locator("#scroller").evaluate("element => element.scrollTop") == pytest.approx(before, abs=2)
    await page.locator("#jump").click()
    await expect(message(page, "something new")).to_be_in_viewport()


async def test_older_messages_come_as_one_scrolls_up(browser: Browser, playground: Playground) -> None:
    """History is read page by page until the first message."""
    for number in range(120):
        playground.people.send(GENERAL_ID, GRACE_ID, f"line {number}.")
    page = await open_page(browser, playground, ADA_ID)
    await expect(page.locator(".message")).to_have_count(50)

    for expected in (100, 120):
        await page.locator("#scroller").evaluate("element => { element.scrollTop = 0 }")
        await expect(page.locator(".message")).to_have_count(expected)

    await expect(page.locator(".message").first).to_contain_text("line 0.")
    await page.context.close()


async def test_an_edit_further_up_than_what_is_read_does_not_show(browser: Browser, playground: Playground) -> None:
    """An old message that changes does not appear out of its place, beside a gap."""
    first = playground.people.send(GENERAL_ID, GRACE_ID, "the first")
    for number in range(60):
        playground.people.send(GENERAL_ID, GRACE_ID, f"line {number}.")
    page = await open_page(browser, playground, ADA_ID)
    await expect(page.locator(".message")).to_have_count(50)

    playground.people.edit(GENERAL_ID, first.id, GRACE_ID, "changed")
    playground.people.send(GENERAL_ID, GRACE_ID, "the last")

    await expect(message(page, "the last")).to_be_visible()
    await expect(message(page, "changed")).to_have_count(0)
    await page.context.close()


async def test_events_during_a_reading_count(browser: Browser, playground: Playground) -> None:
    """What changes while a page of history is under way shows as it is now, except further up than that page."""
    sent = [playground.people.send(RANDOM_ID, GRACE_ID, f"line {number}.") for number in range(60)]
    page = await open_page(browser, playground, ADA_ID)
    read, go_on = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        read.set()
        await go_on.wait()
        await route.fulfill(response=answer)

    await page.route(re.compile(r"/messages"), late)
    await page.locator(f"[data-channel-id='{RANDOM_ID}']").click()
    await read.wait()
    playground.people.edit(RANDOM_ID, sent[0].id, GRACE_ID, "changed far up")
    playground.people.edit(RANDOM_ID, sent[40].id, GRACE_ID, "changed nearby")
    playground.people.delete(RANDOM_ID, sent[41].id, GRACE_ID)
    playground.people.send(RANDOM_ID, GRACE_ID, "brand new")
    playground.people.send(GENERAL_ID, GRACE_ID, "events have come")
    await expect(page.locator(f".unread[data-channel-id='{GENERAL_ID}']")).to_be_visible()
    go_on.set()

    await expect(message(page, "brand new")).to_be_visible()
    await expect(message(page, "changed nearby")).to_have_count(1)
    await expect(message(page, "changed far up")).to_have_count(0)
    await expect(message(page, "line 41.")).to_have_count(0)
    await expect(page.locator(".message")).to_have_count(50)
    await page.context.close()


async def test_a_reaction_is_given_and_taken_back(playground: Playground, page: Page) -> None:
    """A reaction chosen from the bar counts once, is marked as one's own, and goes with a second press."""
    playground.people.send(GENERAL_ID, GRACE_ID, "Done!")
    await message(page, "Done!").hover()
    await page.get_by_role("button", name="Add reaction").click()
    await page.get_by_role("menuitem", name="🎉").click()
    reaction = page.locator(".reaction.mine")
    await expect(reaction).to_have_text("🎉 1")

    await reaction.click()

    await expect(page.locator(".reaction")).to_have_count(0)


async def test_what_one_does_with_a_message_is_done_with_its_latest_text(playground: Playground, page: Page) -> None:
    """An edit while the pointer is on it, or while its menu is open, is seen by all that is chosen there."""
    one = playground.people.send(GENERAL_ID, ADA_ID, "first words")
    await message(page, "first words").hover()
    playground.people.edit(GENERAL_ID, one.id, ADA_ID, "second words")
    await expect(message(page, "second words")).to_be_visible()
    await page.get_by_role("toolbar").get_by_role("button", name="Edit").click()
    await expect(page.locator(".message textarea")).to_have_value("second words")
    await page.keyboard.press("Escape")

    await message(page, "second words").click(button="right")
    playground.people.edit(GENERAL_ID, one.id, ADA_ID, "third words")
    await expect(message(page, "third words")).to_be_visible()
    await page.get_by_role("menuitem", name="Delete message").click()

    await expect(page.locator("dialog")).to_contain_text("third words")


async def test_a_message_that_is_gone_is_said_to_be(playground: Playground, page: Page) -> None:
    """What is chosen in the menu of a message that was deleted meanwhile does nothing else."""
    one = playground.people.send(GENERAL_ID, ADA_ID, "short-lived")
    await message(page, "short-lived").click(button="right")
    playground.people.delete(GENERAL_ID, one.id, ADA_ID)
    await expect(message(page, "short-lived")).to_have_count(0)

    await page.get_by_role("menuitem", name="Reply").click()

    await expect(page.locator(".toast")).to_contain_text("This message was deleted.")
    await expect(page.locator(".reply-bar")).to_be_hidden()


@pytest.mark.parametrize("padding", [0, 284])
async def test_dialogs_name_who_is_mentioned(playground: Playground, page: Page, padding: int) -> None:
    """Ids are for programs: also where a preview ends within a mention, none is shown."""
    playground.people.send(GENERAL_ID, ADA_ID, f"Ask <@{GRACE_ID}> {'x' * padding} <@{GRACE_ID}>, <#{GENERAL_ID}>")
    await message(page, "Ask").click(button="right")

    await page.get_by_role("menuitem", name="Delete message").click()

    await expect(page.locator("dialog p").first).to_contain_text("Ask @Grace")
    assert "<" not in await page.locator("dialog").inner_text()
    await page.keyboard.press("Escape")
    await message(page, "Ask").click(button="right")
    await page.get_by_role("menuitem", name="Create thread").click()
    assert "<" not in await page.locator("dialog input").input_value()
