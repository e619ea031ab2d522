"""Hostile requests: whatever comes, the answer is Discord's, and the playground goes on."""

import io
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, GUILD_ID, MEMBERS_ROLE_ID
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from tests.programs.playground.conftest import Raw

OPEN = Window(1_000_000, 1.0)
DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]
BODIES: list[Any] = [
    None,
    7,
    "text",
    [],
    [None],
    [[]],
    {},
    DEEP,
    {"content": {"a": []}, "embeds": {}, "components": {}, "attachments": {}, "allowed_mentions": [], "flags": "x"},
    {"content": "x", "embeds": [{"fields": [None], "footer": [], "author": "x", "image": {}, "color": -1}]},
    {"content": "x", "components": [{"type": 1, "components": [{"type": 3, "custom_id": 5, "options": [[]]}]}]},
    {"components": [{"type": 17, "components": [{"type": 99, "components": [{}]}]}], "flags": 1 << 15},
    {"components": [{"type": 9, "components": "text", "accessory": 5}], "flags": 1 << 15},
    {"content": "x", "message_reference": {"message_id": "9" * 5000}, "nonce": {}, "flags": -1},
    {"content": "x", "flags": 1 << 70, "nonce": 10**40},
    {"name": "\x00", "type": "11", "auto_archive_duration": 5, "archived": "perhaps", "recipient_id": "x" * 9999},
    {"name": "x", "description": "y", "options": [{"type": 1, "name": "a", "description": "b", "options": "no"}]},
    {"type": 4, "data": []},
    {"type": 9, "data": {"custom_id": "", "title": "", "components": [{"type": 18, "label": 5, "component": {}}]}},
    {"as": str(ADA_ID), "type": "command", "command_id": "7", "options": [{"name": "o", "value": "9" * 5000}]},
    {"as": str(ADA_ID), "type": "component", "channel_id": str(GENERAL_ID), "values": {"a": 1}, "message_id": "0"},
    {"as": str(ADA_ID), "type": "modal", "modal_id": str(10**19), "values": [1]},
    {"as": str(ADA_ID), "content": "x", "reply_to": "-1", "nonce": "n" * 99},
    {"as": [str(ADA_ID)], "name": None, "archived": []},
]


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    rules = Rules(create=OPEN, edit=OPEN, other=OPEN, everything=OPEN, first_answer_seconds=0.01)
    async with Playground(rules=rules, fault_api=True) as running:
        yield running


def addresses(playground: Playground) -> list[tuple[str, str]]:
    """Every route that takes a body, at things that exist."""
    option = {"name": "o", "type": 3, "description": "d", "autocomplete": True}
    playground.state.commands[7] = {"id": "7", "name": "c", "type": 1, "description": "d", "options": [option]}
    message = playground.people.send(GENERAL_ID, ADA_ID, "hello")
    known = {
        "channel_id": GENERAL_ID,
        "message_id": message.id,
        "guild_id": GUILD_ID,
        "user_id": ADA_ID,
        "role_id": MEMBERS_ROLE_ID,
        "target_id": GRACE_ID,
        "application_id": BOT_ID,
        "webhook_id": BOT_ID,
        "command_id": 7,
        "interaction_id": 1,
        "token": "t",
        "emoji": "👍",
        "message": "@original",
    }
    return [
        (route.method, route.resource.canonical.format(**known))
        for route in playground._app().router.routes()
        if route.resource is not None and route.method in ("POST", "PUT", "PATCH", "DELETE")
    ]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_no_body_breaks_a_route(
    playground: Playground, raw: Raw, body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Each route answers each body with JSON below 500, and nothing is logged as a failure."""
    caplog.set_level(logging.ERROR)
    headers = {"Authorization": f"Bot {playground.token}"}
    for method, path in addresses(playground):
        async with raw.session.request(method, playground.url + path, json=body, headers=headers) as answer:
            assert answer.status < 500, (method, path, await answer.text())
            assert answer.status == 204 or answer.content_type == "application/json"
    assert not [record for record in caplog.records if record.name.startswith("programs.")]


@pytest.mark.parametrize("payload", ["", "{", "[]", '{"content": "x"}'])
async def test_multipart_is_read_with_care(playground: Playground, raw: Raw, payload: str) -> None:
    """Broken payloads, wrong field names and too many files are answered as forms."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", payload)
    for index in range(12):
        form.add_field(f"files[{index}]", b"x", filename="x.txt")
    form.add_field("files[x]", b"x", filename="x.txt")
    status, error = await raw.api("POST", f"/channels/{GENERAL_ID}/messages", data=form)

    assert status == 400
    assert error["code"] in (50035, 50109)


async def test_a_request_past_the_limit_is_413(playground: Playground, raw: Raw) -> None:
    """A file over 10 MiB and a body over 25 MiB are 40005."""
    for size in (10 * 1024 * 1024 + 1, 26 * 1024 * 1024):
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("files[0]", io.BytesIO(b"x" * size), filename="x.bin")
        status, error = await raw.api("POST", f"/channels/{GENERAL_ID}/messages", data=form)
        assert (status, error["code"]) == (413, 40005)
