"""Makes the pictures of the documents: `uv run --group test python -m tests.screenshots`. Needs Chromium."""

import asyncio
import base64
import math
import os
import tempfile
from pathlib import Path

from playwright.async_api import Page, expect

from programs.application import DEMO_NOTICE
from programs.discord.bot import serve
from programs.logs.serve import LogPage
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, RANDOM_ID
from programs.playground.posting import Upload
from programs.playground.server import Playground
from programs.settings import ProgramSettings
from tests.chat_completions import ChatCompletionsServer
from tests.chromium import chromium
from tests.documents import blocks, section
from tests.programs.files.examples import pdf
from tests.recordings import ogg
from tests.transcriptions import TranscriptionServer

# How loud somebody speaks, over four seconds.
SPOKEN = base64.b64encode(bytes(round(abs(250 * math.sin(n / 3) * math.cos(n * 1.7))) for n in range(40))).decode()
PICTURES = Path(__file__).parent.parent / "docs"


async def ask(page: Page, text: str, answer: str) -> None:
    """Write into the composer, and wait until the answer is whole."""
    await page.fill("#composer", f"@LLMgine {text}")
    await page.keyboard.press("Enter")
    last = page.locator(".message").filter(has_text="offline demo model").last
    await expect(last).to_contain_text(answer)


async def use(page: Page, command: str, told: str) -> None:
    """Use a slash command, and wait for what it says."""
    await page.fill("#composer", command)
    await page.keyboard.press("Escape")  # the suggestions
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last).to_contain_text(told)


async def take_voice(page: Page, playground: Playground) -> None:
    """A voice message in reply to the bot, with what was heard in it above the answer."""
    await ask(page, "hello", "Hello")
    state = playground.state
    channel = next(one for one in state.channels.values() if one.name == "random")
    last = max(message.id for message in channel.messages.values())
    upload = Upload(0, "voice-message.ogg", ogg(4.0))
    playground.people.send(channel.id, ADA_ID, reply_to=last, uploads=(upload,), voice=(4.0, SPOKEN))
    await expect(page.locator(".message").filter(has_text="168").last).to_contain_text("offline demo model")
    await page.screenshot(path=PICTURES / "voice.png")


async def forward(page: Page, playground: Playground) -> None:
    """A message of Grace's, forwarded by Ada with a question."""
    said = playground.people.send(RANDOM_ID, GRACE_ID, "We are 24 people, and each of us gets 7 stickers.")
    question = f"<@{BOT_ID}> Can you calculate 24*7 for me?"
    playground.people.send(GENERAL_ID, ADA_ID, question, forward=(RANDOM_ID, said.id))
    await expect(page.locator(".message").last).to_contain_text("168")
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    await page.screenshot(path=PICTURES / "forwarded.png")


async def take_pictures(playground: Playground, logs_url: str) -> None:
    """A conversation with tool calls, and its last turn in the log page."""
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1120, "height": 760}, color_scheme="light")
        await page.goto(playground.url)
        await ask(page, "What's the weather like in San Francisco?", "San Francisco")
        await ask(page, "Can you calculate 24*7 for me?", "168")
        await page.screenshot(path=PICTURES / "playground.png")
        await page.fill(
            "#composer", "@LLMgine Send an email to test@example.com with subject 'Hello' and body 'Hi there'"
        )
        await page.keyboard.press("Enter")
        approve = page.get_by_role("button", name="Approve")
        await expect(approve).to_be_visible()
        await page.screenshot(path=PICTURES / "approval.png")
        await approve.click()
        await expect(page.locator(".message").filter(has_text="offline demo model").last).to_contain_text("E-mail")
        await use(page, "/settings", "style")
        await page.screenshot(path=PICTURES / "settings.png")
        await ask(page, "Show me a long answer", "long")
        await forward(page, playground)
        await page.goto(logs_url)
        await page.locator("#turns tbody tr").nth(2).click()
        await expect(page.locator("#turn")).to_contain_text("calculate")
        await page.screenshot(path=PICTURES / "logs.png")
        await page.goto(playground.url)
        await page.locator(".channel-link").filter(has_text="random").click()
        await take_voice(page, playground)


async def take_document_picture() -> None:
    """A question about a PDF, with the answer of a model that was told what to say."""
    stop, folder = asyncio.Event(), tempfile.mkdtemp()
    lease = pdf("Lease of the flat at 12 Mill Lane", "The rent is 700 dollars a month, due on the 5th.")
    async with ChatCompletionsServer() as model, Playground() as playground, chromium() as browser:
        settings = ProgramSettings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            openai_base_url=model.base_url,
            openai_model="some-model",
            database_url=f"sqlite:///{folder}/llmgine.db",
            log_dir=Path(folder) / "logs",
        )
        bot = asyncio.create_task(serve(settings, stop))
        model.reply("The rent is **$700** a month, due on the 5th. It says so on page 2.")
        page = await browser.new_page(viewport={"width": 1120, "height": 520}, color_scheme="light")
        await page.goto(playground.url)
        await page.get_by_label("Files to attach").set_input_files(
            {"name": "lease.pdf", "mimeType": "application/pdf", "buffer": lease}
        )
        await page.fill("#composer", "@LLMgine How much is the rent, and when is it due?")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message").last).to_contain_text("some-model")
        assert "700 dollars a month" in str(model.requests)  # it was read
        await page.screenshot(path=PICTURES / "document.png")
        stop.set()
        await bot


