"""Text of the model, of tools and of people is hostile: it stays text wherever the page shows it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Route, expect

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID
from programs.playground.posting import Upload
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from tests.programs.playground.page.driver import open_page, write
from tests.programs.playground.page.raw_bot import RawBot
from tests.programs.playground.page.scene import row

pytestmark = pytest.mark.asyncio(loop_scope="package")

REPLY, MODAL = 4, 9
FOREIGN = (
    "script, iframe, object, embed, style, link, meta, base, svg:not(.icon), form:not(#composer-form, dialog form)"
)
PAYLOADS = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg/onload=window.pwned=1>",
    "'\"><iframe srcdoc='<script>parent.pwned=1</script>'>",
    "</title></textarea></style><script>window.pwned=1</script>",
    "[click me](javascript:window.pwned=1)",
    "[a](<JaVaScRiPt:window.pwned=1>) [b](java\tscript:1) [c](vbscript:1)",
    "[d](data:text/html,<script>alert(1)</script>) [e](blob:https://evil.test/1)",
    "![pixel](https://evil.test/leak.png) <https://evil.test/'onmouseover=window.pwned=1>",
    '[https://bank.test](https://evil.test/"style="x:expression(1)"onclick="window.pwned=1)',
    '```"><script>window.pwned=1</script>\n</code></pre><img src=https://evil.test/x onerror=1>\n```',
    "||<b onclick=window.pwned=1>x</b>|| **<i style=background:url(https://evil.test/y)>**",
    "<style>@import 'https://evil.test/a.css'</style><link rel=stylesheet href=https://evil.test/b.css>",
    "<meta http-equiv=refresh content=0;url=https://evil.test/><base href=https://evil.test/>",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1} `${window.pwned=1}`",
    "__proto__ constructor toString hasOwnProperty <@__proto__> <#constructor>",
    "\u202egnp.exe\u2066 \u0000 \ufeff \u2028<script>window.pwned=1</script>\u2029",
]
FORM = 'f"]<img src=x onerror=window.pwned=1>'


class Watch:
    """A page, and everything that happened on it which must not."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url
        self.wrongs: list[str] = []

    async def begin(self) -> None:
        page, wrongs = self.page, self.wrongs

        async def refuse(route: Route) -> None:
            wrongs.append(f"asked for {route.request.url}")
            await route.abort()

        await page.route(lambda url: not url.startswith(self._url), refuse)
        page.on("dialog", lambda dialog: wrongs.append(f"dialog {dialog.message}"))
        page.on("popup", lambda popup: wrongs.append(f"window {popup.url}"))
        page.on("pageerror", lambda error: wrongs.append(f"error {error}"))
        page.on("console", self._hear)
        page.on("framenavigated", lambda frame: wrongs.append(f"went to {frame.url}"))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.wrongs.append(said.text)

    async def nothing_wrong(self) -> None:
        """Nothing ran, nothing was loaded, no element stands there that the page did not make itself."""
        await expect(self.page.locator(f"body :is({FOREIGN})")).to_have_count(0)
        addresses = await self.page.locator("body [href]").evaluate_all("all => all.map(e => e.href)")
        attributes = await self.page.evaluate(
            "[...document.body.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => /^on/.test(n))"
        )
        pictures = await self.page.locator("img").evaluate_all("all => all.map(e => e.src)")
        assert [address for address in addresses if not address.startswith(("http://", "https://"))] == []
        assert [picture for picture in pictures if not picture.startswith(self._url)] == []
        assert attributes == []
        assert await self.page.evaluate("[window.pwned, ({}).pwned, document.title.includes('<')]") == [
            None,
            None,
            False,
        ]
        assert self.wrongs == []


@pytest_asyncio.fixture(loop_scope="package")
async def playground() -> AsyncIterator[Playground]:
    """One that takes a message for each payload at once."""
    async with Playground(rules=Rules(create=Window(100, 1.0))) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="package")
async def watch(browser: Browser, playground: Playground, bot: RawBot) -> AsyncIterator[Watch]:
    page = await open_page(browser, playground, ADA_ID)
    watching = Watch(page, playground.url)
    await watching.begin()
    yield watching
    await page.context.close()


