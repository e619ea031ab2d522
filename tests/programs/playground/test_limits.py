"""Discord's limits on what a bot sends, answered in Discord's words."""

from typing import Any

import discord
import pytest

from programs.playground.entities import ADA_ID, GENERAL_ID
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw

MESSAGES = f"/channels/{GENERAL_ID}/messages"


def row(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(parts)}


def button(custom_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "x", "custom_id": custom_id, **more}


FIELD = {"name": "n" * 256, "value": "v" * 1024}
BAD: list[tuple[dict[str, Any], list[str], str]] = [
    ({"content": "x" * 2001}, ["content"], "BASE_TYPE_MAX_LENGTH"),
    ({"content": 5}, ["content"], "BASE_TYPE_BAD_VALUE"),
    ({"embeds": "x"}, ["embeds"], "LIST_TYPE_CONVERT"),
    ({"embeds": [5]}, ["embeds", "0"], "MODEL_TYPE_CONVERT"),
    ({"embeds": [{"title": "t"}] * 11}, ["embeds"], "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"title": "t" * 257}]}, ["embeds", "0", "title"], "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"description": "t" * 4097}]}, ["embeds", "0", "description"], "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"fields": [FIELD] * 26}]}, ["embeds", "0", "fields"], "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"fields": [{"name": "n"}]}]}, ["embeds", "0", "fields", "0", "value"], "BASE_TYPE_REQUIRED"),
    ({"embeds": [{"fields": [FIELD | {"value": ""}]}]}, ["embeds", "0", "fields", "0", "value"], "BASE_TYPE_REQUIRED"),
    ({"embeds": [{"footer": {"text": "f" * 2049}}]}, ["embeds", "0", "footer", "text"], "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"author": {"name": "f" * 257}}]}, ["embeds", "0", "author", "name"], "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"url": "javascript:alert(1)"}]}, ["embeds", "0", "url"], "URL_TYPE_INVALID_URL"),
    ({"embeds": [{"fields": [FIELD] * 3}, {"fields": [FIELD] * 2}]}, ["embeds"], "MAX_EMBED_SIZE_EXCEEDED"),
    ({"content": "x", "components": [row(button(str(n))) for n in range(6)]}, ["components"], "BASE_TYPE_BAD_LENGTH"),
    (
        {"content": "x", "components": [row(*(button(str(n)) for n in range(6)))]},
        ["components", "0", "components"],
        "BASE_TYPE_MAX_LENGTH",
    ),
    ({"content": "x", "components": [row(button(), button())]}, ["components"], "COMPONENT_CUSTOM_ID_DUPLICATED"),
    (
        {"content": "x", "components": [row(button("c" * 101))]},
        ["components", "0", "components", "0", "custom_id"],
        "BASE_TYPE_MAX_LENGTH",
    ),
    (
        {"content": "x", "components": [row(button(label="l" * 81))]},
        ["components", "0", "components", "0", "label"],
        "BASE_TYPE_MAX_LENGTH",
    ),
    (
        {"content": "x", "components": [row({"type": 2, "style": 1, "label": "x"})]},
        ["components", "0", "components", "0", "custom_id"],
        "BASE_TYPE_REQUIRED",
    ),
    ({"content": "x", "components": [{"type": 10, "content": "x"}]}, ["components", "0", "type"], "UNION_TYPE_CHOICES"),
    ({"content": "x", "components": [{"type": 99}]}, ["components", "0"], "BASE_TYPE_BAD_VALUE"),
    ({"content": "x", "nonce": "n" * 26}, ["nonce"], "BASE_TYPE_MAX_LENGTH"),
    (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": [str(ADA_ID)]}},
        ["allowed_mentions"],
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    (
        {"content": "x", "message_reference": {"message_id": "1"}},
        ["message_reference"],
        "MESSAGE_REFERENCE_UNKNOWN_MESSAGE",
    ),
    (
        {"content": "x", "flags": 1 << 15},
        ["content"],
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
]


@pytest.mark.parametrize(
    ("body", "place", "code"), BAD, ids=lambda value: ".".join(value) if isinstance(value, list) else None
)
async def test_a_form_past_the_limits_is_refused_at_its_place(
    playground: Playground, raw: Raw, body: dict[str, Any], place: list[str], code: str
) -> None:
    """50035 names the field and the rule, and nothing is posted."""
    status, error = await raw.api("POST", MESSAGES, body)

    assert (status, error["code"]) == (400, 50035)
    node = error["errors"]
    for step in place:
        assert step in node, error
        node = node[step]
    assert code in [fault["code"] for fault in node["_errors"]]
    assert not playground.state.channels[GENERAL_ID].messages


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": " \n "}, {"embeds": []}, {"content": None}])
async def test_an_empty_message_is_refused(raw: Raw, body: dict[str, Any]) -> None:
    """Nothing to show is 50006."""
    status, error = await raw.api("POST", MESSAGES, body)

    assert (status, error["code"]) == (400, 50006)


async def test_a_refused_edit_changes_nothing(playground: Playground, bot: Bot) -> None:
    """An edit is taken whole or not at all."""
    posted = await bot.general.send("before")

    with pytest.raises(discord.HTTPException) as refused:
        await posted.edit(content="after", embed=discord.Embed(title="t" * 257))

    assert refused.value.code == 50035
    assert playground.state.channels[GENERAL_ID].messages[posted.id].content == "before"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/channels/1", 10003),
        ("POST", "/channels/1/messages", 10003),
        ("GET", MESSAGES + "/1", 10008),
        ("PATCH", MESSAGES + "/1", 10008),
        ("DELETE", MESSAGES + "/1", 10008),
        ("GET", "/guilds/1", 10004),
        ("GET", "/users/1", 10013),
        ("GET", "/nothing/here", 0),
        ("PUT", MESSAGES + "/1/reactions/x/@me", 10008),
    ],
)
async def test_unknown_things_have_their_codes(raw: Raw, method: str, path: str, code: int) -> None:
    """What does not exist is 404 with the code of its kind."""
    status, error = await raw.api(method, path, {"content": "x"} if method in ("POST", "PATCH") else None)

    assert (status, error["code"]) == (404, code)


