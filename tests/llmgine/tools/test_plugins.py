"""Tools from elsewhere: what is wrong with one of them is told, and the others are there."""

import os
import sys
from pathlib import Path

import pytest

from llmgine import tool
from llmgine.errors import ConfigurationError
from llmgine.messages.chat_messages import ToolCall
from llmgine.tools import plugins
from llmgine.tools.plugins import FoundTool, ToolProblem
from llmgine.tools.tool_manager import ToolManager

DICE = '''\
"""Dice."""

from llmgine import Isolation, tool
from os import getpid


@tool(idempotent=True, timeout=5)
def roll_dice(sides: int = 6) -> str:
    """Roll one die."""
    return f"{sides} in {getpid()}"


@tool(requires_approval=True, isolation=Isolation(cpu=5))
def roll_apart(sides: int = 6) -> str:
    """Roll one die in a process of its own."""
    return f"{sides} in {getpid()}"


def helper() -> str:
    """No tool."""
    return ""
'''

MARK = "from llmgine import tool\n@tool"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that only we can change."""
    made = tmp_path / "tools"
    made.mkdir(mode=0o755)
    return made


def write(folder: Path, name: str, text: str = DICE) -> Path:
    """Make a file of it that only we can change."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    return file


def found(folder: Path, *data: Path) -> tuple[list[str], list[ToolProblem]]:
    """The names of the tools, and what went wrong."""
    made = list(plugins.in_folder(folder, data))
    problems = [one for one in made if isinstance(one, ToolProblem)]
    return [one.tool.name for one in made if isinstance(one, FoundTool)], problems


async def test_marked_functions_of_a_folder_are_tools(folder: Path) -> None:
    """They have the options they are marked with, and one runs in a process of its own, which imports it by name."""
    write(folder, "dice.py")
    tools = [one.tool for one in plugins.in_folder(folder, ()) if isinstance(one, FoundTool)]
    manager = ToolManager(tools)

    here, apart = [
        (await manager.run(ToolCall(name=name, arguments='{"sides": 20}'))).content for name in manager.names
    ]

    assert manager.names == ("roll_dice", "roll_apart")
    assert [(one.idempotent, one.requires_approval, one.timeout) for one in tools] == [
        (True, False, 5),
        (False, True, 30),
    ]
    assert here.startswith("20 in ")
    assert apart.startswith("20 in ")
    assert here != apart


def test_a_marked_function_can_be_registered() -> None:
    """It has the options it is marked with, and those that are given with it."""

    @tool(idempotent=True, timeout=5)
    def roll() -> str:
        """Roll."""
        return "4"

    made = ToolManager().register(roll, timeout=7)

    assert (made.idempotent, made.timeout, roll()) == (True, 7, "4")


def test_a_file_hides_no_module_of_its_name(folder: Path) -> None:
    """A file may be called as a module of Python is."""
    write(folder, "email.py")

    assert found(folder)[0] == ["roll_dice", "roll_apart"]
    assert "email" not in sys.modules or "roll_dice" not in vars(sys.modules["email"])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("import os\nimport nowhere_at_all\n", 2, "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1\n\n\ndef broken(:\n", 4, "SyntaxError: "),
        ("import json\njson.loads('{')\n", 2, "JSONDecodeError: "),
        ("import sys\nsys.exit('bye')\n", 2, "SystemExit: bye"),
        ("x = 1\n", None, "there is no tool in it: write @tool above a function"),
        (
            "from llmgine import tool\n@tool\ndef silent() -> str:\n    return ''\n",
            2,
            "ValueError: tool 'silent' has no",
        ),
        (
            "from llmgine import tool\n@tool(timeout=-1)\ndef a() -> str:\n    'A.'\n    return ''\n",
            2,
            "ValueError: the",
        ),
        (
            "from llmgine import tool\n@tool\ndef a(x: 'int |') -> str:\n    'A.'\n    return ''\n",
            2,
            "SyntaxError: ",
        ),
        ("class Odd(Exception):\n    def __str__(self): return 1 / 0\nraise Odd\n", 3, "Odd"),
    ],
    ids=["import", "syntax", "deep", "exit", "none", "docstring", "timeout", "annotation", "words"],
)
def test_a_broken_file_is_told_and_the_rest_is_there(folder: Path, text: str, line: int | None, words: str) -> None:
    """What is told names the file and the line."""
    write(folder, "dice.py")
    write(folder, "a_broken_one.py", text)

    names, [problem] = found(folder)

    assert names == ["roll_dice", "roll_apart"]
    assert (problem.source, problem.line) == ("tools/a_broken_one.py", line)
    assert problem.words.startswith(words)


def test_a_folder_in_which_data_is_written_is_refused(folder: Path) -> None:
    """What people and models say must never become code; a link does not hide where a folder is."""
    link = folder.parent / "link"
    link.symlink_to(folder)

    for one in (folder, link):
        with pytest.raises(ConfigurationError, match="where data is written"):
            found(one, folder.parent)


