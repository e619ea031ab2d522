"""The file that names the MCP servers, in the form that other programs read too: `mcpServers`, a command or a url."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from llmgine.errors import ConfigurationError, cannot_use
from llmgine.settings import is_loopback

_OF_WINDOWS = ("APPDATA", "LOCALAPPDATA", "PATHEXT", "TEMP", "USERPROFILE")
_INHERITED = ("PATH", "HOME", *_OF_WINDOWS)  # no key is among them
_LARGEST = 1_000_000  # bytes of the file
_MOST_SERVERS = 50
_NAME = re.compile(r"(?!.*__)[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_REFERENCE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)

_KEY = re.compile("authorization|cookie|key|token|secret|password", re.IGNORECASE)  # in a header's or variable's name

Names = Annotated[tuple[str, ...], Field(max_length=1_000)]


class ServerConfig(BaseModel):
    """One server: a program that is started, or an address that is asked.

    Attributes:
        command: The program, found as a shell finds it. It speaks by its standard input and output.
        args: Its arguments.
        env: Its environment, beside the variables that every program needs.
        cwd: The folder it runs in.
        url: The address, instead of a command.
        headers: What is sent with each request to it.
        type: How it speaks; follows from the rest, and is only checked.
        read_only: The server's own names of tools that only read: they run without asking. All others ask first.
        timeout: Seconds a call may take.
        disabled: Leave the server out.
        inherited: The variables that every program needs.
        substituted: What variables were replaced by, which nobody is to read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    command: str | None = Field(default=None, min_length=1)
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict, repr=False)
    cwd: Path | None = None
    url: str | None = Field(default=None, repr=False)
    headers: Mapping[str, str] = Field(default_factory=dict, repr=False)
    type: Literal["stdio", "http", "streamable-http"] | None = None
    read_only: Names = Field(default=(), validation_alias=AliasChoices("readOnly", "read_only"))
    timeout: float = Field(default=60.0, gt=0, le=3_600)
    disabled: bool = False
    inherited: Mapping[str, str] = Field(default_factory=dict, repr=False)
    substituted: tuple[str, ...] = Field(default=(), repr=False)

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("give it either a command or a url")
        if self.type is not None and (self.type == "stdio") != (self.command is not None):
            raise ValueError(f"type {self.type} does not fit: a command is stdio, a url is http")
        if self.url is not None:
            _check_url(self.url)
        return self


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise ValueError("the url is not an http(s):// address") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise ValueError("the url is not an http(s):// address")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(f"what is sent to {host} would not be encrypted; use https://")


def read_config(path: Path, variables: Mapping[str, str]) -> dict[str, ServerConfig]:
    """The servers that a file names, without those that are disabled.

    Args:
        path: A JSON file of at most 1 MB.
        variables: What `${NAME}` stands for; `${NAME:-default}` gives a default for one that is not set or empty.

    Raises:
        ConfigurationError: The file cannot be read or used, or a variable is not set; the text names it.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise cannot_use(f"MCP_CONFIG: {path} cannot be read", error) from error
    if len(data) > _LARGEST:
        raise ConfigurationError(f"MCP_CONFIG: {path} has more than 1 MB")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"MCP_CONFIG: {path} is not JSON: {error}") from None
    servers = content.get("mcpServers") if isinstance(content, dict) else None
    if not isinstance(servers, dict) or len(servers) > _MOST_SERVERS:
        raise ConfigurationError(
            f'MCP_CONFIG: {path} needs an object "mcpServers" with at most {_MOST_SERVERS} servers'
        )
    read = {
        name: _read_server(f"MCP_CONFIG: {path}, server {name!r}", name, servers[name], variables) for name in servers
    }
    return {name: server for name, server in read.items() if server is not None}


def _read_server(where: str, name: str, value: object, variables: Mapping[str, str]) -> ServerConfig | None:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{where}: a name is 1 to 32 letters, digits, - and single _, and begins with none of both"
        )
    if isinstance(value, dict) and value.get("disabled") is True:  # its variables need not be there
        return None
    used: list[str] = []
    try:
        expanded = _expanded(value, variables, used)
        server = ServerConfig.model_validate(expanded)
    except _UnsetError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ConfigurationError(
            f"{where}: {field and f'{field}: '}{first['msg'].removeprefix('Value error, ')}"
        ) from None
    inherited = {name: variables[name] for name in _INHERITED if name in variables}
    return server.model_copy(update={"substituted": tuple(used), "inherited": inherited})


class _UnsetError(Exception):
    """A variable that has neither a value nor a default, or what is none; the text names it."""


def _expanded(value: Any, variables: Mapping[str, str], used: list[str]) -> Any:
    """The value with the variables in all its texts replaced; what they were replaced by is added to `used`."""
    if isinstance(value, dict):
        return {key: _expanded(one, variables, used) for key, one in value.items()}
    if isinstance(value, list):
        return [_expanded(one, variables, used) for one in value]
    return _VARIABLE.sub(lambda found: _replaced(found[1], variables, used), value) if isinstance(value, str) else value


def _replaced(inner: str, variables: Mapping[str, str], used: list[str]) -> str:
    reference = _REFERENCE.fullmatch(inner)
    if reference is None:
        raise _UnsetError(f"${{{inner}}} is not a variable: write ${{NAME}} or ${{NAME:-default}}")
    name, default = reference[1], reference[2]
    value = variables.get(name)
    if value:
        used.append(value)
        return value
    if default is None:
        raise _UnsetError(f"the variable {name} is not set: set it, or write ${{{name}:-default}}")
    return default


def secrets_of(servers: Mapping[str, ServerConfig]) -> Iterator[str]:
    """What nobody is to read: what variables stand for, but those of every program, and keys in headers and `env`."""
    for server in servers.values():
        plain = server.inherited.values()  # paths, which servers for files are called with
        hidden = (*server.args, *server.env.values(), *server.headers.values(), server.url or "")
        yield from (value for value in server.substituted if value not in plain and any(value in one for one in hidden))
        yield from (word for name, text in server.headers.items() if _KEY.search(name) for word in text.split()[-1:])
        yield from (value for name, value in server.env.items() if _KEY.search(name) and value not in plain)