async def shown(watch: Watch, count: int) -> None:
    await expect(watch.page.locator(".message")).to_have_count(count)
    for spoiler in await watch.page.locator(".spoiler").all():
        await spoiler.click()


async def test_hostile_messages(playground: Playground, bot: RawBot, watch: Watch) -> None:
    """In a message of the bot or of a person, in the preview of a reply, and in the box that edits it."""
    for payload in PAYLOADS:
        sent = await bot.send(GENERAL_ID, content=payload)
        playground.people.send(GENERAL_ID, GRACE_ID, payload, reply_to=int(sent))
    await shown(watch, 2 * len(PAYLOADS))
    await watch.nothing_wrong()

    await write(watch.page, PAYLOADS[1])
    await expect(watch.page.locator(".message")).to_have_count(2 * len(PAYLOADS) + 1)
    await watch.page.locator("#composer").press("ArrowUp")
    await expect(watch.page.get_by_label("Edit the message")).to_have_value(PAYLOADS[1])
    await watch.nothing_wrong()


async def test_hostile_embeds(bot: RawBot, watch: Watch) -> None:
    """In each part of an embed; its pictures from elsewhere are links, never loaded."""
    evil = {"url": "https://evil.test/p.png"}
    for payload in PAYLOADS:
        part = {"name": payload, "value": payload, "inline": True}
        embed = {"title": payload, "description": payload, "fields": [part], "footer": {"text": payload}}
        await bot.send(GENERAL_ID, embeds=[embed | {"author": {"name": payload}, "image": evil, "thumbnail": evil}])
    await shown(watch, len(PAYLOADS))
    await watch.nothing_wrong()


async def test_hostile_components(bot: RawBot, watch: Watch) -> None:
    """In labels, placeholders, options and ids of buttons and selects, and in layout components."""
    for payload in PAYLOADS:
        button = {"type": 2, "style": 1, "label": payload[:80], "custom_id": f"a{payload}"[:100]}
        option = {"label": payload[:100], "value": payload[:100], "description": payload[:100]}
        select = {"type": 3, "custom_id": f"b{payload}"[:100], "placeholder": payload[:150], "options": [option]}
        await bot.send(
            GENERAL_ID, components=[row(button), row(select), row(select | {"custom_id": "c", "min_values": 0})]
        )
    layout = [{"type": 10, "content": payload} for payload in PAYLOADS]
    gallery = {"type": 12, "items": [{"media": {"url": "https://evil.test/g.png"}, "description": PAYLOADS[1]}]}
    await bot.send(GENERAL_ID, flags=1 << 15, components=[{"type": 17, "components": [*layout, gallery]}])
    await shown(watch, len(PAYLOADS) + 1)
    await watch.page.locator("button.select").first.click()
    await expect(watch.page.get_by_role("menu")).to_be_visible()
    await watch.nothing_wrong()
    await watch.page.keyboard.press("Escape")
    await watch.page.get_by_role("button", name=PAYLOADS[0], exact=True).first.click()

    assert (await bot.event("INTERACTION_CREATE"))["data"]["custom_id"] == f"a{PAYLOADS[0]}"


async def test_hostile_modals_and_commands(bot: RawBot, watch: Watch) -> None:
    """In a modal's title, labels, values and ids, and in what the page says of commands and their options."""
    words = PAYLOADS[1]
    option = {"type": 3, "name": "text", "description": words, "choices": [{"name": words, "value": words}]}
    await bot.register({"name": "evil", "description": words, "options": [option]}, {"name": words[:32], "type": 3})
    composer = watch.page.locator("#composer")
    await composer.press_sequentially("/")
    await expect(watch.page.locator(".command-suggestion")).to_contain_text(words)
    await composer.press("Tab")
    await composer.press("Tab")
    await expect(watch.page.locator(".value-suggestion")).to_contain_text(words)
    await watch.nothing_wrong()
    await composer.press("Tab")
    await composer.press("Enter")
    used = await bot.event("INTERACTION_CREATE")
    field = {
        "type": 4,
        "custom_id": FORM,
        "style": 2,
        "label": words[:45],
        "value": "</textarea>" + words,
        "placeholder": words,
    }
    form = {"custom_id": FORM, "title": words[:45], "components": [row(field), {"type": 10, "content": words}]}
    await bot.answer(used, MODAL, form)
    await expect(watch.page.locator("dialog textarea")).to_have_value("</textarea>" + words)
    await watch.nothing_wrong()
    await watch.page.get_by_role("button", name="Submit").click()

    sent = await bot.event("INTERACTION_CREATE")
    assert sent["data"]["components"][0]["components"][0]["value"] == "</textarea>" + words


