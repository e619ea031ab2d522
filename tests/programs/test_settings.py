"""Settings: each error one sentence that names the variable, and never a secret."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from llmgine.errors import ConfigurationError
from llmgine.settings import load_settings
from programs.settings import ProgramSettings

SECRET = "hunter22-not-to-be-shown"


def error_of(env_file: Path | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(ProgramSettings, env_file)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_without_anything_the_defaults_hold() -> None:
    """No file and no variable: the offline demo in the playground."""
    settings = load_settings(ProgramSettings, None)

    assert (settings.openai_model, settings.database_url) == (None, "sqlite:///data/llmgine.db")
    assert (settings.log_dir, settings.playground_port, settings.approval_timeout) == (Path("logs"), 8700, 600)
    assert not settings.has_model
    assert list(settings.secrets()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAYGROUND_PORT", "eighty"),
        ("PLAYGROUND_PORT", "70000"),
        ("PLAYGROUND_PORT", "-1"),
        ("APPROVAL_TIMEOUT", "0"),
        ("APPROVAL_TIMEOUT", "86401"),
        ("CONTEXT_TOKENS", "10"),
        ("LOG_LEVEL", "LOUD"),
        ("SMTP_PORT", "0"),
        ("SMTP_TLS", "maybe"),
        ("DISCORD_API_BASE", "not an address"),
        ("DISCORD_API_BASE", "ftp://127.0.0.1/"),
        ("DISCORD_API_BASE", "http://[::1"),
        ("DISCORD_GATEWAY_URL", "wss://"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """One sentence: the variable, what is wrong, and where to read about it."""
    monkeypatch.setenv(name, value)

    text = error_of()

    assert text.startswith(f"{name}: ")
    assert ".env.example" in text


@pytest.mark.parametrize("name", ["DISCORD_API_BASE", "DISCORD_GATEWAY_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "http://discord.example/api",
        "ws://10.0.0.1:8080",
        "HTTP://discord.example",
        "http://127.0.0.1.example",
        "http://localhost@discord.example",
        "http://localhost.example",
        "http://2130706433",
        "http://0.0.0.0:8700",
    ],
)
def test_the_token_never_leaves_this_machine_unencrypted(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    """Plain http and ws are refused for every host that is not surely this one."""
    monkeypatch.setenv(name, url)

    assert "use https:// or wss://" in error_of()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8700/api",
        "ws://localhost:1",
        "http://[::1]:8700",
        "https://discord.example",
        "wss://x.example",
    ],
)
def test_loopback_and_encrypted_addresses_are_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """As they are written."""
    monkeypatch.setenv("DISCORD_TOKEN", "made-up")
    for name in ("DISCORD_API_BASE", "DISCORD_GATEWAY_URL"):
        monkeypatch.setenv(name, url)

    assert load_settings(ProgramSettings, None).discord_api_base == url


@pytest.mark.parametrize(
    "given", [("DISCORD_API_BASE",), ("DISCORD_GATEWAY_URL",), ("DISCORD_API_BASE", "DISCORD_GATEWAY_URL")]
)
def test_another_server_is_named_whole(monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...]) -> None:
    """Half an address would send the token to a server it is not for; a server without a token is a mistake."""
    if len(given) == 1:
        monkeypatch.setenv("DISCORD_TOKEN", "made-up")
    for name in given:
        monkeypatch.setenv(name, "https://discord.example")

    assert "set both or neither" in error_of() or "DISCORD_TOKEN must be" in error_of()


@pytest.mark.parametrize("line", ["DISCORD_TOKN=x", "OPENAI_APIKEY=x", "OPENAI_API_KEY"])
def test_a_slip_in_the_env_file_is_named(tmp_path: Path, line: str) -> None:
    """A name that is nearly a setting's, or one without a value, would otherwise be ignored without a word."""
    path = tmp_path / ".env"
    path.write_text(f"{line}\nSOMEBODY_ELSES_SETTING=1\n")

    with pytest.raises(ConfigurationError, match=r"did you mean|has no value"):
        load_settings(ProgramSettings, path)


@pytest.mark.parametrize("url", [f"http://ada:{SECRET}@discord.example", f"ftp://{SECRET}", f"http://{SECRET}:x/"])
def test_an_address_is_not_quoted_with_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """An error about an address does not show what may be a secret in it."""
    monkeypatch.setenv("DISCORD_API_BASE", url)

    assert SECRET not in error_of()


