"""What outlives the bot: a playground, a model service, what is stored, and the processes that run the bot."""

import asyncio
import multiprocessing
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

from aiohttp import web

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, Json, Message
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from programs.playground.state import Dispatch
from programs.settings import ProgramSettings
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.durability import child
from tests.durability.databases import LEASE_SECONDS, Database, Databases, Rows, sqlite
from tests.prompt import LONGEST
from tests.waiting import NoProgressError, computing, noted, patience

_PLENTY = Window(100_000, 1.0)
_LOOK = 0.01  # seconds between looks at the database, which tells nobody of its changes

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([child.__name__])

FIRST_WORDS = "The answer has three parts. "
HELLO = "Hello."
ANSWER = FIRST_WORDS + "\n\n".join(
    f"Part {part}. " + " ".join(f"Sentence {part}.{number} says so." for number in range(70)) for part in range(1, 4)
)


def hello_to(name: str) -> str:
    """The answer to "just say hello to …"."""
    return f"Hello, {name}."


@asynccontextmanager
async def _process(order: child.Order, ended: asyncio.Event) -> AsyncIterator[BaseProcess]:
    """A process that runs the bot, killed at the end of the block; the event is set when it ends by itself."""
    process = _processes.Process(target=child.main, args=(order,), daemon=True)
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(asyncio.to_thread(process.start))
    try:
        await asyncio.shield(starting)
        loop.add_reader(process.sentinel, ended.set)
        yield process
    finally:
        await asyncio.wait({starting})
        if process.pid is not None:
            loop.remove_reader(process.sentinel)
            process.kill()
            await asyncio.to_thread(process.join)
        process.close()


