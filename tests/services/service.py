"""What all stand-ins of model services share: a strict server on loopback that plays a model by a small script.

    async with Mistral() as service:               # OPENAI_BASE_URL is service.base_url
        ...                                        # then: service.requests, service.refusals, service.broken

A stand-in checks each whole request against the rules of its service and refuses it in that service's words; what it
refused is kept. What its model answers depends on the last thing the user said (see `tests.services.script`).
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from aiohttp import web

from tests.chat_completions import Exchange
from tests.services.conversation import OPENAI_WORDS, Problem, find_problem, image_count, last_said, rounds_since
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move, next_move

Json = dict[str, Any]

KEY = "test-key"


def names(text: str) -> frozenset[str]:
    """The names in a text, with blanks between them."""
    return frozenset(text.split())


class Service:
    """A stand-in of one service, by Chat Completions. `base_url` is there once entered.

    Args:
        window: The tokens it takes in a request; None is no bound.
        tokens_per_estimate: How many of its tokens three bytes of a request are.

    Attributes:
        requests: The parsed body of every request, in order of arrival.
        paths: Where they went to, in the same order.
        refusals: What was refused, in order.
        holding: Set while an answer is held.
        release: To be set by a test: held answers go on.
        aborted: How many requests their client ended before the answer did.
    """

    path: ClassVar[str] = "/v1"
    model: ClassVar[str] = "a-model"
    key: ClassVar[str | None] = KEY
    takes_tools: ClassVar[bool] = True
    takes_images: ClassVar[bool] = True
    moderates: ClassVar[bool] = False
    """Whether a text that is refused for its content is refused as often as it is sent."""
    body_fields: ClassVar[frozenset[str] | None] = None
    """What a request may have; None for a service that ignores what it does not know."""
    message_fields: ClassVar[frozenset[str]] = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})
    call_fields: ClassVar[frozenset[str]] = frozenset({"id", "type", "function", "index"})
    words: ClassVar[Mapping[str, str]] = {}
    """Its own words for the rules of `OPENAI_WORDS`, with a place for the detail."""

    def __init__(self, *, window: int | None = None, tokens_per_estimate: float = 1.0) -> None:
        self.base_url = ""
        self.window = window
        self.tokens_per_estimate = tokens_per_estimate
        self.requests: list[Json] = []
        self.paths: list[str] = []
        self.refusals: list[Refusal] = []
        self.holding, self.release = asyncio.Event(), asyncio.Event()
        self.aborted = 0
        self._written: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self._next: deque[Refusal] = deque()
        self._tripped = False
        self._failed = False
        self._thoughts = 0
        self._runner: web.AppRunner | None = None

    @property
    def broken(self) -> list[Refusal]:
        """The refusals that a right client never meets."""
        return [refusal for refusal in self.refusals if refusal.kind is Kind.BROKEN]

    def refused(self, kind: Kind) -> list[str]:
        """The rules by which requests were refused for this reason, in order."""
        return [refusal.rule for refusal in self.refusals if refusal.kind is kind]

    def refuse_next(self, refusal: Refusal) -> None:
        """Answer the next request with this."""
        self._next.append(refusal)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        self.routes(app.router)
        # Cancelled handlers are how a test sees that a client gave up.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{self.path}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def routes(self, router: web.UrlDispatcher) -> None:
        """Add what the service serves."""
        router.add_post(f"{self.path}/chat/completions", self._answer)
        router.add_get(f"{self.path}/models", self._list_models)

    # What a stand-in changes.

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the service."""
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}

    def unknown_field(self, where: str, _value: object) -> Refusal:
        """What is said of a field that the service does not know."""
        return self.broke("unknown field", f"Unknown parameter: '{where}'.")

    def check(self, body: Json) -> None:
        """Refuse what this service alone refuses.

        Raises:
            Refusal: A rule is broken.
        """

    def prompt_refusal(self) -> Refusal:
        """What is said to "fail please"."""
        return Refusal(Kind.PROMPT, "prompt", 400, self.error("The request could not be processed.", 400))

    def trip(self) -> Refusal:
        """The trouble that "trip please" meets once."""
        return Refusal(Kind.PASSING, "overloaded", 503, self.error("The server is overloaded.", 503))

    def no_tools(self) -> Refusal:
        """What a model without tools answers to a request that offers some."""
        return self.learn("tools", "tools are not supported by this model")

    def no_images(self) -> Refusal:
        """What a model without eyes answers to a request with images."""
        return self.learn("images", "image input is not supported by this model")

    def overflow(self, window: int, requested: int) -> Refusal:
        """What is said to a request that is too long."""
        message = (
            f"This model's maximum context length is {window} tokens. However, your messages resulted in {requested} "
            "tokens. Please reduce the length of the messages."
        )
        details = {"message": message, "type": "invalid_request_error", "param": "messages"}
        body = {"error": {**details, "code": "context_length_exceeded"}}
        return Refusal(Kind.OVERFLOW, "overflow", 400, body)

    async def begin(self, exchange: Exchange) -> None:
        """Send what comes before the reply's own parts."""
        await exchange.chunk({"role": "assistant", "content": ""})

    async def think(self, exchange: Exchange, move: Move) -> None:
        """Send what the model thinks, if it does."""

    async def call(self, exchange: Exchange, move: Move) -> None:
        """Send the tool calls."""
        for index, (name, arguments) in enumerate(move.calls):
            await exchange.call(index, self.call_id(index), name, arguments)

    async def finish(self, exchange: Exchange, move: Move) -> None:
        """Send the reason why the reply ends here."""
        await exchange.chunk({}, "tool_calls" if move.calls else "stop")

    async def refuse(self, request: web.Request, refusal: Refusal) -> web.StreamResponse:
        """Send a refusal: with its status, or as the only event of a stream."""
        if refusal.status != 200:
            return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        exchange = Exchange(request, {})
        await exchange.data(json.dumps(refusal.body))
        return await exchange.close()

    # What stand-ins use.

    def broke(self, rule: str, message: str, status: int = 400) -> Refusal:
        """The refusal of a request that breaks a rule."""
        return Refusal(Kind.BROKEN, rule, status, self.error(message, status))

    def learn(self, rule: str, message: str, status: int = 400) -> Refusal:
        """The refusal from which a client learns what the model or service does not have."""
        return Refusal(Kind.LEARN, rule, status, self.error(message, status))

    def missing(self, rule: str, message: str, *, of: Json) -> Refusal:
        """The refusal of a message whose own part is missing: a client may learn it for messages of other services."""
        return (self.broke if self.wrote(of) else self.learn)(rule, message)

    def wrote(self, message: Json) -> bool:
        """Whether this is a message that the model here has written."""
        functions = [call["function"] for call in message.get("tool_calls") or ()]
        calls = tuple((one["name"], one["arguments"]) for one in functions)
        return (message.get("content") or "", calls) in self._written

    def call_id(self, index: int) -> str:
        return f"call_{len(self.requests)}_{index}"

    def thought(self) -> str:
        """The next thing the model thinks; no two are the same."""
        self._thoughts += 1
        return f"Thought number {self._thoughts}: I had better look first. "

    def count(self, body: Json) -> int:
        """How many tokens a request has by this service's count."""
        return int(len(json.dumps(_without_image_data(body)).encode()) / 3 * self.tokens_per_estimate)

    # How a request goes.

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body: Json = json.loads(await request.read())
        self.requests.append(body)
        self.paths.append(request.path)
        try:
            self._check_all(request, body)
        except Refusal as refusal:
            self.refusals.append(refusal)
            return await self.refuse(request, refusal)
        try:
            return await self.reply(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.aborted += 1
            raise

    def _check_all(self, request: web.Request, body: Json) -> None:
        self.check_key(request)
        self.check_form(body)
        self.check(body)
        if self._next:
            raise self._next.popleft()
        self._check_said(body)
        requested = self.count(body)
        if self.window is not None and requested > self.window:
            raise self.overflow(self.window, requested)

    def check_key(self, request: web.Request) -> None:
        sent = request.headers.get("Authorization")
        if self.key is None and sent is not None:
            raise self.broke("key", "no key is set here, and one was sent", 401)
        if self.key is not None and sent != f"Bearer {self.key}":
            raise self.broke("key", "Incorrect API key provided.", 401)

    def check_form(self, body: Json) -> None:
        """Refuse what every Chat Completions service refuses, and what this model does not have."""
        if body.get("model") != self.model:
            raise self.broke("model", f"The model `{body.get('model')}` does not exist.", 404)
        self._check_fields(body)
        if body.get("tools") and not self.takes_tools:
            raise self.no_tools()
        if image_count(body["messages"]) and not self.takes_images:
            raise self.no_images()
        problem = find_problem(body["messages"])
        if problem is not None:
            raise self.broke(problem.rule, self._said_of(problem))

    def _check_fields(self, body: Json) -> None:
        if self.body_fields is None:
            return
        for name in body:
            if name not in self.body_fields:
                raise self.unknown_field(name, body[name])
        for index, message in enumerate(body["messages"]):
            for name in message:
                if name not in self.message_fields:
                    raise self.unknown_field(f"messages[{index}].{name}", message[name])
            for number, call in enumerate(message.get("tool_calls") or ()):
                for name in call:
                    if name not in self.call_fields:
                        raise self.unknown_field(f"messages[{index}].tool_calls[{number}].{name}", call[name])

    def _said_of(self, problem: Problem) -> str:
        return (self.words.get(problem.rule) or OPENAI_WORDS[problem.rule]).format(problem.detail)

    def _check_said(self, body: Json) -> None:
        """Refuse what the script says is refused: a content always, by a service that moderates; other trouble once."""
        said = self.said(body)
        present = "fail please" in said[-1] and not self._failed
        if present or (self.moderates and any("fail please" in text for text in said)):
            self._failed = True
            raise self.prompt_refusal()
        if "trip please" in said[-1] and not self._tripped:
            self._tripped = True
            raise self.trip()

    def said(self, body: Json) -> list[str]:
        """The texts of people in a request, the latest last."""
        return last_said(body["messages"])

    def move(self, body: Json) -> Move:
        """What the model does next."""
        offered = [tool["function"]["name"] for tool in body.get("tools") or ()]
        return next_move(self.model, self.said(body)[-1], rounds_since(body["messages"]), offered)

    async def reply(self, request: web.Request, body: Json) -> web.StreamResponse:
        """Stream the model's reply."""
        exchange, move = Exchange(request, body), self.move(body)
        self._written.add((move.held + move.text, move.calls))
        await self.begin(exchange)
        await self.think(exchange, move)
        if move.held:
            await exchange.text(move.held)
            await self.hold()
        await exchange.text(move.text)
        await self.call(exchange, move)
        await self.finish(exchange, move)
        await exchange.usage((self.count(body), 12))
        return await exchange.end()

    async def hold(self) -> None:
        """Wait for the test."""
        self.holding.set()
        try:
            await self.release.wait()
        finally:
            self.holding.clear()

    async def _list_models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self.model, "object": "model"}]})


def _without_image_data(value: object) -> object:
    """The same without the data of images, which no service counts as text."""
    if isinstance(value, str):
        return "image" if value.startswith("data:image/") else value
    if isinstance(value, Mapping):
        return {name: _without_image_data(one) for name, one in value.items()}
    return [_without_image_data(one) for one in value] if isinstance(value, list) else value
