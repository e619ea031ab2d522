"""What stands in messages: Markdown as Discord draws it, and hostile text that stays text."""

import pytest
from playwright.async_api import Browser, Page, Route, expect

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID
from programs.playground.server import Playground
from tests.programs.playground.page.driver import open_page
from tests.programs.playground.page.raw_bot import RawBot

pytestmark = pytest.mark.asyncio(loop_scope="package")

HOSTILE = [
    "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>",
    "[click](javascript:window.pwned=1) [data](data:text/html,x) <javascript:window.pwned=1>",
    "![i](https://evil.test/a.png) [`x`](https://evil.test/'onmouseover=alert(1)) https://evil.test/b.png",
    "```html\n</code></pre><script>window.pwned = 1</script>\n```",
    "```constructor\n__proto__\n``` ```__proto__\nx\n```",
    "<@1><@!99999999999999999999><#0><t:999999999999:R><t:-1:F></a:1> <:x:1> </x:1>",
    "**_" * 300 + "||~~" * 100 + "`" * 7 + "[" * 40 + "> " * 20 + "\n- " * 20,
]


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


async def test_a_backslash_hides_any_mark(bot: RawBot, page: Page) -> None:
    """A mark behind a backslash is shown as it is, inside other marks too; a letter keeps its backslash."""
    await bot.send(GENERAL_ID, content=r"**get\_weather** \*plain\* \~\~there\~\~ \`code\` \\ C:\dir")

    await expect(page.locator(".message-content strong")).to_have_text("get_weather")
    await expect(page.locator(".message-content")).to_have_text(r"get_weather *plain* ~~there~~ `code` \ C:\dir")


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
