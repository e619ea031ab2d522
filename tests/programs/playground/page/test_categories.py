"""Categories on the page: channels under their headings, folded and unfolded, made, filled and deleted."""

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from programs.playground.entities import (
    ADA_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    RANDOM_ID,
    TEXT_CHANNELS_ID,
    Channel,
    ChannelType,
    Permission,
)
from programs.playground.server import Playground
from tests.programs.playground.page.driver import open_page
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")


def heading(page: Page, category: int = TEXT_CHANNELS_ID) -> Locator:
    """The heading of a category, which folds it."""
    return page.locator(f"#category-{category}")


def link(page: Page, channel: int) -> Locator:
    return page.locator(f"[data-channel-id='{channel}']")


def inside(page: Page, category: int = TEXT_CHANNELS_ID) -> Locator:
    """The names of the channels that stand under a category."""
    return page.locator(f"#channels-{category} > li > .channel-link .channel-name")


async def use_menu(page: Page, category: int, item: str) -> Locator:
    """Choose in a category's menu; gives the dialog that opens."""
    await heading(page, category).hover()
    await page.locator(f"#category-menu-{category}").click()
    await page.get_by_role("menuitem", name=item).click()
    return page.get_by_role("dialog")


def named(playground: Playground, name: str) -> Channel:
    return next(one for one in playground.state.channels.values() if one.name == name)


async def test_channels_stand_under_their_category(playground: Playground, page: Page) -> None:
    """Those in none come first, then each category with its own; a channel that is moved goes there at once."""
    projects = playground.admin.add_category("Projects")
    playground.admin.add_channel("ideas", ChannelType.FORUM, category_id=projects.id)
    playground.admin.add_channel("loose")

    await expect(page.locator(".channel-name")).to_have_text(["loose", "general", "random", "ideas", "LLMgine"])
    await expect(page.locator(".category")).to_have_text(["Text Channels", "Projects"])
    playground.admin.move_channel(RANDOM_ID, projects.id)
    await expect(inside(page)).to_have_text(["general"])
    await expect(inside(page, projects.id)).to_have_text(["random", "ideas"])
    playground.admin.delete_channel(projects.id)
    await expect(page.locator(".category")).to_have_text(["Text Channels"])
    await expect(page.locator(".channel-name")).to_have_text(["random", "ideas", "loose", "general", "LLMgine"])


async def test_a_category_is_folded(playground: Playground, bot: RawBot, page: Page) -> None:
    """Folded, a category shows only where one is and where there is something new; a press shows all again."""
    playground.admin.add_channel("quiet", category_id=TEXT_CHANNELS_ID)
    await expect(inside(page)).to_have_text(["general", "random", "quiet"])
    await expect(heading(page)).to_have_attribute("aria-expanded", "true")

    await heading(page).click()

    await expect(heading(page)).to_have_attribute("aria-expanded", "false")
    await expect(inside(page)).to_have_text(["general"])
    await bot.send(RANDOM_ID, content="news")
    await expect(inside(page)).to_have_text(["general", "random"])
    await link(page, RANDOM_ID).click()
    await expect(inside(page)).to_have_text(["random"])
    await heading(page).click()
    await expect(inside(page)).to_have_text(["general", "random", "quiet"])


async def test_a_category_is_folded_by_keyboard(page: Page) -> None:
    """Enter and Space on its heading fold and unfold, and the focus stays there."""
    await heading(page).focus()
    await page.keyboard.press("Enter")
    await expect(inside(page)).to_have_text(["general"])
    await expect(heading(page)).to_be_focused()

    await page.keyboard.press("Space")

    await expect(inside(page)).to_have_text(["general", "random"])
    await expect(heading(page)).to_be_focused()


async def test_the_thread_where_one_is_stays_in_a_folded_category(playground: Playground, browser: Browser) -> None:
    """It stands under its channel, as ever."""
    thread = playground.people.create_thread(RANDOM_ID, ADA_ID, "Deep inside")
    page = await open_page(browser, playground, ADA_ID, channel=thread.id)

    await heading(page).click()

    await expect(link(page, thread.id)).to_be_visible()
    await expect(inside(page)).to_have_text(["random"])
    await page.context.close()


