"""Requests and answers: one JSON or multipart body in, one JSON body out, whatever the API."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.web_request import FileField

from programs.playground.errors import ApiError, invalid_form
from programs.playground.forms import MessageForm, read
from programs.playground.posting import Upload
from programs.playground.snowflakes import read_id

T = TypeVar("T")
MAX_REQUEST_BYTES = 25 * 1024 * 1024
_UPLOAD_FIELD = re.compile(r"files\[(\d{1,2})\]")


@dataclass(frozen=True)
class Call:
    """One request, read: the ids of its path, its query, its JSON (or None) and its files.

    `refusal` is what Discord's own document has against it.
    """

    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    files: tuple[Upload, ...] = ()
    refusal: ApiError | None = None

    def id(self, name: str) -> int:
        """A snowflake of the path. Raises 50035."""
        snowflake = read_id(self.ids[name])
        if snowflake is None:
            words = f'Value "{self.ids[name][:40]}" is not snowflake.'
            raise invalid_form(((name,), "NUMBER_TYPE_COERCE", words))
        return snowflake

    def form(self, kind: type[T]) -> T:
        """The body as a form. Raises 50035: in the words of the form, else in those of Discord's document."""
        form: T = read(kind, {} if self.body is None else self.body)
        if self.refusal is not None:
            if not isinstance(form, MessageForm):
                raise self.refusal
            form.refused(self.refusal)
        return form

    def refused(self, refusal: ApiError) -> "Call":
        """The same call, of which it is known that its form will be refused."""
        return replace(self, refusal=refusal)

    def flag(self, name: str) -> bool:
        """Whether a parameter of the address is true."""
        return self.query.get(name, "").lower() in ("1", "true")


@dataclass(frozen=True)
class Reply:
    """An answer: 204 when there is no body. `html` is one of the proxy in front of Discord."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    html: str | None = None


NOTHING = Reply(status=204)
Handler = Callable[[Call], Reply]
Route = tuple[str, str, Handler]
Routes = Iterable[Route]


async def read_call(request: web.Request) -> Call:
    """Raises 50109 for broken JSON and 40005 for a body past 25 MiB."""
    body: Any = None
    files: tuple[Upload, ...] = ()
    try:
        if request.content_type == "multipart/form-data":
            body, files = await _read_multipart(request)
        elif raw := await request.read():
            body = _parse(raw)
    except web.HTTPRequestEntityTooLarge as too_large:
        raise ApiError(413, 40005, "Request entity too large") from too_large
    return Call(dict(request.match_info), dict(request.query), body, files)


async def _read_multipart(request: web.Request) -> tuple[Any, tuple[Upload, ...]]:
    try:
        fields = await request.post()
    except ValueError as broken:
        raise ApiError(400, 50035, "Invalid multipart body") from broken
    payload = fields.get("payload_json")
    if isinstance(payload, FileField):
        payload = payload.file.read().decode()
    uploads = []
    for name, part in fields.items():
        numbered = _UPLOAD_FIELD.fullmatch(name)
        if numbered and isinstance(part, FileField):
            uploads.append(Upload(int(numbered[1]), part.filename, part.file.read()))
    return (_parse(payload) if isinstance(payload, str) else {}), tuple(uploads)


def _parse(raw: bytes | str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as broken:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from broken


def proxy_page(status: int) -> str:
    """What the proxy in front of Discord says when Discord does not: a page, not JSON."""
    return f"<html><head><title>{status}</title></head><body><h1>{status}</h1><p>cloudflare</p></body></html>"


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON under the bare content type: discord.py knows no other, with or without a charset."""
    if body is None:
        return web.Response(status=204, headers=headers)
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json", headers=headers)
