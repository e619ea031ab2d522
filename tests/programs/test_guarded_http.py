"""The guarded client reaches public addresses, and those that the operator configured; nothing else, however asked."""

import asyncio
import gzip
import ipaddress
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from yarl import URL

from programs.guarded_http import BlockedAddressError, GuardedHttp, UnwantedAnswerError, is_public
from tests.waiting import eventually, patience

PUBLIC = "93.184.215.14"


class Names(AbstractResolver):
    """Looks up names in a table; where a name has several addresses, each look-up gives the next one."""

    def __init__(self, **names: list[str]) -> None:
        self.names = {name.replace("_", "."): addresses for name, addresses in names.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        addresses = self.names[host]
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        found = {"hostname": host, "host": address, "port": port, "family": kind, "proto": 0, "flags": 0}
        return [ResolveResult(**found)]  # type: ignore[typeddict-item]  # the values have several types

    async def close(self) -> None:
        pass


class Site:
    """A server on this machine that counts what reaches it."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.redirects: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.body = b"hello"
        self.url = URL()
        self.never = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        if request.path == "/hang":
            await self.never.wait()
        if request.path in self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects[request.path]})
        if request.path == "/endless":
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 65_536)
        return web.Response(body=self.body, headers={"Content-Type": "text/plain", **self.headers})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        site.url = server.make_url("/")
        yield site
        site.never.set()


async def fetch(http: GuardedHttp, url: URL | str, **options: Any) -> bytes:
    return (await http.fetch(url, **{"most": 1_000, "seconds": 5.0, **options})).body


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.10", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "203.0.113.7", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:10.0.0.1", "::127.0.0.1", "::a00:1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1"),
    ],
)
def test_what_is_not_public(address: str) -> None:
    """Local, private, shared, documentation, multicast, reserved, and IPv6 forms of such IPv4 addresses."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "2606:4700::1111", f"::ffff:{PUBLIC}", "64:ff9b::5db8:d70e", "2002:5db8:d70e::1"]
)
def test_what_is_public(address: str) -> None:
    """The internet, also behind a translator."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
        *(
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.1",
            "127.0.1",
            "0",
            "127.0.0.1.",
            "017700000001",
        ),
        *("localhost", "here.example", "here.example."),
    ],
)
async def test_this_machine_is_not_reached(site: Site, host: str) -> None:
    """However its address is written, and by whatever name: nothing is sent to it."""
    here = {"localhost": ["127.0.0.1"], "here_example": ["127.0.0.1"], "here_example_": ["127.0.0.1"]}
    http = GuardedHttp(resolver=Names(**here))

    with pytest.raises(BlockedAddressError):
        await fetch(http, f"http://{host}/secret")

    assert site.requests == []


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "/etc/passwd", ""),
        *(
            "http://ada@example.com/",
            "http://ada:pw@example.com/",
            "http://example.com:22/",
            "https://example.com:8700/",
        ),
        *("http://[fe80::1%25eth0]/", "http://[::1%25lo]/"),
    ],
)
async def test_other_forms_are_refused_before_a_name_is_looked_up(url: str) -> None:
    """Other schemes and ports, user names, zones."""
    names = Names(example_com=[PUBLIC])

    with pytest.raises((BlockedAddressError, ValueError)):
        await fetch(GuardedHttp(resolver=names), url)

    assert names.asked == []


async def test_where_a_redirect_leads_is_checked_again(site: Site) -> None:
    """A server that may be fetched leads to a name with a private address: nothing is sent there."""
    names = Names(site_example=["127.0.0.1"], inside_example=["127.0.0.1"])
    allowed = site.url.with_host("site.example")
    site.redirects["/start"] = "http://inside.example/secret"
    http = GuardedHttp(allow=[allowed], resolver=names)

    with pytest.raises(BlockedAddressError):
        await fetch(http, allowed / "start", redirects="any")

    assert [request.path for request in site.requests] == ["/start"]
    assert names.asked == ["site.example", "inside.example"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
async def test_the_address_of_the_connection_counts(address: str) -> None:
    """A name is looked up once for a connection, and that address is checked: no later one can slip in between."""
    names = Names(evil_example=[address, PUBLIC])

    with pytest.raises(BlockedAddressError, match="not a public address"):
        await fetch(GuardedHttp(resolver=names), "http://evil.example/")

    assert names.asked == ["evil.example"]


async def test_what_the_operator_configured_is_reached(site: Site) -> None:
    """The exact scheme, host and port, whatever the path; another port of the same host is not."""
    http = GuardedHttp(allow=[site.url])

    assert await fetch(http, site.url / "any" / "path") == b"hello"
    with pytest.raises(BlockedAddressError):
        await fetch(http, site.url.with_port(80))


async def test_redirects_are_followed_as_far_as_asked(site: Site) -> None:
    """None, those on the same host, or any; a redirect that is not followed is the answer."""
    site.redirects = {"/a": "/b", "/other": "http://other.example/", "/file": "file:///etc/passwd"}
    http = GuardedHttp(allow=[site.url], resolver=Names(other_example=["127.0.0.1"]))

    assert (await http.fetch(site.url / "a", most=9)).status == 302
    assert (await http.fetch(site.url / "a", most=9, redirects="same host")).url.path == "/b"
    assert (await http.fetch(site.url / "other", most=9, redirects="same host")).status == 302
    assert (await http.fetch(site.url / "file", most=9, redirects="same host")).status == 302
    assert len(site.requests) == 5
    with pytest.raises(BlockedAddressError):
        await fetch(http, site.url / "other", redirects="any")


@pytest.mark.parametrize("target", ["/loop", "http://[", "file:///etc/passwd", "//127.0.0.1:1/"])
async def test_a_bad_redirect_ends_the_request(site: Site, target: str) -> None:
    """A loop, what is no address, another scheme, another port of this machine."""
    site.redirects["/loop"] = target

    with pytest.raises((BlockedAddressError, UnwantedAnswerError)):
        await fetch(GuardedHttp(allow=[site.url]), site.url / "loop", redirects="any")

    assert len(site.requests) <= 6


async def test_no_more_than_wanted_is_read(site: Site) -> None:
    """What never ends is cut, and that is said."""
    fetched = await GuardedHttp(allow=[site.url]).fetch(site.url / "endless", most=100_000)

    assert (len(fetched.body), fetched.cut) == (100_000, True)


async def test_a_server_that_hangs_is_given_up(site: Site) -> None:
    """The time is for the whole."""
    with pytest.raises(TimeoutError):
        await fetch(GuardedHttp(allow=[site.url]), site.url / "hang", seconds=0.2)


async def test_compression_is_neither_asked_for_nor_taken(site: Site) -> None:
    """So that a few bytes cannot become many."""
    site.body, site.headers = gzip.compress(b"0" * 1_000_000), {"Content-Encoding": "gzip"}

    with pytest.raises(UnwantedAnswerError, match="compressed"):
        await fetch(GuardedHttp(allow=[site.url]), site.url)

    assert site.requests[0].headers["Accept-Encoding"] == "identity"


async def test_only_the_types_that_were_asked_for_are_taken(site: Site) -> None:
    """A page is no JSON."""
    http = GuardedHttp(allow=[site.url])

    assert await fetch(http, site.url, types=("text/plain",)) == b"hello"
    with pytest.raises(UnwantedAnswerError, match="text/plain"):
        await fetch(http, site.url, types=("application/json",))


async def test_nothing_of_this_machine_is_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the environment is asked, and a cookie that a server sets does not come back."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    site.headers["Set-Cookie"] = "who=ada; Path=/"
    http = GuardedHttp(allow=[site.url])

    await fetch(http, site.url)
    await fetch(http, site.url)

    assert [request.headers.get("Cookie") for request in site.requests] == [None, None]


async def test_before_each_request_somebody_may_refuse(site: Site) -> None:
    """Those after redirects, too; what is raised ends the fetch before anything is sent."""
    site.redirects["/a"] = "/b"
    asked: list[str] = []

    async def before(url: URL) -> None:
        asked.append(url.path)
        if url.path == "/b":
            raise PermissionError

    with pytest.raises(PermissionError):
        await fetch(GuardedHttp(allow=[site.url]), site.url / "a", redirects="any", before=before)

    assert asked == ["/a", "/b"]
    assert [request.path for request in site.requests] == ["/a"]


async def test_headers_go_to_no_other_origin(site: Site) -> None:
    """They follow a redirect on the same host, and none to another; the name of who asks goes to all."""
    site.redirects = {"/a": "/b", "/b": "/c"}
    other = site.url.with_host("localhost")
    http = GuardedHttp(allow=[site.url, other], agent="somebody")

    await fetch(http, site.url / "a", redirects="any", headers={"X-Key": "k"})
    site.redirects = {"/d": str(other / "e")}
    await fetch(http, site.url / "d", redirects="any", headers={"X-Key": "k"})

    assert [request.headers.get("X-Key") for request in site.requests] == ["k", "k", "k", "k", None]
    assert {request.headers["User-Agent"] for request in site.requests} == {"somebody"}


async def test_json_is_posted_and_follows_no_redirect(site: Site) -> None:
    """What is posted goes to the address that was given, and nowhere else."""
    site.redirects = {"/a": "/b"}
    http = GuardedHttp(allow=[site.url])

    await fetch(http, site.url / "plain", json={"a": 1})
    redirected = await http.fetch(site.url / "a", most=9, redirects="any", json={"a": 1})

    assert (redirected.status, [(one.method, one.path) for one in site.requests]) == (
        302,
        [("POST", "/plain"), ("POST", "/a")],
    )
    assert site.bodies[0] == b'{"a": 1}'


async def test_a_server_that_is_not_there_is_an_error(site: Site) -> None:
    """As aiohttp says it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = URL.build(scheme="http", host="127.0.0.1", port=free.getsockname()[1])

    with pytest.raises(aiohttp.ClientError):
        await fetch(GuardedHttp(allow=[gone]), gone)


