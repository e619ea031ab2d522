"""One process per Discord token on a machine: two would answer everybody twice."""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from llmgine.errors import ConfigurationError


@contextlib.contextmanager
def only_one(token: str, folder: Path | None = None) -> Iterator[None]:
    """Hold the token's lock, which the kernel frees when the process ends, however it ends.

    Args:
        token: The token; only a hash of it is written down.
        folder: Where the lock files are; the machine's folder for temporary files unless given.

    Raises:
        ConfigurationError: Another process has it.
    """
    name = hashlib.sha256(token.encode()).hexdigest()[:16]
    path = (folder or Path(tempfile.gettempdir())) / f"llmgine-{os.getuid()}-{name}.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield
    except BlockingIOError as error:
        other = os.read(lock, 20).decode(errors="replace") or "unknown"
        raise ConfigurationError(
            f"The bot of this DISCORD_TOKEN is already running on this machine, as process {other}: stop it first"
        ) from error
    finally:
        os.close(lock)
