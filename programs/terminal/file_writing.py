"""Saving a text to a new file."""

import os
from pathlib import Path

from llmgine.errors import UserError
from programs.terminal.paths import typed_path


def write_new(file: str, text: str) -> Path:
    """Write a file that only its owner can read. Returns its absolute path.

    Raises:
        UserError: The file already exists, or cannot be written.
    """
    try:
        path = typed_path(file).absolute()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text + "\n")
    except FileExistsError:
        raise UserError(f"{file} already exists; choose another name.") from None
    except (OSError, ValueError, RuntimeError) as error:  # a missing folder, a NUL, a ~name without a user
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{file} cannot be written: {reason}") from error
    return path
