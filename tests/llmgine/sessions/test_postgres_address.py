"""Addresses of PostgreSQL servers: which are taken, and what is said of those that lead nowhere."""

import asyncio
import contextlib
import logging
import shutil
import socket
import ssl
import subprocess
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from llmgine.errors import ConfigurationError, StoreError
from llmgine.sessions import open_store, postgres, postgres_address
from llmgine.sessions.postgres_address import read_address
from llmgine.settings import Settings
from tests.postgres import PostgresServer

SECRET = "s3cr/et#pa?ss"
QUOTED = "s3cr%2Fet%23pa%3Fss"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSERVICE", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that asks for a password."""
    with PostgresServer(port=free_port()) as made:
        yield made


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("url", "where", "hosts"),
    [
        ("postgresql://u:p@db.example/chat", "db.example/chat", [("db.example", 5432)]),
        ("postgresql://u@a.example:1,b.example/c", "a.example, b.example/c", [("a.example", 1), ("b.example", 5432)]),
        ("postgresql://u@[::1]:6000/c", "::1/c", [("::1", 6000)]),
        ("postgresql://u@/c?host=/run/x,/run/y", "/run/x, /run/y/c", [("/run/x", 5432), ("/run/y", 5432)]),
        ("postgresql://u@/c?host=/run/x&port=7", "/run/x/c", [("/run/x", 7)]),
        ("postgresql://%2Frun%2Fx:9/c", "/run/x:9/c", [("/run/x:9", 5432)]),
    ],
)
def test_an_address_is_read(url: str, where: str, hosts: list[tuple[str, int]]) -> None:
    """Hosts, ports and folders of sockets are where libpq has them, and the name for people has no user."""
    address = read_address(url)

    assert (address.where, address.hosts) == (where, hosts)


def test_without_a_host_it_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual places of sockets are tried; a host that only the environment names would go past the checks."""
    monkeypatch.setenv("PGHOST", "db.example")
    address = read_address("postgresql:///chat")

    assert address.where == "this machine/chat"
    assert [host for host, _ in address.hosts][-1] == "localhost"
    assert all(host.startswith("/") for host, _ in address.hosts[:-1])


async def test_the_environment_names_no_host(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither PGHOST nor a service leads a connection elsewhere."""
    monkeypatch.setenv("PGHOST", "no-such-host.invalid")
    monkeypatch.setenv("PGSERVICE", "none")

    said = await refusal(f"postgresql://u:{QUOTED}@127.0.0.1:{free_port()}/chat", StoreError, caplog)

    assert said == "PostgreSQL at 127.0.0.1/chat: nothing answers there; is PostgreSQL running?"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}@db.example/chat",
        "postgresql://u:pa/ss@db.example/chat",
        "postgresql://u:pa#ss@db.example/chat",
        "postgresql://u:pa?ss@db.example/chat",
        "postgresql://u:pa@ss@db.example/chat",
        "postgresql://u:pa[ss@db.example/chat",
        "postgresql://db.example:pass/chat",
        "postgresql://a,b:1/chat?port=1,2,3",
        "postgresql://,/chat",
    ],
)
def test_what_is_no_address_is_not_shown(url: str) -> None:
    """A password with a character that means something else is explained, and no part of it is in the text."""
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL: .*%40 for @") as refused:
        read_address(url)

    shown = "".join(traceback.format_exception(refused.value)).replace("password", "")
    assert "pa" not in str(refused.value).replace("password", "").replace("database", "")
    assert "ss@" not in shown
    assert list(Settings(_env_file=None, database_url=url).secrets()) is not None


@pytest.mark.parametrize("mode", ["allow", "prefer", "require", "no-such-mode"])
def test_certificates_are_checked(mode: str) -> None:
    """No mode that takes any certificate is taken for another machine; for this one it may be any."""
    with pytest.raises(ConfigurationError, match=r"the certificate of db\.example would not be checked"):
        read_address(f"postgresql://u@db.example/chat?sslmode={mode}")
    assert "ssl" not in read_address(f"postgresql://u@127.0.0.1/chat?sslmode={mode}").options


@pytest.mark.parametrize(
    ("query", "name_too"), [("", True), ("?sslmode=verify-full", True), ("?sslmode=verify-ca", False)]
)
def test_how_certificates_are_checked(query: str, name_too: bool) -> None:
    """The chain is always checked, and the name unless the address says otherwise; also of a host among sockets."""
    context = read_address(f"postgresql://u@%2Frun%2Fx,db.example/chat{query}").options["ssl"]

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, name_too)


def test_a_service_is_not_read() -> None:
    """A file could name a host whose certificate nobody checks."""
    with pytest.raises(ConfigurationError, match="service"):
        read_address("postgresql:///chat?service=x")


def test_a_certificate_file_that_is_not_there(tmp_path: Path) -> None:
    """It is said which setting names it."""
    with pytest.raises(ConfigurationError, match="sslrootcert"):
        read_address(f"postgresql://u@db.example/chat?sslrootcert={tmp_path}/none.pem")