async def test_a_category_is_made_and_filled(playground: Playground, page: Page) -> None:
    """A new category takes a new channel from its menu, and one from elsewhere by that one's settings."""
    await page.locator("#guild-button").click()
    await page.get_by_role("menuitem", name="New category").click()
    await page.get_by_label("Name").fill("Projects")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator(".category")).to_have_text(["Text Channels", "Projects"])
    projects = named(playground, "Projects")
    dialog = await use_menu(page, projects.id, "New channel")
    await expect(dialog.get_by_label("Category").locator("option:checked")).to_have_text("Projects")
    await dialog.get_by_label("Name").fill("plans")
    await dialog.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("#header h1")).to_have_text("plans")
    await expect(inside(page, projects.id)).to_have_text(["plans"])
    await link(page, GENERAL_ID).click()
    await page.get_by_role("button", name="Channel settings").click()

    await dialog.get_by_label("Category").select_option("Projects")

    await expect(inside(page, projects.id)).to_have_text(["general", "plans"])
    await dialog.get_by_label("Category").select_option("None")
    await expect(inside(page, projects.id)).to_have_text(["plans"])
    await playground.wait_for(lambda state: state.channels[GENERAL_ID].parent_id is None)


async def test_a_channel_is_made_in_a_chosen_category(playground: Playground, page: Page) -> None:
    """The server's menu asks for the category too, and begins with none."""
    await page.locator("#guild-button").click()
    await page.get_by_role("menuitem", name="New forum").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Category").locator("option")).to_have_text(["None", "Text Channels"])
    await dialog.get_by_label("Name").fill("questions")
    await dialog.get_by_label("Category").select_option("Text Channels")
    await dialog.get_by_role("button", name="Create", exact=True).click()

    await expect(inside(page)).to_have_text(["general", "random", "questions"])
    assert named(playground, "questions").type is ChannelType.FORUM


async def test_a_category_is_named_closed_and_deleted(playground: Playground, page: Page) -> None:
    """Its settings are its name and its permissions; deleted, its channels stay."""
    dialog = await use_menu(page, TEXT_CHANNELS_ID, "Category settings")
    await expect(dialog.get_by_label("Topic")).to_have_count(0)
    await dialog.get_by_label("Name").fill("Rooms")
    await dialog.get_by_label("Name").press("Enter")
    await expect(heading(page)).to_have_text("Rooms")
    await dialog.get_by_role("radiogroup", name="Manage channels").get_by_role("radio", name="Allowed").check()
    await playground.wait_for(lambda state: state.channels[TEXT_CHANNELS_ID].overwrites)
    allowed = playground.state.channels[TEXT_CHANNELS_ID].overwrites[GUILD_ID].allow
    assert allowed == Permission.MANAGE_CHANNELS

    await dialog.get_by_role("button", name="Delete the category").click()
    await page.get_by_role("button", name="Delete", exact=True).click()

    await expect(page.locator(".category")).to_have_count(0)
    await expect(page.locator(".channel-name")).to_have_text(["general", "random", "LLMgine"])
    await expect(page.locator("#header h1")).to_have_text("general")


async def test_who_may_manage_nothing_sees_no_empty_category(browser: Browser, playground: Playground) -> None:
    """Without the permission there is no menu, and a category in which one sees no channel is not shown."""
    secret = playground.admin.add_category("Secret")
    playground.admin.add_category("Empty")
    playground.admin.overwrite(secret.id, GUILD_ID, deny=Permission.VIEW_CHANNEL)
    playground.admin.add_channel("hidden", category_id=secret.id)
    page = await open_page(browser, playground, GRACE_ID)
    await expect(page.locator(".category")).to_have_text(["Text Channels"])
    await expect(page.locator(".category-menu")).to_have_count(0)

    playground.admin.overwrite(named(playground, "hidden").id, GUILD_ID)

    await expect(page.locator(".category")).to_have_text(["Text Channels", "Secret"])
    await expect(inside(page, secret.id)).to_have_text(["hidden"])
    await page.context.close()