def test_secrets_are_not_shown_by_the_settings_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing the settings shows none; the log is told all of them."""
    for name in ("DISCORD_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "SMTP_PASSWORD", "TRANSCRIBE_API_KEY"):
        monkeypatch.setenv(name, f"{SECRET}-{name}")

    settings = load_settings(ProgramSettings, None)

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert len(list(settings.secrets())) == 5


@pytest.mark.parametrize("where", ["environment", "file"])
def test_empty_values_are_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str) -> None:
    """A name with nothing behind it means the default, not an empty token or a number error."""
    lines = ["DISCORD_TOKEN=", "OPENAI_API_KEY=", "PLAYGROUND_PORT=", "OPENAI_MODEL="]
    file = tmp_path / ".env"
    file.write_text("\n".join(lines) if where == "file" else "")
    for line in lines if where == "environment" else []:
        monkeypatch.setenv(line.rstrip("="), "")

    settings = load_settings(ProgramSettings, file)

    assert (settings.discord_token, settings.openai_api_key) == (None, None)
    assert (settings.playground_port, settings.openai_model) == (8700, None)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is set for one run holds for that run; names in the file that are nobody's are no error."""
    file = tmp_path / ".env"
    file.write_text('OPENAI_MODEL="from file"\nLOG_LEVEL=debug\nSOMETHING_ELSE=1\n')
    monkeypatch.setenv("OPENAI_MODEL", "from environment")

    settings = load_settings(ProgramSettings, file)

    assert (settings.openai_model, settings.log_level) == ("from environment", "DEBUG")


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical", "CRITICAL"])
def test_each_level_of_pythons_logging_is_one(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    """LOG_LEVEL takes them in either case."""
    monkeypatch.setenv("LOG_LEVEL", level)

    assert load_settings(ProgramSettings, None).log_level == level.upper()


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Some editors put one first; the first setting is not lost by it."""
    file = tmp_path / ".env"
    file.write_text("OPENAI_MODEL=marked\n", encoding="utf-8-sig")

    assert load_settings(ProgramSettings, file).openai_model == "marked"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("OPENAI_MODEL=a\nOPENAI_API_KEY hunter22-not-to-be-shown\n", 2),
        ("\n\n# a comment\n\nOPENAI_MODEL=a\n\n\n'OPENAI_API_KEY\n", 8),
        ("OPENAI_API_KEY='hunter22-not-to-be-shown\n", 1),
        ("=hunter22-not-to-be-shown\n", 1),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, text: str, line: int) -> None:
    """By its number, with the file's name and without its content, which may be a secret."""
    file = tmp_path / ".env"
    file.write_text(text)

    error = error_of(file)

    assert error == f"{file} line {line} isn't NAME=value: fix or delete this line"


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Binary where text should be is one sentence too."""
    file = tmp_path / ".env"
    file.write_bytes(b"OPENAI_MODEL=\xff\xfe\n")

    assert error_of(file).startswith(f"{file} cannot be read")


def test_a_missing_file_is_no_error(tmp_path: Path) -> None:
    """Nobody needs one."""
    assert load_settings(ProgramSettings, tmp_path / "nothing").openai_model is None


def test_an_unknown_api_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the setting and what it can be."""
    monkeypatch.setenv("OPENAI_API", "grpc")

    with pytest.raises(ConfigurationError, match=r"^OPENAI_API: .*'auto', 'chat' or 'responses'"):
        load_settings(ProgramSettings, None)


def test_operators_are_ids_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPERATORS has user ids; without it nobody is configured, and a name is refused with an example."""
    assert load_settings(ProgramSettings, None).operators is None
    monkeypatch.setenv("OPERATORS", " 80351110224678912, 175928847299117063,")
    assert load_settings(ProgramSettings, None).operators == (80351110224678912, 175928847299117063)

    monkeypatch.setenv("OPERATORS", "80351110224678912,ada")

    with pytest.raises(ConfigurationError, match="OPERATORS: these are not Discord ids"):
        load_settings(ProgramSettings, None)


@pytest.mark.parametrize("what", ["servers", "channels", "roles", "people"])
@pytest.mark.parametrize("how", ["allowed", "blocked"])
def test_lists_of_who_may_use_the_bot_are_ids(monkeypatch: pytest.MonkeyPatch, how: str, what: str) -> None:
    """Empty by default; what is no id, such as a name or a mention, is an error at the start and never ignored."""
    name = f"{how}_{what}"
    assert getattr(load_settings(ProgramSettings, None), name) == ()
    monkeypatch.setenv(name.upper(), "80351110224678912, 175928847299117063")
    assert getattr(load_settings(ProgramSettings, None), name) == (80351110224678912, 175928847299117063)

    for wrong in ("ada", "<@80351110224678912>", "80351110224678912;175928847299117063"):
        monkeypatch.setenv(name.upper(), wrong)
        with pytest.raises(ConfigurationError, match=f"{name.upper()}: these are not Discord ids"):
            load_settings(ProgramSettings, None)


def test_what_may_be_chosen_is_a_list_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """ALLOWED_MODELS and ALLOWED_TOOLS are names with commas between; MAX_EFFORT is one of the efforts."""
    monkeypatch.setenv("ALLOWED_MODELS", "gpt-5-mini, gpt-5 ,")
    monkeypatch.setenv("ALLOWED_TOOLS", "calculate")
    monkeypatch.setenv("MAX_EFFORT", "low")
    found = load_settings(ProgramSettings, None)
    assert (found.allowed_models, found.allowed_tools, found.max_effort) == (
        ("gpt-5-mini", "gpt-5"),
        ("calculate",),
        "low",
    )

    monkeypatch.setenv("MAX_EFFORT", "lots")

    with pytest.raises(ConfigurationError, match=r"^MAX_EFFORT: .*'none', 'minimal'"):
        load_settings(ProgramSettings, None)


@pytest.mark.parametrize(
    ("value", "domains"),
    [("", ()), ("example.com", ("example.com",)), (" a.example , b.example,", ("a.example", "b.example"))],
)
def test_allowed_domains_are_a_list_with_commas(value: str, domains: tuple[str, ...]) -> None:
    """Empty allows any."""
    assert ProgramSettings(_env_file=None, email_allowed=value).email_domains == domains


@pytest.mark.parametrize("value", ["ann@example.com", "*.example.com", "example", "a.example;b.example"])
def test_what_is_no_domain_is_refused(value: str) -> None:
    """A limit that is written wrong must not be taken for none."""
    with pytest.raises(ValidationError, match="is not a domain"):
        ProgramSettings(_env_file=None, email_allowed=value)


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    """The error says what a name looks like."""
    assert ProgramSettings(_env_file=None, timezone="Europe/Berlin").timezone == "Europe/Berlin"
    with pytest.raises(ValidationError, match="is no time zone; write a name such as Europe/Berlin"):
        ProgramSettings(_env_file=None, timezone="CET+1")
