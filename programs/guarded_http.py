"""Fetching what somebody else named: the one HTTP client for attachments, the weather, web pages and searches.

    http = GuardedHttp(allow=[settings.weather_base_url])
    page = await http.fetch(url, most=1_000_000, types=("application/json",))

It connects to public addresses only. What is checked is the address a connection is made to, when it is made: so it
does not matter how a name or number is written, what a name resolved to before, or which server redirected where.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from llmgine.tools.blocking import in_thread

Redirects = Literal["none", "same host", "any"]

_PORTS = {"http": 80, "https": 443}
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 2**16  # bytes
_LOOKUPS = 8  # names that are looked up at once
# IPv6 addresses that stand for an IPv4 address, and where in them it is: the bits after it.
_EMBEDDED = {
    ipaddress.IPv6Network("::ffff:0:0/96"): 0,  # v4-mapped
    ipaddress.IPv6Network("64:ff9b::/96"): 0,  # NAT64
    ipaddress.IPv6Network("2002::/16"): 80,  # 6to4
}
# Never public, whatever this Python's tables say: protocols, IPv4-compatible and site-local ones, local-use NAT64,
# Teredo, documentation.
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "::/96", "64:ff9b:1::/48", "2001::/32", "3fff::/20", "fec0::/10"),
    )
)


class BlockedAddressError(OSError):
    """The address is not one that may be fetched; nothing was sent to it."""


class UnwantedAnswerError(OSError):
    """The answer is redirected too often, compressed, or of another type than was asked for."""


@dataclass(frozen=True)
class Fetched:
    """An answer.

    Attributes:
        status: Its HTTP status.
        body: Its content.
        cut: Whether there is more than `most` bytes, of which `body` has the first.
        url: Where it came from, after redirects.
        charset: The encoding that its server names for a text; None where it names none.
    """

    status: int
    body: bytes
    cut: bool
    url: URL
    charset: str | None = None


@dataclass(frozen=True)
class _Wanted:
    """What is asked for, and how much of the answer is read; see `GuardedHttp.fetch`."""

    most: int
    types: Collection[str]
    first: int
    wanted: Callable[[bytes], int] | None
    headers: Mapping[str, str]
    json: object


class GuardedHttp:
    """Fetches without cookies, compression, or proxies from the environment.

    Args:
        allow: Addresses that the operator configured: their scheme, host and port may be fetched wherever they are.
        resolver: What looks up names; this machine's resolver unless given.
        agent: The name by which it introduces itself; aiohttp's own unless given.
    """

    def __init__(
        self,
        *,
        allow: Iterable[URL | str] = (),
        resolver: AbstractResolver | None = None,
        agent: str | None = None,
    ) -> None:
        self._allowed = frozenset(URL(one).origin() for one in allow)
        self._resolver = resolver or _Resolver()
        self._agent = {} if agent is None else {"User-Agent": agent}

    async def fetch(
        self,
        url: URL | str,
        *,
        most: int,
        seconds: float | None = 15.0,
        params: Mapping[str, str | float] | None = None,
        types: Collection[str] = (),
        redirects: Redirects = "none",
        first: int = 0,
        wanted: Callable[[bytes], int] | None = None,
        before: Callable[[URL], Awaitable[None]] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Fetched:
        """Fetch what is at an address.

        Args:
            url: The address.
            most: Bytes that are read of the content; what comes after them is not.
            seconds: For the whole, with all redirects; None if the caller has a limit of its own around it.
            params: Added to the address.
            types: The content types that a good answer (200) may have, without parameters; () for any.
            redirects: Which are followed; others are the answer.
            first: The number of bytes that `wanted` is told.
            wanted: Says, by the first bytes of the content, how many are read; never more than `most`.
            before: Is awaited before each request, those after redirects too; what it raises ends the fetch.
            headers: Sent to the origin of the address, and to no other that it redirects to: they may be credentials.
            json: Posted, in place of a GET; then no redirect is followed.

        Raises:
            BlockedAddressError: It, or where it redirects to, is no public HTTP address.
            UnwantedAnswerError: The answer is not one that is read.
            TimeoutError: It took too long.
            ValueError: It is no address.
            aiohttp.ClientError: The server cannot be reached, or speaks no HTTP.
        """
        url = URL(url).update_query(params) if params else URL(url)
        asked = _Wanted(most, types, first, wanted, headers or {}, json)
        async with asyncio.timeout(seconds):
            for _ in range(_MOST_REDIRECTS + 1):
                if before is not None:
                    await before(url)
                try:
                    fetched, target = await self._request(url, asked)
                except aiohttp.ClientConnectorError as error:
                    if isinstance(error.os_error, BlockedAddressError):
                        raise error.os_error from error
                    raise
                if target is None or json is not None or not _follows(redirects, url, target):
                    return fetched
                if url.scheme == "https" and target.scheme != "https":
                    raise BlockedAddressError(f"{url.host} redirects to an address that is not encrypted")
                if not _follows("same host", url, target):
                    asked = replace(asked, headers={})
                url = target
        raise UnwantedAnswerError(f"{url.host} redirects too often")

    async def _request(self, url: URL, asked: _Wanted) -> tuple[Fetched, URL | None]:
        """One request; the answer, and where it redirects to."""
        most, wanted = asked.most, asked.wanted
        method = "GET" if asked.json is None else "POST"
        async with (
            self._session(url) as session,
            session.request(method, url, headers=asked.headers, json=asked.json, allow_redirects=False) as response,
        ):
            target = _target(url, response)
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise UnwantedAnswerError(f"{url.host} sent a compressed answer, which was not asked for")
            if response.status == 200 and asked.types and response.content_type not in asked.types:
                raise UnwantedAnswerError(f"{url.host} sent {response.content_type[:100]}, which was not asked for")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if wanted is not None and len(body) > asked.first:
                    most, wanted = min(most, wanted(bytes(body[: asked.first]))), None
                if len(body) > most:
                    break
            return Fetched(response.status, bytes(body[:most]), len(body) > most, url, response.charset), target

    def _session(self, url: URL) -> aiohttp.ClientSession:
        """A session for one request: what may be connected to depends on where it goes.

        Raises:
            BlockedAddressError: It may not go there.
        """
        allowed = url.scheme in _PORTS and bool(url.host) and url.origin() in self._allowed
        if not allowed:
            _check_form(url)
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            use_dns_cache=False,
            force_close=True,
            socket_factory=None if allowed else _guarded_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"Accept-Encoding": "identity", **self._agent},
            auto_decompress=False,
            trust_env=False,
        )


class _Resolver(AbstractResolver):
    """Looks up names as this machine does, in threads of its own.

    aiohttp's takes the pool of asyncio for it: whoever names hosts that are looked up slowly would fill that, and
    with it keep the model's address from being looked up.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_LOOKUPS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            OSError: It has none, or nobody can say.
            UnicodeError: It is no name.
        """
        await self._places.acquire()
        looking = asyncio.create_task(in_thread(partial(_looked_up, host, port, family), name="looking up a name"))
        looking.add_done_callback(self._ended)
        await asyncio.wait([looking])  # which leaves it running if this wait is cancelled, as its thread does
        return looking.result()

    def _ended(self, looking: asyncio.Task[list[ResolveResult]]) -> None:
        self._places.release()
        if not looking.cancelled():
            looking.exception()  # seen, though nobody may wait for it any more

    async def close(self) -> None:
        """There is nothing to close."""


def _looked_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    # By that flag, Windows knows no localhost.
    flags = socket.AI_ADDRCONFIG if host != "localhost" else 0
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    found: list[ResolveResult] = []
    for kind, _, protocol, _, where in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=flags):
        # With the zone of an address that has one.
        address, _ = socket.getnameinfo(where, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
        one = ResolveResult(hostname=host, host=address, port=port, family=kind, proto=protocol, flags=numeric)
        found.append(one)
    return found


def _follows(redirects: Redirects, url: URL, target: URL) -> bool:
    return redirects == "any" or (redirects == "same host" and bool(target.host) and target.origin() == url.origin())


def _target(url: URL, response: aiohttp.ClientResponse) -> URL | None:
    where = response.headers.get("Location") if response.status in _REDIRECTS else None
    try:
        return None if where is None else url.join(URL(where))
    except ValueError as error:
        raise UnwantedAnswerError(f"{url.host} redirects to what is no address") from error


def _check_form(url: URL) -> None:
    """Refuse what is no plain public address, before any name is looked up.

    Raises:
        BlockedAddressError: It is none.
    """
    host = url.raw_host or ""
    if url.scheme not in _PORTS or not host:
        raise BlockedAddressError("only http and https addresses are fetched")
    if url.user is not None or url.password is not None:
        raise BlockedAddressError("an address with a user name is not fetched")
    if url.port not in _PORTS.values():
        raise BlockedAddressError(f"port {url.port} is not fetched, only 80 and 443")
    if "%" in host:
        raise BlockedAddressError("an address with a zone is not fetched")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # Programs read a host that ends with a number as an IPv4 address, in octal, hexadecimal or with fewer parts.
        last = host.rstrip(".").rpartition(".")[2].lower()
        if last.isdecimal() or last.startswith("0x"):
            raise BlockedAddressError(f"{host} is an address in an unusual form") from None
    else:
        if not is_public(address):
            raise BlockedAddressError(f"{host} is not a public address")


def _guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """The socket for a connection to an address that was looked up, if that is public.

    Raises:
        BlockedAddressError: It is not.
    """
    family, kind, protocol, _, where = info
    address = ipaddress.ip_address(where[0])
    if not is_public(address) or (len(where) == 4 and where[3]):
        raise BlockedAddressError(f"{address} is not a public address")
    return socket.socket(family=family, type=kind, proto=protocol)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address, and the IPv4 address that it may stand for, is one of the public internet."""
    if any(address in network for network in _NEVER):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        for network, bits in _EMBEDDED.items():
            if address in network:
                return is_public(ipaddress.IPv4Address((int(address) >> bits) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved
