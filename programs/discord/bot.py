"""The Discord bot: `uv run python -m programs.discord.bot`.

With DISCORD_TOKEN it joins Discord. Without it, it starts the playground, a local Discord with a web page, and joins
that: the same bot and the same discord.py, over real HTTP and WebSocket connections. Settings come from the environment
and .env (see .env.example).
"""

import asyncio
import contextlib
import logging
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import discord
import yarl

from llmgine.errors import AlreadyRunningError, ConfigurationError, LLMgineError, cannot_use
from llmgine.platforms import ENDING_SIGNALS, handle_signals, reset_signals
from llmgine.sessions.store import database_file
from llmgine.settings import load_settings
from programs.application import DEMO_NOTICE, Application, configure_log
from programs.command_line import program_parser
from programs.discord.client import Bot
from programs.discord.connection_status import ConnectionPhase, ConnectionStatus
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.health_server import health_of
from programs.discord.ids import SOURCE
from programs.discord.start_errors import REFUSED, DisconnectedError, explained, unforeseen
from programs.discord.start_lines import log_start, shown
from programs.discord.token_lock import only_one
from programs.exit_codes import run
from programs.playground.server import Playground
from programs.playground.storage import InUseError
from programs.settings import ProgramConfig, ProgramSettings

_END_PATIENCE = 2.0  # seconds that a closed client gets to end by itself
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 300.0  # seconds until a client that failed is replaced
_PLAYGROUND_TAKEN = "Another playground is running on this DATABASE_URL, in process {pid}: stop it first"

_log = logging.getLogger(__name__)


async def serve(settings: ProgramSettings, stop: asyncio.Event) -> None:
    """Run the bot until `stop` is set.

    Raises:
        ConfigurationError: It cannot run with these settings; the text says what to do.
        AlreadyRunningError: Another process runs this bot or this playground.
        DamagedStoreError: The database is damaged; running answers got their time to finish.
        LeaseLostError: Another process took over the work of this one.
    """
    async with contextlib.AsyncExitStack() as stack:
        config = ProgramConfig(settings=settings, titles=settings.session_titles and settings.has_model)
        app = await stack.enter_async_context(Application(config, renderers={SOURCE: render_deliveries}))
        status = ConnectionStatus()
        await stack.enter_async_context(health_of(app, status, settings))
        if settings.discord_token is None:
            if database_file(settings.database_url) is None:  # else the playground's own file says who uses it
                stack.enter_context(only_one(shown(settings.database_url), taken=_PLAYGROUND_TAKEN))
            settings = await stack.enter_async_context(playground_for(settings))
        stack.enter_context(discord_at(settings))
        stack.enter_context(only_one(settings.discord_token or ""))
        ending = asyncio.create_task(_note_end(app, stop, settings.shutdown_grace))
        stack.callback(ending.cancel)
        patience = 0.1 if settings.discord_api_base else 2.0

        def make_bot() -> Bot:
            bot = Bot(app, guild_ready_timeout=patience, api_base=settings.discord_api_base)
            bot.connection_status = status
            return bot

        async with app.while_usable(stop.set):
            await stay(make_bot, settings, stop)


async def _note_end(app: Application, stop: asyncio.Event, grace: float) -> None:
    await stop.wait()
    app.ends_within(grace)


@contextlib.asynccontextmanager
async def playground_for(settings: ProgramSettings) -> AsyncIterator[ProgramSettings]:
    """Start the playground, print its address, and yield settings with which the bot joins it.

    Its messages are saved in a file beside the database, where the bot's own memory of them is.

    Raises:
        AlreadyRunningError: Another playground uses this file, or this database.
        ConfigurationError: The file is something else, or the port is taken.
    """
    notice = None if settings.has_model else DEMO_NOTICE
    _, in_a_file, database = settings.database_url.rpartition("sqlite:///")
    data = Path(database).parent / "playground.json" if in_a_file else None
    try:
        playground = Playground(port=settings.playground_port, host=settings.playground_host, notice=notice, data=data)
    except InUseError as error:
        raise AlreadyRunningError(
            f"{error}: open the page it serves, or stop it. To run a second one, start it in another folder"
        ) from error
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    except OSError as error:
        raise cannot_use(f"{data} cannot be used", error) from error
    try:
        await playground.start()
    except OSError as error:
        raise ConfigurationError(
            f"The playground cannot use port {settings.playground_port}. Is another playground running? "
            "Stop it, or set PLAYGROUND_PORT to a free port"
        ) from error
    try:
        sys.stdout.write(
            f"DISCORD_TOKEN is not set, so the bot runs in the playground, a local Discord.\n"
            f"{notice + chr(10) if notice else ''}\n    Open {playground.url}/\n\nPress Ctrl-C to stop.\n"
        )
        sys.stdout.flush()
        yield settings.model_copy(
            update={
                "discord_token": playground.token,
                "discord_api_base": playground.api_base,
                "discord_gateway_url": playground.gateway_url,
            }
        )
    finally:
        await playground.stop()


