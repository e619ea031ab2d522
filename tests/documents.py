"""The documents, as the tests read that compare them with the code."""

import ast
import functools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}

_FENCED = re.compile(r"^(?P<margin> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"\b(?P<how>Create|In)\s+`(?P<path>[\w./-]+)`")
_COMMAND = re.compile(r"`((?:[A-Z_]+=\S+ )?(?:uv run |uv sync |\.venv/bin/|\./|\.ci/|python3? )[^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: What it says behind its fence.
        text: What is in it, without the margin of a list.
        path: The file that the words before it name; None where they name none.
        creates: Whether it is the whole of that file.
    """

    language: str
    text: str
    path: str | None = None
    creates: bool = False


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a text, in order. A block after another one without words is about the same file."""
    path, end = None, 0
    for match in _FENCED.finditer(text):
        words = text[end : match.start()]
        named = [*_NAMED.finditer(words)]
        creates = bool(named) and named[-1]["how"] == "Create"
        if named:
            path = named[-1]["path"]
        elif words.strip():
            path = None
        end = match.end()
        lines = match["text"].splitlines(keepends=True)
        yield Block(match["language"], "".join(line.removeprefix(match["margin"]) for line in lines), path, creates)


def section(page: str, heading: str) -> str:
    """What a page says under a heading of the second level."""
    return PAGES[page].partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def commands() -> set[str]:
    """Every command line of every page, in blocks and in sentences."""
    found: set[str] = set()
    for text in PAGES.values():
        for block in blocks(text):
            if block.language == "bash":
                found |= {part.strip() for line in block.text.splitlines() for part in line.split(" && ")}
        found |= {part.strip() for line in _COMMAND.findall(_FENCED.sub("", text)) for part in line.split(" && ")}
    return {command for command in found if command and not command.startswith("#")}


def check_table(page: str, name: str, made: str) -> None:
    """A table between `<!-- name -->` marks is the one made from the code; `UPDATE_README=1` writes it.

    Raises:
        AssertionError: It is another one.
    """
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    assert begin, f"{page} has no table {name}"
    assert end, f"{page} has no table {name}"
    renewed = f"{before}{begin}{made.strip()}\n{end}{after}"
    if os.environ.get("UPDATE_README"):
        path.write_text(renewed, encoding="utf-8")
    else:
        assert renewed == text, f"UPDATE_README=1 writes the table {name} of {page}"


@functools.cache
def texts_of_the_code() -> str:
    """Every text in the programs and the library, one after another; what is filled in is left out."""
    found: list[str] = [(ROOT / name).read_text() for name in ("run_function_chat.sh", "tests/pytest_command")]
    for folder in ("llmgine", "programs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            found += [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return "\n".join(found)