async def test_a_foreign_message_cannot_be_edited_or_deleted(playground: Playground, raw: Raw) -> None:
    """50005 for an edit, 50013 for a deletion: the bot may not manage messages."""
    path = f"{MESSAGES}/{playground.people.send(GENERAL_ID, ADA_ID, 'mine').id}"

    edited, deleted = await raw.api("PATCH", path, {"content": "yours"}), await raw.api("DELETE", path)

    assert (edited[0], edited[1]["code"]) == (403, 50005)
    assert (deleted[0], deleted[1]["code"]) == (403, 50013)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\x00"])
async def test_broken_json_is_refused(raw: Raw, text: str) -> None:
    """A body that is no JSON is 50109, however it is broken."""
    headers = {"Authorization": f"Bot {raw.playground.token}", "Content-Type": "application/json"}

    status, error = await raw.api("POST", MESSAGES, data=text, headers=headers)

    assert (status, error["code"]) == (400, 50109)


@pytest.mark.parametrize(
    "body", [[], "text", 7, {"components": [[]]}, {"components": [{"type": {}}]}, {"attachments": [{}]}]
)
async def test_any_json_gets_an_answer_of_discord(raw: Raw, body: Any) -> None:
    """Hostile shapes are refused as a form, never by a crash."""
    status, error = await raw.api("POST", MESSAGES, body)

    assert (status, error["code"]) == (400, 50035)


async def test_half_a_character_is_refused(raw: Raw) -> None:
    """A lone surrogate is no text; it is refused as a form."""
    status, error = await raw.api("POST", MESSAGES, {"content": "\ud800 half"})

    assert (status, error["code"]) == (400, 50035)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bot no"}, {"Authorization": "Bearer x"}])
async def test_a_missing_or_wrong_token_is_401(raw: Raw, headers: dict[str, str]) -> None:
    """Every route asks for the token, also those that do not exist."""
    for path in ("/users/@me", "/nothing"):
        status, error = await raw.api("GET", path, headers=headers)
        assert (status, error["code"]) == (401, 0)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "before=x", "after=-1", "before=" + "9" * 5000])
async def test_a_bad_page_is_refused(raw: Raw, query: str) -> None:
    """Limits outside 1 to 100 and ids that are none are 50035."""
    status, error = await raw.api("GET", f"{MESSAGES}?{query}")

    assert (status, error["code"]) == (400, 50035)
