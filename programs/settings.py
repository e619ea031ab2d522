"""The settings of the programs: those of the library, and what Discord, this machine and the tools need."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import NoDecode
from yarl import URL

from llmgine.bootstrap import ApplicationConfig
from llmgine.messages.local_time import Timezone
from llmgine.settings import ENV_FILE, Names, Settings, is_loopback

_OPENAI = "https://api.openai.com/v1"
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|localhost")

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def _ids(value: object) -> object:
    """Ids of Discord, with commas between."""
    if not isinstance(value, str):
        return value
    ids = [one.strip() for one in value.split(",") if one.strip()]
    if not all(one.isascii() and one.isdecimal() for one in ids):
        raise ValueError("these are not Discord ids with commas between, such as 80351110224678912,175928847299117063")
    return ids


Ids = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_ids)]


class ProgramSettings(Settings):
    """What the bot, the terminal chat and the tools can be told, beside what the library can."""

    discord_token: str | None = Field(
        default=None, description="The bot's token; without it the playground starts", repr=False
    )
    discord_api_base: str | None = Field(default=None, description="REST address of another Discord-compatible server")
    discord_gateway_url: str | None = Field(default=None, description="Gateway address of the same server")

    operators: Annotated[tuple[int, ...] | None, NoDecode, BeforeValidator(_ids)] = Field(
        default=None, description="User ids of the bot's operators; by default the application's owner or team"
    )
    allowed_servers: Ids = Field(
        default=(), description="Ids of the servers that are served; by default every server the bot is in"
    )
    blocked_servers: Ids = Field(
        default=(), description="Ids of servers that are not served; what is blocked is never allowed"
    )
    allowed_channels: Ids = Field(
        default=(),
        description="Ids of the channels that are served, with their threads; that of a category is all its channels",
    )
    blocked_channels: Ids = Field(default=(), description="Ids of channels and categories that are not served")
    allowed_roles: Ids = Field(
        default=(), description="Ids of roles whose members may use the bot; with ALLOWED_PEOPLE, one of both is enough"
    )
    blocked_roles: Ids = Field(default=(), description="Ids of roles whose members may not use the bot")
    allowed_people: Ids = Field(default=(), description="User ids of people who may use the bot")
    blocked_people: Ids = Field(default=(), description="User ids of people who may not use the bot")
    direct_messages: Literal["off", "on", "members"] = Field(
        default="members",
        description="Whose direct messages are answered: members of served servers, on for everybody, off for nobody",
    )
    messages_per_minute: int = Field(
        default=20,
        ge=0,
        description="Messages, edits and presses of one person that the bot answers per minute; 0 for any number",
    )
    transcribe_model: str | None = Field(
        default=None, description="Model that turns voice messages and audio into text; without one they are not heard"
    )
    transcribe_base_url: str | None = Field(
        default=None, description="Address of its OpenAI-compatible service; by default that of OPENAI_BASE_URL"
    )
    transcribe_api_key: str | None = Field(
        default=None, description="Its API key; by default OPENAI_API_KEY, at the same service", repr=False
    )
    transcribe_seconds: int = Field(
        default=600, ge=1, le=7_200, description="How many seconds of audio are transcribed of one file at most"
    )
    session_titles: bool = Field(
        default=True, description="Let the model name Discord conversations, with one small call"
    )
    timezone: Timezone | None = Field(
        default=None,
        description="Time zone of people who set none with /timezone, such as Europe/Berlin; by default UTC, and in the"
        " terminal chat this machine's",
    )
    privacy_url: str | None = Field(default=None, description="Address of your privacy notice, shown by /privacy")
    log_level: LogLevel = Field(default="INFO", description="How much the program logs")
    playground_port: int = Field(default=8700, ge=0, le=65535, description="Port of the playground; 0 picks a free one")
    playground_host: Literal["127.0.0.1", "0.0.0.0"] = Field(  # noqa: S104  nobody gets it without asking for it
        "127.0.0.1", description="Where the playground listens; 0.0.0.0 in a container that publishes its port"
    )
    health_port: int | None = Field(default=None, ge=1, le=65535, description="Port for health checks and metrics")
    health_host: str = Field(
        default="127.0.0.1", description="Address that they are answered at; 0.0.0.0 is all addresses"
    )
    shutdown_grace: float = Field(
        default=10.0, ge=0, le=600, description="Seconds that running answers get at shutdown"
    )

    tools: Names = Field(
        default=(), description="Tools of your own, as my_package.my_tools:build, with commas between (docs/tools.md)"
    )
    tools_dir: Path | None = Field(
        default=None, description="Folder of Python files with tools of your own, loaded at the start (docs/tools.md)"
    )
    weather_base_url: str | None = Field(
        default=None, description="Open-Meteo or a mirror; by default Open-Meteo, or sample data with the demo model"
    )
    web_fetch: bool = Field(default=False, description="Let the model read web pages, with the tool fetch_url")
    web_search: Literal["searxng", "brave", "tavily"] | None = Field(
        default=None, description="Service by which the model searches the web, with the tool web_search"
    )
    searxng_url: str | None = Field(default=None, description="Address of your SearXNG, which has to allow JSON")
    brave_api_key: str | None = Field(default=None, description="API key of Brave Search", repr=False)
    tavily_api_key: str | None = Field(default=None, description="API key of Tavily", repr=False)
    smtp_host: str | None = Field(
        default=None, description="Mail server; without one, e-mails become files in OUTBOX_DIR"
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port")
    smtp_username: str | None = Field(default=None, description="Its account")
    smtp_password: str | None = Field(default=None, description="Its password", repr=False)
    smtp_from: str | None = Field(default=None, description="The sender's address")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection is encrypted"
    )
    email_recipients: int = Field(default=1, ge=1, le=50, description="How many recipients an e-mail may have")
    email_allowed: str = Field(
        default="", description="Domains that e-mails may go to, separated by commas; by default any"
    )
    outbox_dir: Path = Field(default=Path("outbox"), description="Folder for e-mails without a mail server")

    @field_validator("log_level", mode="before")
    @classmethod
    def _capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("email_allowed")
    @classmethod
    def _are_domains(cls, value: str) -> str:
        for domain in filter(None, map(str.strip, value.split(","))):
            if not _DOMAIN.fullmatch(domain):
                raise ValueError(f"{domain!r} is not a domain; write example.com,example.org")
        return value

    @property
    def email_domains(self) -> tuple[str, ...]:
        """The domains of `email_allowed`."""
        return tuple(filter(None, map(str.strip, self.email_allowed.split(","))))

    @field_validator("privacy_url")
    @classmethod
    def _is_a_page(cls, value: str | None) -> str | None:
        if value is not None and (URL(value).scheme not in {"https", "http"} or not URL(value).host):
            raise ValueError("this is not an https:// address")
        return value

    @field_validator("discord_api_base", "discord_gateway_url")
    @classmethod
    def _protects_the_token(cls, value: str | None) -> str | None:
        """The token goes to this address, so it must be encrypted or stay on this machine."""
        if value is None:
            return None
        url = URL(value)
        if url.scheme not in {"https", "wss", "http", "ws"} or not url.host:
            raise ValueError("this is not an http(s):// or ws(s):// address")
        if url.scheme in {"http", "ws"} and not is_loopback(url.host):
            raise ValueError(f"{url.host} would get the token unencrypted; use https:// or wss://")
        return value

    @model_validator(mode="after")
    def _names_a_whole_server(self) -> Self:
        """With one address of another server and one of Discord's, the token would go to a server it is not for."""
        if (self.discord_api_base is None) != (self.discord_gateway_url is None):
            raise ValueError("DISCORD_API_BASE and DISCORD_GATEWAY_URL belong together: set both or neither")
        if self.discord_api_base is not None and self.discord_token is None:
            raise ValueError("DISCORD_API_BASE is set, so DISCORD_TOKEN must be set, too")
        return self

    def secrets(self) -> Iterator[str]:
        """The values that must never be shown or logged."""
        yield from super().secrets()
        own = (
            *(self.discord_token, self.smtp_password, self.transcribe_api_key),
            *(self.brave_api_key, self.tavily_api_key),
        )
        yield from (value for value in own if value)

    @property
    def transcribe_service(self) -> tuple[str | None, str | None]:
        """The key and the address of the service that transcribes; no key goes to a service that it is not for."""
        address = self.transcribe_base_url or self.openai_base_url
        same = self.transcribe_base_url is None or _origin(address) == _origin(self.openai_base_url)
        return self.transcribe_api_key or (self.openai_api_key if same else None), address


def _origin(address: str | None) -> URL | None:
    """Whose address it is; None for what is none."""
    try:
        return URL(address or _OPENAI).origin()
    except ValueError:
        return None


def named_variables() -> dict[str, str]:
    """The environment, and what `.env` says that is not there: what the configuration of MCP servers may name."""
    try:
        there = dotenv_values(ENV_FILE, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):  # the settings say so
        there = {}
    return {**{name: value for name, value in there.items() if value is not None}, **os.environ}


class ProgramConfig(ApplicationConfig):
    """What the application of both programs is made of."""

    settings: ProgramSettings
    variables: Mapping[str, str] = Field(default_factory=named_variables, repr=False)
