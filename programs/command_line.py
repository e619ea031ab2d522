"""What the command lines of all programs have in common: `--version`, and how `usage:` names the program."""

import argparse
import os
import sys
import tomllib
from importlib import metadata
from pathlib import Path

_PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def program_parser(module: str, description: str | None, *, epilog: str | None = None) -> argparse.ArgumentParser:
    """A parser that knows `--help` and `--version`; add the program's own arguments to it.

    Args:
        module: What follows `python -m`, such as `programs.logs`.
        description: What the program does.
        epilog: What `--help` says last.

    Returns:
        The parser. It takes no abbreviations of options, so that a new option never changes what an old command means.
    """
    parser = argparse.ArgumentParser(prog=_typed(module), description=description, epilog=epilog, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"llmgine {version()}", help="show the version and exit")
    return parser


def _typed(module: str) -> str:
    """The command as its reader types it: what a script says that it was called by, else that of uv or Python."""
    script = os.environ.get("LLMGINE_SCRIPT")
    if script:
        return script
    uv = os.environ.get("UV")  # `uv run` says here where it is itself
    if not uv:
        return f"python -m {module}"
    if not Path(uv).is_relative_to(sys.prefix):
        return f"uv run python -m {module}"
    # It was installed by pip into the environment of this folder, as the README does, and is not on PATH.
    here = Path.cwd()
    return f"{Path(uv).relative_to(here) if Path(uv).is_relative_to(here) else uv} run python -m {module}"


def version() -> str:
    """The version, such as "0.1.0": of the installed package, or of the source tree that the program runs from."""
    try:
        return metadata.version("llmgine")
    except metadata.PackageNotFoundError:  # in a container image only its dependencies are installed
        return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])