@contextlib.contextmanager
def discord_at(settings: ProgramSettings) -> Iterator[None]:
    """Point discord.py at another server inside this block; its addresses are class attributes."""
    route, gateway = discord.http.Route, discord.gateway.DiscordWebSocket
    before = route.BASE, gateway.DEFAULT_GATEWAY
    if settings.discord_api_base:
        route.BASE = settings.discord_api_base
    if settings.discord_gateway_url:
        gateway.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
    try:
        yield
    finally:
        route.BASE, gateway.DEFAULT_GATEWAY = before


async def stay(make_bot: Callable[[], Bot], settings: ProgramSettings, stop: asyncio.Event) -> None:
    """Stay connected until `stop`; a client that fails after it was ready is replaced, after ever longer pauses.

    Raises:
        ConfigurationError: Discord refuses the bot; the text says what to change.
        LLMgineError: It failed before it was ready, for another reason; a StartFailedError if the cause is unknown.
    """
    wait = _FIRST_WAIT
    while not stop.is_set():
        bot = make_bot()
        begun = time.monotonic()
        try:
            await join(bot, settings.discord_token or "", stop, grace=settings.shutdown_grace)
        except DisconnectedError as error:
            if not bot.is_in:
                raise
            _log.error("The connection to Discord was lost: %s", error)
        except ConfigurationError:
            raise
        except Exception as error:  # a bug of ours or of discord.py's, or an event that cannot be read
            if isinstance(error, LLMgineError) and not bot.is_in:
                raise
            _log.exception("The Discord client failed")
            if not bot.is_in:
                raise unforeseen(error) from error
        if stop.is_set():
            return
        wait = _FIRST_WAIT if time.monotonic() - begun > _LONGEST_WAIT else min(2 * wait, _LONGEST_WAIT)
        _log.info("Reconnecting in %.0f s", wait)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await stop.wait()


async def join(bot: Bot, token: str, stop: asyncio.Event, *, grace: float = 0.0) -> None:
    """Log in and stay until `stop`; then running answers get `grace` seconds to finish.

    Raises:
        ConfigurationError: Discord refuses the bot; the text says what to change.
        DisconnectedError: There is no connection, and the cause may pass by itself.
        Exception: Anything else that ended the client.
    """
    if not re.fullmatch(r"[!-~]+", token):  # no header can carry it
        raise ConfigurationError(REFUSED)
    stopped, refused = (asyncio.create_task(event.wait()) for event in (stop, bot.refused))
    try:
        async with bot:
            running = asyncio.create_task(bot.start(token))
            await asyncio.wait({stopped, refused, running}, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                bot.connection_status.change(ConnectionPhase.STOPPING)
            if running.done():
                running.result()
            if stopped.done() and bot.is_in and not bot.is_lost:
                await bot.wind_down(grace)
            await bot.close()
            await asyncio.wait({running}, timeout=_END_PATIENCE)
            running.cancel()  # closed while it reconnects, discord.py does not notice, and listens forever
            await asyncio.gather(running, return_exceptions=True)
            await bot.close_forgotten_connections()
    except Exception as error:
        known = explained(error)
        if known is None:
            raise
        raise known from error
    finally:
        stopped.cancel()
        refused.cancel()
    if bot.refused.is_set():
        raise ConfigurationError(REFUSED)


async def _until_signalled(settings: ProgramSettings) -> None:
    """Serve until Ctrl-C or SIGTERM; a second signal ends the process at once."""
    stop = asyncio.Event()

    def on_signal() -> None:
        reset_signals(signal.SIG_DFL, *ENDING_SIGNALS)  # Python's own handler of SIGINT would wait for all tasks
        _log.info("Shutting down: running answers get %.0f s; press Ctrl-C again to quit now", settings.shutdown_grace)
        stop.set()

    handle_signals(on_signal, *ENDING_SIGNALS)
    await serve(settings, stop)


def main() -> int:
    """Run the program. Returns the exit code."""
    program_parser("programs.discord.bot", __doc__.partition("\n\n")[2]).parse_args()
    settings = load_settings(ProgramSettings)
    configure_log(settings)
    log_start(settings)
    asyncio.run(_until_signalled(settings))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
