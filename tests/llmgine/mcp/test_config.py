"""The file that names MCP servers: its form, its variables, and what is wrong with it in one sentence."""

import json
from pathlib import Path

import pytest

from llmgine.errors import ConfigurationError
from llmgine.mcp.config import read_config, secrets_of

VARIABLES = {"KEY": "a-secret-value", "EMPTY": ""}


def written(folder: Path, content: object) -> Path:
    path = folder / "mcp.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_variables_are_replaced_in_all_texts(tmp_path: Path) -> None:
    """A variable stands for its value, and a default for one that is not set or empty; values are secrets."""
    program = {"command": "${RUN:-python}", "args": ["--x=${EMPTY:-}", "${OTHER:-a b}"], "env": {"T": "${KEY}"}}
    web = {"url": "https://example.com/mcp", "headers": {"Authorization": "Bearer ${KEY}", "X": "plain"}}
    servers = read_config(written(tmp_path, {"mcpServers": {"p": program, "w": web}}), VARIABLES)

    assert (servers["p"].command, servers["p"].args) == ("python", ("--x=", "a b"))
    assert servers["p"].env == {"T": "a-secret-value"}
    assert servers["w"].headers["Authorization"] == "Bearer a-secret-value"
    assert {*secrets_of(servers)} == {"a-secret-value"}


def test_keys_of_a_program_are_secrets(tmp_path: Path) -> None:
    """What variables in its arguments stand for, and values in `env` that a name calls keys, but no folder of all."""
    variables = {**VARIABLES, "HOME": "/home/ada"}
    environment = {"DB_PASSWORD": "written plainly", "LEVEL": "not a key", "KEYS": "${HOME}"}
    program = {"command": "x", "args": ["--key=${KEY}", "${HOME}/notes"], "env": environment}
    servers = read_config(written(tmp_path, {"mcpServers": {"p": program}}), variables)

    assert {*secrets_of(servers)} == {"a-secret-value", "written plainly"}


def test_a_disabled_server_is_left_out(tmp_path: Path) -> None:
    """Its variables need not be there."""
    path = written(tmp_path, {"mcpServers": {"p": {"command": "${NOT_SET}", "disabled": True}}})

    assert read_config(path, VARIABLES) == {}


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ({"command": "${NOT_SET}"}, "the variable NOT_SET is not set: set it, or write ${NOT_SET:-default}"),
        ({"command": "${EMPTY}"}, "the variable EMPTY is not set"),
        ({"command": "${1}"}, "${1} is not a variable"),
        ({}, "give it either a command or a url"),
        ({"command": "x", "url": "https://example.com"}, "give it either a command or a url"),
        ({"command": "x", "type": "http"}, "type http does not fit"),
        ({"url": "ftp://example.com"}, "not an http(s):// address"),
        ({"url": "http://example.com/mcp"}, "what is sent to example.com would not be encrypted"),
        ({"command": "x", "timeout": 0}, "timeout: "),
        ({"command": "x", "args": "one text"}, "args: "),
        ("text", "server 's'"),
    ],
)
def test_what_is_wrong_with_a_server_is_said(tmp_path: Path, server: object, told: str) -> None:
    """The sentence names the setting, the file and the server."""
    path = written(tmp_path, {"mcpServers": {"s": server}})
    with pytest.raises(ConfigurationError) as raised:
        read_config(path, VARIABLES)

    assert str(raised.value).startswith(f"MCP_CONFIG: {path}, server 's'")
    assert told in str(raised.value)


@pytest.mark.parametrize("name", ["a__b", "_a", "ä", "a b", "", "x" * 33])
def test_a_name_can_be_told_to_a_model(tmp_path: Path, name: str) -> None:
    """A server's name is the beginning of its tools' names, and two underscores end it."""
    with pytest.raises(ConfigurationError, match="a name is"):
        read_config(written(tmp_path, {"mcpServers": {name: {"command": "x"}}}), VARIABLES)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"mcpServers": []}', "[" * 100_000])
def test_what_is_no_configuration_is_said(tmp_path: Path, content: str) -> None:
    """A file that is none is one sentence that names it."""
    path = written(tmp_path, content)
    with pytest.raises(ConfigurationError, match="MCP_CONFIG: "):
        read_config(path, VARIABLES)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """It is not taken for one without servers."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_config(tmp_path / "none.json", VARIABLES)
