"""What a `postgresql://` address says about the connection, and the sentences for one that cannot be made."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from llmgine.errors import ConfigurationError, StoreError
from llmgine.platforms import POSTGRES_HERE
from llmgine.settings import is_loopback

_CHECKED = {"verify-ca", "verify-full"}  # the values of `sslmode` with which the server's certificate is checked
_NO_ADDRESS = (
    "DATABASE_URL: this is not the address of a PostgreSQL database: write postgresql://user:password@host/database, "
    "and in the user and the password %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #"
)
# What does not keep the next server from being tried: this one is not there, or does not take writes.
_NEXT = (OSError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError, asyncpg.OperatorInterventionError)


@dataclass
class Address:
    """A PostgreSQL server, or several of which one takes writes, and a database.

    Attributes:
        where: The servers and the database for people, without user and password.
        hosts: Names or folders of sockets, with ports; the one that was connected to last comes first.
        options: What else `asyncpg.connect` takes.
    """

    where: str
    hosts: list[tuple[str, int]]
    options: dict[str, Any] = field(repr=False)

    async def connect(
        self, *, seconds: float, patience: float | None, settings: Mapping[str, str]
    ) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection to the first server that takes writes.

        asyncpg would try the next server only after one that refuses, never after one that is silent.

        Args:
            seconds: How long the connecting may take.
            patience: Seconds without an answer after which a statement fails; None for any number.
            settings: Of the session, on the server.

        Raises:
            Exception: As asyncpg raises them, of the last server that was tried.
        """
        hosts = list(self.hosts)
        for place in hosts:
            try:
                connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
                    **self.options,
                    host=place[0],
                    port=place[1],
                    timeout=seconds / len(hosts),
                    command_timeout=patience,
                    server_settings=dict(settings),
                )
            except _NEXT:
                if place is hosts[-1]:
                    raise
            else:
                self.hosts = [place, *(other for other in hosts if other is not place)]
                return connection
        raise AssertionError


def read_address(url: str) -> Address:
    """Read `postgresql://user:password@host:port/database?option=value`, as libpq does.

    Several hosts are parted by commas; without any it is this machine, whatever PGHOST says. The certificate of a
    server that is not on this machine is checked, against the system's certificates unless `sslrootcert` names a file.
    Only `sslmode=disable` says that nothing is encrypted.

    Raises:
        ConfigurationError: It is no such address, or its `sslmode` would not check the certificate. The text has
            nothing of the address that could be of its password.
    """
    try:
        parts = urlsplit(url)
        said = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        named = parts.netloc.rpartition("@")[2] or said.get("host") or POSTGRES_HERE
        hosts = _hosts(named, said.get("port", "5432"))
    except ValueError:
        raise ConfigurationError(_NO_ADDRESS) from None
    # Where the password has such a character, the rest of it would be taken for something that may be shown.
    if parts.netloc.count("@") > 1 or "@" in parts.path or parts.fragment:
        raise ConfigurationError(_NO_ADDRESS)
    if "service" in said:  # a file would name a host whose certificate nobody checks
        raise ConfigurationError("DATABASE_URL: the option service is not supported; write the host and database here")
    options: dict[str, Any] = {"dsn": url, "target_session_attrs": said.get("target_session_attrs", "read-write")}
    remote = [host for host, _ in hosts if not host.startswith("/") and not is_loopback(host)]
    if remote:
        options["ssl"] = _encryption(said, remote[0])
    database = unquote(parts.path.removeprefix("/"))
    where = "this machine" if named == POSTGRES_HERE else ", ".join(host for host, _ in hosts)
    return Address(f"{where}/{database}", hosts, options)


def _hosts(text: str, ports: str) -> list[tuple[str, int]]:
    """The hosts of `host:port,[::1]:port,/folder`.

    Args:
        text: The hosts.
        ports: The ports of those that name none: one for all, or as many as hosts.

    Raises:
        ValueError: It is no such text.
    """
    texts = [unquote(one) for one in text.split(",")]
    otherwise = [int(port) for port in ports.split(",")]
    if len(otherwise) == 1:
        otherwise *= len(texts)
    found = []
    for one, port in zip(texts, otherwise, strict=True):
        host, colon, own = (one, "", "") if one.startswith("/") else one.rpartition(":")
        if not colon or one.endswith("]"):
            host, own = one, ""
        if not host.strip("[]"):
            raise ValueError("no host")
        found.append((host.strip("[]"), int(own) if own else port))
    return found


