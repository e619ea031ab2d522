"""A transcription service on loopback for tests: real HTTP, and as strict about a request as OpenAI's.

    async with TranscriptionServer() as server:        # TRANSCRIBE_BASE_URL is server.base_url
        server.say("What is 24 times 7?")              # answers are used up in order: one per request
        server.fail(503)
        ...                                            # then: server.requests, server.refusals

With nothing scripted it answers "Hello there." A request that OpenAI would refuse is refused, and noted in `refusals`.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import BodyPartReader, web

from tests.waiting import noted

Json = dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

SUFFIXES = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")  # that OpenAI takes
LARGEST = 25 * 2**20  # bytes


@dataclass(frozen=True)
class Heard:
    """A request: its file, and its other fields."""

    name: str
    media_type: str
    data: bytes
    fields: dict[str, str]
    authorization: str | None


class TranscriptionServer:
    """The service. `base_url` is there once entered.

    Attributes:
        requests: Every request that was fit, in order of arrival.
        refusals: What was wrong with the others.
        active: How many requests are being answered now.
        most: How many were at once at most.
        aborted: How many requests their client ended before the answer.
    """

    def __init__(self) -> None:
        self.base_url = ""
        self.requests: list[Heard] = []
        self.refusals: list[str] = []
        self.active = self.most = self.aborted = 0
        self._answers: deque[Answer] = deque()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=LARGEST + 2**20)
        app.router.add_post("/v1/audio/transcriptions", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def answer(self, answer: Answer) -> None:
        """Answer the next request that has no answer yet by this function."""
        self._answers.append(answer)

    def say(self, text: str, usage: Json | None = None, *, when: asyncio.Event | None = None) -> None:
        """Answer with a text, once `when` is set."""

        async def answer(_: web.Request) -> web.StreamResponse:
            if when is not None:
                await when.wait()
            return web.json_response({"text": text} | ({} if usage is None else {"usage": usage}))

        self.answer(answer)

    def fail(self, status: int, body: object = None, headers: dict[str, str] | None = None) -> None:
        """Answer with an error."""

        async def answer(_: web.Request) -> web.StreamResponse:
            said = json.dumps(body or {"error": {"message": "made to fail"}})
            return web.Response(status=status, text=said, content_type="application/json", headers=headers)

        self.answer(answer)

    def hang(self) -> None:
        """Take the request, and never answer."""

        async def answer(_: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        self.answer(answer)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        noted()
        self.active += 1
        self.most = max(self.most, self.active)
        try:
            heard = await _read(request)
            wrong = _wrong(heard)
            if wrong is not None:
                self.refusals.append(wrong)
                return web.json_response({"error": {"message": wrong, "type": "invalid_request_error"}}, status=400)
            self.requests.append(heard)
            if self._answers:
                return await self._answers.popleft()(request)
            return web.json_response({"text": "Hello there."})
        except asyncio.CancelledError:
            self.aborted += 1
            raise
        finally:
            self.active -= 1
            noted()


async def _read(request: web.Request) -> Heard:
    name, media_type, data, fields = "", "", b"", {}
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "file":
                name, media_type = part.filename or "", part.headers.get("Content-Type", "")
                data = bytes(await part.read())
            else:
                fields[str(part.name)] = await part.text()
    return Heard(name, media_type, data, fields, request.headers.get("Authorization"))


def _wrong(heard: Heard) -> str | None:
    """What OpenAI would refuse a request for; None where it is as it should be."""
    if not heard.data:
        return "file: field required"
    if heard.name.rpartition(".")[2] not in SUFFIXES or "." not in heard.name:
        return f"Unrecognized file format. Supported formats: {SUFFIXES}"
    if len(heard.data) > LARGEST:
        return "Maximum content size limit (26214400) exceeded"
    if not heard.media_type.startswith("audio/"):
        return f"{heard.media_type!r} is not the type of audio"
    unknown = set(heard.fields) - {"model", "response_format"}
    if unknown or not heard.fields.get("model") or heard.fields.get("response_format") != "json":
        return f"bad fields {heard.fields}"
    return None
