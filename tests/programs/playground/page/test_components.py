"""Selects of every kind, layout components, and modals with more than text."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, MEMBERS_ROLE_ID, RANDOM_ID
from tests.programs.playground.page.driver import message
from tests.programs.playground.page.raw_bot import RawBot
from tests.programs.playground.page.scene import BUTTONS, COLOURS, EMBED, LAYOUT, row

pytestmark = pytest.mark.asyncio(loop_scope="package")

REPLY, MODAL = 4, 9
STRINGS, USERS, ROLES, MENTIONABLES, CHANNELS = 3, 5, 6, 7, 8


async def used(bot: RawBot) -> dict[str, Any]:
    """The data of the interaction, after an answer to it."""
    interaction = await bot.event("INTERACTION_CREATE")
    await bot.answer(interaction, REPLY, {"content": "Chosen"})
    data: dict[str, Any] = interaction["data"]
    return data


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (STRINGS, "Blue", "blue"),
        (USERS, "Grace", str(GRACE_ID)),
        (ROLES, "@Members", str(MEMBERS_ROLE_ID)),
        (MENTIONABLES, "Grace", str(GRACE_ID)),
        (MENTIONABLES, "@Members", str(MEMBERS_ROLE_ID)),
        (CHANNELS, "#random", str(RANDOM_ID)),
    ],
)
async def test_a_select_of_each_kind_sends_what_is_chosen(
    bot: RawBot, page: Page, kind: int, name: str, value: str
) -> None:
    """Strings, people, whatever can be mentioned, and channels: the choice is named, and its value or id sent."""
    select = {"type": kind, "custom_id": "pick", "placeholder": "Pick", **({"options": COLOURS} if kind == 3 else {})}
    await bot.send(GENERAL_ID, components=[row(select)])
    await page.get_by_role("button", name="Pick").click()
    await page.get_by_role("menuitemradio", name=name).click()

    assert (await used(bot))["values"] == [value]
    await expect(message(page, "Chosen")).to_be_visible()


async def test_a_select_of_several_waits_until_enough_are_chosen(bot: RawBot, page: Page) -> None:
    """Boxes are ticked first; the button sends them together, once there are as many as asked for."""
    options = [*COLOURS, {"label": "Green", "value": "green"}]
    select = {"type": 3, "custom_id": "pick", "placeholder": "Pick two", "min_values": 2, "max_values": 2}
    await bot.send(GENERAL_ID, components=[row(select | {"options": options})])
    await page.get_by_text("Pick two").click()
    choose = page.get_by_role("button", name="Choose")
    await page.get_by_label("Red").check()
    await expect(choose).to_be_disabled()
    await page.get_by_label("Green").check()
    await choose.click()

    assert (await used(bot))["values"] == ["red", "green"]


async def test_a_select_shows_its_default(bot: RawBot, page: Page) -> None:
    """What the bot set as chosen stands in the select."""
    default = {"type": 5, "custom_id": "pick", "default_values": [{"id": str(ADA_ID), "type": "user"}]}
    await bot.send(GENERAL_ID, components=[row(default)])

    await expect(page.locator(".select")).to_contain_text("Ada")


async def test_a_modal_takes_text_and_choices(bot: RawBot, page: Page) -> None:
    """Short and long text, one choice and several: each field reaches the bot as its kind."""
    await bot.send(GENERAL_ID, components=[BUTTONS])
    await page.get_by_role("button", name="Style 1").click()
    long = {"type": 4, "custom_id": "long", "style": 2, "required": False}
    some = {"type": 3, "custom_id": "some", "placeholder": "Colours", "max_values": 2, "options": COLOURS}
    fields = [
        {"type": 18, "label": "Short", "component": {"type": 4, "custom_id": "short", "style": 1}},
        {"type": 18, "label": "Long", "description": "Many words", "component": long},
        {"type": 18, "label": "One", "component": {"type": 3, "custom_id": "one", "options": COLOURS}},
        {"type": 18, "label": "Some", "component": some},
        {"type": 18, "label": "Who", "component": {"type": 5, "custom_id": "who"}},
    ]
    pressed = await bot.event("INTERACTION_CREATE")
    await bot.answer(pressed, MODAL, {"custom_id": "form", "title": "Everything", "components": fields})
    dialog = page.get_by_role("dialog", name="Everything")
    await expect(dialog).to_contain_text("Many words")
    await dialog.get_by_label("Short").fill("a")
    await dialog.get_by_label("One").select_option("blue")
    await dialog.get_by_role("group", name="Colours").get_by_label("Red").check()
    await dialog.get_by_role("group", name="Colours").get_by_label("Blue").check()
    await dialog.get_by_label("Who").select_option("Grace")
    await dialog.get_by_role("button", name="Submit").click()

    data = await used(bot)
    sent = {one["component"]["custom_id"]: one["component"] for one in data["components"]}
    assert {name: field.get("values", field.get("value")) for name, field in sent.items()} == {
        "short": "a", "long": "", "one": ["blue"], "some": ["red", "blue"], "who": [str(GRACE_ID)],
    }  # fmt: skip
    await expect(dialog).to_have_count(0)


async def test_buttons_look_as_their_style_and_links_lead_elsewhere(bot: RawBot, page: Page) -> None:
    """The five styles differ; a link opens apart and tells the other side nothing; a disabled button is dead."""
    dead = {"type": 2, "style": 1, "label": "Dead", "custom_id": "dead", "disabled": True}
    await bot.send(GENERAL_ID, components=[BUTTONS, row(dead)])
    buttons = page.locator(".component-row").first.locator(".button")
    await expect(buttons).to_have_count(5)
    looks = await buttons.evaluate_all("all => all.slice(0, 4).map(e => getComputedStyle(e).backgroundColor)")

    assert len(set(looks)) == 4
    link = page.get_by_role("link", name="Manual")
    await expect(link).to_have_attribute("href", "https://a.test/")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(page.get_by_role("button", name="Dead")).to_be_disabled()


async def test_an_embed_shows_all_its_parts(bot: RawBot, page: Page) -> None:
    """Author, title with address, text, fields side by side, footer, and the bar in the colour that was sent."""
    await bot.send(GENERAL_ID, embeds=[EMBED])
    embed = page.locator(".embed")

    await expect(embed).to_have_css("border-left-color", "rgb(43, 147, 72)")
    await expect(embed.locator(".embed-author")).to_have_text("Tools")
    await expect(embed.get_by_role("link", name="get_weather")).to_have_attribute("href", "https://a.test/")
    await expect(embed.locator("code")).to_have_text("San Francisco")
    await expect(embed.locator(".embed-footer")).to_contain_text("sample data")
    tops = await embed.locator(".embed-field.inline").evaluate_all("all => all.map(e => e.offsetTop)")
    assert len(tops) == 3
    assert len(set(tops)) == 1


async def test_layout_components_are_drawn(bot: RawBot, page: Page) -> None:
    """A container with its colour holds texts, a line, and a section with its button, which works."""
    await bot.send(GENERAL_ID, flags=1 << 15, components=[LAYOUT])
    box = page.locator(".embed")
    await expect(box).to_have_css("border-left-color", "rgb(204, 119, 0)")
    await expect(box.locator("hr")).to_be_visible()
    await expect(box.get_by_role("heading", name="In a box")).to_be_visible()
    await box.get_by_role("button", name="Go").click()

    assert (await used(bot))["custom_id"] == "go"
