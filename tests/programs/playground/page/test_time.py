"""Times as the page writes them."""

import pytest
from playwright.async_api import Browser, Page, expect

from programs.playground.entities import ADA_ID, GENERAL_ID
from programs.playground.server import Playground
from tests.programs.playground.page.driver import message

pytestmark = pytest.mark.asyncio(loop_scope="package")

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
RELATIVE = [
    (0, "in 0 seconds"),
    (44, "in 44 seconds"),
    (45, "in 1 minute"),
    (89, "in 1 minute"),
    (91, "in 2 minutes"),
    (10 * MINUTE - 1, "in 10 minutes"),
    (44.4 * MINUTE, "in 44 minutes"),
    (45 * MINUTE, "in 1 hour"),
    (89 * MINUTE, "in 1 hour"),
    (91 * MINUTE, "in 2 hours"),
    (21.4 * HOUR, "in 21 hours"),
    (22 * HOUR, "in 1 day"),
    (35 * HOUR, "in 1 day"),
    (37 * HOUR, "in 2 days"),
    (25.4 * DAY, "in 25 days"),
    (26 * DAY, "in 1 month"),
    (46 * DAY, "in 2 months"),
    (310 * DAY, "in 10 months"),
    (320 * DAY, "in 1 year"),
    (560 * DAY, "in 2 years"),
    (-59 * MINUTE, "1 hour ago"),
    (-10 * MINUTE + 1, "10 minutes ago"),
]


async def test_relative_times_are_rounded_as_discords_are(page: Page) -> None:
    """To the nearest number of the unit that Discord would take: what closes in 9:59 closes in 10 minutes."""
    told = await page.evaluate(
        """async (all) => {
            const { formatRelative } = await import("/page/time.js");
            return all.map((seconds) => formatRelative(new Date(1e12 + seconds * 1000), 1e12));
        }""",
        [seconds for seconds, _ in RELATIVE],
    )

    assert told == [words for _, words in RELATIVE]


@pytest.mark.parametrize(("locale", "written"), [("en-US", "1:40 PM"), ("en-GB", "13:40"), ("de-DE", "13:40")])
async def test_the_time_of_day_is_written_as_the_reader_writes_it(
    browser: Browser, playground: Playground, locale: str, written: str
) -> None:
    """By the reader's own clock, twelve hours or twenty-four, without a zero in front of a single digit."""
    at = 1_800_020_400  # 13:40 UTC
    playground.people.send(GENERAL_ID, ADA_ID, f"At <t:{at}:t>")
    context = await browser.new_context(locale=locale, timezone_id="UTC")
    page = await context.new_page()
    await page.goto(f"{playground.url}/?as={ADA_ID}&channel={GENERAL_ID}")

    await expect(message(page, "At")).to_contain_text(f"At {written}")

    await context.close()
