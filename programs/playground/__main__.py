"""Run the playground alone, for any bot: `uv run python -m programs.playground [--port 8700]`."""

import argparse
import asyncio
import importlib.util
import os
import signal
import sys
from pathlib import Path

from programs.command_line import program_parser
from programs.playground.api_table import table
from programs.playground.contract import Contract
from programs.playground.server import Playground
from programs.playground.storage import InUseError

DEFAULT_PORT = 8700
_CONFIGURATION = 78  # as `programs.exit_codes` has it; the playground knows nothing of the other programs


def main() -> int:
    """Run the playground until Ctrl-C or SIGTERM. Returns the exit code."""
    options = _parser().parse_args()
    if options.table:
        sys.stdout.write(table(Playground().routes()) + "\n")
        return 0
    try:
        playground = Playground(
            port=options.port,
            token=options.token,
            people=options.person,
            data=options.data,
            openapi=_contract(options.openapi),
            fault_api=options.faults,
        )
    except OSError as refused:
        sys.stderr.write(f"Cannot read {options.data} ({refused.strerror}): choose another file with --data.\n")
        return _CONFIGURATION
    except ValueError as refused:
        sys.stderr.write(f"{refused}.\n")
        return _CONFIGURATION
    except InUseError as running:
        sys.stderr.write(f"{running}: stop it, or choose another file with --data.\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # it ends like Ctrl-C
    try:
        asyncio.run(_serve(playground))
    except (OSError, OverflowError) as refused:
        sys.stderr.write(f"Cannot listen on 127.0.0.1:{options.port} ({refused}): choose another port with --port.\n")
        return _CONFIGURATION
    except KeyboardInterrupt:
        sys.stdout.write("Stopped.\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = program_parser("programs.playground", "Run a local Discord, for any bot.")
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("PLAYGROUND_PORT", DEFAULT_PORT),
        help=f"port on 127.0.0.1 (default: PLAYGROUND_PORT, or {DEFAULT_PORT})",
    )
    parser.add_argument("--token", help="the bot token to accept (default: a random one)")
    parser.add_argument(
        "--person",
        action="append",
        default=[],
        metavar="NAME",
        help="add a person besides Ada and Grace; can be repeated",
    )
    parser.add_argument("--data", type=Path, metavar="FILE", help="keep the state in this file across restarts")
    parser.add_argument("--faults", action="store_true", help="let programs cause faults through /playground/faults")
    parser.add_argument(
        "--openapi",
        type=Path,
        metavar="FILE",
        default=os.environ.get("DISCORD_OPENAPI"),
        help="check all traffic against this copy of Discord's OpenAPI document (default: DISCORD_OPENAPI)",
    )
    parser.add_argument(
        "--table", action="store_true", help="print which parts of Discord are here and which are not, and exit"
    )
    return parser


def _contract(path: Path | None) -> Contract | None:
    """Raises ValueError, with a text for the person who starts it."""
    if path is None:
        return None
    wayout = "choose a copy of Discord's OpenAPI document with --openapi or DISCORD_OPENAPI, or leave both out"
    if importlib.util.find_spec("jsonschema_rs") is None:
        raise ValueError("Checking against Discord's document needs jsonschema-rs: run `uv sync --group test`")
    # Only here, since the package is no dependency of the bot.
    from programs.playground.openapi import Document  # noqa: PLC0415  see above

    try:
        return Document(Path(path))
    except OSError as unreadable:
        raise ValueError(f"Cannot read {path} ({unreadable.strerror}): {wayout}") from unreadable
    except ValueError as other:
        raise ValueError(f"{path} is not Discord's OpenAPI document: {wayout}") from other


async def _serve(playground: Playground) -> None:
    async with playground:
        sys.stdout.write(
            f"The playground is at {playground.url}/\n\nStart a bot with:\n"
            f"DISCORD_TOKEN={playground.token}\n"
            f"DISCORD_API_BASE={playground.api_base}\n"
            f"DISCORD_GATEWAY_URL={playground.gateway_url}\n"
        )
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
