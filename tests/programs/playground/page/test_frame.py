"""What surrounds the messages: threads, the drawer, the connection, the list of requests."""

import pytest
from playwright.async_api import Browser, Page, expect

from programs.playground.entities import (
    ADA_ID,
    GENERAL_ID,
    GRACE_ID,
    MEMBERS_ROLE_ID,
    RANDOM_ID,
    ChannelType,
    Permission,
)
from programs.playground.forms import ThreadChanges
from programs.playground.server import Playground
from tests.programs.playground.page.driver import message, open_page, write
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_threads_stand_under_their_channel(playground: Playground, page: Page) -> None:
    """A thread made on a message opens at once; archived, it moves into the folded list."""
    await write(page, "Let us plan")
    await message(page, "Let us plan").hover()
    await page.get_by_role("button", name="Create thread").last.click()
    await page.locator("dialog.modal").get_by_role("button", name="Create").click()
    await expect(page.locator("#header h1")).to_have_text("Let us plan")
    thread = next(channel for channel in playground.state.channels.values() if channel.thread)
    link = page.locator(f"[data-channel-id='{thread.id}']")
    await expect(link).to_have_attribute("aria-current", "page")
    await page.locator(f"[data-channel-id='{GENERAL_ID}']").click()

    playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True))

    await expect(page.locator(".archived summary")).to_have_text("Archived (1)")
    await expect(link).to_be_hidden()


async def test_the_page_comes_back_after_a_restart(playground: Playground, page: Page) -> None:
    """A lost connection is said, made anew, and what was missed is there."""
    await expect(page.locator(".status")).to_contain_text("offline")
    await playground.stop()
    await expect(page.locator(".status")).to_have_text("Reconnecting…")
    playground.people.send(GENERAL_ID, GRACE_ID, "while you were away")
    await playground.start()

    await expect(message(page, "while you were away")).to_be_visible()
    await expect(page.locator(".status")).to_contain_text("offline")


async def test_on_a_narrow_screen_the_channels_are_a_drawer(browser: Browser, playground: Playground) -> None:
    """Nothing is wider than a telephone; the channels slide in and go once one is chosen."""
    playground.people.send(GENERAL_ID, GRACE_ID, "unbroken" * 60 + "\n```\n" + "wide " * 60 + "\n```")
    page = await open_page(browser, playground, ADA_ID, width=380)
    link = page.locator(f"[data-channel-id='{RANDOM_ID}']")
    await expect(link).to_be_hidden()

    await page.get_by_role("button", name="Show the channels").click()
    await expect(link).to_be_visible()
    await link.click()

    await expect(page.locator("#header h1")).to_have_text("random")
    await expect(link).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") == 380
    await page.context.close()


async def test_the_bots_requests_are_listed(bot: RawBot, page: Page) -> None:
    """The side panel shows each REST call of the bot as it happens."""
    await page.get_by_role("button", name="Requests of the bot").click()

    await bot.send(GENERAL_ID, content="hello")

    await expect(page.locator(".request").first).to_contain_text("/channels/{channel_id}/messages")
    await expect(page.locator(".request").first.locator(".method")).to_have_text("POST")


@pytest.mark.parametrize("width", [380, 850, 1200])
async def test_the_list_of_requests_covers_nothing(browser: Browser, playground: Playground, width: int) -> None:
    """One can write while it is open, on a telephone too."""
    page = await open_page(browser, playground, ADA_ID, width=width)
    await page.locator("#requests-button").click()
    await expect(page.locator("#requests")).to_be_in_viewport(ratio=1)

    await page.locator("#composer").click(trial=True)
    await page.get_by_role("button", name="Attach files").click(trial=True)

    boxes = [await page.locator(name).bounding_box() for name in ("#main", "#requests")]
    main, requests = (box for box in boxes if box)
    assert main["x"] + main["width"] <= requests["x"] or main["y"] + main["height"] <= requests["y"]
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    await page.context.close()