async def test_hostile_names(browser: Browser) -> None:
    """In names of people, channels, threads and files, wherever the page shows them."""
    for_file = "<img src=x onerror=window.pwned=1>.txt"
    async with Playground(people=[PAYLOADS[1]]) as playground, RawBot(playground):
        evil = playground.state.people[-1].id
        category = playground.admin.add_category(PAYLOADS[2])
        channel = playground.admin.add_channel(PAYLOADS[2], category_id=category.id)
        playground.people.create_thread(GENERAL_ID, ADA_ID, PAYLOADS[0])
        upload = Upload(0, for_file, b"<script>window.pwned=1</script>")
        playground.people.send(GENERAL_ID, evil, f"<@{evil}> <#{channel.id}>", uploads=(upload,))
        page = await open_page(browser, playground, ADA_ID)
        watch = Watch(page, playground.url)
        await watch.begin()
        playground.people.typing(GENERAL_ID, evil)
        await expect(page.locator("#typing")).to_contain_text(PAYLOADS[1])
        await page.locator("#user-switch").click()
        await expect(page.get_by_role("menuitem", name=PAYLOADS[1])).to_be_visible()
        await watch.nothing_wrong()
        await page.keyboard.press("Escape")
        await page.locator("#sidebar").get_by_role("button", name=PAYLOADS[0]).click()
        await expect(page.locator("#header h1")).to_have_text(PAYLOADS[0])
        await expect(page.locator("#sidebar [aria-current]")).to_have_text(PAYLOADS[0])
        assert await page.evaluate("[window.pwned, document.querySelectorAll('#header img, #sidebar img').length]") == [
            None,
            0,
        ]
        await page.context.close()


async def test_the_policy_lets_nothing_else_in(browser: Browser, playground: Playground) -> None:
    """Were there a hole after all, the policy shuts it: no inline script, no eval, no foreign address, no form."""
    page = await open_page(browser, playground, ADA_ID)
    tries = """async () => {
      const blocked = [];
      document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
      const add = (tag, props) => document.body.append(Object.assign(document.createElement(tag), props));
      add("script", { textContent: "window.pwned = 1" });
      add("script", { src: "https://evil.test/a.js" });
      add("img", { src: "https://evil.test/a.png" });
      add("link", { rel: "stylesheet", href: "https://evil.test/a.css" });
      add("iframe", { src: "https://evil.test/" });
      add("div", { innerHTML: "<b onclick='window.pwned = 1'>x</b>" });
      document.body.lastElementChild.firstElementChild.click();
      await fetch("https://evil.test/", { mode: "no-cors" }).catch(() => null);
      try { new WebSocket("wss://evil.test/"); } catch { blocked.push("connect-src"); }
      const late = () => blocked.length < 8 ? new Promise((go) => setTimeout(go, 20)).then(late) : blocked;
      return [...new Set(await late())].sort();
    }"""

    assert await page.evaluate(tries) == [
        "connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem", "style-src-elem",
    ]  # fmt: skip
    assert await page.evaluate("window.pwned") is None
    await page.context.close()


async def test_an_uploaded_page_is_a_download(playground: Playground) -> None:
    """A file that is a web page or a drawing with script is handed out, never shown, and sandboxed."""
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for name in ("page.html", "drawing.svg", "picture.png.html"):
        sent = playground.people.send(GENERAL_ID, ADA_ID, uploads=(Upload(0, name, script),))
        address = playground.state.message_payload(sent, ADA_ID)["attachments"][0]["url"]
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
