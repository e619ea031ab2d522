"""What a robots.txt allows, by RFC 9309, and what one that cannot be read means."""

from collections.abc import AsyncIterator
from itertools import product

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from programs.guarded_http import BlockedAddressError, GuardedHttp
from programs.tools.robots import Robots, allows
from tests.cpu import moments
from tests.programs.test_guarded_http import Names

# The example of RFC 9309, section 5.1.
EXAMPLE = """
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/other.html", False),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/other.html", True),
        ("BazBot", "/example/page.html", False),
        ("quxbot", "/example/", True),
        ("else", "/example/", False),
        ("else", "/publications/a.gif", True),
        ("else", "/a.gif", False),
        ("else", "/a.gif?size=1", True),
        ("foobot", "/robots.txt", True),
    ],
)
def test_the_example_of_the_standard(agent: str, path: str, allowed: bool) -> None:
    """Groups by name in any case, several names of one group, no rules in a group, `*` and `$`."""
    assert allows(EXAMPLE, path, agent) is allowed


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("Disallow: /a\nAllow: /a", "/a", True),
        ("Allow: /a\nDisallow: /a/b", "/a/b/c", False),
        ("Disallow:", "/a", True),
        ("Disallow: /a # all of it", "/a/b", False),
        ("disallow : /a", "/a", False),
        ("Disallow: /a*b*c", "/a/x/b/y/c/z", False),
        ("Disallow: /a*b$", "/ab", False),
        ("Disallow: /a*b$", "/abc", True),
        ("Disallow: /ab*b$", "/ab", True),
        ("Disallow: /a$", "/a", False),
        ("Disallow: /a$", "/ab", True),
        ("Disallow: /a?b", "/a?b=1", False),
        ("Disallow: /%7Eada", "/~ada", False),
        ("Disallow: /~ada", "/%7eada", False),
        ("Disallow: /a%2fb", "/a/b", True),
        ("Disallow: /ä", "/%C3%A4", False),
        ("Disallow: /a", "/A", True),
        ("Sitemap: https://example.com/s.xml\nDisallow: /a", "/a", False),
        ("no line of a robots.txt", "/a", True),
    ],
)
def test_rules(rules: str, path: str, allowed: bool) -> None:
    """The longest rule that fits decides, and of two the one that allows; what is not understood is skipped."""
    assert allows(f"User-agent: LLMgine/1.0\n{rules}", path, "LLMgine") is allowed


def test_all_groups_of_a_name_count() -> None:
    """Rules for one name at several places are as one group; another line between its names ends none."""
    text = "User-agent: a\nSitemap: x\nUser-agent: b\nDisallow: /1\n\nUser-agent: A\nDisallow: /2"

    assert [allows(text, path, "a") for path in ("/1", "/2", "/3")] == [False, False, True]
    assert [allows(text, path, "b") for path in ("/1", "/2")] == [False, True]


def test_rules_of_other_agents_are_not_kept() -> None:
    """A robots.txt of many names and rules takes about as long as one of that length for us alone."""
    names = "".join(f"User-agent: {name}\n" for name in map("".join, product("abcdefghij", repeat=3)))
    text = f"User-agent: LLMgine\n{names}" + "Allow: /\n" * 10_000

    assert moments(lambda: allows(text, "/page", "LLMgine"), most=10) <= 10


class Site:
    """A site that counts how often its robots.txt is asked for."""

    def __init__(self) -> None:
        self.status, self.text, self.asked = 200, "", 0
        self.target: str | None = None
        self.agents: list[str] = []
        self.url = URL()
        self.now = 0.0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        self.agents.append(request.headers["User-Agent"])
        if self.target and request.path == "/robots.txt":
            return web.Response(status=301, headers={"Location": self.target})
        return web.Response(status=self.status, text=self.text)

    def robots(self) -> Robots:
        return Robots(GuardedHttp(allow=[self.url], agent="LLMgine"), clock=lambda: self.now)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        site.url = server.make_url("/")
        yield site


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (410, True), (500, False), (503, False)])
async def test_a_robots_txt_that_is_not_there(site: Site, status: int, allowed: bool) -> None:
    """Without one everything is allowed; where the site fails, nothing is."""
    site.status, site.text = status, "User-agent: *\nDisallow: /"

    assert await site.robots().allows(site.url / "page") is allowed


async def test_a_site_that_cannot_be_reached_allows_nothing() -> None:
    """Nobody knows what it would say."""
    async with TestServer(web.Application(), host="127.0.0.1") as server:
        gone = server.make_url("/page")

    assert not await Robots(GuardedHttp(allow=[gone])).allows(gone)


async def test_it_is_read_once_a_day_and_by_name(site: Site) -> None:
    """The site hears who asks; a failure is tried again after a minute."""
    site.text = "User-agent: LLMgine\nDisallow: /private"
    robots = site.robots()

    assert [await robots.allows(site.url / path) for path in ("page", "private")] == [True, False]
    assert (site.asked, site.agents) == (1, ["LLMgine"])
    site.now, site.status = 86_400.0, 500
    assert not await robots.allows(site.url / "page")
    site.now, site.status = 86_459.0, 200
    assert not await robots.allows(site.url / "page")
    site.now = 86_460.0
    assert await robots.allows(site.url / "page")
    assert site.asked == 3


async def test_few_are_kept(site: Site) -> None:
    """Those of the 50 sites that were asked last."""
    names = [f"site{number}.example" for number in range(60)]
    hosts = [site.url.with_host(name) for name in names]
    resolver = Names()
    resolver.names = {name: ["127.0.0.1"] for name in names}
    robots = Robots(GuardedHttp(allow=hosts, resolver=resolver), clock=lambda: site.now)

    for host in (*hosts, hosts[-1], hosts[10], hosts[9]):
        assert await robots.allows(host)

    assert site.asked == 60 + 1


async def test_a_redirect_is_followed(site: Site) -> None:
    """What is there counts for the site that was asked."""
    site.target, site.text = "/other.txt", "User-agent: *\nDisallow: /private"

    assert not await site.robots().allows(site.url / "private")


async def test_of_a_long_one_the_beginning_counts(site: Site) -> None:
    """The first 500 KiB, and no more is kept."""
    site.text = f"User-agent: *\nDisallow: /early\n{'#' * 500 * 1024}\nDisallow: /late"
    robots = site.robots()

    assert [await robots.allows(site.url / path) for path in ("early", "late")] == [False, True]


async def test_what_may_not_be_fetched_is_not_asked() -> None:
    """An address that is not public has no robots.txt for us."""
    with pytest.raises(BlockedAddressError):
        await Robots(GuardedHttp()).allows(URL("http://127.0.0.1/page"))
