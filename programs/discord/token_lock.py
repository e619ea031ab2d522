"""One process per Discord token on a machine: two would answer everybody twice."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from llmgine.errors import AlreadyRunningError, ConfigurationError
from llmgine.platforms import FileLock, user_id

_TAKEN = "The bot of this DISCORD_TOKEN is already running on this machine, as process {pid}: stop it first"


@contextlib.contextmanager
def only_one(token: str, folder: Path | None = None, *, taken: str = _TAKEN) -> Iterator[None]:
    """Lock the token until the block ends, or the process, however it ends.

    Args:
        token: The token; only a hash of it is written down.
        folder: Where the lock files are; the machine's folder for temporary files unless given.
        taken: What is said of the other process, with `{pid}` for its number.

    Raises:
        AlreadyRunningError: Another process has locked it.
        ConfigurationError: It cannot be locked.
    """
    name = hashlib.sha256(token.encode()).hexdigest()[:16]
    path = (folder or Path(tempfile.gettempdir())) / f"llmgine-{user_id()}-{name}.lock"
    try:
        lock, other = _locked(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be locked ({error.strerror}): set TMPDIR to a folder on a local disk"
        ) from error
    with contextlib.closing(lock):
        if other is not None:
            raise AlreadyRunningError(taken.format(pid=other))
        yield


def _locked(path: Path) -> tuple[FileLock, str | None]:
    """The lock, and None if we have it, or else the process that has it.

    Raises:
        OSError: There are no locks here.
    """
    lock = FileLock(path)
    try:
        free = lock.acquire()
        os.lseek(lock.descriptor, 1, os.SEEK_SET)  # on Windows nobody else can read the first byte of a locked file
        if not free:
            return lock, os.read(lock.descriptor, 20).decode(errors="replace") or "unknown"
        os.ftruncate(lock.descriptor, 1)
        os.write(lock.descriptor, str(os.getpid()).encode())
    except BaseException:
        lock.close()
        raise
    return lock, None
