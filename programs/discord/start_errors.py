"""Why the bot cannot start: errors of discord.py, of the connection and of files, as texts that say what to do."""

import math
import re
import ssl
import traceback
from collections.abc import Callable, Sequence
from socket import gaierror
from typing import Any

import aiohttp
import discord

from llmgine.errors import ConfigurationError, LLMgineError
from llmgine.messages.text import collapse_spaces, shorten
from programs.discord.delivery.refusals import BreakerOpenError

_PORTAL = "your application at https://discord.com/developers/applications"
REFUSED = f"Discord refused DISCORD_TOKEN: copy it again from the Bot page of {_PORTAL}"
_NO_INTENT = (
    "Discord refused the Message Content intent: turn it on under Privileged Gateway Intents on the Bot page "
    f"of {_PORTAL}"
)
_UNREACHABLE = "Discord cannot be reached: check the network, and DISCORD_API_BASE if you set it, then start again"
_LOOK = "check https://discordstatus.com, then start again later"
_UPDATE = "update this program and discord.py, then start it again"
# Codes with which the gateway ends a connection for good; 4014 is discord.py's PrivilegedIntentsRequired.
_FINAL = {
    4004: REFUSED,
    4010: f"Discord rejected this program's shard: {_UPDATE}",
    4011: "The bot is in too many servers for one connection, and this program uses only one: leave some servers",
    4012: f"Discord no longer speaks this program's version of the gateway: {_UPDATE}",
    4013: f"Discord does not know the intents this program asks for: {_UPDATE}",
}


class DisconnectedError(LLMgineError):
    """The bot cannot connect to Discord, or stay connected, now; it may succeed later."""


class StartFailedError(LLMgineError):
    """The start failed for an unknown reason, most likely a bug."""


def explained(error: Exception) -> ConfigurationError | DisconnectedError | None:
    """An error of discord.py, of the connection or of a file, as a text that names it and says what to do.

    Returns:
        A ConfigurationError when something must be changed; a DisconnectedError when the cause may pass by itself;
        None when it is a bug, or an event that cannot be read.
    """
    connection = (aiohttp.ClientError, OSError, discord.HTTPException, discord.ConnectionClosed)
    if isinstance(error, AttributeError) and isinstance(error.__context__, connection):
        error = error.__context__  # discord.py fails on an error of its own when its first connection does
    return next((explain(error) for kinds, explain in _EXPLANATIONS if isinstance(error, kinds)), None)


def _closed(error: discord.ConnectionClosed) -> ConfigurationError | DisconnectedError:
    if error.code in _FINAL:
        return ConfigurationError(_FINAL[error.code])
    return DisconnectedError(f"Discord closed the gateway connection (code {error.code}): {_LOOK}")


def _answered(error: discord.HTTPException) -> ConfigurationError | DisconnectedError:
    """Discord, or what is in front of it, answered a request of the login with an error."""
    status = f"{error.status} {error.response.reason or ''}".strip()
    if error.status == 401:
        return ConfigurationError(REFUSED)
    if error.status == 429:
        wait = error.response.headers.get("Retry-After", "")
        return _limited(f"Cloudflare, in front of Discord, is blocking this address ({status})", wait)
    if error.status >= 500:
        return DisconnectedError(f"Discord answered the login with {status}, so the fault is on its side: {_LOOK}")
    page = error.text.lstrip().startswith("<")
    said = "with a web page, so by a proxy or a firewall" if page else _short(error.text) or "no reason given"
    return DisconnectedError(
        f"The login was refused with {status} ({said}): check DISCORD_API_BASE if you set it, and any proxy or "
        "firewall between this machine and Discord"
    )


def _file_or_connection(error: OSError) -> DisconnectedError:
    if error.filename is None:
        return DisconnectedError(f"{_UNREACHABLE} ({_short(error)})")
    return DisconnectedError(f"{error.filename} cannot be used: {error.strerror}")


def _limited(what: str, seconds: str | float) -> DisconnectedError:
    minutes = math.ceil(float(seconds) / 60) if re.fullmatch(r"\d+(\.\d+)?", str(seconds)) else 60
    return DisconnectedError(f"{what}: start again in {minutes} minute{'s' * (minutes != 1)}")


def _short(said: object) -> str:
    return shorten(collapse_spaces(str(said)) or type(said).__name__, 200)


# What each kind of error means; the first that fits decides.
_EXPLANATIONS: Sequence[tuple[type | tuple[type, ...], Callable[[Any], ConfigurationError | DisconnectedError]]] = (
    (ConfigurationError, lambda error: error),
    (discord.LoginFailure, lambda _: ConfigurationError(REFUSED)),
    (discord.PrivilegedIntentsRequired, lambda _: ConfigurationError(_NO_INTENT)),
    (discord.ConnectionClosed, _closed),
    (discord.RateLimited, lambda error: _limited("Discord is limiting this bot's logins (429)", error.retry_after)),
    (discord.HTTPException, _answered),
    (BreakerOpenError, lambda _: _limited("Discord, or Cloudflare in front of it, is refusing all requests", 600.0)),
    (
        (aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError),
        lambda error: DisconnectedError(f"Discord cannot be reached through the proxy ({_short(error)})"),
    ),
    (
        aiohttp.ClientResponseError,
        lambda error: DisconnectedError(f"Discord's gateway answered with {error.status} {error.message}: {_LOOK}"),
    ),
    (
        aiohttp.InvalidURL,
        lambda error: ConfigurationError(f"DISCORD_API_BASE or DISCORD_GATEWAY_URL is not an address: {_short(error)}"),
    ),
    (
        (aiohttp.ClientSSLError, ssl.SSLError),
        lambda error: DisconnectedError(
            f"Cannot make a secure connection to Discord ({_short(error)}): check this machine's clock and "
            "certificates, and any proxy that inspects its traffic"
        ),
    ),
    (
        (aiohttp.ClientConnectorDNSError, gaierror),
        lambda error: DisconnectedError(
            f"The address of Discord's server cannot be found ({_short(error)}): check the network and its DNS, and "
            "DISCORD_API_BASE and DISCORD_GATEWAY_URL if you set them, then start again"
        ),
    ),
    (OSError, _file_or_connection),
    (aiohttp.ClientError, lambda error: DisconnectedError(f"{_UNREACHABLE} ({_short(error)})")),
)


def unforeseen(error: Exception) -> StartFailedError:
    """An error without an explanation: what it is, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rpartition('site-packages/')[2]}:{frames[-1].lineno}" if frames else "nowhere"
    what = _short(f"{type(error).__name__}: {error}")
    if any(frame.name == "received_message" for frame in frames):  # discord.py's, of the gateway
        return StartFailedError(f"Discord sent an event that cannot be read ({what}, at {where}): {_UPDATE}")
    return StartFailedError(
        f"The bot failed because of a bug in it or in discord.py ({what}, at {where}): {_UPDATE}; if it fails again, "
        "report the traceback in the log"
    )
