"""Real MCP servers in a folder of their own, and the tools that are made of what they offer."""

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from llmgine.mcp.connection import ConnectionState
from llmgine.mcp.servers import McpServers, ServerStatus
from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.tools.tool_manager import ToolManager
from tests.waiting import eventually

SCRIPTED = Path(__file__).with_name("scripted_server.py")
TIME = {"command": sys.executable, "args": ["-m", "mcp_server_time", "--local-timezone", "UTC"]}


def tool(name: str, description: str = "A tool.", **schema: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "inputSchema": {"type": "object", **schema}}


class Stage:
    """A configuration of servers.

    Attributes:
        config: Its file.
        servers: What runs now.
        tools: What is offered.
    """

    def __init__(self, folder: Path) -> None:
        self.config = folder / "mcp.json"
        self.tools = ToolManager()
        self.servers: McpServers
        self._configured: dict[str, Any] = {}

    def add(self, name: str, config: Mapping[str, Any]) -> None:
        self._configured[name] = config
        self.config.write_text(json.dumps({"mcpServers": self._configured}), encoding="utf-8")

    def add_scripted(self, name: str, *tools: Mapping[str, Any], what: str = "", **config: Any) -> Path:
        """Add a scripted server; gives the file of its tools."""
        file = self.config.with_name(f"{name}.tools.json")
        file.write_text(json.dumps(tools), encoding="utf-8")
        self.add(name, {"command": sys.executable, "args": [str(SCRIPTED), str(file), what], **config})
        return file

    @asynccontextmanager
    async def running(self, *, accept: bool = True, wait: bool = True) -> AsyncIterator[McpServers]:
        """Run the servers, wait for them, and accept all that they have."""
        self.tools = ToolManager()
        self.servers = McpServers(self.config, os.environ, self.tools, interval=0.05)
        self.servers.start()
        try:
            if wait:
                await self.servers.settled()
            if accept:
                await self.accept()
            yield self.servers
        finally:
            await self.servers.stop()

    async def accept(self) -> None:
        """Accept all that is there, and wait until it is offered."""
        for server in self.servers.status():
            self.servers.pins.accept([now for _, _, now in self.servers.compared(server.name) if now is not None])
        await eventually(lambda: not any(one.waiting for one in self.servers.status()))

    def status(self, name: str) -> ServerStatus:
        return next(one for one in self.servers.status() if one.name == name)

    async def ready(self, name: str) -> None:
        await eventually(lambda: self.status(name).state is ConnectionState.READY)

    async def call(self, name: str, **arguments: Any) -> ToolResult:
        return await self.tools.run(ToolCall(name=name, arguments=json.dumps(arguments)))

    @property
    def offered(self) -> Sequence[str]:
        return sorted(self.tools.names)