class World:
    """One playground with one model, and the bot's processes one after the other."""

    def __init__(self, playground: Playground, model: ChatCompletionsServer, folder: Path, database: Database) -> None:
        self.playground = playground
        self.model = model
        self.folder = folder
        self.rows: Callable[[str], Rows] = database.rows
        self.children = 0
        self.attempt = 1  # of the turn that is waited for
        self._touched: set[int] = set()  # messages that the present process posted or edited
        self._ended = asyncio.Event()  # set once the present process has ended
        self._computing: Callable[[], object] = lambda: 0  # changes while the present process computes
        playground.state.subscribe(self._record)
        self.settings = ProgramSettings(
            _env_file=None,
            discord_token=playground.token,
            discord_api_base=playground.api_base,
            discord_gateway_url=playground.gateway_url,
            openai_base_url=model.base_url,
            openai_model="test-model",
            database_url=database.url,
            lease_seconds=LEASE_SECONDS,
            log_dir=folder / "logs",
            outbox_dir=folder / "outbox",
        )
        self._order = child.Order(self.settings, folder / "operations-0", folder / "effects")  # of the present process
        for _ in range(40):
            model.answer(self._answer)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, databases: Databases = sqlite, *, nonce_seconds: float = 300.0
    ) -> AsyncIterator["World"]:
        """A new world in a folder, with a database of its own."""
        rules = Rules(
            create=_PLENTY,
            edit=_PLENTY,
            other=_PLENTY,
            everything=_PLENTY,
            webhook=_PLENTY,
            nonce_seconds=nonce_seconds,
        )
        async with (
            databases(folder) as database,
            Playground(rules=rules) as playground,
            ChatCompletionsServer() as model,
        ):
            yield cls(playground, model, folder, database)

    async def run(self, *, say: bool, kill_at: str | None = None) -> tuple[bool, list[str]]:
        """Run a bot until it dies or everything is done; whether it died, and its operations.

        Args:
            say: Whether somebody writes to it once it is there; else its operations count from the start.
            kill_at: The operation it dies at.
        """
        return await self.live(self._say if say else None, self.is_done, kill_at=kill_at, armed=not say)

    async def live(
        self,
        meanwhile: Callable[[], Awaitable[None]] | None,
        done: Callable[[], bool],
        *,
        kill_at: str | None = None,
        armed: bool = True,
        servers_wait: float = LONGEST,
    ) -> tuple[bool, list[str]]:
        """Run a bot until it dies or `done`; whether it died, and its operations.

        Args:
            meanwhile: What happens while it runs; it waits by `until`.
            done: Whether everything is as it should be.
            kill_at: The operation it dies at.
            armed: Whether its operations count from the start.
            servers_wait: Seconds for which it waits for servers at its start.
        """
        self.children += 1
        self._touched.clear()
        self._order = child.Order(
            self.settings,
            self.folder / f"operations-{self.children}",
            self.folder / "effects",
            kill_at=kill_at,
            armed=armed,
            servers_wait=servers_wait,
        )
        self._ended = asyncio.Event()
        async with _process(self._order, self._ended) as process:
            self._computing = computing(process.pid or 0)
            try:
                if meanwhile is not None:
                    await meanwhile()
                await self.until("all to be delivered", done)
            except NoProgressError as error:
                error.add_note(f"{self.why_not_done()}; {self._order.trail} has what the process did")
                raise
            died = self._ended.is_set()
        return died, self.trail(self.children)

    async def until_in(self) -> None:
        """Wait until the present process has looked for what was missed, or has ended."""
        await self.until("its first look", self._order.is_in.exists)

    async def _say(self) -> None:
        await self.until_in()
        self.playground.people.send(GENERAL_ID, ADA_ID, f"<@{BOT_ID}> look Ada up and pay her 5")

    def edit(self) -> None:
        """The question is changed, to one that is answered in a word."""
        messages = self.playground.state.channels[GENERAL_ID].messages.values()
        asked = next(message for message in messages if message.author_id == ADA_ID)
        self.playground.people.edit(GENERAL_ID, asked.id, ADA_ID, f"<@{BOT_ID}> just say hello")
        self.attempt = 2

    async def until(self, what: str, state: Callable[[], bool]) -> None:
        """Wait for a state or the end of the process, as long as that makes a request or an operation, or computes."""
        await self._until(what, state, self._ended)

    async def _until(self, what: str, state: Callable[[], bool], ended: asyncio.Event) -> None:
        async with patience(what, self._operations, self._computing):
            while not state() and not ended.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK):
                        await ended.wait()

    def _operations(self) -> int:
        """What grows with each operation."""
        operations = self.folder / f"operations-{self.children}"
        return operations.stat().st_size if operations.exists() else 0

    def trail(self, number: int) -> list[str]:
        """The operations of the child of that number."""
        path = self.folder / f"operations-{number}"
        return path.read_text().splitlines() if path.exists() else []

    def is_done(self) -> bool:
        """Whether there is a turn, every turn has ended, every part of it was delivered, and what is old is gone."""
        return self.rows(
            f"SELECT (SELECT COUNT(*) FROM turn WHERE attempt = {self.attempt}) > 0"  # noqa: S608  a number of ours
            " AND (SELECT COUNT(*) FROM open_turn) = 0 AND (SELECT COUNT(*) FROM delivery WHERE sent = 0) = 0"
        ) == [(1,)]

    def why_not_done(self) -> str:
        """The rows that are open."""
        turns = self.rows("SELECT id, state FROM turn")
        unsent = self.rows("SELECT kind, round, part, message_id FROM delivery WHERE sent = 0")
        return f"not done: turns {turns}, parts not sent {unsent}"

    def effects(self, tool: str) -> int:
        """How often the tool took effect."""
        path = self.folder / "effects"
        return path.read_text().splitlines().count(tool) if path.exists() else 0

    def shown(self) -> list[Message]:
        """The bot's messages, oldest first."""
        messages = self.playground.state.channels[GENERAL_ID].messages.values()
        return [message for message in messages if message.author_id == BOT_ID]

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        """Two calls first; once their results are shown the answer, which ends when all of it is shown.

        So whatever is a preview has been one before the turn ends, and the operations after that are always the same.
        """
        messages: list[Json] = exchange.body["messages"]
        hello = re.search(r"just say hello(?: to (\w+))?", str(messages[-1]["content"]))
        if hello is not None:
            await exchange.text(hello_to(hello[1]) if hello[1] else HELLO)
            await exchange.chunk({}, "stop")
            return await exchange.end()
        if messages[-1]["role"] != "tool":
            await exchange.chunk({"role": "assistant", "content": ""})
            await exchange.call(0, "call_a", "look_up", '{"name": "Ada"}')
            await exchange.call(1, "call_b", "pay", '{"amount": 5}')
            await exchange.chunk({}, "tool_calls")
            return await exchange.end()
        await self._until_shown(
            lambda: any("⏳" not in str(message.embeds) for message in self._drawn() if message.embeds)
        )
        await exchange.text(FIRST_WORDS)
        await self._until_shown(
            lambda: any(message.content.startswith(FIRST_WORDS.strip()) for message in self._drawn())
        )
        await exchange.chunk({"content": ANSWER.removeprefix(FIRST_WORDS)})
        await self._until_shown(self._all_is_drawn)
        await self._until(
            "the places of all messages", lambda: self.children > 1 or self._all_is_recorded(), asyncio.Event()
        )
        await exchange.chunk({}, "stop")
        return await exchange.end()

    async def _until_shown(self, state: Callable[[], bool]) -> None:
        """Wait until people see it, so that the bot is at the same point in every run."""
        await self.playground.wait_for(lambda _: state())

    def _drawn(self) -> list[Message]:
        """The bot's messages that the present process posted or edited, oldest first."""
        return [message for message in self.shown() if message.id in self._touched]

    def _all_is_drawn(self) -> bool:
        """Whether every sentence is there, and only the last message has buttons, as it is in the end."""
        texts = [message for message in self._drawn() if not message.embeds]
        whole = all(
            f"Sentence {part}.{number} says" in "".join(message.content for message in texts)
            for part in range(1, 4)
            for number in range(70)
        )
        return whole and not any(message.components for message in texts[:-1])

    def _all_is_recorded(self) -> bool:
        """Whether the database knows the places of all three messages."""
        return self.rows("SELECT COUNT(*) FROM delivery WHERE kind = 'text' AND message_id <> ''") == [(3,)]

    def _record(self, dispatch: Dispatch) -> None:
        noted()
        if dispatch.name in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            self._touched.add(int(dispatch.render(BOT_ID)["id"]))
