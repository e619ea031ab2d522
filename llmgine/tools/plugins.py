"""Tools from elsewhere: named in a setting, brought by installed packages, and in the files of a folder.

Whatever goes wrong with one of them is told, and the others are there all the same.
"""

import importlib
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import FunctionType, ModuleType

from llmgine.errors import ConfigurationError
from llmgine.messages.text import shorten
from llmgine.platforms import changeable_by_others
from llmgine.tools.declared import as_tool, is_marked, marked_in
from llmgine.tools.folder_package import NAME, folder_package
from llmgine.tools.tool import Tool

GROUP = "llmgine.tools"  # of entry points
_LONGEST = 300  # characters of what went wrong


@dataclass(frozen=True)
class ToolProblem:
    """A tool that is not there, or several.

    Attributes:
        source: Where it was to come from: a file, or a name as it is in TOOLS or in an entry point.
        line: The line of the file that is wrong; None where that is not known.
        words: What went wrong.
    """

    source: str
    line: int | None
    words: str

    def __str__(self) -> str:
        """All of it in one line."""
        return f"{self.source}{'' if self.line is None else f', line {self.line}'}: {self.words}"


@dataclass(frozen=True)
class FoundTool:
    """A tool, and where it came from."""

    tool: Tool
    source: str
    line: int | None = None


Found = FoundTool | ToolProblem


def named(names: Iterable[str]) -> Iterator[Found]:
    """The tools of `package.module:name`, which is a tool, a list of tools, or a function that makes such a list.

    A name without a colon is a module: its tools are the functions that are marked with `tool`.
    """
    for name in names:
        yield from _from(name, lambda name=name: _object(name))  # type: ignore[misc]  # bound now, as the loop goes on


def are_installed() -> bool:
    """Whether any installed package has an entry point in the group `llmgine.tools`."""
    return bool(entry_points(group=GROUP))


def installed() -> Iterator[Found]:
    """The tools of all installed packages that have an entry point in the group `llmgine.tools`; see `named`."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        yield from _from(f"entry point {entry.name} ({entry.value})", entry.load)


def in_folder(folder: Path, outside_of: Iterable[Path]) -> Iterator[Found]:
    """The marked functions of all Python files of a folder, but of those whose names begin with `_`.

    Args:
        folder: The folder.
        outside_of: Folders it may not lie in: the program writes there what people and models say.

    Raises:
        ConfigurationError: There is no such folder, it lies in one of those, or others than this user can change it or
            something in it.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise ConfigurationError(f"TOOLS_DIR: {folder} is no folder")
    written = [one.resolve() for one in outside_of]
    for one in (folder, *folder.rglob("*")):  # all of it: a file of tools may import any other one
        if not one.exists():  # a link to nothing, as Emacs locks a file with
            continue
        target = one.resolve()
        for data in written:
            if target.is_relative_to(data):
                raise ConfigurationError(f"TOOLS_DIR: {one} lies in {data}, where data is written: use another folder")
        if target.is_dir() and not target.is_relative_to(folder):
            raise ConfigurationError(f"TOOLS_DIR: {one} is a link to another folder, which is not looked at: remove it")
        if (path := changeable_by_others(target)) is not None:
            raise ConfigurationError(
                f"TOOLS_DIR: other users of this machine can change {path}: take that from them, with chmod go-w or "
                "chown, or remove it"
            )
    folder_package(str(folder))
    for file in sorted(folder.glob("*.py")):
        if not file.name.startswith("_"):
            yield from _in_file(file)


def _in_file(file: Path) -> Iterator[Found]:
    source = f"{file.parent.name}/{file.name}"
    if not file.stem.isidentifier():
        yield ToolProblem(source, None, "its name is none of a module: use letters, digits and _")
        return
    yield from _from(source, lambda: _imported(file), str(file))


def _imported(file: Path) -> ModuleType:
    """The module of a file; what Python compiled is not kept, since the folder may be one that others may change."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module(f"{NAME}.{file.stem}")
    finally:
        sys.dont_write_bytecode = before


def _from(source: str, load: Callable[[], object], file: str | None = None) -> Iterator[Found]:
    """The tools of what is loaded, or what went wrong; `file` is where, if that is known."""
    try:
        loaded = load()
        made = list(_made(loaded))
    except (Exception, SystemExit) as error:  # foreign code
        yield ToolProblem(source, _line(error, file), _words(error))
        return
    if not made:
        yield ToolProblem(source, None, "there is no tool in it: write @tool above a function")
    for one in made:
        line = one.__code__.co_firstlineno if isinstance(one, FunctionType) else None
        try:
            found: Found = FoundTool(as_tool(one), source, line)
        except Exception as error:  # foreign code: annotations are evaluated, and schemas built of them
            found = ToolProblem(source, line, _words(error))
        yield found


def _made(loaded: object) -> Iterable[object]:
    if isinstance(loaded, ModuleType):
        return marked_in(loaded)
    if isinstance(loaded, Tool) or is_marked(loaded):
        return [loaded]
    made = loaded() if callable(loaded) else loaded
    if isinstance(made, Iterable):
        return made
    raise TypeError(f"it gives {type(made).__name__}, not a list of tools")


def _object(name: str) -> object:
    """What `package.module:name` names."""
    module, _, path = name.partition(":")
    found: object = importlib.import_module(module)
    for part in filter(None, path.split(".")):
        found = getattr(found, part)
    return found


def _line(error: BaseException, file: str | None) -> int | None:
    """The line where foreign code failed: the last one in its own file, else that of what it called."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename not in {__file__, importlib.__file__}
    ]
    own = [frame for frame in frames if frame.filename == file] or frames
    return own[-1].lineno if own else None


def _words(error: BaseException) -> str:
    try:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:  # its __str__ is foreign code, too
        said = ""
    return shorten(f"{type(error).__name__}: {said}" if said else type(error).__name__, _LONGEST)
