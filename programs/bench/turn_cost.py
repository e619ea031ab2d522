"""What a turn costs beside the model: the engine and the bare SDK on one loopback model service, by both APIs."""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openai import AsyncOpenAI, DefaultAioHttpClient
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from openai.types.responses import FunctionToolParam, ResponseInputParam

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.engine import ask
from llmgine.messages.commands import PromptCommand
from llmgine.messages.events import AnswerProgressEvent, LLMResponseEvent
from programs.settings import ProgramSettings

_MANY = 2_000  # model calls at once
_INTERVAL = 0.05  # seconds between two pieces of a stream
_RAMP, _SETTLE, _WINDOW = 3.0, 1.5, 5.0  # seconds in which streams begin, come to flow, and are measured
_SCHEMA: dict[str, object] = {"type": "object", "properties": {}}
_TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "now", "description": "Tell the time.", "parameters": _SCHEMA},
}
_FLAT_TOOL: FunctionToolParam = {
    "type": "function",
    "name": "now",
    "description": "Tell the time.",
    "parameters": _SCHEMA,
    "strict": False,
}
_QUESTION = "How late is it?"
# A file system in memory, where there is one: what a disk takes is a fact about that disk.
MEMORY = Path("/dev/shm")  # noqa: S108  folders are made there by tempfile

Api = Literal["chat", "responses"]
APIS: dict[Api, str] = {"chat": "Chat Completions", "responses": "Responses"}


async def now() -> str:
    """Tell the time."""
    return "noon"


class Recorder:
    """What is measured while turns run, in milliseconds.

    Attributes:
        turns: Each turn.
        delays: Each piece of text, from its sending to its telling.
        firsts: Each question that was announced by `asked`, until some of its answer was told.
    """

    def __init__(self) -> None:
        self.turns: list[float] = []
        self.delays: list[float] = []
        self.firsts: list[float] = []
        self._asked_at: float | None = None

    def asked(self) -> None:
        """A question is asked now, and nothing else before its answer."""
        self._asked_at = time.perf_counter()

    def told(self, text: str) -> None:
        """The text has grown; its last piece says when it was sent."""
        if not text:
            return
        self.delays.append((time.monotonic_ns() - int(text.rsplit(maxsplit=1)[-1])) / 1e6)
        if self._asked_at is not None:
            self.firsts.append((time.perf_counter() - self._asked_at) * 1e3)
            self._asked_at = None

    def clear(self) -> None:
        """Begin anew."""
        self.turns.clear()
        self.delays.clear()
        self.firsts.clear()


# One turn of a session, by the numbers of both.
Chat = Callable[[int, int], Awaitable[None]]


@contextlib.asynccontextmanager
async def model_service() -> AsyncIterator[str]:
    """The model service in a process of its own; gives its base address."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "programs.bench.model_server")
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    if process.stdout is None or process.stdin is None:
        raise RuntimeError("the model service has no pipes")
    try:
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.stdin.close()
        await process.wait()


@contextlib.asynccontextmanager
async def application(
    base_url: str, model: str, *, tools: bool, api: Api = "chat", in_memory: bool = False
) -> AsyncIterator[ApplicationBootstrap]:
    """The engine as programs run it: a store on disk, or on a file system in memory, the log on."""
    with tempfile.TemporaryDirectory(dir=MEMORY if in_memory else None) as folder:
        settings = ProgramSettings(
            _env_file=None,
            openai_base_url=base_url,
            openai_model=model,
            openai_api=api,
            database_url=f"sqlite:///{folder}/bench.db",
            log_dir=Path(folder),
        )
        async with ApplicationBootstrap(ApplicationConfig(settings=settings, calls_at_once=_MANY)) as app:
            if tools:
                await app.engine.register_tool(now)
            yield app


@contextlib.asynccontextmanager
async def ours(
    base_url: str, model: str, recorder: Recorder, *, tools: bool, api: Api = "chat", in_memory: bool = False
) -> AsyncIterator[Chat]:
    """Turns through bus, engine and store."""
    async with application(base_url, model, tools=tools, api=api, in_memory=in_memory) as app:
        app.bus.register_event_handler(AnswerProgressEvent, lambda event: recorder.told(event.text))
        app.bus.register_event_handler(LLMResponseEvent, lambda event: recorder.told(event.text))

        async def chat(session: int, turn: int) -> None:
            prompt = PromptCommand(
                session_id=f"bench:{session}", text=_QUESTION, source="bench", source_id=f"{session}.{turn}"
            )
            finished = await ask(app.bus, prompt)
            if finished.state != "done":
                raise RuntimeError(f"a turn failed: {finished.notice}")

        yield chat


@contextlib.asynccontextmanager
async def bare_sdk(
    base_url: str, model: str, recorder: Recorder, *, tools: bool, api: Api = "chat"
) -> AsyncIterator[Chat]:
    """The same calls in a loop around the SDK's typed streaming: no bus, no store, no log, no history."""
    transport = DefaultAioHttpClient()
    async with AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0, http_client=transport) as client:
        chat = _sdk_chat if api == "chat" else _sdk_responses
        yield lambda _session, _turn: chat(client, model, recorder, tools=tools)


