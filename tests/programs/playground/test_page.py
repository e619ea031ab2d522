"""The page in a real Chromium, against the real playground."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, async_playwright, expect

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, RANDOM_ID
from programs.playground.forms import ThreadChanges
from programs.playground.rules import Rules
from programs.playground.server import Playground
from tests.programs.playground.raw_bot import RawBot

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
REPLY, DEFER, UPDATE, MODAL = 4, 5, 7, 9

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"there is no Chromium at {CHROMIUM}"),
]

SYSTEM = {
    "name": "system",
    "description": "Show or set the system prompt",
    "options": [{"type": 3, "name": "prompt", "description": "The new prompt"}],
}
CLEAR = {"name": "clear", "description": "Forget the conversation"}

HOSTILE = [
    "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>",
    "[click](javascript:window.pwned=1) [data](data:text/html,x) <javascript:window.pwned=1>",
    "![i](https://evil.test/a.png) [`x`](https://evil.test/'onmouseover=alert(1)) https://evil.test/b.png",
    "```html\n</code></pre><script>window.pwned = 1</script>\n```",
    "```constructor\n__proto__\n``` ```__proto__\nx\n```",
    "<@1><@!99999999999999999999><#0><t:999999999999:R><t:-1:F></a:1> <:x:1> </x:1>",
    "**_" * 300 + "||~~" * 100 + "`" * 7 + "[" * 40 + "> " * 20 + "\n- " * 20,
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def playground() -> AsyncIterator[Playground]:
    async with Playground(rules=Rules(first_answer_seconds=0.3)) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def bot(playground: Playground) -> AsyncIterator[RawBot]:
    async with RawBot(playground) as connected:
        yield connected


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, playground: Playground) -> AsyncIterator[Page]:
    opened = await open_page(browser, playground, ADA_ID)
    yield opened
    await opened.context.close()


async def open_page(
    browser: Browser, playground: Playground, person: int, *, channel: int = GENERAL_ID, width: int = 1200
) -> Page:
    """The page as `person` sees it, read and connected."""
    context = await browser.new_context(viewport={"width": width, "height": 700})
    page = await context.new_page()
    async with page.expect_websocket() as connection:
        await page.goto(f"{playground.url}/?as={person}&channel={channel}")
    await connection.value
    await expect(page.locator(f"[data-channel-id='{channel}'][aria-current]")).to_be_attached()
    await expect(page.locator(".welcome h2, .message").first).to_be_visible()
    return page


def message(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.locator(".message", has=page.locator(".message-content", has_text=text))


async def write(page: Page, text: str) -> None:
    await page.locator("#composer").fill(text)
    await page.locator("#composer").press("Enter")


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

    await expect(page.locator(".toast")).to_contain_text("2000")
    await expect(page.locator("#composer")).to_have_value("x" * 2001)
    await expect(page.locator(".message")).to_have_count(0)


async def test_markdown_is_drawn_as_discord_draws_it(bot: RawBot, page: Page) -> None:
    """Each mark becomes the element it stands for, and nothing else does."""
    await bot.send(
        GENERAL_ID,
        content="# Title\n**bold** *it* __under__ ~~gone~~ ||secret|| `code` snake_case_name 2 * 3 * 4\n"
        "- one\n  - inner\n- two\n> quote\n```python\ndef f(): return None  # why\n```\n"
        f"<@{ADA_ID}> <#{RANDOM_ID}> https://a.test/x_y_z.\n-# small",
    )

    content = page.locator(".message-content")
    for selector, text in {
        ".heading-1": "Title", "strong": "bold", "em": "it", "u": "under", "s": "gone", ".spoiler": "secret",
        "p > code": "code", "ul ul li": "inner", "blockquote": "quote", ".code-language": "python",
        ".code-comment": "# why", ".small-print": "small", "a": "https://a.test/x_y_z", "button.mention": "#random",
    }.items():  # fmt: skip
        await expect(content.locator(selector)).to_have_text(text)
    await expect(content.locator("span.mention")).to_have_text("@Ada")
    await expect(page.locator(".message.mentions-me")).to_have_count(1)


async def test_hostile_text_runs_nothing_and_loads_nothing(browser: Browser, playground: Playground) -> None:
    """Text from people, the model or a tool is text: no script, no dialog, no request, no script address."""
    page = await open_page(browser, playground, ADA_ID)
    foreign: list[str] = []
    dialogs: list[str] = []

    async def refuse(route: Route) -> None:
        foreign.append(route.request.url)
        await route.abort()

    await page.route(lambda url: not url.startswith(playground.url), refuse)
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    async with RawBot(playground) as bot:
        for text in HOSTILE[:5]:
            fields = [{"name": text[:256], "value": text, "inline": True}]
            embed = {"title": text[:256], "description": text, "fields": fields, "footer": {"text": text}}
            await bot.send(GENERAL_ID, content=text, embeds=[embed | {"image": {"url": "https://evil.test/c.png"}}])
        for text in HOSTILE[5:]:
            playground.people.send(GENERAL_ID, GRACE_ID, text)

    await expect(page.locator(".message")).to_have_count(len(HOSTILE))
    await expect(page.locator("#messages script, #messages img, #messages iframe, #messages style")).to_have_count(0)
    await expect(page.locator("a[href]:not([href^='http']):not(.skip-link)")).to_have_count(0)
    assert await page.evaluate("window.pwned") is None
    assert foreign == []
    assert dialogs == []
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


async def expect_commands(page: Page, count: int) -> None:
    """Wait until the page knows that many commands."""
    await page.locator("#composer").press_sequentially("/")
    await expect(page.locator(".command-suggestion")).to_have_count(count)
    await page.locator("#composer").press("Backspace")


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


async def test_an_unanswered_command_says_so(bot: RawBot, page: Page) -> None:
    """When the bot stays silent past the deadline, the person is told, and can put the note away."""
    await bot.register(CLEAR)
    await expect_commands(page, 1)
    await write(page, "/clear")

    note = message(page, "The application did not respond")
    await expect(note).to_be_visible()
    await note.get_by_role("button", name="Dismiss").click()
    await expect(note).to_have_count(0)


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


async def test_an_empty_channel_offers_prompts(browser: Browser, playground: Playground) -> None:
    """A click on an example sends it, with the mention that makes the bot answer."""
    page = await open_page(browser, playground, ADA_ID, channel=RANDOM_ID)

    await page.get_by_role("button", name="What's the weather like in San Francisco?").click()

    await expect(page.locator(".message-content")).to_have_text("@LLMgine What's the weather like in San Francisco?")
    await expect(page.locator("#welcome")).to_be_hidden()
    await page.context.close()


async def test_files_are_attached(playground: Playground, page: Page) -> None:
    """A chosen file travels with the message and is shown as a card."""
    await page.get_by_label("Files to attach").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"}
    )
    await expect(page.locator(".tray")).to_contain_text("notes.txt")
    await write(page, "See this")

    await expect(page.locator(".attachment-file")).to_contain_text("notes.txt5 bytes")
    await expect(page.locator(".tray")).to_be_hidden()


async def test_threads_stand_under_their_channel(playground: Playground, page: Page) -> None:
    """A thread made on a message opens at once; archived, it moves into the folded list."""
    await write(page, "Let us plan")
    await message(page, "Let us plan").hover()
    await page.get_by_role("button", name="Create thread").last.click()
    await page.locator("dialog.modal").get_by_role("button", name="Create").click()
    await expect(page.locator("#header h2")).to_have_text("Let us plan")
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

    await expect(page.locator("#header h2")).to_have_text("random")
    await expect(link).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") == 380
    await page.context.close()


async def test_the_bots_requests_are_listed(bot: RawBot, page: Page) -> None:
    """The side panel shows each REST call of the bot as it happens."""
    await page.get_by_role("button", name="Requests of the bot").click()

    await bot.send(GENERAL_ID, content="hello")

    await expect(page.locator(".request").first).to_contain_text("/channels/{channel_id}/messages")
    await expect(page.locator(".request").first.locator(".method")).to_have_text("POST")