def _encryption(said: Mapping[str, str], host: str) -> "ssl.SSLContext | str":
    """How the connection to a server on another machine is protected, as asyncpg takes it.

    Raises:
        ConfigurationError: It would not be, or a file for it cannot be read.
    """
    mode = said.get("sslmode", "verify-full")
    if mode == "disable":
        return mode
    if mode not in _CHECKED:
        raise ConfigurationError(
            f"DATABASE_URL: with sslmode={mode} the certificate of {host} would not be checked; use "
            "sslmode=verify-full, with sslrootcert=FILE for a certificate of your own, or sslmode=disable where nobody "
            "else can listen"
        )
    try:
        context = ssl.create_default_context(cafile=said.get("sslrootcert"))
        if "sslcert" in said:
            context.load_cert_chain(said["sslcert"], said.get("sslkey"), said.get("sslpassword"))
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"DATABASE_URL: sslrootcert, sslcert or sslkey cannot be used: {error.strerror or error}"
        ) from error
    context.check_hostname = mode == "verify-full"
    return context


# What an error means, for whoever runs the program: those that a change of DATABASE_URL or of the server ends.
_LASTING: tuple[tuple[type[Exception], str], ...] = (
    (asyncpg.InvalidAuthorizationSpecificationError, "the server refused this user or password: {error}"),
    (asyncpg.InvalidCatalogNameError, "{error}; create the database, for example with createdb"),
    (asyncpg.InsufficientPrivilegeError, "{error}; the user needs the right to create tables"),
    (asyncpg.CantChangeRuntimeParamError, "{error}; check the options after the ? in the address"),
    (asyncpg.UndefinedObjectError, "{error}; check the options after the ? in the address"),
    (
        ssl.SSLCertVerificationError,
        "its certificate cannot be trusted ({error.verify_message}); name your own with ?sslrootcert=FILE",
    ),
    (asyncpg.exceptions.ClientConfigurationError, "the options after the ? in the address cannot be used: {error}"),
    (ValueError, "the options after the ? in the address cannot be used"),  # the text may show the address
)
_ONLY_READS = "it is read-only, like a replica; use the address of the server that takes writes"
_LOST = "the connection was lost; is it a PostgreSQL server, and is it running?"
_NOT_RUNNING = "nothing answers there; is PostgreSQL running?"
# Those that may pass by themselves.
_PASSING: tuple[tuple[type[Exception], str], ...] = (
    (asyncpg.exceptions.TargetServerAttributeNotMatched, _ONLY_READS),
    (asyncpg.ReadOnlySQLTransactionError, _ONLY_READS),
    # asyncpg raises the first where a connection breaks in the middle of an answer, too.
    (asyncpg.InternalClientError, _LOST),
    (asyncpg.ConnectionDoesNotExistError, _LOST),
    (ConnectionRefusedError, _NOT_RUNNING),
    (FileNotFoundError, _NOT_RUNNING),
    (TimeoutError, "no answer in time"),
    (Exception, "{error}"),
)


def explained(error: Exception, where: str) -> ConfigurationError | StoreError:
    """Why the database cannot be used, and what to do; never with the password.

    A ConfigurationError if it will not pass by itself.
    """
    for kind, text in _LASTING:
        if isinstance(error, kind):
            return ConfigurationError(f"DATABASE_URL: PostgreSQL at {where}: {_filled(text, error)}")
    if isinstance(error, ConnectionError) and "rejected SSL" in str(error):  # asyncpg has no type for it
        return ConfigurationError(
            f"DATABASE_URL: PostgreSQL at {where}: it offers no encryption, or is not PostgreSQL; set "
            "`ssl = on` there, or add ?sslmode=disable where nobody else can listen"
        )
    text = next(text for kind, text in _PASSING if isinstance(error, kind))
    return StoreError(f"PostgreSQL at {where}: {_filled(text, error)}")


def _filled(text: str, error: Exception) -> str:
    # The lines after the first may show values that were stored.
    return text.format_map({"error": error}).partition("\n")[0]
