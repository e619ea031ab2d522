"""What `pip install .` installs: the library alone, which works without this folder and is typed."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.documents import PAGES, ROOT, blocks, texts_of_the_code
from tests.uv import run_uv

LIBRARY = sorted(path for path in (ROOT / "llmgine").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in LIBRARY if path.suffix == ".py"]
# The modules that an extra brings; their part says what to install where they are missing.
EXTRAS = {
    "anthropic": "anthropic",
    "anyio": "mcp",
    "asyncpg": "postgres",
    "genai_prices": "prices",
    "jsonschema": "mcp",
    "mcp": "mcp",
    "opentelemetry": "otel",
    "prometheus_client": "metrics",
    "referencing": "mcp",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run_uv("build", "--wheel", "--python", sys.executable, "--out-dir", folder, ROOT, folder=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def described(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as content:
        (name,) = (name for name in content.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(content.read(name).decode())


@pytest.fixture(scope="module")
def newcomer(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with nothing but the wheel and what it asks for, in the versions used here."""
    folder = tmp_path_factory.mktemp("newcomer")
    versions = folder / "versions.txt"
    installed = {one.name: one.version for one in metadata.distributions() if one.name != "llmgine"}
    versions.write_text("\n".join(f"{name}=={version}" for name, version in installed.items()))
    python = folder / "venv" / "bin" / "python"
    run_uv("venv", "--python", sys.executable, folder / "venv", folder=folder)
    run_uv("pip", "install", "--python", python, "--constraints", versions, wheel, folder=folder)
    return python


def test_the_wheel_has_the_library_and_nothing_else(wheel: Path) -> None:
    """Every file of `llmgine` is in it, `py.typed` too; no program, no test, and no command such as `pytest`."""
    with zipfile.ZipFile(wheel) as content:
        names = {name for name in content.namelist() if ".dist-info/" not in name}
        about = {name.partition(".dist-info/")[2] for name in content.namelist()} - {""}

    assert names == {str(path.relative_to(ROOT)) for path in LIBRARY}
    assert "llmgine/py.typed" in names
    assert about == {"METADATA", "WHEEL", "RECORD", "licenses/LICENSE"}


def test_it_requires_what_the_library_imports(described: Message) -> None:
    """Each requirement is imported by the library, and each import is required: by the library, or by its extra."""
    nodes = [node for tree in TREES for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    imported = {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"llmgine"}
    # pydantic requires its core in one version, and documents imports from it.
    bringing = {**metadata.packages_distributions(), "pydantic_core": ["pydantic"]}

    wanted: dict[str, set[str]] = {
        name: set() for name in ("", "anthropic", "mcp", "metrics", "otel", "postgres", "prices")
    }
    for requirement in map(Requirement, described.get_all("Requires-Dist", [])):
        extra = re.search(r"extra == ['\"](\w+)['\"]", str(requirement.marker))
        wanted[extra[1] if extra else ""].add(canonicalize_name(requirement.name))
    brought = {name: {canonicalize_name(one) for one in bringing.get(name, [name])} for name in imported}

    assert [name for name in sorted(imported) if not brought[name] & wanted[EXTRAS.get(name, "")]] == []
    for of, required in wanted.items():
        known = {one for name in imported if EXTRAS.get(name, "") == of for one in brought[name]}
        if not of:
            known.add(canonicalize_name("tzdata"))  # which zoneinfo reads where the system has no zones
        assert sorted(required - known) == []


def test_it_says_what_it_is(described: Message) -> None:
    """Version, extras, licence and the versions of Python are those of pyproject.toml."""
    assert (described["Name"], described["Version"]) == ("llmgine", PROJECT["version"])
    assert described["License-Expression"] == "MIT"
    assert set(described.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    assert described["Requires-Python"] == ">=3.11"
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(
        described.get_all("Classifier", [])
    )


def example() -> str:
    """The library's example in the README."""
    (block,) = (block for block in blocks(PAGES["README.md"]) if block.language == "python")
    return block.text


def test_a_newcomer_runs_the_example(newcomer: Path, tmp_path: Path) -> None:
    """In an empty folder, with the wheel alone, the README's example answers; there are no programs to import."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [str(newcomer), "-W", "error", "-c", f"{example()}\nimport programs"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.stdout == "Noon.\n", done.stderr
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'programs'\n")


def test_the_installed_library_is_typed(newcomer: Path, tmp_path: Path) -> None:
    """A newcomer's type checker accepts the example, and finds a wrong argument and a name that is not there."""
    (tmp_path / "example.py").write_text(example())
    (tmp_path / "wrong.py").write_text("import llmgine\n\nllmgine.Author(id=1, name='Ada')\nllmgine.MesageBus()\n")
    command = [sys.executable, "-m", "mypy", "--strict", f"--python-executable={newcomer}", "example.py", "wrong.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    found = re.findall(r"^(\S+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert found == [("wrong.py:3", "arg-type"), ("wrong.py:4", "attr-defined")], done.stdout + done.stderr


def test_defaults_are_seen_without_a_plugin() -> None:
    """Only `default=` tells a type checker without pydantic's plugin that a field may be left out."""
    fields = [
        node.value
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "Field"
    ]

    assert len(fields) >= 25
    assert [ast.unparse(field) for field in fields if field.args] == []


# On the package index the name `llmgine` is another project's: a command that installs by this name would fetch that.
_FETCHES = re.compile(
    r"(?:\b(?:pip3?|pipx|uv|uv pip|uv tool|poetry|pdm) (?:install|add|download|wheel)\b|\b(?:pipx|uv tool) run\b"
    r"|\buvx\b|--with\b|--from\b)"
    r"[^\n`]*?[\s\"']llmgine(?![\w./:-])"
    r"|\bllmgine\[(?!\w+\.)"
)


@pytest.mark.parametrize(
    ("text", "fetches"),
    [
        ("pip install llmgine", True),
        ("run: pip install 'llmgine[otel]'", True),
        ('uv add "llmgine==0.1"', True),
        ("needs `llmgine[postgres]`", True),
        ("uvx --from llmgine bot", True),
        ("uv pip install -U llmgine", True),
        ('pip install ".[otel]"', False),
        ("uv sync --extra otel", False),
        ("uv run python -m llmgine.errors", False),
        ("pip install ./llmgine", False),
    ],
)
def test_what_would_fetch_another_project(text: str, *, fetches: bool) -> None:
    """The test below knows such a command when it sees one."""
    assert bool(_FETCHES.search(text)) is fetches


def test_no_text_installs_by_name() -> None:
    """No page, docstring, message or script tells people to install `llmgine` from the package index."""
    scripts = [ROOT / name for name in (".env.example", "run_function_chat.sh", ".ci/run", "tests/pytest_command")]
    texts = {**PAGES, "code": texts_of_the_code(), **{str(path): path.read_text(encoding="utf-8") for path in scripts}}

    found = [(name, line) for name, text in texts.items() for line in text.splitlines() if _FETCHES.search(line)]

    assert found == []
