"""Roles, members and channels as one sets them on the page, by pointer and by keyboard alone."""

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    RANDOM_ID,
    Permission,
)
from programs.playground.server import Playground
from tests.programs.playground.page.driver import message, open_page, write
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def open_setting(page: Page, name: str) -> Locator:
    """A dialog of the server's menu."""
    await page.locator("#guild-button").click()
    await page.get_by_role("menuitem", name=name).click()
    return page.get_by_role("dialog")


def chooser(dialog: Locator, name: str) -> Locator:
    """The select of that name; a label's text would count its options too."""
    return dialog.get_by_role("combobox", name=name, exact=True)


async def test_a_role_loses_a_permission(browser: Browser, playground: Playground, bot: RawBot, page: Page) -> None:
    """A box in the grid holds at once: the bot hears of it, and others find their message box shut."""
    other = await open_page(browser, playground, GRACE_ID)
    dialog = await open_setting(page, "Roles and permissions")
    await chooser(dialog, "Role").select_option("Members")
    await dialog.get_by_label("Send messages", exact=True).uncheck()

    changed = (await bot.event("GUILD_ROLE_UPDATE"))["role"]
    assert changed["id"] == str(MEMBERS_ROLE_ID)
    assert not int(changed["permissions"]) & Permission.SEND_MESSAGES
    await expect(other.locator("#composer")).to_be_disabled()
    await expect(other.locator("#composer")).to_have_attribute("placeholder", "You may not write here")
    await dialog.get_by_label("Send messages", exact=True).check()
    await expect(other.locator("#composer")).to_be_enabled()
    await other.context.close()


async def test_a_role_is_made_named_and_deleted(playground: Playground, page: Page) -> None:
    """A new role is chosen at once, takes its name and its permissions, and goes again."""
    dialog = await open_setting(page, "Roles and permissions")
    await dialog.get_by_role("button", name="New role").click()
    await dialog.get_by_label("Name").fill("Keepers")
    await dialog.get_by_label("Name").press("Enter")
    await dialog.get_by_label("Kick members").check()
    await expect(chooser(dialog, "Role").locator("option:checked")).to_have_text("Keepers")
    role = next(role for role in playground.state.roles.values() if role.name == "Keepers")
    assert role.permissions == Permission.KICK_MEMBERS

    await dialog.get_by_role("button", name="Delete Keepers").click()

    await expect(chooser(dialog, "Role").locator("option", has_text="Keepers")).to_have_count(0)
    assert role.id not in playground.state.roles


async def test_a_channel_is_hidden_from_somebody_and_shown_again(
    browser: Browser, playground: Playground, bot: RawBot, page: Page
) -> None:
    """An overwrite takes the channel out of another's list while they look at it, and brings it back with its words."""
    playground.people.send(RANDOM_ID, ADA_ID, "Behind the door")
    other = await open_page(browser, playground, GRACE_ID, channel=RANDOM_ID)
    await page.locator(f"[data-channel-id='{RANDOM_ID}']").click()
    await page.get_by_role("button", name="Channel settings").click()
    dialog = page.get_by_role("dialog", name="Channel settings")
    await dialog.get_by_label("Permissions here of").select_option("Grace")
    await dialog.get_by_role("radiogroup", name="View channel").get_by_role("radio", name="Denied").check()

    await expect(other.locator(f"[data-channel-id='{RANDOM_ID}']")).to_have_count(0)
    await expect(other.locator("#header h1")).to_have_text("general")
    denied = (await bot.event("CHANNEL_UPDATE"))["permission_overwrites"]
    assert [(one["id"], one["deny"]) for one in denied] == [(str(GRACE_ID), str(int(Permission.VIEW_CHANNEL)))]
    playground.people.send(RANDOM_ID, ADA_ID, "Said meanwhile")
    await dialog.get_by_role("radiogroup", name="View channel").get_by_role("radio", name="As the roles say").check()
    await other.locator(f"[data-channel-id='{RANDOM_ID}']").click()
    await expect(message(other, "Behind the door")).to_be_visible()
    await expect(message(other, "Said meanwhile")).to_be_visible()
    assert playground.state.channels[RANDOM_ID].overwrites == {}
    await other.context.close()


