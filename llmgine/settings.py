"""The settings of the library, and how settings are read from the environment and `.env`, which only programs do."""

import contextlib
import difflib
import ipaddress
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from dotenv.parser import Binding, parse_stream
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from llmgine.errors import ConfigurationError

ENV_FILE = Path(".env")

# The providers, each a module with `from_settings`, which is imported when it is used. The first answers unless
# OPENAI_MODEL begins with another's name and a colon.
PROVIDERS: dict[str, str] = {
    "openai": "llmgine.providers.openai",
    "anthropic": "llmgine.providers.anthropic",
}

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]  # how much a model thinks, from the least


def _split(value: object) -> object:
    """Names, with commas between."""
    return [name for one in value.split(",") if (name := one.strip())] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]

_ENCODING = "utf-8-sig"  # UTF-8, also with the mark that some editors put first


class Settings(BaseSettings):
    """One field per setting; its environment variable is the field's name in capitals. Empty values count as unset.

    A program with settings of its own adds them in a subclass.
    """

    model_config = SettingsConfigDict(env_file_encoding=_ENCODING, env_ignore_empty=True, extra="ignore")

    openai_api_key: str | None = Field(default=None, description="API key of the model service", repr=False)
    openai_base_url: str | None = Field(default=None, description="Address of an OpenAI-compatible service")
    openai_model: str | None = Field(
        default=None, description="The model's name; by default one that the service lists"
    )
    openai_api: Literal["auto", "chat", "responses"] = Field(
        default="auto",
        description="The API: auto is Responses at OpenAI or where a service asks for it, else Chat Completions",
    )
    allowed_models: Names = Field(
        default=(), description="Models that people may choose with /model; by default only the program's own"
    )
    fallback_models: Names = Field(
        default=(), description="Models that are asked, in this order, where the chosen one is unavailable"
    )
    max_effort: Effort | None = Field(
        default=None, description="The most that people may choose with /effort; by default anything"
    )
    allowed_tools: Names = Field(
        default=(), description="Tools that the model may use at all; by default all there are"
    )
    anthropic_api_key: str | None = Field(
        default=None, description="API key of Anthropic, for models named anthropic:NAME", repr=False
    )
    anthropic_base_url: str | None = Field(
        default=None, description="Address of another service that speaks Anthropic's Messages API"
    )
    openai_vision: bool = Field(default=True, description="Whether the model can read images")
    system_prompt: str = Field(
        default="You are LLMgine, a helpful assistant in a chat. Answer briefly, in Markdown. "
        "Use your tools where they help.",
        description="System prompt of sessions that have none of their own",
    )
    image_megabytes: int = Field(
        default=18, ge=6, description="Maximum megabytes of images in one model call, as they are sent"
    )
    context_tokens: int = Field(default=32_000, ge=1_000, description="Maximum tokens in one model call")

    max_reply_characters: int = Field(
        default=100_000, ge=1_000, description="Maximum characters in a model's reply; a longer one is cut off there"
    )

    daily_tokens: int | None = Field(default=None, ge=1, description="Daily token limit of all answers together")
    daily_dollars: Decimal | None = Field(
        default=None, gt=0, le=1_000_000, description="Daily limit of what all answers together cost, in US dollars"
    )
    daily_tokens_per_person: int | None = Field(default=None, ge=1, description="Daily token limit of each person")
    daily_dollars_per_person: Decimal | None = Field(
        default=None, gt=0, le=1_000_000, description="Daily limit of what each person's answers cost, in US dollars"
    )
    turn_rounds: int = Field(default=8, ge=1, le=100, description="Maximum model replies for one question")
    turn_calls: int = Field(default=100, ge=0, description="Maximum tool calls for one question")
    turn_tokens: int = Field(default=1_000_000, ge=1, description="Maximum tokens for one question")
    turn_seconds: float = Field(
        default=3600, ge=1, description="Maximum seconds for one question, without waits for people; it ends no tool"
    )
    turn_dollars: Decimal | None = Field(
        default=Decimal(5), gt=0, le=1_000_000, description="Maximum cost of one question, in US dollars"
    )

    database_url: str = Field(
        default="sqlite:///data/llmgine.db",
        description="Where sessions are stored: a file, or postgresql://…",
        repr=False,
    )
    backup_megabytes: int | None = Field(
        default=None,
        ge=0,
        description="On SQLite: what all backups may take; by default 5 times the database, 0 makes none",
    )
    lease_seconds: float = Field(
        default=6.0, ge=0.3, le=600, description="On PostgreSQL: seconds until a silent process counts as dead"
    )
    retention_days: int | None = Field(
        default=None, ge=1, description="Days after which idle conversations are erased; by default never"
    )
    log_dir: Path = Field(default=Path("logs"), description="Folder of the log of all commands and events")
    log_days: int = Field(default=30, ge=1, description="Days for which that log is kept")
    mcp_config: Path | None = Field(
        default=None, description="JSON file that names MCP servers, whose tools are offered once they are accepted"
    )
    approval_timeout: int = Field(default=600, ge=1, le=86_400, description="Seconds a tool call waits for approval")

    @property
    def image_bytes(self) -> int:
        """`image_megabytes` in bytes."""
        return self.image_megabytes * 1_000_000

    @property
    def has_model(self) -> bool:
        """Whether a model service is configured; without one the offline demo model answers."""
        provider, _ = self.provider_and_model
        return bool(self.openai_api_key or self.openai_base_url or provider != next(iter(PROVIDERS)))

    @property
    def provider_and_model(self) -> tuple[str, str | None]:
        """The provider that is asked and the model's name there: only a provider's name counts as a prefix."""
        prefix, rest = split_name(self.openai_model or "")
        if prefix is not None:
            return prefix, rest
        return next(iter(PROVIDERS)), self.openai_model

    def address_of_model(self, model: str | None = None) -> str | None:
        """The address that is set for the provider of a model, or of the program's own; None for the provider's own."""
        name, _ = split_name(model or "")
        address: str | None = getattr(self, f"{name or self.provider_and_model[0]}_base_url", None)
        return address

    def secrets(self) -> Iterator[str]:
        """The values that must never be shown or logged."""
        yield from filter(None, (self.openai_api_key, self.anthropic_api_key))
        with contextlib.suppress(ValueError):  # it is not an address, which is reported when it is opened
            address = urlsplit(self.database_url)
            for password in (address.password, dict(parse_qsl(address.query)).get("password")):
                if password:
                    yield from {password, unquote(password)}