async def _sdk_chat(client: AsyncOpenAI, model: str, recorder: Recorder, *, tools: bool) -> None:
    """One turn by Chat Completions."""

    async def reply(messages: list[ChatCompletionMessageParam]) -> bool:
        text, called = "", False
        offered = [_TOOL] if tools else []
        stream = await client.chat.completions.create(model=model, messages=messages, stream=True, tools=offered)
        async for chunk in stream:
            delta = chunk.choices[0].delta if chunk.choices else None
            called = called or bool(delta and delta.tool_calls)
            if delta and delta.content:
                text += delta.content
                recorder.told(text)
        return called

    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": _QUESTION}]
    if await reply(messages):
        call = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
        messages.append({"role": "assistant", "tool_calls": [call]})  # type: ignore[list-item]  # a plain dict
        messages.append({"role": "tool", "tool_call_id": "call_1", "content": await now()})
        await reply(messages)


async def _sdk_responses(client: AsyncOpenAI, model: str, recorder: Recorder, *, tools: bool) -> None:
    """One turn by the Responses API."""

    async def reply(items: ResponseInputParam) -> bool:
        text, called = "", False
        offered = [_FLAT_TOOL] if tools else []
        stream = await client.responses.create(model=model, input=items, stream=True, store=False, tools=offered)
        async for event in stream:
            if event.type == "response.output_text.delta":
                text += event.delta
                recorder.told(text)
            elif event.type == "response.output_item.done":
                called = called or event.item.type == "function_call"
        return called

    items: ResponseInputParam = [{"type": "message", "role": "user", "content": _QUESTION}]
    if await reply(items):
        items.append({"type": "function_call", "call_id": "call_1", "name": "now", "arguments": "{}"})
        items.append({"type": "function_call_output", "call_id": "call_1", "output": await now()})
        await reply(items)


Side = Callable[..., contextlib.AbstractAsyncContextManager[Chat]]


@dataclass(frozen=True)
class Turns:
    """What so many turns of so many sessions at once cost."""

    sessions: int
    p50: float  # milliseconds a turn
    cpu: float  # milliseconds a turn
    rate: float  # turns a second
    first_text: float  # milliseconds from the sending of a piece to its telling, median


async def measure_turns(side: Side, base_url: str, *, sessions: int, turns: int, api: Api = "chat") -> Turns:
    """Turns with one tool call and a short answer, from a service that never lets anybody wait."""
    recorder = Recorder()
    async with side(base_url, "chunks:3:0", recorder, tools=True, api=api) as chat:

        async def run(session: int) -> None:
            for turn in range(turns):
                begin = time.perf_counter()
                await chat(session, turn)
                recorder.turns.append((time.perf_counter() - begin) * 1e3)

        await run(-1)
        recorder.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*map(run, range(sessions)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done = sessions * turns
    p50, first_text = statistics.median(recorder.turns), statistics.median(recorder.delays)
    return Turns(sessions, p50, cpu / done * 1e3, done / wall, first_text)


@dataclass(frozen=True)
class FirstText:
    """Milliseconds from a question to the first text of its answer: medians, of both sides in turns."""

    ours: float
    sdk: float

    @property
    def added(self) -> float:
        """What ours takes beyond the SDK."""
        return self.ours - self.sdk


async def measure_first_text(base_url: str, *, questions: int, api: Api = "chat") -> FirstText:
    """Questions without history, asked one after another of both sides in turns, so that slow moments hit both."""
    recorders = {ours: Recorder(), bare_sdk: Recorder()}
    async with contextlib.AsyncExitStack() as stack:
        chats = [
            (recorder, await stack.enter_async_context(side(base_url, "text:3:0.01", recorder, tools=False, api=api)))
            for side, recorder in recorders.items()
        ]
        for number in range(-3, questions):  # the first ones warm up
            for recorder, chat in chats:
                if number == 0:
                    recorder.clear()
                recorder.asked()
                await chat(number, 0)
    return FirstText(*(statistics.median(recorder.firsts) for recorder in recorders.values()))


@dataclass(frozen=True)
class Streams:
    """What so many streams at once cost, once all flow."""

    streams: int
    pieces_per_cpu_second: float
    delay_p50: float  # milliseconds from the sending of a piece to its telling
    delay_p99: float


async def measure_streams(side: Side, base_url: str, *, streams: int, api: Api = "chat") -> Streams:
    """Streams of 20 pieces a second, begun over some seconds, measured while all of them flow."""
    recorder = Recorder()
    pieces = int((_RAMP + _WINDOW + 2 * _SETTLE) / _INTERVAL)
    async with side(base_url, f"chunks:{pieces}:{_INTERVAL}", recorder, tools=False, api=api) as chat:

        async def run(session: int) -> None:
            await asyncio.sleep(_RAMP * session / streams)
            await chat(session, 0)

        running = asyncio.gather(*map(run, range(streams)))
        await asyncio.sleep(_RAMP + _SETTLE)
        recorder.clear()
        cpu = time.process_time()
        await asyncio.sleep(_WINDOW)
        cpu, delays = time.process_time() - cpu, sorted(recorder.delays)
        await running
    rate = streams * _WINDOW / _INTERVAL / cpu
    return Streams(streams, rate, statistics.median(delays), delays[round(0.99 * (len(delays) - 1))])