async def test_the_notice_can_be_closed(browser: Browser) -> None:
    """It stays closed in this browser, and another notice is shown."""
    async with Playground(notice="The demo model answers.") as playground:
        page = await open_page(browser, playground, ADA_ID, width=380)
        await expect(page.locator("#notice")).to_have_text("The demo model answers.")
        await page.get_by_role("button", name="Close the notice").click()
        await expect(page.locator("#notice")).to_be_hidden()
        await page.reload()
        await expect(page.locator("#composer")).to_be_enabled()
        await expect(page.locator("#notice")).to_be_hidden()

        await page.evaluate("localStorage.setItem('notice-closed', 'An earlier notice.')")
        await page.reload()

        await expect(page.locator("#notice")).to_have_text("The demo model answers.")
        await page.context.close()


async def test_a_message_leads_to_its_turns_trace(playground: Playground, page: Page) -> None:
    """What LLMgine posted names its turn and so its trace in the log page; other messages offer none."""
    async with RawBot(playground) as bot:
        await bot.send(GENERAL_ID, content="from a turn", nonce="0123456789abcdef1t0.0", enforce_nonce=True)
        await bot.send(GENERAL_ID, content="from elsewhere", nonce="42", enforce_nonce=True)
    offered = page.get_by_role("menuitem", name="Trace of this turn")

    await message(page, "from elsewhere").click(button="right")
    await expect(page.get_by_role("menuitem", name="Copy text")).to_be_visible()
    await expect(offered).to_have_count(0)
    await page.keyboard.press("Escape")
    await message(page, "from a turn").click(button="right")

    await expect(offered).to_be_visible()
    await page.keyboard.press("Escape")
    await page.locator("#requests-button").click()
    await expect(page.locator(".logs-note a")).to_have_attribute("href", "http://127.0.0.1:8701/")


async def test_an_archived_thread_is_found_and_reopened(playground: Playground, page: Page) -> None:
    """Archived threads lie folded under their channel; one opens from there, and its menu brings it back."""
    thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "Old plans")
    playground.people.send(thread.id, GRACE_ID, "What we planned")
    playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True))
    await page.get_by_text("Archived (1)").click()
    await page.locator(f"[data-channel-id='{thread.id}']").click()
    await expect(message(page, "What we planned")).to_be_visible()
    await page.get_by_role("button", name="Thread settings").click()
    await page.get_by_role("menuitem", name="Reopen thread").click()

    await expect(page.locator(".archived")).to_have_count(0)
    await expect(page.locator(f"[data-channel-id='{thread.id}']")).to_be_visible()


async def test_a_locked_thread_takes_no_words(browser: Browser, playground: Playground, page: Page) -> None:
    """The box of a locked thread says that it is locked, and is shut, but for those who manage threads."""
    members = playground.state.roles[MEMBERS_ROLE_ID]
    playground.admin.set_role(members.id, members.permissions & ~Permission.MANAGE_THREADS)
    thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "Closed matters")
    other = await open_page(browser, playground, GRACE_ID, channel=thread.id)
    await page.locator(f"[data-channel-id='{thread.id}']").click()
    await page.get_by_role("button", name="Thread settings").click()
    await page.get_by_role("menuitem", name="Lock thread").click()

    await expect(other.locator("#composer")).to_be_disabled()
    await expect(other.locator("#composer")).to_have_attribute("placeholder", "This thread is locked")
    await write(page, "One more thing")
    await expect(message(other, "One more thing")).to_be_visible()
    await other.context.close()


async def test_an_open_menu_outlives_an_answer_that_streams(bot: RawBot, page: Page) -> None:
    """A menu stays open while the messages scroll by themselves."""
    target = await bot.send(GENERAL_ID, content="The answer")
    await message(page, "The answer").click(button="right")
    menu = page.get_by_role("menu", name="Message")
    await expect(menu).to_be_visible()
    lines = "\n".join(f"line {number}" for number in range(100))
    await bot.call("PATCH", f"/channels/{GENERAL_ID}/messages/{target}", {"content": lines})
    await expect(page.locator(".message-content")).to_contain_text("line 99")
    await expect(page.locator(".edited")).to_be_in_viewport()

    await expect(menu).to_be_visible()


