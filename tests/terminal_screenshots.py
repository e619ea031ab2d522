"""Makes the pictures of the terminal: `uv run --group test python -m tests.terminal_screenshots`.

Needs tmux and Chromium. What is in the pictures was written by the program, for what was typed here.
"""

import asyncio
import contextlib
import io
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.chromium import chromium
from tests.screenshots import PICTURES
from tests.waiting import patience

ROOT = Path(__file__).parent.parent
_THEME = TerminalTheme(
    (30, 32, 40),
    (222, 225, 232),
    [
        *((70, 75, 90), (237, 106, 102), (137, 201, 122), (229, 192, 100)),
        *((116, 166, 246), (198, 146, 233), (94, 198, 206), (222, 225, 232)),
    ],
)
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; background: #fff; }}
#page {{ display: inline-block; padding: 12px; }}
#window {{ border-radius: 10px; background: {background}; color: {foreground};
  box-shadow: 0 4px 14px #0005; overflow: hidden; }}
#bar {{ padding: 9px 12px; background: #2b2e3a; font: 13px sans-serif; color: #a5abba; text-align: center; }}
#bar i {{ float: left; width: 12px; height: 12px; border-radius: 6px; margin: 2px 7px 0 0; }}
pre {{ margin: 0; padding: 14px 18px 16px; font: 14px/1.42 "DejaVu Sans Mono", Menlo, Consolas, monospace; }}
</style><div id="page"><div id="window"><div id="bar"><i style="background:#ed6a5e"></i>
<i style="background:#f5bf4f"></i><i style="background:#61c554"></i>{{title}}</div><pre>{code}</pre></div></div>"""


class Terminal:
    """A shell in a tmux of its own."""

    def __init__(self, folder: Path) -> None:
        self._socket = str(folder / "tmux")

    async def tmux(self, *arguments: str) -> str:
        """Give tmux a command; returns what it says."""
        process = await asyncio.create_subprocess_exec(
            *("tmux", "-f", "/dev/null", "-S", self._socket, *arguments), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        return output.decode()

    async def type(self, line: str, shows: str, prompt: str = "\n$") -> None:
        """Type a line, and wait until what it shows is on the screen, and a prompt below it."""
        await self.tmux("send-keys", "-l", line)
        await self.tmux("send-keys", "Enter")
        await self.until(shows, prompt, below=line[-40:])

    async def until(self, shows: str, prompt: str, below: str = "") -> None:
        """Wait until the screen shows something and then a prompt, below a text."""
        async with patience(repr(shows)):
            while True:
                screen = await self.tmux("capture-pane", "-p")
                new = screen.rpartition(below)[2].rstrip() if below else screen.rstrip()
                if shows in new and new.endswith(prompt):
                    return
                await asyncio.sleep(0.1)

    async def picture(self, name: str) -> None:
        """Save a picture of the screen."""
        screen = Text.from_ansi((await self.tmux("capture-pane", "-e", "-p")).rstrip())
        console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True)
        console.print(screen)
        html = console.export_html(theme=_THEME, inline_styles=True, code_format=_PAGE)
        async with chromium() as browser:
            page = await browser.new_page(viewport={"width": 1100, "height": 900}, device_scale_factor=1.2)
            await page.set_content(html.replace("{title}", "LLMgine"))
            await page.locator("#page").screenshot(path=PICTURES / name)


@contextlib.asynccontextmanager
async def terminal() -> AsyncIterator[Terminal]:
    """A terminal in a new folder, where the script of the README runs the program of this environment."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "run_function_chat.sh"
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m programs.function_chat "$@"\n')
        script.chmod(0o755)
        (folder / "readings.txt").write_text("sensor 1: 18.5 °C\nsensor 2: 19.1 °C\n")
        shell = Terminal(folder)
        environment = f"PYTHONPATH={shlex.quote(str(ROOT))} PS1='$ ' USER=ann LOGNAME=ann"
        await shell.tmux("new-session", "-d", "-x", "104", "-y", "46", "-c", name, f"env {environment} sh")
        try:
            await shell.until("", "$")
            yield shell
        finally:
            await shell.tmux("kill-server")


async def main() -> None:
    """A chat with tools, and a question with a pipe."""
    async with terminal() as shell:
        await shell.type('./run_function_chat.sh --session-name "Weather Assistant"', ".env.example", ">")
        await shell.type("What's the weather like in San Francisco?", " tokens", ">")
        await shell.type("Can you calculate 24*7 for me?", " tokens", ">")
        await shell.type("Send an email to test@example.com with subject 'Hello' and body 'Hi there'", "Run", "reason]")
        await shell.type("not today", " tokens", ">")
        await shell.picture("terminal.png")
    async with terminal() as shell:
        await shell.type("cat readings.txt", "sensor")
        question = "Can you calculate 18.5+19.1 for me?"
        await shell.type(f'cat readings.txt | ./run_function_chat.sh "{question}" > answer.md', "tokens")
        await shell.type("cat answer.md", "Result")
        await shell.type('./run_function_chat.sh --continue "What did I say first?"', "tokens")
        await shell.picture("terminal-pipe.png")


if __name__ == "__main__":
    asyncio.run(main())
