"""Writing what was asked for into a file."""

import os
from pathlib import Path

from llmgine.errors import UserError


def write_new(file: str, text: str) -> Path:
    """Write a file that only its owner can read; gives its absolute path.

    Raises:
        UserError: The file is there already, or cannot be written.
    """
    try:
        path = Path(file).expanduser().absolute()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
    except FileExistsError:
        raise UserError(f"{file} is there already and is not overwritten; name another file.") from None
    except (OSError, ValueError, RuntimeError) as error:  # a folder that is not there, a NUL, a ~name that is nobody
        raise UserError(f"{file} cannot be written: {error}") from error
    return path