async def test_a_forum_lists_its_posts(playground: Playground, page: Page) -> None:
    """A forum has no box to write in but its posts, which open as threads."""
    forum = playground.admin.add_channel("questions", ChannelType.FORUM)
    playground.people.create_post(forum.id, GRACE_ID, "How do I begin?", "I read the first page.")
    await page.locator(f"[data-channel-id='{forum.id}']").click()
    await expect(page.locator("#composer")).to_be_disabled()
    await page.get_by_role("list", name="Posts").get_by_role("button", name="How do I begin?").click()

    await expect(page.locator("#header h1")).to_have_text("How do I begin?")
    await expect(message(page, "I read the first page.")).to_be_visible()


async def test_a_post_is_written_in_a_forum(browser: Browser, playground: Playground) -> None:
    """Title and text make a post, which opens at once; a page opened later has the forum too."""
    forum = playground.admin.add_channel("questions", ChannelType.FORUM)
    page = await open_page(browser, playground, ADA_ID, channel=forum.id)
    await page.locator("#welcome").get_by_role("button", name="New post").click()
    dialog = page.get_by_role("dialog", name="New post in questions")
    await dialog.get_by_label("Title").fill("How do I begin?")
    await dialog.get_by_label("Message").fill("I read the **first** page.")
    await dialog.get_by_role("button", name="Post").click()

    await expect(page.locator("#header h1")).to_have_text("How do I begin?")
    await expect(page.locator(".message-content strong")).to_have_text("first")
    await page.context.close()


async def test_earlier_requests_are_listed_at_once(browser: Browser, playground: Playground, bot: RawBot) -> None:
    """A page opened late shows what the bot asked before, and goes on from there."""
    await bot.call("GET", "/users/@me")
    page = await open_page(browser, playground, ADA_ID)
    await page.get_by_role("button", name="Requests of the bot").click()
    await expect(page.locator(".request")).to_have_count(1)
    await bot.send(GENERAL_ID, content="hello")

    await expect(page.locator(".request .method")).to_have_text(["POST", "GET"])
    await page.context.close()


async def test_a_deleted_channel_is_left(playground: Playground, page: Page) -> None:
    """Who stands in a channel that is deleted finds themselves in another."""
    channel = playground.admin.add_channel("brief")
    await page.locator(f"[data-channel-id='{channel.id}']").click()
    await expect(page.locator("#header h1")).to_have_text("brief")

    playground.admin.delete_channel(channel.id)

    await expect(page.locator("#header h1")).to_have_text("general")
    await expect(page.locator(f"[data-channel-id='{channel.id}']")).to_have_count(0)


async def test_a_message_is_pinned_and_found_again(playground: Playground, page: Page) -> None:
    """A message's menu pins it, a note says so, and the list of what is pinned leads to it; its menu unpins it."""
    playground.people.send(GENERAL_ID, GRACE_ID, "The **rules**")
    for number in range(40):
        playground.people.send(GENERAL_ID, ADA_ID, f"line {number}")
    await message(page, "The rules").click(button="right")
    await page.get_by_role("menuitem", name="Pin message").click()
    await expect(page.locator(".system")).to_contain_text("Ada pinned a message here.")
    await expect(message(page, "The rules")).not_to_be_in_viewport()

    await page.get_by_role("button", name="Pinned messages").click()
    await page.get_by_role("dialog", name="Pinned messages").get_by_role("button", name="The rules").click()

    await expect(message(page, "The rules")).to_be_in_viewport()
    await message(page, "The rules").click(button="right")
    await page.get_by_role("menuitem", name="Unpin message").click()
    await page.get_by_role("button", name="Pinned messages").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Nothing is pinned here.")