def split_name(model: str) -> tuple[str | None, str]:
    """A model's name in two: who provides it, and its name there.

    Only the names in `PROVIDERS` are providers': `llama3.1:8b` is a model's name, and so is `anthropic:`.

    Returns:
        The provider's name, None where the name begins with none; and the rest of it.
    """
    prefix, colon, rest = model.partition(":")
    return (prefix, rest) if colon and rest and prefix in PROVIDERS else (None, model)


_SettingsT = TypeVar("_SettingsT", bound=Settings)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by name or address; no name is looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_settings(kind: type[_SettingsT], env_file: Path | None = ENV_FILE) -> _SettingsT:
    """Read the environment, and `env_file` for what is not there.

    Args:
        kind: `Settings`, or a program's subclass of it.
        env_file: A file of `NAME=value` lines; it need not exist. None reads the environment alone.

    Returns:
        The settings.

    Raises:
        ConfigurationError: A line of the file or a value cannot be used; the text names it, and shows no secret.
    """
    if env_file is not None and env_file.is_file():
        _check_env_file(kind, env_file)
    try:
        return kind(_env_file=env_file)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"{str(first['loc'][0]).upper()}: " if first["loc"] else ""
        raise ConfigurationError(f"{name}{first['msg'].removeprefix('Value error, ')} (see .env.example)") from None


def _check_name(kind: type[Settings], path: Path, binding: Binding) -> None:
    """A name that is nearly a setting's is a typo; other names may be for other programs."""
    names = [name.upper() for name in kind.model_fields]
    if binding.key is None:
        return
    if binding.value is None and binding.key.upper() in names:
        raise ConfigurationError(f"{path}: {binding.key} has no value; write {binding.key}=value or delete this line")
    close = difflib.get_close_matches(binding.key.upper(), names, n=1, cutoff=0.9)
    if close and binding.key.upper() not in names:
        raise ConfigurationError(f"{path}: {binding.key}: unknown setting; did you mean {close[0]}?")


def _check_env_file(kind: type[Settings], path: Path) -> None:
    """python-dotenv only warns about a line it cannot read; a setting lost that way would be hard to find."""
    try:
        with path.open(encoding=_ENCODING) as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    for binding in bindings:
        _check_name(kind, path, binding)
    bad = next((binding for binding in bindings if binding.error), None)
    if bad is not None:
        text = bad.original.string  # begins with the empty lines before
        line = bad.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        raise ConfigurationError(f"{path} line {line} isn't NAME=value: fix or delete this line")
