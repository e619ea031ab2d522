"""A server of the newer generation over Streamable HTTP: `python web_server.py PORT [json]`."""

import os
import sys

import anyio
from mcp.server.mcpserver import MCPServer

server = MCPServer("web")


@server.tool()
async def echo(n: int) -> int:
    return n


@server.tool()
async def hang() -> None:
    await anyio.sleep_forever()


@server.tool()
def die() -> str:
    os._exit(3)


@server.tool(structured_output=False)
def large() -> str:
    return "x" * 50_000_000


if __name__ == "__main__":
    server.run("streamable-http", port=int(sys.argv[1]), json_response=sys.argv[2:] == ["json"])