def test_links_out_of_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    """A link brings in nothing that was not looked at; one that leads nowhere does no harm."""
    write(folder, "dice.py")
    (folder / ".#dice.py").symlink_to("somebody@somewhere")  # Emacs locks files so
    assert found(folder)[0] == ["roll_dice", "roll_apart"]
    data, other = tmp_path / "data", tmp_path / "other"
    data.mkdir()
    other.mkdir()
    write(data, "said.py")

    (folder / "said.py").symlink_to(data / "said.py")
    with pytest.raises(ConfigurationError, match="where data is written"):
        found(folder, data)
    (folder / "said.py").unlink()
    (folder / "helpers").symlink_to(other)
    with pytest.raises(ConfigurationError, match="is a link to another folder"):
        found(folder, data)


@pytest.mark.skipif(sys.platform == "win32", reason="lists say there who may change a file")
class TestOthers:
    """Code that other users of the machine can change is not loaded."""

    @pytest.mark.parametrize("mode", [0o775, 0o757])
    def test_their_folder_is_refused(self, folder: Path, mode: int) -> None:
        """The error names the folder that they can change, be it one above."""
        inner = folder / "inner"
        inner.mkdir(mode=0o755)
        folder.chmod(mode)

        for one in (folder, inner):
            with pytest.raises(ConfigurationError, match=f"can change {folder}: "):
                found(one)

    @pytest.mark.parametrize("mode", [0o664, 0o646])
    @pytest.mark.parametrize("name", ["theirs.py", "_shared.py", "inner/theirs.py", "__pycache__/dice.cpython-311.pyc"])
    def test_their_file_in_it_is_refused(self, folder: Path, name: str, mode: int) -> None:
        """Be it no file of tools: one may import it."""
        write(folder, "dice.py")
        (folder / name).parent.mkdir(mode=0o755, exist_ok=True)
        write(folder, name).chmod(mode)

        with pytest.raises(ConfigurationError, match=f"can change {folder / name}: "):
            found(folder)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
    def test_a_file_that_is_theirs_is_refused(self, folder: Path) -> None:
        """Whoever owns a file can change it, whatever its mode is by now."""
        os.chown(write(folder, "theirs.py"), 12_345, -1)

        with pytest.raises(ConfigurationError, match=r"theirs\.py"):
            found(folder)

    def test_a_link_to_their_file_is_refused(self, folder: Path) -> None:
        """What counts is where the file is."""
        elsewhere = folder.parent / "elsewhere"
        elsewhere.mkdir()
        elsewhere.chmod(0o777)
        (folder / "linked.py").symlink_to(write(elsewhere, "theirs.py"))

        with pytest.raises(ConfigurationError, match="elsewhere"):
            found(folder)


def test_loading_leaves_nothing_in_the_folder(folder: Path) -> None:
    """Nothing compiled is kept there, which others might be able to change; and a file may import what is shared."""
    write(folder, "_shared.py", "SIDES = 6\n")
    write(folder, "dice.py", f"from ._shared import SIDES\n\n{DICE}")

    assert found(folder)[0] == ["roll_dice", "roll_apart"]
    assert sorted(one.name for one in folder.iterdir()) == ["_shared.py", "dice.py"]


def test_what_is_no_folder_is_refused(folder: Path) -> None:
    """The error names it."""
    with pytest.raises(ConfigurationError, match="is no folder"):
        found(folder / "missing")


def test_tools_are_named_in_a_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module, a tool in it, a list, or a function that makes one; one that is missing spoils no other."""
    write(folder, "named_dice.py", f"{DICE}\n\ndef build():\n    return [helper, roll_dice]\n\n\nboth = [roll_dice]\n")
    monkeypatch.syspath_prepend(folder)
    names = ["named_dice", "named_dice:roll_dice", "named_dice:both", "named_dice:build", "named_dice:gone", "gone"]

    made = list(plugins.named(names))

    assert [one.tool.name if isinstance(one, FoundTool) else one.source for one in made] == [
        *("roll_dice", "roll_apart"),
        *("roll_dice", "roll_dice"),
        *("helper", "roll_dice"),
        *("named_dice:gone", "gone"),
    ]


def test_tools_of_installed_packages_are_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package says by an entry point what its tools are."""
    write(folder, "packaged_dice.py")
    about = folder / "packaged_dice-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: packaged-dice\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(
        "[llmgine.tools]\ndice = packaged_dice\nbad = nowhere_at_all\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(folder)

    made = list(plugins.installed())

    assert [one.tool.name for one in made if isinstance(one, FoundTool)] == ["roll_dice", "roll_apart"]
    assert [one.source for one in made if isinstance(one, ToolProblem)] == ["entry point bad (nowhere_at_all)"]
