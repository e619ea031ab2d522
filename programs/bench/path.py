"""What a message passes through: the files, functions and store transactions of one, by name.

The real bot runs on the playground, and the model is a small service on loopback. Counted is what runs of `llmgine` and
of the bot's side of `programs`, on all threads, so also on the one that runs the SQL; the playground, the bench and
libraries are not. Each kind of message has a channel of its own: the first one there is cold, the second one warm.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from aiohttp import web

from llmgine.sessions import SessionStore
from llmgine.sessions.database import Operation
from programs.application import Application
from programs.discord.bot import discord_at, join
from programs.discord.client import Bot
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, BOT_ID, Message
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from programs.playground.state import Dispatch
from programs.settings import ProgramConfig, ProgramSettings

_ROOT = Path(__file__).parents[2]
_COUNTED = ("llmgine/", "programs/")
_NOT_COUNTED = tuple(f"programs/{name}" for name in ("playground/", "bench/", "web/", "demo_model.py", "demo_texts.py"))
_BACKGROUND = {"Changes._poll", "take over"}  # coroutines and named tasks that run whether or not anybody writes
_CORE = ("programs/discord/", "llmgine/engine/", "llmgine/sessions/")  # what a message is worked on in

_OPEN = Window(1_000_000, 1.0)
_REST = 0.3  # seconds in which nothing runs, before a message and after it
_TICK = 0.01  # seconds between two looks whether something runs
_PATIENCE = 30.0  # seconds for all that a message causes
_NEVER = 1e6  # seconds; metrics of the process and looks at other channels are not a message's
_SUM = "6 * 7"
_HEAD = {"id": "path", "object": "chat.completion.chunk", "created": 0, "model": "path"}


@dataclass(frozen=True)
class Transaction:
    """One operation of the store: its name, how many statements it made, and whether it is one that writes."""

    name: str
    statements: int
    writes: bool


@dataclass(frozen=True)
class Trace:
    """What one message passed through.

    Attributes:
        kind: What was said or done.
        warm: Whether it was the second of its kind in its channel.
        transactions: The operations of the store, in their order.
        functions: As `file:qualified name`, sorted; lambdas and comprehensions belong to the function they are in.
        core: Those of them that ran on the event loop's thread in the bot, the engine and the store.
    """

    kind: str
    warm: bool
    transactions: tuple[Transaction, ...]
    functions: tuple[str, ...]
    core: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its kind, and which of its channel it was."""
        return f"{self.kind}, {'warm' if self.warm else 'cold'}"

    @property
    def numbers(self) -> dict[str, int]:
        """How much it was."""
        return {
            "transactions": len(self.transactions),
            "writes": sum(one.writes for one in self.transactions),
            "most_statements": max((one.statements for one in self.transactions), default=0),
            "files": len(_files_of(self.functions)),
            "functions": len(self.functions),
            "core_files": len(_files_of(self.core)),
            "core_functions": len(self.core),
        }


def _is_background(task: asyncio.Task[Any] | None) -> bool:
    if task is None:
        return False
    return task.get_name() in _BACKGROUND or getattr(task.get_coro(), "__qualname__", "") in _BACKGROUND


def _files_of(functions: tuple[str, ...]) -> set[str]:
    return {name.partition(":")[0] for name in functions}