class SlowNames:
    """Names that are looked up until they are `told`, and then are unknown."""

    def __init__(self) -> None:
        self.asked = 0
        self.told = threading.Event()

    def getaddrinfo(self, *_: object, **__: object) -> list[Any]:
        self.asked += 1
        self.told.wait()
        raise socket.gaierror(socket.EAI_NONAME, "unknown")


@pytest.fixture
async def slow_names(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowNames]:
    names = SlowNames()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    yield names
    names.told.set()  # before the loop closes, which waits for its pool


async def test_a_name_is_looked_up_on_this_machine(site: Site) -> None:
    """Where nothing else is given that looks up names."""
    url = site.url.with_host("localhost")

    assert await fetch(GuardedHttp(allow=[url]), url) == b"hello"


async def test_an_unknown_name_is_an_error(slow_names: SlowNames) -> None:
    """As aiohttp says it."""
    slow_names.told.set()

    with pytest.raises(aiohttp.ClientConnectorDNSError):
        await fetch(GuardedHttp(), "http://unknown.example/")


async def test_slow_names_leave_the_pool_of_threads_to_others(slow_names: SlowNames) -> None:
    """Other work of this process, such as looking up the model's address, goes on."""
    http = GuardedHttp()
    asking = [asyncio.create_task(fetch(http, f"http://slow{number}.example/")) for number in range(64)]

    await eventually(lambda: slow_names.asked >= 4)
    async with patience("a thread of the pool"):
        await asyncio.to_thread(int)

    slow_names.told.set()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_no_more_than_eight_names_are_looked_up_at_once(slow_names: SlowNames) -> None:
    """Those that nobody waits for any more count too, since their threads are still there."""
    http = GuardedHttp()
    asking = [asyncio.create_task(fetch(http, f"http://slow{number}.example/")) for number in range(20)]
    await eventually(lambda: slow_names.asked == 8)
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)

    with pytest.raises(TimeoutError):
        await fetch(http, "http://late.example/", seconds=0.1)

    assert slow_names.asked == 8
    slow_names.told.set()
    with pytest.raises(aiohttp.ClientConnectorDNSError):
        await fetch(http, "http://late.example/")
