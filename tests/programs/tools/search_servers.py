"""Stands for SearXNG, Brave Search and Tavily at once: each answers as its public documentation says."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "made-up-key"
_PAGES = [
    ("Frost in May", "https://valley.example/frost", "The apple trees were in full bloom."),
    ("Tom & Jerry", "https://bücher.example/tom", "A <b>cat</b> & a mouse."),
    ("Third", "https://third.example/", "More of it."),
    ("A file", "file:///etc/passwd", "Not of the web."),
]


class SearchServer:
    """Use the fixture `search_server`.

    Attributes:
        url: Where it is.
        queries: What was searched for.
        pages: What it finds: titles, addresses and excerpts.
        failure: A status with which it refuses, 0 for none.
        body: What it answers in place of results.
        redirect: Where it redirects to, "" for nowhere.
    """

    def __init__(self) -> None:
        self.url = ""
        self.queries: list[str] = []
        self.pages = _PAGES
        self.failure = 0
        self.body = ""
        self.redirect = ""
        self.formats = {"html", "json"}
        self.seen_elsewhere: list[web.Request] = []

    def _instead(self) -> web.Response | None:
        if self.redirect:
            return web.Response(status=307, headers={"Location": self.redirect})
        if self.failure:
            return web.json_response({"detail": {"error": "no"}}, status=self.failure)
        return web.Response(text=self.body, content_type="application/json") if self.body else None

    async def searxng(self, request: web.Request) -> web.Response:
        """GET /search: q is required, and a format that the settings do not list is forbidden."""
        if request.query.get("format", "html") not in self.formats:
            return web.Response(status=403, text="Forbidden")
        if not request.query.get("q"):
            return web.Response(status=400, text="No query")
        self.queries.append(request.query["q"])
        found = [
            {"title": title, "url": url, "content": text, "engine": "x", "score": 1.0}
            for title, url, text in self.pages
        ]
        answer = {"query": request.query["q"], "number_of_results": 0, "results": found, "answers": []}
        return self._instead() or web.json_response(answer)

    async def brave(self, request: web.Request) -> web.Response:
        """GET /res/v1/web/search: a key, a query of at most 400 characters and 50 words, a count of at most 20."""
        if request.headers.get("X-Subscription-Token") != KEY:
            return web.json_response({"type": "ErrorResponse", "error": {"status": 422}}, status=422)
        query, count = request.query.get("q", ""), int(request.query.get("count", "20"))
        if not query or len(query) > 400 or len(query.split()) > 50 or not 1 <= count <= 20:
            return web.json_response({"type": "ErrorResponse", "error": {"status": 422}}, status=422)
        if request.headers.get("Accept") not in ("application/json", "*/*"):
            return web.json_response({"type": "ErrorResponse"}, status=406)
        self.queries.append(query)
        marked = request.query.get("text_decorations", "true") != "false"
        found = [
            {"title": title, "url": url, "description": f"<strong>{text}</strong>" if marked else text}
            for title, url, text in self.pages[:count]
        ]
        answer = {"type": "search", "query": {"original": query}, "web": {"type": "search", "results": found}}
        return self._instead() or web.json_response(answer if found else {"type": "search"})

    async def tavily(self, request: web.Request) -> web.Response:
        """POST /search: a bearer token, JSON with a query and at most 20 results."""
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"detail": {"error": "Unauthorized: missing or invalid API key."}}, status=401)
        if request.content_type != "application/json":
            return web.json_response({"detail": "no JSON"}, status=422)
        told = await request.json()
        if not told.get("query") or not 0 <= told.get("max_results", 5) <= 20:
            return web.json_response({"detail": {"error": "bad request"}}, status=400)
        self.queries.append(told["query"])
        found = [
            {"title": title, "url": url, "content": text, "score": 0.9, "raw_content": None}
            for title, url, text in self.pages[: told.get("max_results", 5)]
        ]
        answer = {"query": told["query"], "answer": None, "images": [], "results": found, "response_time": 0.5}
        return self._instead() or web.json_response(answer)

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Where a redirect leads, which nobody should come to."""
        self.seen_elsewhere.append(request)
        return web.json_response({"results": []})


@pytest.fixture
async def search_server() -> AsyncIterator[SearchServer]:
    found = SearchServer()
    app = web.Application()
    app.router.add_get("/search", found.searxng)
    app.router.add_get("/res/v1/web/search", found.brave)
    app.router.add_post("/search", found.tavily)
    app.router.add_route("*", "/elsewhere", found.elsewhere)
    async with TestServer(app, host="127.0.0.1") as server:
        found.url = str(server.make_url("/"))
        yield found