class Recorder:
    """Hears of every call on every thread that begins while it listens, and of every transaction."""

    def __init__(self) -> None:
        self._names: dict[str, str | None] = {}  # by a code object's file; None where it is not counted
        self._seen: set[tuple[str, str, bool]] = set()  # file, name, whether on the loop's thread
        self._transactions: list[Transaction] = []
        self._running = 0  # operations of the store
        self._loop_thread = threading.get_ident()
        self._last = time.monotonic()  # when something counted ran

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen inside this block, on this thread and on those that begin in it."""
        before, before_others = sys.getprofile(), threading.getprofile()
        threading.setprofile(self._on_event)
        sys.setprofile(self._on_event)
        try:
            yield
        finally:
            sys.setprofile(before)
            threading.setprofile(before_others)

    @contextlib.asynccontextmanager
    async def watch(self, operation: Operation) -> AsyncIterator[None]:
        """Note an operation of the store."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._transactions.append(Transaction(operation.name, operation.statements, operation.writes))

    def _on_event(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        file = self._names[code.co_filename] if code.co_filename in self._names else self._name(code)
        if file is None or code.co_name.startswith("<"):
            return
        on_loop = threading.get_ident() == self._loop_thread
        if on_loop and _is_background(asyncio.current_task()):
            return
        self._last = time.monotonic()
        self._seen.add((file, code.co_qualname, on_loop))

    def _name(self, code: CodeType) -> str | None:
        file = Path(code.co_filename)
        name = file.relative_to(_ROOT).as_posix() if file.is_relative_to(_ROOT) else ""
        counted = name.startswith(_COUNTED) and not name.startswith(_NOT_COUNTED)
        return self._names.setdefault(code.co_filename, name if counted else None)

    async def until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for a state; `what` is said of it when it does not come.

        Raises:
            TimeoutError: It did not come.
        """
        deadline = time.monotonic() + _PATIENCE
        while not reached():
            if time.monotonic() > deadline:
                ran = ", ".join(sorted({name for _, name, _ in self._seen})) or "nothing"
                raise TimeoutError(f"{what} after {_PATIENCE:.0f} s; meanwhile ran: {ran}")
            await asyncio.sleep(_TICK)

    async def rest(self) -> None:
        """Wait until nothing has run for a while."""
        begin = time.monotonic()
        await self.until(
            lambda: not self._running and time.monotonic() - max(begin, self._last) > _REST, "Something still runs"
        )

    async def trace(self, kind: str, *, warm: bool, act: Callable[[], object], done: Callable[[], bool]) -> Trace:
        """Write down what runs from `act` on until it is `done` and nothing runs any more."""
        self._seen.clear()
        await self.rest()
        self._seen.clear()
        self._transactions.clear()
        act()
        await self.until(lambda: bool(self._seen) and done(), f"No end of what is measured as {kind!r}")
        await self.rest()
        on_loop = {f"{file}:{name}" for file, name, here in self._seen if here and file.startswith(_CORE)}
        functions = {f"{file}:{name}" for file, name, _ in self._seen}
        return Trace(kind, warm, tuple(self._transactions), tuple(sorted(functions)), tuple(sorted(on_loop)))


class Person:
    """Somebody who writes in channels of the playground, and sees the bot's answers end."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self.answered = 0  # how often an answer was shown with its footer
        playground.state.subscribe(self._see)

    def _see(self, dispatch: Dispatch) -> None:
        if dispatch.name in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            payload = dispatch.render(BOT_ID)
            last_line = payload["content"].rsplit("\n", 1)[-1]
            self.answered += payload["author"]["id"] == str(BOT_ID) and last_line.startswith("-# ")

    def channel(self, name: str) -> int:
        """Open a channel."""
        return self._playground.admin.add_channel(name).id

    def say(self, channel: int, text: str) -> Message:
        """Write a message."""
        return self._playground.people.send(channel, ADA_ID, text)

    def edit(self, message: Message, text: str) -> None:
        """Change a message."""
        self._playground.people.edit(message.channel_id, message.id, ADA_ID, text)


async def traces() -> list[Trace]:
    """Measure each kind of message, the first and the second of a channel.

    Raises:
        TimeoutError: A message was not answered, or the bot did not come to rest.
    """
    recorder = Recorder()
    rules = Rules(create=_OPEN, edit=_OPEN, other=_OPEN, everything=_OPEN)
    async with _model() as model, Playground(rules=rules) as playground:
        with recorder.listening():
            async with _bot(model, playground) as store:
                store.observe(recorder.watch)
                return await _measure(recorder, Person(playground))


async def _measure(recorder: Recorder, ada: Person) -> list[Trace]:
    ask = f"<@{BOT_ID}> "

    async def ask_first(channel: int) -> Message:
        before = ada.answered
        message = ada.say(channel, f"{ask}hello")
        await recorder.until(lambda: ada.answered > before, "No answer")
        return message

    await ask_first(ada.channel("warm-up"))  # what is imported or made only once is no message's
    plain, tool, edits, others = (ada.channel(name) for name in ("plain", "tool", "edits", "others"))
    asked = await ask_first(edits)
    kinds: dict[str, tuple[Callable[[str], object], bool]] = {
        "plain": (lambda which: ada.say(plain, f"{ask}hello for the {which} time"), True),
        "one tool call": (lambda which: ada.say(tool, f"{ask}what is {_SUM}, for the {which} time"), True),
        "edit": (lambda which: ada.edit(asked, f"{ask}hello, changed for the {which} time"), True),
        "not for the bot": (lambda which: ada.say(others, f"hello Grace, for the {which} time"), False),
    }
    found = []
    for kind, (act, is_answered) in kinds.items():
        for which in ("first", "second"):
            due = ada.answered + is_answered
            trace = await recorder.trace(
                kind,
                warm=which == "second",
                act=lambda act=act, which=which: act(which),  # type: ignore[misc]  # bound on purpose
                done=lambda due=due: ada.answered >= due,  # type: ignore[misc]  # bound on purpose
            )
            found.append(trace)
    return found


@contextlib.asynccontextmanager
async def _bot(model_url: str, playground: Playground) -> AsyncIterator[SessionStore]:
    """The bot as it is run, joined; gives its store."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ProgramSettings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            openai_base_url=model_url,
            openai_model="path",
            openai_api="chat",
            database_url=f"sqlite:///{folder}/bench.db",
            log_dir=Path(folder) / "logs",
        )
        config = ProgramConfig(settings=settings, monitor_interval=_NEVER)
        async with Application(config, renderers={SOURCE: render_deliveries}) as app:
            stop = asyncio.Event()
            with discord_at(settings):
                client = Bot(app, guild_ready_timeout=0.1, look_interval=_NEVER)
                joined = asyncio.create_task(join(client, playground.token, stop))
                try:
                    async with asyncio.timeout(_PATIENCE):
                        await client.caught_up()
                    yield app.store
                finally:
                    stop.set()
                    await joined


@contextlib.asynccontextmanager
async def _model() -> AsyncIterator[str]:
    """A model service on loopback that calculates by its tool, and answers all else with a word; gives its address."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


async def _answer(request: web.Request) -> web.StreamResponse:
    last = (await request.json())["messages"][-1]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    delta: dict[str, Any] = {"role": "assistant", "content": f"At {time.monotonic_ns()}."}
    finish = "stop"
    if last["role"] == "user" and _SUM in json.dumps(last["content"]):
        function = {"name": "calculate", "arguments": json.dumps({"expression": _SUM})}
        call = {"index": 0, "id": f"call_{time.monotonic_ns()}", "type": "function", "function": function}
        delta, finish = {"role": "assistant", "tool_calls": [call]}, "tool_calls"
    usage = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
    for more in (
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        {"choices": [], "usage": usage},
    ):
        await response.write(f"data: {json.dumps({**_HEAD, **more})}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response
