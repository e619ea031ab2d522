"""What the robots.txt of a site allows, by RFC 9309.

    robots = Robots(GuardedHttp(agent=AGENT))
    if await robots.allows(URL("https://example.com/page")): ...

A site that has none (4xx) allows everything. One whose robots.txt cannot be read (5xx, no answer in time, no
connection) allows nothing until that has changed. Of a longer one than 500 KiB, the first 500 KiB count.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import aiohttp
from yarl import URL

from programs.guarded_http import BlockedAddressError, GuardedHttp

AGENT = "LLMgine"  # the product token, by which sites name us

_MOST = 500 * 2**10  # bytes; RFC 9309 asks to read at least as many
_SECONDS = 5.0  # for robots.txt with its redirects
_KEPT = 24 * 60 * 60.0  # seconds; RFC 9309 allows no more
_KEPT_FAILURE = 60.0  # seconds after which one that could not be read is asked for again
_MOST_SITES = 50  # whose robots.txt are kept
_FORBIDS_ALL = b"User-agent: *\nDisallow: /"
_NAME = re.compile(r"\*|[A-Za-z_-]+")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Robots:
    """Knows what sites allow; each robots.txt is read once a day.

    Args:
        http: Fetches them.
        clock: Tells the seconds.
    """

    def __init__(self, http: GuardedHttp, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._clock = clock
        self._files: dict[URL, tuple[float, bytes]] = {}  # until when each counts, by site

    async def allows(self, url: URL) -> bool:
        """Whether we may fetch what is at an address.

        Raises:
            BlockedAddressError: It may not be fetched whatever its site allows.
            ValueError: It is no address of http or https.
        """
        file, path = await self._file(url.origin()), url.raw_path_qs
        # In a thread: a hostile one has 40,000 rules.
        return await asyncio.to_thread(lambda: allows(file.decode("utf-8-sig", errors="replace"), path, AGENT))

    async def _file(self, site: URL) -> bytes:
        until, file = self._files.pop(site, (0.0, b""))
        if until <= self._clock():
            file, seconds = await self._read(site)
            until = self._clock() + seconds
        self._files[site] = until, file
        if len(self._files) > _MOST_SITES:
            del self._files[next(iter(self._files))]
        return file

    async def _read(self, site: URL) -> tuple[bytes, float]:
        """The robots.txt of a site, and how long it counts."""
        try:
            found = await self._http.fetch(site / "robots.txt", most=_MOST, seconds=_SECONDS, redirects="any")
        except BlockedAddressError:
            raise
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return _FORBIDS_ALL, _KEPT_FAILURE
        if 200 <= found.status < 300:
            return found.body, _KEPT
        return (b"", _KEPT) if 400 <= found.status < 500 else (_FORBIDS_ALL, _KEPT_FAILURE)


def allows(text: str, path: str, agent: str) -> bool:
    """Whether a robots.txt allows a path, with its query, to an agent: the longest rule that fits decides."""
    wanted = _plain(path)
    if wanted == "/robots.txt":
        return True
    best = (-1, True)
    for may, rule in _rules(text, agent.lower()):
        if _fits(rule, wanted):
            best = max(best, (len(rule), may))  # of two that are equally long, the one that allows
    return best[1]


def _rules(text: str, agent: str) -> list[tuple[bool, str]]:
    """The rules for an agent: of all groups that name it, or else of those for all agents."""
    groups: dict[str, list[tuple[bool, str]]] = {}
    names: set[str] = set()  # of the group, those that matter: with all, a file has names times rules
    ended = True  # whether the next line that names an agent begins a group
    for key, value in _lines(text):
        if key == "user-agent":
            if ended:
                names, ended = set(), False
            found = _NAME.match(value)
            name = found[0].lower() if found else ""
            if name in (agent, "*"):
                names.add(name)
                groups.setdefault(name, [])
        elif key in ("allow", "disallow"):
            ended = True
            if value and names:
                rule = key == "allow", _plain(value)
                for name in names:
                    groups[name].append(rule)
    return groups.get(agent, groups.get("*", []))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """The keys, in small letters, and the values of the lines that have both."""
    for line in re.split(r"[\r\n]+", text):
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _plain(path: str) -> str:
    """A path or a rule with all that may be written in several ways in one."""
    encoded = quote(path, safe="%/?#[]@!$&'()*+,;=:-._~", errors="replace")
    return _ESCAPE.sub(_unescaped, encoded)


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _fits(rule: str, path: str) -> bool:
    """Whether a path begins with a rule, in which `*` is any text and `$` at its end the end of the path.

    Part by part: a pattern would take very long for a rule of many `*`.
    """
    whole = rule.endswith("$")
    first, *rest = rule.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    last = rest.pop() if whole and rest else None
    for part in rest:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    if last is not None:
        return len(path) - at >= len(last) and path.endswith(last)
    return at == len(path) or not whole
