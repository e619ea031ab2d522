"""All settings: read from the environment and from `.env`, by programs only."""

import contextlib
import difflib
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from dotenv.parser import Binding, parse_stream
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

from llmgine.errors import ConfigurationError

ENV_FILE = Path(".env")

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

# The providers, each a module with `from_settings`, which is imported when it is used. The first answers unless
# OPENAI_MODEL begins with another's name and a colon.
PROVIDERS: dict[str, str] = {
    "openai": "llmgine.providers.openai",
}

_ENCODING = "utf-8-sig"  # UTF-8, also with the mark that some editors put first


class Settings(BaseSettings):
    """One field per setting; its environment variable is the field's name in capitals. Empty values count as unset."""

    model_config = SettingsConfigDict(env_file_encoding=_ENCODING, env_ignore_empty=True, extra="ignore")

    discord_token: str | None = Field(None, description="The bot's token; without it the playground starts", repr=False)
    discord_api_base: str | None = Field(None, description="REST address of another Discord-compatible server")
    discord_gateway_url: str | None = Field(None, description="Gateway address of the same server")

    openai_api_key: str | None = Field(None, description="API key of the model service", repr=False)
    openai_base_url: str | None = Field(None, description="Address of an OpenAI-compatible service")
    openai_model: str | None = Field(None, description="The model's name; by default one that the service lists")
    openai_api: Literal["auto", "chat", "responses"] = Field(
        "auto", description="The API: auto is Responses at OpenAI or where a service asks for it, else Chat Completions"
    )
    openai_vision: bool = Field(default=True, description="Whether the model can read images")
    system_prompt: str = Field(
        "You are LLMgine, a helpful assistant in a chat. Answer briefly, in Markdown. Use your tools where they help.",
        description="System prompt of sessions that have none of their own",
    )
    context_tokens: int = Field(32_000, ge=1_000, description="Maximum tokens in one model call")

    max_reply_characters: int = Field(
        100_000, ge=1_000, description="Maximum characters in a model's reply; a longer one is cut off there"
    )

    daily_tokens: int | None = Field(None, ge=1, description="Daily token limit of all answers together")

    session_titles: bool = Field(True, description="Let the model name Discord conversations, with one small call")

    database_url: str = Field(
        "sqlite:///data/llmgine.db", description="Where sessions are stored: a file, or postgresql://…", repr=False
    )
    lease_seconds: float = Field(
        6.0, ge=0.3, le=600, description="On PostgreSQL: seconds until a silent process counts as dead"
    )
    log_dir: Path = Field(Path("logs"), description="Folder of the log of all commands and events")
    log_level: LogLevel = Field("INFO", description="How much the program logs")
    playground_port: int = Field(8700, ge=0, le=65535, description="Port of the playground; 0 picks a free one")
    shutdown_grace: float = Field(10.0, ge=0, le=600, description="Seconds that running answers get at shutdown")
    approval_timeout: int = Field(600, ge=1, le=86_400, description="Seconds a tool call waits for approval")

    weather_base_url: str | None = Field(
        None, description="Open-Meteo or a mirror; by default Open-Meteo, or sample data with the demo model"
    )
    smtp_host: str | None = Field(None, description="Mail server; without one, e-mails become files in OUTBOX_DIR")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port")
    smtp_username: str | None = Field(None, description="Its account")
    smtp_password: str | None = Field(None, description="Its password", repr=False)
    smtp_from: str | None = Field(None, description="The sender's address")
    smtp_tls: Literal["starttls", "tls", "none"] = Field("starttls", description="How the connection is encrypted")
    outbox_dir: Path = Field(Path("outbox"), description="Folder for e-mails without a mail server")

    @field_validator("log_level", mode="before")
    @classmethod
    def _capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

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

    @property
    def has_model(self) -> bool:
        """Whether a model service is configured; without one the offline demo model answers."""
        provider, _ = self.provider_and_model
        return bool(self.openai_api_key or self.openai_base_url or provider != next(iter(PROVIDERS)))

    @property
    def provider_and_model(self) -> tuple[str, str | None]:
        """The provider that is asked and the model's name there: only a provider's name counts as a prefix."""
        prefix, colon, rest = (self.openai_model or "").partition(":")
        if colon and rest and prefix in PROVIDERS:
            return prefix, rest
        return next(iter(PROVIDERS)), self.openai_model

    def secrets(self) -> Iterator[str]:
        """The values that must never be shown or logged."""
        yield from (s for s in (self.discord_token, self.openai_api_key, self.smtp_password) if s)
        with contextlib.suppress(ValueError):  # it is not an address, which is reported when it is opened
            address = urlsplit(self.database_url)
            for password in (address.password, dict(parse_qsl(address.query)).get("password")):
                if password:
                    yield from {password, unquote(password)}


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by name or address; no name is looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_settings(env_file: Path | None = ENV_FILE) -> Settings:
    """Read the environment, and `env_file` for what is not there.

    Raises:
        ConfigurationError: A line of the file or a value cannot be used; the text names it, and shows no secret.
    """
    if env_file is not None and env_file.is_file():
        _check_env_file(env_file)
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"{str(first['loc'][0]).upper()}: " if first["loc"] else ""
        raise ConfigurationError(f"{name}{first['msg'].removeprefix('Value error, ')} (see .env.example)") from None


def _check_name(path: Path, binding: Binding) -> None:
    """A name that is nearly a setting's is a typo; other names may be for other programs."""
    names = [name.upper() for name in Settings.model_fields]
    if binding.key is None:
        return
    if binding.value is None and binding.key.upper() in names:
        raise ConfigurationError(f"{path}: {binding.key} has no value; write {binding.key}=value or delete this line")
    close = difflib.get_close_matches(binding.key.upper(), names, n=1, cutoff=0.9)
    if close and binding.key.upper() not in names:
        raise ConfigurationError(f"{path}: {binding.key}: unknown setting; did you mean {close[0]}?")


def _check_env_file(path: Path) -> None:
    """python-dotenv only warns about a line it cannot read; a setting lost that way would be hard to find."""
    try:
        with path.open(encoding=_ENCODING) as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    for binding in bindings:
        _check_name(path, binding)
    bad = next((binding for binding in bindings if binding.error), None)
    if bad is not None:
        text = bad.original.string  # begins with the empty lines before
        line = bad.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        raise ConfigurationError(f"{path} line {line} isn't NAME=value: fix or delete this line")
