"""Files that people name, as seen from the folder they are in."""

import os
from pathlib import Path


def called_in() -> Path:
    """The folder in which the program was called; its script runs it in the project's folder."""
    return Path(os.environ.get("LLMGINE_CALLED_IN") or ".")


def typed_path(file: str) -> Path:
    """The file that was typed.

    Raises:
        RuntimeError: It begins with `~` and the name of a user who does not exist.
    """
    return called_in() / Path(file).expanduser()
