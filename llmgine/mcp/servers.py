"""All MCP servers of an application: connected in the background, with what the operator accepted offered as tools."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp import MCPError
from mcp.shared.dispatcher import ProgressFnT

from llmgine.errors import ConfigurationError, ToolError
from llmgine.mcp.arguments import arguments_of
from llmgine.mcp.config import read_config, secrets_of
from llmgine.mcp.connection import Connection, ConnectionState, UnavailableError, UnknownOutcomeError
from llmgine.mcp.definitions import Definition
from llmgine.mcp.pins import Accepted, Pins, Standing, standing
from llmgine.mcp.results import output
from llmgine.messages.chat_messages import ToolSchema
from llmgine.messages.text import shorten
from llmgine.messages.translatable import tr
from llmgine.messages.visible_text import visible_text
from llmgine.observability.redaction import Redactor
from llmgine.tools.context import current_tool_context
from llmgine.tools.files import ToolOutput
from llmgine.tools.result_text import MAX_RESULT_BYTES
from llmgine.tools.tool import Tool
from llmgine.tools.tool_manager import ToolManager

_LOOK_SECONDS = 2.0  # between two looks whether more was accepted
_MARGIN = 40.0  # seconds for a connection that is being made when a call comes
_UNKNOWN = tr("Interrupted. Whether this took effect is unknown.")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerStatus:
    """What is known of one server.

    Attributes:
        name: Its name in the configuration.
        state: What its connection is doing.
        problem: Why the last try failed, or nothing.
        generation: The version of the protocol that is spoken, or nothing.
        tools: How each of its tools stands, by the server's name of it; of a server that was not reached yet nothing.
    """

    name: str
    state: ConnectionState
    problem: str
    generation: str
    tools: Mapping[str, Standing]

    @property
    def waiting(self) -> list[str]:
        """The tools whose definitions the operator has to look at."""
        return [tool for tool, one in self.tools.items() if one is not Standing.ACCEPTED]


class McpServers:
    """Keeps the connections, and the tools of a `ToolManager` in step with what is accepted and what servers say.

    A tool is offered if the operator accepted its definition, and the server has said nothing else since the start.

    Args:
        config: The file that names the servers.
        variables: What the variables in it stand for.
        tools: Where tools are offered; None where nobody calls them.
        interval: Seconds between two looks whether more was accepted.

    Raises:
        ConfigurationError: A file cannot be used; the text names it and says why.
    """

    def __init__(
        self,
        config: Path,
        variables: Mapping[str, str],
        tools: ToolManager | None = None,
        *,
        interval: float = _LOOK_SECONDS,
    ) -> None:
        self._servers = read_config(config, variables)
        self.pins = Pins(config)
        self._redact = Redactor(secrets_of(self._servers))
        self._tools = tools
        self._interval = interval
        self._connections = {
            name: Connection(name, server, self._listed, self._redact) for name, server in self._servers.items()
        }
        self._now: dict[str, dict[str, Definition]] = {}  # what each server said last
        self._mark = self.pins.mark()
        self._accepted: Accepted = self.pins.read()
        self._offered: dict[str, str] = {}  # the fingerprint of each offered tool
        self._watcher: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Offer what was accepted, and connect in the background: no server delays the start."""
        self._offer()
        for connection in self._connections.values():
            connection.start()
        self._watcher = asyncio.create_task(self._watch(), name="MCP acceptance")

    async def stop(self) -> None:
        """Leave all servers."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await asyncio.gather(*(connection.stop() for connection in self._connections.values()))

    async def settled(self) -> None:
        """Wait until it is known of each server whether it is there."""
        await asyncio.gather(*(connection.settled() for connection in self._connections.values()))

    def status(self) -> list[ServerStatus]:
        """What is known of each server."""
        return [
            ServerStatus(
                name,
                one.state,
                one.problem,
                one.generation,
                {tool: standing(was, now) for tool, was, now in self.compared(name)} if name in self._now else {},
            )
            for name, one in self._connections.items()
        ]

    def compared(self, server: str) -> Iterator[tuple[str, Definition | None, Definition | None]]:
        """Each tool of a server: what was accepted, and what the server says now."""
        accepted, now = self._accepted.get(server, {}), self._now.get(server, {})
        for tool in sorted({*accepted, *now}):
            yield tool, accepted.get(tool), now.get(tool)

    async def _watch(self) -> None:
        """Offer what the operator accepts while the program runs."""
        while True:
            await asyncio.sleep(self._interval)
            mark = await asyncio.to_thread(self.pins.mark)
            if mark == self._mark:
                continue
            self._mark = mark
            try:
                self._accepted = await asyncio.to_thread(self.pins.read)
            except ConfigurationError as error:
                _log.warning("What was accepted stays as it was: %s", error)
            self._offer()

    def _listed(self, server: str, definitions: Sequence[Definition]) -> None:
        before = self._now.get(server)
        self._now[server] = {one.tool: one for one in definitions}
        self._offer()
        if self._tools is not None and before != self._now[server]:
            waiting = [tool for tool, was, now in self.compared(server) if standing(was, now) is not Standing.ACCEPTED]
            if waiting:
                _log.warning(
                    "MCP server %s: %d tools are new, changed or gone, and stay disabled until they are accepted; "
                    "`python -m programs.mcp diff %s` shows what differs",
                    server,
                    len(waiting),
                    server,
                )

    def _offer(self) -> None:
        """Bring the offered tools in step with what is wanted."""
        if self._tools is None:
            return
        wanted = self._wanted()
        for name, fingerprint in list(self._offered.items()):
            if name not in wanted or wanted[name].fingerprint != fingerprint:
                self._tools.unregister(name)
                del self._offered[name]
        for name, definition in wanted.items():
            if name in self._offered:
                continue
            try:
                self._tools.register(self._tool(definition))
            except Exception as error:  # a schema is foreign, and one that cannot be used costs no other tool
                _log.warning("MCP server %s: the tool %s is left out: %s", definition.server, name, error)
            else:
                self._offered[name] = definition.fingerprint

    def _wanted(self) -> dict[str, Definition]:
        """By their names for the model, the tools that were accepted, unless their server says something else now."""
        wanted: dict[str, Definition] = {}
        for server in self._servers:
            for _, was, now in self.compared(server):
                is_same = server not in self._now or standing(was, now) is Standing.ACCEPTED
                if was is not None and is_same:
                    wanted.setdefault(was.name, was)
        return wanted

    def _tool(self, definition: Definition) -> Tool:
        config = self._servers[definition.server]
        reads_only = definition.tool in config.read_only

        async def call(**arguments: Any) -> ToolOutput:
            return await self._call(definition, arguments, reads_only=reads_only)

        return Tool(
            schema=ToolSchema(
                name=definition.name, description=definition.description, parameters=definition.parameters
            ),
            function=call,
            arguments=arguments_of(definition),
            idempotent=reads_only,
            requires_approval=not reads_only,
            reads_outside=True,
            searchable=True,
            timeout=config.timeout + _MARGIN,
        )

    async def _call(self, definition: Definition, arguments: dict[str, Any], *, reads_only: bool) -> ToolOutput:
        """Call the tool, if its server still says of it what was accepted.

        Raises:
            ToolError: It was not called, failed, or its outcome is unknown.
        """
        server = definition.server
        connection = self._connections[server]
        await connection.settled()
        now = self._now.get(server, {}).get(definition.tool)
        if connection.state is ConnectionState.READY and (now is None or now.fingerprint != definition.fingerprint):
            raise ToolError(f"The server {server} has changed this tool, so it was not called.")
        try:
            result = await connection.call(definition.tool, arguments, _progress(self._redact))
        except UnavailableError as error:
            raise ToolError(f"The server {server} cannot be reached now, so this was not called: {error}") from None
        except UnknownOutcomeError as error:
            if reads_only:
                raise ToolError(f"The server {server} gave no result: {error}.") from None
            told = f"Interrupted: {error}, so whether this took effect is unknown."
            raise ToolError(f"{told} Do not repeat it without asking the person.", shown=_UNKNOWN) from None
        except MCPError as error:
            raise ToolError(self._clean(f"The server {server} answered with an error: {error.message}")) from None
        # In a thread, because secrets are looked for in whole files.
        given = await asyncio.to_thread(output, result.content, result.structured_content, self._redact)
        if result.is_error:
            raise ToolError(self._clean(str(given.text or "it failed")))
        return given

    def _clean(self, text: str) -> str:
        return self._redact(visible_text(shorten(text, MAX_RESULT_BYTES)))


def _progress(redact: Callable[[str], str]) -> ProgressFnT | None:
    """What tells people how far the call is that runs here, without the secrets of the servers."""
    try:
        tell = current_tool_context().progress
    except LookupError:  # nobody asked for it in a turn
        return None

    async def told(progress: float, total: float | None, message: str | None) -> None:
        await tell(redact(message) if message else f"{progress:g} / {total:g}" if total else f"{progress:g}")

    return told
