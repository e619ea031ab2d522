"""The first lines of the log: which version runs, with which settings, on which database and model, and where."""

import logging
import platform
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import discord

from llmgine.settings import ENV_FILE
from programs.application import NOT_CHOSEN
from programs.command_line import version
from programs.settings import ProgramSettings

_log = logging.getLogger(__name__)


def log_start(settings: ProgramSettings) -> None:
    """Log what is about to be started; addresses are shown without user and password."""
    _log.info("LLMgine %s, discord.py %s, Python %s", version(), discord.__version__, platform.python_version())
    env_file = ENV_FILE.absolute()
    _log.info("Settings: the environment%s", f" and {env_file}" if env_file.is_file() else f"; no file {env_file}")
    _log.info("Database: %s; log: %s", shown(settings.database_url), settings.log_dir.absolute())
    _log.info("Model: %s", _model(settings))
    _log.info("Discord: %s", _discord(settings))


def _model(settings: ProgramSettings) -> str:
    if not settings.has_model:
        return "the offline demo model"
    provider, model = settings.provider_and_model
    return f"{model or NOT_CHOSEN}, at {shown(settings.address_of_model() or '') or provider}"


def _discord(settings: ProgramSettings) -> str:
    if settings.discord_token is None:
        return "the playground, because DISCORD_TOKEN is not set"
    return shown(settings.discord_api_base or discord.http.Route.BASE)


def shown(url: str) -> str:
    """An address without user, password and options but the host's; a file with its whole path."""
    if url.startswith("sqlite:///"):
        return str(Path(url.removeprefix("sqlite:///")).absolute())
    try:
        parts = urlsplit(url)
    except ValueError:  # it is refused when it is used
        return "an address that cannot be read"
    options = [f"{name}={value}" for name, value in parse_qsl(parts.query) if name in {"host", "port"}]
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if url else ""
    return "?".join([place, *(["&".join(options)] if options else [])])
