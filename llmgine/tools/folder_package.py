"""A folder of Python files as a package, so that a process of its own can import what is in them by name."""

import sys
from types import ModuleType

NAME = "llmgine_tools_dir"  # of the package; the files in it hide no module that has the name of one of them


def folder_package(folder: str) -> None:
    """Let `import llmgine_tools_dir.NAME` find the file NAME.py in a folder, in this process."""
    package = ModuleType(NAME, "The tools of a folder.")
    package.__path__ = [folder]
    for name in [name for name in sys.modules if name == NAME or name.startswith(f"{NAME}.")]:
        del sys.modules[name]  # of another folder
    sys.modules[NAME] = package


def folder_of(module: str) -> str | None:
    """The folder that a module of the package is in; None for any other module."""
    package = sys.modules.get(NAME)
    return package.__path__[0] if package is not None and module.startswith(f"{NAME}.") else None
