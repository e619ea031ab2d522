"""The connection to one server: entered, kept and left by one task, and made again when it is lost."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from mcp import Client, MCPError
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp.shared.dispatcher import ProgressFnT
from mcp.types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    PARSE_ERROR,
    REQUEST_TIMEOUT,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    InputRequiredResult,
    PaginatedRequestParams,
    ToolListChangedNotification,
)
from pydantic import TypeAdapter

from llmgine.errors import LLMgineError
from llmgine.mcp.config import ServerConfig
from llmgine.mcp.definitions import MOST_TOOLS, Definition, DefinitionError
from llmgine.mcp.http import address
from llmgine.mcp.stdio import StandardError, program
from llmgine.messages.visible_text import visible_line

CONNECT_SECONDS = 30.0  # until a server has said what it has
_LIST_SECONDS = 20.0  # for one page of that
_MOST_PAGES = 100
_QUIET = 0.5  # seconds in which changes are gathered before it is asked again
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0  # seconds between two tries
_STABLE = 60.0  # seconds after which a connection counts as good, so that the pauses begin anew
_REASON = 300  # characters of why something failed

_LOST = (CONNECTION_CLOSED, REQUEST_TIMEOUT)
_IN_DOUBT = (INTERNAL_ERROR, PARSE_ERROR)  # it failed while it ran, or its answer cannot be read
_RESULT: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(CallToolResult | InputRequiredResult)
_log = logging.getLogger(__name__)


class ConnectionState(Enum):
    """What a connection is doing."""

    CONNECTING = "connecting"  # it is started, asked what it has, or was just lost; calls wait for it
    READY = "ready"  # calls go to it
    PAUSING = "pausing"  # it failed more than once, and is tried again after a pause; calls fail at once
    STOPPED = "stopped"  # it was not started, or the program ends


class UnavailableError(LLMgineError):
    """The call was not sent, because there is no connection; the text says why."""


class UnknownOutcomeError(LLMgineError):
    """The call was sent, and nobody knows what became of it; the text says why."""


class Connection:
    """Keeps the connection to one server.

    Args:
        name: The server's name in the configuration.
        config: What is started or asked.
        listed: Told what the server has, at each connection and when that changes.
        redact: Takes secrets out of what is said of it.
    """

    def __init__(
        self,
        name: str,
        config: ServerConfig,
        listed: Callable[[str, Sequence[Definition]], None],
        redact: Callable[[str], str],
    ) -> None:
        self.name = name
        self.config = config
        self.state = ConnectionState.STOPPED
        self.problem = ""  # why the last try failed
        self.generation = ""  # the version of the protocol that is spoken
        self._told = ""  # the problem that was logged last
        self._listed = listed
        self._redact = redact
        self._client: Client | None = None
        self._in_flight = 0  # calls
        self._hangs = False  # its last call got no result in time
        self._owner: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()  # it is known whether there is a connection
        self._look = asyncio.Event()  # what it has may have changed, or it may be gone

    def start(self) -> None:
        """Begin to connect, in the background."""
        self.state = ConnectionState.CONNECTING
        self._owner = asyncio.create_task(self._own(), name=f"MCP server {self.name}")

    async def stop(self) -> None:
        """Leave the server, and end its program."""
        if self._owner is not None:
            self._owner.cancel()
            await asyncio.gather(self._owner, return_exceptions=True)
        self._owner = None
        self.state = ConnectionState.STOPPED
        self._settled.set()

    async def settled(self) -> None:
        """Wait until it is known whether there is a connection."""
        await self._settled.wait()

    async def call(
        self, tool: str, arguments: Mapping[str, Any], on_progress: ProgressFnT | None = None
    ) -> CallToolResult:
        """Call a tool, by the server's name of it; cancelling the call tells the server.

        Raises:
            UnavailableError: It was not sent.
            UnknownOutcomeError: It was sent, and no result that can be read came in time, or the server failed.
            MCPError: The server refused it.
        """
        await self._settled.wait()
        client = self._client
        if client is None or self.state is not ConnectionState.READY:
            raise UnavailableError(self.problem or "it is not connected")
        self._in_flight += 1
        try:
            return await self._result(client, CallToolRequestParams(name=tool, arguments=dict(arguments)), on_progress)
        finally:
            self._in_flight -= 1

    async def _result(
        self, client: Client, parameters: CallToolRequestParams, on_progress: ProgressFnT | None
    ) -> CallToolResult:
        """Send a call, and wait for its result; see `call`."""
        try:
            async with asyncio.timeout(self.config.timeout):
                result = await client.session.send_request(
                    CallToolRequest(params=parameters),
                    _RESULT,
                    request_read_timeout_seconds=2 * self.config.timeout,  # the time limit above is the one that counts
                    progress_callback=on_progress,
                )
        except TimeoutError:
            self._hangs = True
            self._look.set()  # a server that hangs does not answer that either, and is started anew
            raise UnknownOutcomeError(f"no result came within {self.config.timeout:g} seconds") from None
        except MCPError as error:
            self._look.set()
            if error.code in _LOST:
                raise UnknownOutcomeError("the connection was lost before its result came") from error
            if error.code in _IN_DOUBT:
                told = visible_line(self._redact(error.message), _REASON)
                raise UnknownOutcomeError(told or "the server failed") from error
            raise
        except Exception as error:  # whatever it is, the call may have been sent
            self._look.set()
            raise UnknownOutcomeError(f"its result cannot be read ({type(error).__name__})") from error
        if isinstance(result, InputRequiredResult):
            raise UnknownOutcomeError("the server asks for something that cannot be given here")
        self._hangs = False
        return result

    async def _own(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            begun = time.monotonic()
            said = StandardError()
            try:
                await self._connected(said)
            except Exception as error:  # whatever a server does, it is tried again
                pause = _FIRST_PAUSE if time.monotonic() - begun > _STABLE else pause
                self._lost(error, said, at_once=self.generation != "" and pause == _FIRST_PAUSE)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._settled.clear()
            self.state = ConnectionState.CONNECTING

    async def _connected(self, said: StandardError) -> None:
        """Enter, keep and leave the connection in this task, as the scopes of `mcp` want it.

        Raises:
            Exception: It cannot be made, or was lost.
        """
        config = self.config
        transport = program(config, said, self._ended) if config.command is not None else address(config)
        client = Client(
            transport,
            client_info=Implementation(name="llmgine", version="1"),
            message_handler=self._heard,
            read_timeout_seconds=_LIST_SECONDS,
            cache=None,
        )
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECT_SECONDS):
                await stack.enter_async_context(client)
                self._listed(self.name, await self._definitions(client))
            self._client, self.generation, self._hangs = client, client.protocol_version, False
            self.state, self.problem = ConnectionState.READY, ""
            self._settled.set()
            listening = asyncio.create_task(self._listen(client), name=f"changes of MCP server {self.name}")
            try:
                await self._keep(client)
            finally:
                listening.cancel()
                self._ended()  # leaving may take a while, and nothing is to be sent meanwhile

    async def _keep(self, client: Client) -> None:
        """Ask again what there is whenever that may have changed; ends with the error of a server that is gone."""
        while True:
            await self._look.wait()
            if self._client is not None:
                await asyncio.sleep(_QUIET)
            self._look.clear()
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    self._listed(self.name, await self._definitions(client))
            except (TimeoutError, MCPError) as error:
                if not self._is_busy or (isinstance(error, MCPError) and error.code != REQUEST_TIMEOUT):
                    raise
                self._look.set()

    @property
    def _is_busy(self) -> bool:
        """Whether it may work on a call: some answer nothing else meanwhile. How long that may take is bounded."""
        return self._client is not None and self._in_flight > 0 and not self._hangs

    def _ended(self) -> None:
        """The connection ends: what is called from now on waits for the next one."""
        self._client = None
        if self.state is ConnectionState.READY:
            self.state = ConnectionState.CONNECTING
            self._settled.clear()
        self._look.set()

    def _lost(self, error: Exception, said: StandardError, *, at_once: bool) -> None:
        """There is no connection; `at_once`: there will be soon, so calls wait for it."""
        self._client, self.generation = None, ""
        wrote = f"; the last it wrote: {said.last_line}" if said.last_line else ""
        problem = visible_line(self._redact(f"{_described(error)}{wrote}"), _REASON)
        if problem != self._told:  # once, and not at each try
            _log.warning("MCP server %s: %s", self.name, problem)
        self.problem = self._told = problem
        if at_once:
            self.state = ConnectionState.CONNECTING
            self._settled.clear()
        else:
            self.state = ConnectionState.PAUSING
            self._settled.set()

    async def _heard(self, message: object) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._look.set()

    async def _listen(self, client: Client) -> None:
        """Ask a server of the newer generation to tell of changes; older ones do so unasked."""
        while True:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._look.set()
            except (ListenNotSupportedError, MCPError):
                return  # it has nothing to tell
            except (SubscriptionLost, TimeoutError):
                self._look.set()  # what was missed meanwhile, or that it is gone
            await asyncio.sleep(_LONGEST_PAUSE / 10)

    async def _definitions(self, client: Client) -> list[Definition]:
        """What the server has, page by page, as far as it can be used."""
        found: dict[str, Definition] = {}
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
            for tool in page.tools[: MOST_TOOLS + 1]:
                try:
                    one = Definition(self.name, tool.model_dump(mode="json", by_alias=True, exclude_unset=True))
                except DefinitionError as error:
                    _log.warning("MCP server %s: a tool is left out: %s", self.name, error)
                    continue
                found.setdefault(one.tool, one)
                if len(found) > MOST_TOOLS:
                    _log.warning("MCP server %s: only its first %d tools are used", self.name, MOST_TOOLS)
                    return list(found.values())[:MOST_TOOLS]
            cursor = page.next_cursor
            if cursor is None:
                break
        return list(found.values())


def _described(error: BaseException) -> str:
    """What went wrong, in one of the errors that a task group gathered."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return f"it did not say within {CONNECT_SECONDS:g} seconds what it has"
    return str(error) or type(error).__name__
