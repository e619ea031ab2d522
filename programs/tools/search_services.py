"""The services that search the web, one adapter each: a query goes there, and what was found comes back.

SearXNG is a program that operators run themselves; Brave and Tavily are services with a key.
"""

import html
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

import aiohttp
from pydantic import AliasChoices, BaseModel, Field, ValidationError, field_validator
from yarl import URL

from llmgine.errors import ToolError
from programs.guarded_http import GuardedHttp, UnwantedAnswerError

BRAVE = URL("https://api.search.brave.com")
TAVILY = URL("https://api.tavily.com")

_MOST = 2**21  # bytes that are read of an answer
_SECONDS = 15.0
_TYPES = ("application/json",)
_TAG = re.compile(r"<[^<>]{0,200}>")


class Hit(BaseModel):
    """A page that was found.

    Attributes:
        title: What it is called.
        url: Its address.
        excerpt: What it says, in short.
    """

    title: str
    url: str
    excerpt: str


class SearchService(Protocol):
    """Searches the web."""

    async def search(self, query: str, count: int) -> list[Hit]:
        """At most so many pages, the best first.

        Raises:
            ToolError: It cannot be reached, is slow, refuses, or answers with something else.
        """


class _Page(BaseModel):
    title: str = ""
    url: str
    excerpt: str | None = Field(default="", validation_alias=AliasChoices("content", "description"))


class _Pages(BaseModel):
    results: list[_Page] = []

    @field_validator("results", mode="before")
    @classmethod
    def _readable(cls, found: object) -> object:
        """Without those that cannot be read, unless none can: one bad result is no reason to lose the others."""
        if not isinstance(found, list):
            return found
        pages = []
        for one in found:
            with suppress(ValidationError):
                pages.append(_Page.model_validate(one))
        return pages or found


class _BraveAnswer(BaseModel):
    web: _Pages | None = None


Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class SearXNG:
    """A SearXNG of the operator's, whose settings have `json` among the formats of searches."""

    http: GuardedHttp
    url: URL

    async def search(self, query: str, count: int) -> list[Hit]:
        """See `SearchService.search`; it cannot be told how many."""
        params = {"q": query, "format": "json"}
        refused = {403: "its settings do not list json under search: formats"}
        found = await _asked(self.http, self.url / "search", _Pages, params=params, refusals=refused)
        return _hits(found.results, count)


@dataclass(frozen=True)
class Brave:
    """Brave Search, by its key."""

    http: GuardedHttp
    key: str
    url: URL = BRAVE

    async def search(self, query: str, count: int) -> list[Hit]:
        """See `SearchService.search`."""
        params = {"q": query, "count": str(count), "text_decorations": "false"}
        headers = {"X-Subscription-Token": self.key}
        where = self.url / "res" / "v1" / "web" / "search"
        found = await _asked(self.http, where, _BraveAnswer, params=params, headers=headers)
        pages = found.web.results if found.web else []
        return _hits(pages, count)


@dataclass(frozen=True)
class Tavily:
    """Tavily, by its key."""

    http: GuardedHttp
    key: str
    url: URL = TAVILY

    async def search(self, query: str, count: int) -> list[Hit]:
        """See `SearchService.search`."""
        json = {"query": query, "max_results": count}
        headers = {"Authorization": f"Bearer {self.key}"}
        found = await _asked(self.http, self.url / "search", _Pages, headers=headers, json=json)
        return _hits(found.results, count)


async def _asked(
    http: GuardedHttp,
    url: URL,
    kind: type[Answer],
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    json: object = None,
    refusals: Mapping[int, str] | None = None,
) -> Answer:
    """What a service answers.

    Raises:
        ToolError: See `SearchService.search`.
    """
    accepting = {"Accept": "application/json", **(headers or {})}
    try:
        answer = await http.fetch(
            url, most=_MOST, seconds=_SECONDS, types=_TYPES, params=params, headers=accepting, json=json
        )
    except TimeoutError as error:
        raise ToolError("the search service did not answer in time: try again later") from error
    except UnwantedAnswerError as error:
        raise ToolError("the search service gave an answer that is no list of results") from error
    except (aiohttp.ClientError, OSError) as error:
        raise ToolError("the search service cannot be reached: try again later") from error
    if answer.status != 200:
        why = {**_REFUSALS, **(refusals or {})}.get(answer.status, "try again later")
        raise ToolError(f"the search service refused with status {answer.status}: {why}")
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError as error:
        raise ToolError("the search service gave an answer that is no list of results") from error


_REFUSALS = {
    401: "it does not know the key that the operator set",
    403: "it does not take the key that the operator set",
    422: "it does not take this query, or does not know the key that the operator set",
    429: "it was asked too often, try again later",
    432: "what the operator has paid for is used up",
    433: "what the operator has paid for is used up",
}


def _hits(pages: list[_Page], count: int) -> list[Hit]:
    found = pages[:count]
    return [Hit(title=_text(one.title), url=one.url, excerpt=_text(one.excerpt or "")) for one in found]


def _text(text: str) -> str:
    """A text without the HTML that services mark words with."""
    return html.unescape(_TAG.sub("", text))