def of(server: PostgresServer, user: str = "postgres", database: str = "postgres", query: str = "") -> str:
    return f"postgresql://{user}:{QUOTED}@127.0.0.1:{server.port}/{database}{query}"


async def refusal(url: str, kind: type[Exception], caplog: pytest.LogCaptureFixture) -> str:
    """What is said when it is opened: one line, and the password is nowhere."""
    with caplog.at_level(logging.DEBUG), pytest.raises(kind) as refused:
        await open_store(url)
    said = str(refused.value)
    settings = Settings(_env_file=None, database_url=url)
    everywhere = "".join(traceback.format_exception(refused.value)) + caplog.text + repr(settings) + said
    for secret in (SECRET, QUOTED, "s3cr"):
        assert secret not in everywhere
    assert SECRET in set(settings.secrets())
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("user", "query", "words"),
    [
        ("postgres", "", "the server refused this user or password"),
        ("nobody_here", "", "the server refused this user or password"),
        ("postgres", "?sslmode=nonsense", "options after"),
        ("postgres", "?target_session_attrs=nonsense", "options after"),
    ],
)
async def test_what_a_change_of_the_address_ends(
    server: PostgresServer, caplog: pytest.LogCaptureFixture, user: str, query: str, words: str
) -> None:
    """A wrong user, password or option is a wrong setting, in a sentence."""
    assert words in await refusal(of(server, user, query=query), ConfigurationError, caplog)


async def test_a_database_that_is_not_there(server: PostgresServer, caplog: pytest.LogCaptureFixture) -> None:
    """It is said how to make it."""
    server.sql(f"CREATE ROLE one LOGIN SUPERUSER PASSWORD '{SECRET}'")

    assert "createdb" in await refusal(of(server, "one", "no_such"), ConfigurationError, caplog)
    wrong = await refusal(of(server, "one", query="?no_such_setting=1"), ConfigurationError, caplog)
    assert "no_such_setting" in wrong


async def test_a_user_that_may_not_make_tables(server: PostgresServer, caplog: pytest.LogCaptureFixture) -> None:
    """The right that it lacks is named."""
    server.sql(f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'")

    assert "the right to create tables" in await refusal(of(server, "reader"), ConfigurationError, caplog)


async def test_no_server(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens, or the name is not known: it may pass, and is said."""
    said = await refusal(f"postgresql://u:{QUOTED}@127.0.0.1:{free_port()}/chat", StoreError, caplog)
    assert "is PostgreSQL running?" in said
    said = await refusal(f"postgresql://u:{QUOTED}@no-such-host.invalid/chat", StoreError, caplog)
    assert "no-such-host.invalid" in said


@asynccontextmanager
async def answering(first: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Something that is not PostgreSQL: it answers the first message with bytes, and then perhaps speaks TLS."""
    tasks: list[asyncio.Task[None]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(8)
            writer.write(first)
            await writer.drain()
            if context is not None:
                await writer.start_tls(context)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(
        lambda *streams: tasks.append(asyncio.create_task(answer(*streams))), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ConfigurationError),
        (b"SSH-2.0-x\r\n", ConfigurationError),
        (b"", StoreError),
    ],
)
async def test_another_server(
    answer: bytes, kind: type[Exception], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers at the port and is not PostgreSQL is a sentence, and so is what never answers."""
    monkeypatch.setattr(postgres, "_PATIENCE", 1.0)
    async with answering(answer) as port:
        said = await refusal(f"postgresql://u:{QUOTED}@127.0.0.1:{port}/chat", kind, caplog)

    assert "127.0.0.1/chat" in said
    assert "or is not PostgreSQL" in said or "no answer in time" in said


async def test_a_server_without_encryption(
    server: PostgresServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine it is refused, with both ways out."""
    monkeypatch.setattr(postgres_address, "is_loopback", lambda _host: False)

    said = await refusal(of(server), ConfigurationError, caplog)
    assert "it offers no encryption" in said
    assert "sslmode=disable" in said
    assert "refused this user" in await refusal(of(server, query="?sslmode=disable"), ConfigurationError, caplog)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate is made with openssl")
async def test_a_certificate_that_nobody_trusts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the server made itself is refused on another machine, and taken where the address names it."""
    monkeypatch.setattr(postgres, "_PATIENCE", 2.0)
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *make.split(), "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(lambda: subprocess.run(command, check=True, capture_output=True))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    monkeypatch.setattr(postgres_address, "is_loopback", lambda _host: False)
    async with answering(b"S", context) as port:
        url = f"postgresql://u:{QUOTED}@127.0.0.1:{port}/chat"
        said = await refusal(url, ConfigurationError, caplog)
        trusted = await refusal(f"{url}?sslrootcert={certificate}", StoreError, caplog)

    assert "its certificate cannot be trusted" in said
    assert "in time" in trusted or "the connection was lost" in trusted  # it speaks TLS now, and no PostgreSQL