async def test_who_sees_no_channel_is_told(browser: Browser, playground: Playground) -> None:
    """When the last channel goes out of sight the page says so, and shows the first that comes back."""
    page = await open_page(browser, playground, GRACE_ID)
    for channel in (GENERAL_ID, RANDOM_ID):
        playground.admin.overwrite(channel, GUILD_ID, deny=Permission.VIEW_CHANNEL)
    await expect(page.locator("#welcome")).to_contain_text("There is none here that you may see")
    await expect(page.locator("#composer")).to_be_disabled()

    playground.admin.overwrite(RANDOM_ID, GUILD_ID)

    await expect(page.locator("#header h1")).to_have_text("random")
    await expect(page.locator("#composer")).to_be_enabled()
    playground.admin.overwrite(GENERAL_ID, GUILD_ID)
    await expect(page.locator(".channel-name")).to_have_text(["general", "random", "LLMgine"])
    await page.context.close()


async def test_a_channel_is_made_described_and_deleted(playground: Playground, page: Page) -> None:
    """A new channel opens at once; its name, topic and pace hold when one leaves the field; deleting it leads away."""
    await open_setting(page, "New channel")
    await page.get_by_label("Name").fill("plans")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("#header h1")).to_have_text("plans")
    await page.get_by_role("button", name="Channel settings").click()
    dialog = page.get_by_role("dialog", name="Channel settings")
    await dialog.get_by_label("Topic").fill("What comes next")
    await dialog.get_by_label("Slow mode").select_option("30 seconds")
    await expect(page.locator(".header-topic")).to_have_text("What comes next")
    made = next(one for one in playground.state.channels.values() if one.name == "plans")
    assert (made.topic, made.slowmode) == ("What comes next", 30)

    await dialog.get_by_role("button", name="Delete the channel").click()
    await page.get_by_role("dialog", name="Delete plans?").get_by_role("button", name="Delete").click()

    await expect(page.locator("#header h1")).to_have_text("general")
    assert made.id not in playground.state.channels


async def test_a_member_is_silenced_until_the_time_is_over(
    browser: Browser, playground: Playground, page: Page
) -> None:
    """A time-out shuts the box of its person, who is told until when; ended, the box is open again."""
    other = await open_page(browser, playground, GRACE_ID)
    playground.people.send(GENERAL_ID, GRACE_ID, "I will not be quiet")
    await message(page, "I will not be quiet").get_by_role("button", name="Grace").click()
    await page.get_by_role("menuitem", name="Roles and time-out").click()
    dialog = page.get_by_role("dialog", name="Members")
    await dialog.get_by_label("Time-out").select_option("10 minutes")
    await expect(other.get_by_label("You are timed out until")).to_be_disabled()

    await dialog.get_by_label("Time-out").select_option("End it")

    await expect(other.locator("#composer")).to_be_enabled()
    await other.context.close()


async def test_a_short_time_out_ends_by_itself(browser: Browser, playground: Playground) -> None:
    """Nobody tells when a time-out is over: the page looks again by itself."""
    page = await open_page(browser, playground, GRACE_ID)
    playground.admin.time_out(GRACE_ID, 2)
    await expect(page.locator("#composer")).to_be_disabled()

    await expect(page.locator("#composer")).to_be_enabled()
    await write(page, "At last")
    await expect(message(page, "At last")).to_be_visible()
    await page.context.close()


