"""The state in a file, so that it survives a restart: written whole, a moment after a change, and only there."""

import asyncio
import logging
import os
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from programs.playground.entities import Channel, Flag, Guild, Json, Member, Role, User, Webhook
from programs.playground.gateway_events import event_of
from programs.playground.state import Dispatch, State

log = logging.getLogger(__name__)

VERSION = 1
DELAY = 0.5  # seconds in which changes are gathered


class InUseError(Exception):
    """Another playground saves its state in the same file."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"Another playground is running on {path}")


class Saved(BaseModel):
    """The file: JSON, with attachments as base64. Interactions are not in it; their tokens end with the process."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    version: int = VERSION
    last_id: int
    guild: Guild
    users: dict[int, User]
    members: dict[int, Member]
    roles: dict[int, Role]
    channels: dict[int, Channel]
    commands: dict[int, Json]
    webhooks: dict[int, Webhook] = {}


class Storage:
    """Keeps the state in a file, which no other playground may use meanwhile.

    Args:
        state: What is kept.
        path: The file, which is made when something is to be kept.
    """

    def __init__(self, state: State, path: Path) -> None:
        self._state = state
        self._path = path
        # The system frees it when the process ends, however it ends.
        self._lock = FileLock(path.with_name(f"{path.name}.lock"), mode=0o600)
        self._changed = False
        self._writing: asyncio.Task[None] | None = None
        state.subscribe(self._hear)

    def load(self) -> None:
        """Load what the file contains; without a file everything stays as it is.

        Raises:
            InUseError: Another playground uses the file.
            ValueError: The file is not one of the playground's, or of a newer one.
            OSError: It cannot be read.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout as taken:
            raise InUseError(self._path) from taken
        try:
            self._read()
        except BaseException:
            self._lock.release()
            raise

    def _read(self) -> None:
        if not self._path.exists():
            return
        try:
            saved = Saved.model_validate_json(self._path.read_bytes())
        except ValidationError as invalid:
            raise ValueError(
                f"{self._path} is not a playground's file: move it away, or choose another file"
            ) from invalid
        if saved.version > VERSION:
            raise ValueError(f"{self._path} was written by a newer version of the playground: update this program")
        state = self._state
        state.ids.follow(saved.last_id)
        state.guild, state.users, state.members = saved.guild, saved.users, saved.members
        state.roles, state.channels, state.commands = saved.roles, saved.channels, saved.commands
        state.webhooks = saved.webhooks
        for channel in state.channels.values():
            promised = [message.id for message in channel.messages.values() if message.flags & Flag.LOADING]
            for message_id in promised:  # whoever was to fill it in can no longer do so
                del channel.messages[message_id]
            for message in channel.messages.values():
                state.attachments.update({attachment.id: attachment for attachment in message.files})

    def start(self) -> None:
        """Begin to write changes. Needs a running loop."""
        self._writing = asyncio.create_task(self._write_changes())

    async def stop(self) -> None:
        """Write what is not written yet, and let others use the file."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
            self._writing = None
            if self._changed:
                self._try_to_write(self._snapshot())
        self._lock.release()

    def _hear(self, dispatch: Dispatch) -> None:
        self._changed |= event_of(dispatch.name).kept

    async def _write_changes(self) -> None:
        while True:
            await self._state.changes.wait_for(lambda: self._changed)
            await asyncio.sleep(DELAY)
            self._changed = False
            try:
                await asyncio.to_thread(self._try_to_write, self._snapshot())
            except asyncio.CancelledError:
                self._changed = True  # `stop` writes it
                raise

    def _try_to_write(self, data: bytes) -> None:
        """Write, or say why not: a full disk must not end the playground, and the next change tries again."""
        try:
            _write(self._path, data)
        except OSError as error:
            log.error("The playground's state cannot be saved in %s: %s", self._path, error.strerror)  # noqa: TRY400  # a traceback would add nothing

    def _snapshot(self) -> bytes:
        state = self._state
        saved = Saved.model_construct(
            version=VERSION,
            last_id=state.ids.next(),
            guild=state.guild,
            users=state.users,
            members=state.members,
            roles=state.roles,
            channels=state.channels,
            commands=state.commands,
            webhooks=state.webhooks,
        )
        return saved.model_dump_json().encode()


def _write(path: Path, data: bytes) -> None:
    """All or nothing: a reader, or a crash, finds the old file or the new one. For the owner's eyes only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)  # left by a crash, perhaps with other rights
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