async def take_picture_of_thinking(folder: str) -> None:
    """A model that thinks for some seconds; the demo model never does."""
    stop, go_on = asyncio.Event(), asyncio.Event()
    async with Playground() as playground, ChatCompletionsServer() as model:
        settings = ProgramSettings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            openai_base_url=model.base_url,
            openai_model="deep-thought",
            database_url=f"sqlite:///{folder}/thinking.db",
            log_dir=Path("thinking-logs"),
        )
        bot = asyncio.create_task(serve(settings, stop))
        model.hold(go_on, silent=True)
        async with chromium() as browser:
            page = await browser.new_page(viewport={"width": 820, "height": 400}, color_scheme="light")
            await page.goto(playground.url)
            await page.fill("#composer", "@LLMgine Is every even number above two the sum of two primes?")
            await page.keyboard.press("Enter")
            await expect(page.locator(".message").last).to_contain_text("Thinking … 8 s")
            await page.screenshot(path=PICTURES / "thinking.png")
        go_on.set()
        stop.set()
        await bot


TABLE = """Three cities, and what to expect:

| City | Now | High | Rain |
|------|:---:|-----:|-----:|
| Berlin | sunny | 21 °C | 5 % |
| Reykjavík | rain | 9 °C | 90 % |
| San Francisco | fog | 16 °C | 10 % |

**Reykjavík** is the one to take an umbrella to."""


async def take_table(playground: Playground, folder: Path) -> None:
    """A table on a phone, as a model on a server of its own writes it."""
    stop = asyncio.Event()
    async with ChatCompletionsServer() as model:
        model.reply(TABLE)
        settings = ProgramSettings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            database_url=f"sqlite:///{folder}/table.db",
            outbox_dir=folder,
            openai_base_url=model.base_url,
            openai_api_key="none",
            openai_model="a-model",
        )
        bot = asyncio.create_task(serve(settings, stop))
        async with chromium() as browser:
            page = await browser.new_page(viewport={"width": 390, "height": 640}, color_scheme="light")
            await page.goto(playground.url)
            await page.fill("#composer", "@LLMgine Where do I need an umbrella?")
            await page.keyboard.press("Enter")
            await expect(page.locator(".message").last).to_contain_text("umbrella to")
            await page.screenshot(path=PICTURES / "table.png")
        stop.set()
        await bot


async def take_own_tools(folder: Path) -> None:
    """A tool of one's own that the demo model calls, the time zone, and what /doctor says of a file that is broken."""
    tools, stop = folder / "my-tools", asyncio.Event()
    tools.mkdir(mode=0o755)
    dice = next(one for one in blocks(section("docs/extending.md", "A tool of your own")) if one.path == "dice.py")
    for name, text in {
        "dice.py": dice.text,
        "coin.py": '"""Coins."""\n\nimport randon\n',
    }.items():
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o644)
    async with Playground(notice=DEMO_NOTICE) as playground, chromium() as browser:
        settings = ProgramSettings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            database_url=f"sqlite:///{folder}/own/llmgine.db",
            log_dir=folder / "own",
            tools_dir=tools,
        )
        bot = asyncio.create_task(serve(settings, stop))
        page = await browser.new_page(viewport={"width": 900, "height": 640}, color_scheme="light")
        await page.goto(playground.url)
        await ask(page, "call roll_dice sides=20 count=3", "roll_dice")
        await use(page, "/timezone Europe/Berlin", "Europe/Berlin")
        await page.screenshot(path=PICTURES / "own-tool.png")
        await use(page, "/doctor", "Own tools")
        await page.screenshot(path=PICTURES / "own-tool-broken.png")
        stop.set()
        await bot


async def main() -> None:
    """Run the playground, the bot on a store of its own, and the log page, and take the pictures."""
    folder = tempfile.mkdtemp()
    os.chdir(folder)  # so that the pictures show the paths that people see
    await take_picture_of_thinking(folder)
    stop = asyncio.Event()
    async with Playground(notice=DEMO_NOTICE) as playground, TranscriptionServer() as speech:
        speech.say("Can you calculate 24 * 7 for me?")
        settings = ProgramSettings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            database_url=f"sqlite:///{folder}/llmgine.db",
            log_dir=Path("logs"),
            outbox_dir=Path(folder),
            transcribe_model="whisper-small",
            transcribe_base_url=speech.base_url,
        )
        bot = asyncio.create_task(serve(settings, stop))
        async with LogPage(Path("logs/events.jsonl")).served() as logs:
            await take_pictures(playground, logs.url)
        stop.set()
        await bot
    await take_document_picture()
    async with Playground() as playground:
        await take_table(playground, Path(folder))
    await take_own_tools(Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
