"""Addresses of services: what can be used, and what should be warned of."""

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from llmgine.errors import ConfigurationError
from llmgine.settings import is_loopback

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SettingNames:
    """The settings that people are told to check: the one of the key and the one of the address."""

    key: str
    address: str


OPENAI_SETTINGS = SettingNames("OPENAI_API_KEY", "OPENAI_BASE_URL")


def checked_address(
    base_url: str, *, with_key: bool, address: str = "OPENAI_BASE_URL", key: str = "OPENAI_API_KEY"
) -> bool:
    """Refuse an address that cannot be used and warn of a key in plain sight; True for this machine's own.

    `address` and `key` are the settings that people read of.
    """
    try:
        url = urlsplit(base_url)
        host = url.hostname if url.port != 0 else None
    except ValueError:  # a port that is no number, a bracket without its other half
        host = None
    if not host or url.scheme not in {"http", "https"}:
        raise ConfigurationError(f"{address} must look like http://localhost:11434/v1 or https://host/v1.")
    if url.username is not None or url.password is not None or url.query:
        raise ConfigurationError(f"{address} must have no name, password or key in it: use {key}.")
    loopback = is_loopback(host)
    if with_key and url.scheme == "http" and not loopback:
        _log.warning("The key for %s travels over plain http, where others can read it.", host)
    return loopback