async def test_people_join_get_roles_and_are_removed(playground: Playground, page: Page) -> None:
    """Whoever joins can be given roles, and goes with one press and one more to be sure."""
    await open_setting(page, "Let somebody join")
    await page.get_by_label("Name").fill("Linus")
    await page.get_by_role("button", name="Join", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    dialog = await open_setting(page, "Members")
    await chooser(dialog, "Member").select_option("Linus")
    await dialog.get_by_label("Members", exact=True).uncheck()
    linus = next(user.id for user in playground.state.people if user.global_name == "Linus")
    await expect(dialog.get_by_label("Members", exact=True)).not_to_be_checked()
    await playground.wait_for(lambda state: state.members[linus].roles == [])

    await dialog.get_by_role("button", name="Remove Linus").click()
    await page.get_by_role("button", name="Remove", exact=True).click()

    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert linus not in playground.state.members


async def test_who_leaves_goes_on_as_somebody_else(browser: Browser, playground: Playground) -> None:
    """Leaving the server is one's own to do; the page goes on as another who is here."""
    page = await open_page(browser, playground, GRACE_ID)
    dialog = await open_setting(page, "Members")
    await dialog.get_by_role("button", name="Leave the server").click()
    await page.get_by_role("button", name="Leave", exact=True).click()

    await expect(page.locator("#user-switch")).to_contain_text("Ada")
    assert GRACE_ID not in playground.state.members
    await page.context.close()


async def test_direct_messages_are_closed(playground: Playground, page: Page) -> None:
    """One box says whether the bot may write to oneself."""
    dialog = await open_setting(page, "Members")
    await dialog.get_by_label("Take direct messages from LLMgine").uncheck()

    await playground.wait_for(lambda state: state.users[ADA_ID].dms_closed)


async def test_who_may_set_nothing_is_offered_nothing(browser: Browser, playground: Playground) -> None:
    """Without permissions for it there are no settings of channels and roles to open, nor of others."""
    page = await open_page(browser, playground, GRACE_ID)
    await expect(page.get_by_role("button", name="Channel settings")).to_have_count(0)
    await page.locator("#guild-button").click()
    await expect(page.get_by_role("menuitem")).to_have_text(["Members", "Let somebody join"])
    await page.get_by_role("menuitem", name="Members").click()
    dialog = page.get_by_role("dialog", name="Members")
    await chooser(dialog, "Member").select_option("LLMgine")

    await expect(dialog.get_by_role("checkbox", name="Members")).to_be_disabled()
    await expect(dialog.get_by_label("Time-out")).to_have_count(0)
    await page.context.close()


async def test_permissions_are_set_by_keyboard_alone(playground: Playground, page: Page) -> None:
    """From the server's menu to a permission of a role, and back to where one was, without a pointer."""
    await page.locator("#guild-button").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("r")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Roles and permissions")
    await expect(chooser(dialog, "Role")).to_be_focused()
    for _ in range(3):  # past the role and its name to the first permission, and on to the second
        await page.keyboard.press("Tab")
    await expect(dialog.get_by_label("Administrator")).to_be_focused()
    await page.keyboard.press("Space")

    await playground.wait_for(lambda state: state.roles[MEMBERS_ROLE_ID].permissions & Permission.ADMINISTRATOR)
    await expect(dialog.get_by_label("Administrator")).to_be_checked()
    await expect(dialog.get_by_label("Administrator")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("#guild-button")).to_be_focused()


async def test_overwrites_are_set_by_keyboard_alone(playground: Playground, page: Page) -> None:
    """In a channel the arrows move between denied, inherited and allowed, and each move holds."""
    await page.get_by_role("button", name="Channel settings").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Channel settings")
    embeds = dialog.get_by_role("radiogroup", name="Embed links")
    await dialog.get_by_label("Permissions here of").select_option("LLMgine")
    await embeds.get_by_role("radio", name="As the roles say").focus()
    await page.keyboard.press("ArrowLeft")

    await playground.wait_for(lambda state: state.channels[GENERAL_ID].overwrites)
    denied = playground.state.channels[GENERAL_ID].overwrites[BOT_ID]
    assert (denied.allow, denied.deny) == (0, Permission.EMBED_LINKS)
    await expect(embeds.get_by_role("radio", name="Denied")).to_be_focused()
    await expect(embeds.get_by_role("radio", name="Denied")).to_be_checked()
