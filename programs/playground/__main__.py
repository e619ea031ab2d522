"""Run the playground alone, for any bot: `uv run python -m programs.playground [--port 8700]`."""

import argparse
import asyncio
import sys

from programs.playground.server import Playground

DEFAULT_PORT = 8700


def main() -> int:
    parser = argparse.ArgumentParser(prog="programs.playground", description="A local Discord, for any bot.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--token", help="the bot token to accept (default: a random one)")
    options = parser.parse_args()
    playground = Playground(port=options.port, token=options.token)
    try:
        asyncio.run(_serve(playground))
    except (OSError, OverflowError) as refused:
        sys.stderr.write(f"Cannot listen on 127.0.0.1:{options.port} ({refused}): choose another with --port.\n")
        return 1
    except KeyboardInterrupt:
        sys.stdout.write("Stopped.\n")
    return 0


async def _serve(playground: Playground) -> None:
    async with playground:
        sys.stdout.write(
            f"The playground is open at {playground.url}/\n\nStart a bot with:\n"
            f"DISCORD_TOKEN={playground.token}\n"
            f"DISCORD_API_BASE={playground.api_base}\n"
            f"DISCORD_GATEWAY_URL={playground.gateway_url}\n"
        )
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
