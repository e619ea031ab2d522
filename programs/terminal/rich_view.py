"""The rich view: Markdown that grows on the screen, tool calls on a line each, colours that mean something."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.sessions.records import Session
from programs.markdown.inline import TERMINAL
from programs.markdown.readable import readable_markdown
from programs.terminal.blocks import finished
from programs.terminal.terminal_text import LONGEST_RESULT, clean, label, one_line, short_call

_SHORT_CALL = 60  # characters of a call beside its result, when the call's own line is further up
_MARGIN = 3  # rows of the screen that the unfinished part leaves free, so that the terminal never scrolls under it


class _Markdown:
    """Markdown without blank rows around it.

    Args:
        text: The Markdown.
        gap: Whether one blank row goes before it, to separate it from the text above.
        fit: Show only the last rows, as many as the screen has.
    """

    def __init__(self, text: str, *, gap: bool, fit: bool) -> None:
        # No hyperlinks: an address is shown, not hidden behind a text that may say another.
        self._markdown = Markdown(readable_markdown(text, TERMINAL), code_theme="ansi_dark", hyperlinks=False)
        # A line break in a chat is meant as one.
        for child in (child for token in self._markdown.parsed for child in token.children or ()):
            if child.type == "softbreak":
                child.type = "hardbreak"
            child.content = clean(child.content)  # what was an entity, such as &#x202e;, is a character only now
        self._gap = gap
        self._fit = fit

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = console.render_lines(self._markdown, options, pad=False)
        blank = [not any(segment.text.strip() for segment in row) for row in rows]
        while blank and blank[-1]:
            del rows[-1], blank[-1]
        while blank and blank[0]:
            del rows[0], blank[0]
        if self._gap:
            rows.insert(0, [])
        if self._fit:
            rows = rows[-max(1, console.height - _MARGIN) :]
        for row in rows:
            yield from row
            yield Segment.line()


class RichView:
    """See `View`. Finished blocks of an answer are printed once and for good; only its unfinished end is redrawn.

    Args:
        console: The terminal.
        side: Where everything but answers and what else was asked for is shown; by default, there too.
    """

    def __init__(self, console: Console, side: Console | None = None) -> None:
        self._console = console
        self._side = side or console
        self._live: Live | None = None
        self._printed = ""  # the part of the growing answer that is on the screen for good
        self._gap = False  # whether a blank line goes before the next block
        self._called: str | None = None  # the call whose line is the last one

    def say(self, text: str) -> None:
        self._print(Text(clean(text)))

    def note(self, text: str) -> None:
        self._print_aside(Text(clean(text), style="dim"))

    def error(self, text: str) -> None:
        self._print_aside(Text(f"✗ {clean(text)}", style="bold red"))

    def sessions(self, sessions: Sequence[Session], current: str | None) -> None:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("")
        table.add_column("session", no_wrap=True)
        table.add_column("name")
        table.add_column("turns", justify="right")
        table.add_column("last used", no_wrap=True)
        for session in sessions:
            table.add_row(
                Text("●" if session.id == current else "", style="green"),
                Text(clean(session.id), style="cyan"),
                Text(label(session)),
                str(session.turns),
                f"{session.updated_at.astimezone():%Y-%m-%d %H:%M}",
            )
        self._print(table)

    def prompt(self, text: str) -> None:
        self._print_aside(Text.assemble(("> ", "bold cyan"), clean(text)))

    def status(self, text: str) -> None:
        self._draw(Text(clean(text), style="dim italic"))

    def answer(self, text: str) -> None:
        text = clean(text)
        self._take_back_unless(text)
        begin = len(self._printed)
        end = begin + finished(text[begin:])
        self._block(text[begin:end])
        self._printed = text[:end]
        if tail := text[end:].strip():
            self._draw(_Markdown(tail, gap=self._gap, fit=True))
        elif not text:
            self.quiet()  # it was taken back

    def end_answer(self, text: str) -> None:
        text = clean(text)
        self.quiet()
        self._take_back_unless(text)
        self._block(text[len(self._printed) :])
        self._printed, self._gap = "", False

    def _take_back_unless(self, text: str) -> None:
        """Start the answer again if what was printed is not its beginning."""
        if not text.startswith(self._printed):
            self._printed = ""

    def call(self, call: ToolCall) -> None:
        self._print_aside(Text.assemble(("⚙ ", "yellow"), short_call(call)))
        self._called = call.id

    def result(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        of = "" if self._called == call.id else f" {one_line(short_call(call), _SHORT_CALL)}"
        mark = ("✗", "bold red") if not result.ok else ("✓", "green") if result.done else ("!", "yellow")
        content = one_line(result.for_people, LONGEST_RESULT)
        line = Text.assemble("  ", mark, of, (f" {seconds:.1f} s  ", "dim"), (content, "dim" if result.ok else "red"))
        if result.ok:
            line.truncate(self._side.width, overflow="ellipsis")
        self._print_aside(line)

    def end_turn(self, footer: str | None) -> None:
        self.quiet()
        if footer:
            self._print_aside(Text(footer, style="dim"))
        self._print_aside("")

    def quiet(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        console = self._console
        self._console = self._side
        try:
            yield
        finally:
            self.quiet()
            self._console = console

    def _block(self, text: str) -> None:
        """Print a part of the answer for good."""
        if text.strip():
            self._print(_Markdown(text, gap=self._gap, fit=False))
            self._gap = True

    def _print(self, what: RenderableType) -> None:
        self._print_on(self._console, what)

    def _print_aside(self, what: RenderableType) -> None:
        self._print_on(self._side, what)

    def _print_on(self, console: Console, what: RenderableType) -> None:
        self.quiet()
        console.print(what)
        self._called = None

    def _draw(self, what: RenderableType) -> None:
        """Show something at the end of the screen, in place of what was drawn there last."""
        if self._live is None:
            self._live = Live(
                what,
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(what, refresh=True)
