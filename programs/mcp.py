"""List the tools of the MCP servers, show what changed, and accept it: `uv run python -m programs.mcp`.

A tool is offered to the model once its whole definition was accepted, and as long as its server says the same of it.
Whoever accepts a tool lets the server's words reach the model: read them first.
"""

import argparse
import asyncio
import difflib
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from llmgine.errors import ConfigurationError, UserError
from llmgine.messages.visible_text import visible_line, visible_text
from llmgine.settings import load_settings
from programs.command_line import program_parser
from programs.exit_codes import run
from programs.settings import ProgramSettings, named_variables

if TYPE_CHECKING:
    from llmgine.mcp.definitions import Definition
    from llmgine.mcp.servers import McpServers

Change = tuple["Definition | None", "Definition | None"]  # what was accepted, and what the server says now


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; a mistake in it is reported, with exit code 2."""
    parser = program_parser("programs.mcp", __doc__.partition(":")[0] + ".", epilog=__doc__.partition("\n\n")[2])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("list", help="list servers and tools (this happens without a command, too)")
    differing = commands.add_parser("diff", help="show what differs from what was accepted")
    accepting = commands.add_parser("accept", help="show what differs, ask, and accept it")
    accepting.add_argument("--yes", action="store_true", help="accept without asking")
    for one in (differing, accepting):
        one.add_argument("names", nargs="*", metavar="NAME", help="a server, or a tool as SERVER__TOOL; by default all")
    return parser.parse_args(arguments)


async def _run(options: argparse.Namespace) -> int:
    config = load_settings(ProgramSettings).mcp_config
    if config is None:
        raise ConfigurationError("MCP_CONFIG is not set: it names the file of MCP servers (see .env.example)")
    try:
        module = import_module("llmgine.mcp.servers")
    except ImportError as error:
        raise ConfigurationError("MCP_CONFIG needs an extra; install it with `uv sync --extra mcp`") from error
    logging.getLogger().addHandler(logging.NullHandler())  # what is to be known is in the list
    servers: McpServers = module.McpServers(config, named_variables())
    servers.start()
    try:
        await servers.settled()
        if options.command in (None, "list"):
            return _list(servers)
        changes = list(_changes(servers, options.names))
        for was, now in changes:
            sys.stdout.write(_difference(was, now))
        if not changes and not any(server.tools for server in servers.status()):
            sys.stdout.write("No server was reached that has tools, so nothing is known to differ.\n")
        elif not changes:
            sys.stdout.write("Nothing differs from what was accepted.\n")
        elif options.command == "accept":
            _accept(servers, changes, ask=not options.yes)
    finally:
        await servers.stop()
    return 0


def _list(servers: "McpServers") -> int:
    for server in servers.status():
        problem = f": {server.problem}" if server.problem else ""
        sys.stdout.write(f"{server.name}  {server.state.value}{problem}\n")
        for tool, standing in server.tools.items():
            sys.stdout.write(f"  {visible_line(tool, 80):40} {standing.value}\n")
    return 0


def _changes(servers: "McpServers", names: Sequence[str]) -> Iterator[Change]:
    """What differs at the servers that were reached, as far as it is named.

    Raises:
        UserError: A name is of no server and of no tool, or a server that is named was not reached.
    """
    wanted = set(names)
    known: set[str] = set()
    for server in servers.status():
        known.add(server.name)
        if server.name in wanted and server.problem:
            raise UserError(f"The server {server.name} was not reached: {server.problem}")
        for tool, was, now in servers.compared(server.name) if server.tools else ():
            name = next(one.name for one in (now, was) if one is not None)
            known.add(name)
            if tool in server.waiting and (not wanted or wanted & {server.name, name}):
                yield was, now
    if wanted - known:
        raise UserError(f"There is no server and no tool {min(wanted - known)!r}")


def _difference(was: "Definition | None", now: "Definition | None") -> str:
    """What differs between two definitions, line by line; characters that nobody sees are shown as their codes."""
    name = next(one.name for one in (now, was) if one is not None)
    lines = difflib.unified_diff(_lines(was), _lines(now), f"{name} accepted", f"{name} now", lineterm="", n=1_000)
    return "\n".join(lines) + "\n\n"


def _lines(definition: "Definition | None") -> list[str]:
    if definition is None:
        return []
    text = json.dumps(definition.raw, indent=2, sort_keys=True, ensure_ascii=False)
    return "".join(one if visible_text(one) == one else f"\\u{{{ord(one):x}}}" for one in text).split("\n")


def _accept(servers: "McpServers", changes: Sequence[Change], *, ask: bool) -> None:
    """Accept exactly what was shown.

    Raises:
        UserError: Nobody said yes.
    """
    if ask:
        sys.stdout.write(f"Accept {len(changes)} changes? [y/N] ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise UserError("Nothing was accepted")
    servers.pins.accept(
        [now for _, now in changes if now is not None], [was for was, now in changes if was is not None and now is None]
    )
    sys.stdout.write(f"Accepted in {servers.pins.path}. A bot that runs offers them within seconds.\n")


def main() -> int:
    """Run the program; see `ExitCode`."""
    return asyncio.run(_run(read_options()))


if __name__ == "__main__":
    sys.exit(run(main))
