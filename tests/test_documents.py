"""The documents tell the truth: their code runs, their commands exist, their links and names lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from programs.settings import ProgramSettings
from tests.documents import PAGES, ROOT, Block, blocks, commands, section, texts_of_the_code

COMMANDS = sorted(commands())
PROGRAMS = sorted(
    {
        (program.removesuffix(".py").replace("/", "."), arguments)
        for command in COMMANDS
        for program, arguments in re.findall(r"(?:-m |python |^)((?:programs|tests)[./][\w./]+)(.*)", command)
    }
    | {
        ("programs.function_chat", line.partition(" ")[2])
        for line in COMMANDS
        if line.startswith("./run_function_chat")
    }
)
PYTHON = [block for text in PAGES.values() for block in blocks(text) if block.language == "python" and not block.path]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MESSAGES = re.findall(r"\*\*`([^`]+)`\*\*", PAGES["docs/troubleshooting.md"])


@pytest.mark.smoke
@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.text.splitlines()[-1][:20])
def test_python_blocks_run(block: Block, tmp_path: Path) -> None:
    """What a reader copies from a page runs as it is."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "events.jsonl").touch()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stdout or done.stderr


def test_there_is_something_to_check() -> None:
    """The tests here have blocks, commands and messages to look at."""
    assert len(PYTHON) >= 4
    assert len(PROGRAMS) >= 15
    assert len(MESSAGES) >= 25


@pytest.mark.parametrize(("module", "arguments"), PROGRAMS)
def test_programs_take_the_options_that_are_named(module: str, arguments: str) -> None:
    """Each program that a page runs is there, and its help knows every option it is run with."""
    path = ROOT / module.replace(".", "/")
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
    words = shlex.split(arguments)
    options = [word for word in words if word.startswith("--")]
    if not options:
        return
    command = words[:1] if words[0].isalpha() else []  # some programs have commands with options of their own

    done = subprocess.run(
        [sys.executable, "-m", module, *command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert [option for option in options if not re.search(rf"{option}\b", done.stdout)] == []


def test_scripts_that_are_to_be_run_exist() -> None:
    """Each script of the repository that a page names may be executed."""
    scripts = {shlex.split(command)[0] for command in COMMANDS if command.startswith(("./", ".ci/"))}

    assert scripts >= {".ci/run", "./run_function_chat.sh"}
    assert [script for script in sorted(scripts) if not os.access(ROOT / script, os.X_OK)] == []


def test_groups_extras_and_tests_of_commands_exist() -> None:
    """`--group`, `--extra` and the paths behind `pytest` name what there is, and no test is run without its tools."""
    groups, extras = PROJECT["dependency-groups"], PROJECT["project"]["optional-dependencies"]
    text = "\n".join(COMMANDS)
    paths = {word for line in COMMANDS if " pytest" in line for word in line.split() if word.startswith("tests/")}

    assert {*re.findall(r"--group (\w+)", text)} <= set(groups)
    assert {*re.findall(r"--extra (\w+)", text)} <= set(extras)
    created = {block.path for block in blocks(PAGES["docs/extending.md"]) if block.creates}
    assert [path for path in sorted(paths) if path not in created and not (ROOT / path).exists()] == []
    tools = [line for line in COMMANDS if re.search(r" pytest\b|-m tests\.", line) and line != "uv run pytest"]
    assert [line for line in tools if "--group test " not in line] == []


def test_settings_that_are_written_down_exist() -> None:
    """A block of NAME=value lines names settings."""
    lines = [line for line in COMMANDS if re.fullmatch(r"[A-Z_]+=\S*", line)]

    assert len(lines) >= 3
    assert [line for line in lines if line.partition("=")[0].lower() not in ProgramSettings.model_fields] == []


def test_files_that_pages_name_exist() -> None:
    """Paths in pages lead somewhere, apart from those that a recipe creates."""
    named = {
        name
        for text in PAGES.values()
        for name in re.findall(r"`((?:llmgine|programs|tests|docs|\.ci)/[\w./]+)(?:::\w+)*`", text)
    }
    created = {block.path for block in blocks(PAGES["docs/extending.md"]) if block.creates}

    assert len(named) > 50
    assert [name for name in sorted(named) if name not in created and not (ROOT / name).exists()] == []


def anchors(text: str) -> set[str]:
    """What a link to a heading of a page ends in, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Each link to a file or a heading of ours finds it, and each picture is there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if "://" in target:
            continue
        file, _, heading = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), target
        if heading:
            assert heading in anchors(path.read_text(encoding="utf-8")), target


def test_every_page_is_named_in_the_readme() -> None:
    """A reader of the README finds all pages, and can finish it."""
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", PAGES["README.md"]))

    assert linked == set(PAGES) - {"README.md"}
    assert len(PAGES["README.md"].splitlines()) <= 180


def test_the_tests_that_pages_name_exist() -> None:
    """What is promised is shown by a test of that name."""
    named = {name for text in PAGES.values() for name in re.findall(r"`(test_\w+)`", text)}
    defined = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }

    assert named
    assert not named - defined


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_that_are_explained_are_written_by_the_code(message: str) -> None:
    """Each message of the troubleshooting page is one that a program can write; `…` stands for anything."""
    texts = texts_of_the_code()

    assert [part for part in re.split(r"\s*…\s*", message) if part and part not in texts] == []


def test_the_glossary_is_short() -> None:
    """It opens the page, and has at most twenty words."""
    page = PAGES["docs/architecture.md"]

    assert page.index("## Glossary") == page.index("## ")
    assert 10 <= section("docs/architecture.md", "Glossary").count("\n| ") - 1 <= 20
