"""The tables of the documents are made from the code, and .env.example and the lock file agree with it."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from llmgine.sessions.personal_data import table as personal_data
from programs.playground.__main__ import main as playground
from programs.settings import ProgramSettings
from programs.terminal.command_line import read_options
from programs.terminal.slash import COMMANDS, KEYS
from tests.documents import PAGES, ROOT, blocks, check_table

ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def settings_table() -> str:
    """The table of settings, made from the class."""
    rows = ["| setting | default | |", "|---|---|---|"]
    for name, field in ProgramSettings.model_fields.items():
        default = "" if field.default in (None, "", ()) or name == "system_prompt" else f"`{field.default}`"
        rows.append(f"| `{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def test_the_settings_table_is_the_one_made_from_the_code() -> None:
    """Every setting is in docs/running.md with its default."""
    check_table("docs/running.md", "settings", settings_table())


def test_the_table_of_personal_data_is_the_registry() -> None:
    """docs/privacy.md says of each column that has something of people what becomes of it."""
    check_table("docs/privacy.md", "personal-data", personal_data())


def test_the_commands_of_the_terminal_are_those_of_the_code() -> None:
    """Every command and key inside the terminal chat is in docs/using.md with what it does."""
    rows = [f"| `{' '.join(filter(None, (name, words)))}` | {does} |" for name, (words, does) in COMMANDS.items()]

    check_table("docs/using.md", "terminal-commands", "\n".join(["| in the terminal | |", "|---|---|", *rows]))
    keys = [f"| {key} | {does} |" for key, does in KEYS.items()]
    check_table("docs/using.md", "terminal-keys", "\n".join(["| key | |", "|---|---|", *keys]))


@pytest.mark.parametrize(("page", "program"), [("docs/using.md", read_options), ("docs/playground.md", playground)])
def test_every_option_is_in_its_table(
    page: str, program: Callable[[], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `--help` lists has a row in the document, apart from what all programs have."""
    monkeypatch.setattr(sys, "argv", ["program", "--help"])
    with pytest.raises(SystemExit):
        program()

    listed = set(re.findall(r"^  (?:-\w(?: [A-Z]+)?, )?(--[\w-]+)", capsys.readouterr().out, re.MULTILINE)) - {
        "--help",
        "--version",
    }
    assert len(listed) >= 7
    assert listed == set(re.findall(r"^\| `(--[\w-]+)[^|]*\| ", PAGES[page], re.MULTILINE))


def test_env_example_has_every_setting_with_its_default() -> None:
    """.env.example and ProgramSettings name the same settings, with the same defaults."""
    written = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))
    defaults = {
        name.upper(): "" if field.default in (None, ()) else str(field.default)
        for name, field in ProgramSettings.model_fields.items()
    }

    assert {name: value.strip('"') for name, value in written.items()} == defaults


def test_the_lock_file_satisfies_the_project() -> None:
    """requirements.lock pins every dependency inside its range, with hashes and without addresses."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {name: Version(version) for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        Requirement(text) for text in [*project["project"]["dependencies"], *project["dependency-groups"]["programs"]]
    ]

    assert not [str(r) for r in wanted if pinned.get(r.name.replace(".", "-"), Version("0")) not in r.specifier]
    assert "://" not in lock
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_each_program_of_the_readme_has_a_command_for_windows() -> None:
    """What PowerShell does not take as it is, is there once more for it: in a block, or in a sentence."""
    found = [*blocks(PAGES["README.md"])]
    bash = [line for block in found if block.language == "bash" for line in block.text.splitlines()]
    powershell = [line for block in found if block.language == "powershell" for line in block.text.splitlines()]
    powershell += [line for line in re.findall(r"`(uv run [^`]+)`", PAGES["README.md"]) if "programs" in line]
    foreign = {
        module.group(1) if module else "programs.function_chat"
        for line in bash
        if not line.startswith("uv run ")
        and ((module := re.search(r"-m (programs\S+)", line)) or line.startswith("./run_function_chat.sh"))
    }

    assert foreign == {"programs.discord.bot", "programs.function_chat"}
    assert [module for module in sorted(foreign) if not any(f"-m {module}" in line for line in powershell)] == []
    assert "py -m venv" in powershell[0]
    assert not [line for line in powershell if re.search(r"&&|\./|\.venv/", line)], "PowerShell knows no such thing"


def test_no_file_names_a_package_index() -> None:
    """Where packages come from is for each machine to say."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    index = re.compile(rb"py" + rb"pi\.org|python" + rb"hosted|registry\.npm" + rb"js|deb\.debian\." + rb"org")

    assert not [name for name in listed if index.search((ROOT / name).read_bytes())]
