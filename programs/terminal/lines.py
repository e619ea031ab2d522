"""Where lines come from: a person at a terminal, or a pipe."""

import asyncio
import codecs
import os
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TextIO

from programs.terminal.terminal_text import one_line


class Interrupted(Exception):  # noqa: N818  not an error: Ctrl-C was pressed while a line was read
    """Ctrl-C was pressed at the prompt."""


class Lines(Protocol):
    """Reads lines. A read that is cancelled loses nothing.

    Attributes:
        visible: Whether the terminal itself shows what is typed.
    """

    visible: bool

    async def read(self) -> str | None:
        """The next line; None at the end of the input.

        Raises:
            Interrupted: Ctrl-C was pressed instead.
        """

    async def ask(self, question: str) -> str | None:
        """The answer to a question, typed after it was asked; None at the end of the input.

        Raises:
            Interrupted: Ctrl-C was pressed instead.
        """

    def kept(self) -> AbstractContextManager[None]:
        """Inside this block, keep what is typed while nothing reads, without showing it, for the next read."""


class PlainLines:
    """Lines of a pipe, a file, or a terminal that can do nothing but read and write lines.

    Args:
        descriptor: Where they come from.
        out: Where questions are written.
    """

    def __init__(self, descriptor: int, out: TextIO) -> None:
        self.visible = os.isatty(descriptor)
        self._descriptor = descriptor
        self._out = out
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._asked_for = 0  # lines that the thread was asked for and that nobody has read

    async def read(self) -> str | None:
        if self._thread is None:
            # A daemon, because a read of a pipe cannot be cancelled; os.read, because it holds no lock that the
            # interpreter needs when it exits.
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._pump, args=(loop,), name="lines", daemon=True)
            self._thread.start()
        if not self._asked_for:
            self._asked_for += 1
            self._wanted.release()
        line = await self._lines.get()
        self._asked_for -= 1
        return line

    async def ask(self, question: str) -> str | None:
        self._write(f"{question} ")
        try:
            line = await self.read()
        except asyncio.CancelledError:
            self._write("\n")
            raise
        if line is None:
            self._write("(end of input)\n")
        elif not self.visible:
            self._write(f"{one_line(line, 40)}\n")
        return line

    def kept(self) -> AbstractContextManager[None]:
        return nullcontext()

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read a line whenever one is asked for, on a thread of its own."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        text, more = "", True
        while True:
            self._wanted.acquire()
            while more and "\n" not in text:
                data = self._read_some()
                more = bool(data)
                text += decode(data, final=not more)
            line, _, text = text.partition("\n")
            result = line if more or line or text else None
            try:
                loop.call_soon_threadsafe(self._lines.put_nowait, result)
            except RuntimeError:  # the loop has ended; nobody reads lines any more
                return

    def _read_some(self) -> bytes:
        try:
            return os.read(self._descriptor, 65536)
        except OSError:  # a terminal that is gone is an end of input, too
            return b""
