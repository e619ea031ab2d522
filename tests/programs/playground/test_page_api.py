"""The API of the page, and what its WebSocket tells."""

from typing import Any

import aiohttp
import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw
from tests.waiting import patience

MESSAGES = f"/channels/{GENERAL_ID}/messages"


async def until(socket: aiohttp.ClientWebSocketResponse, name: str) -> Any:
    async with patience("the event"):
        while (event := await socket.receive_json())["t"] != name:
            pass
    return event["d"]


async def test_the_state_is_one_persons(playground: Playground, raw: Raw) -> None:
    """Everybody sees the channels; a DM only its owner."""
    _, dm = await raw.page("POST", "/dms", {"as": str(GRACE_ID)})

    _, hers = await raw.page("GET", f"/state?as={GRACE_ID}")
    _, his = await raw.page("GET", "/state")

    assert (hers["me"]["global_name"], his["me"]["global_name"]) == ("Grace", "Ada")
    assert [channel["name"] for channel in his["channels"]] == ["general", "random"]
    assert [one["id"] for one in hers["dms"]] == [dm["id"]]
    assert hers["dms"][0]["recipients"][0]["id"] == str(BOT_ID)
    assert his["dms"] == []
    assert (his["bot_online"], his["notice"], his["typing"]) == (False, None, [])


async def test_a_person_writes_edits_reacts_and_deletes(playground: Playground, raw: Raw) -> None:
    """The whole life of a message, by HTTP."""
    who = {"as": str(ADA_ID)}
    _, sent = await raw.page("POST", MESSAGES, who | {"content": "hello", "nonce": "n"})
    _, again = await raw.page("POST", MESSAGES, who | {"content": "hello", "nonce": "n"})
    path = f"{MESSAGES}/{sent['id']}"

    assert sent["id"] == again["id"]
    assert (await raw.page("PATCH", path, who | {"content": "changed"}))[1]["edited_timestamp"]
    assert (await raw.page("PUT", path + "/reactions/%F0%9F%91%8D", who))[0] == 204
    _, listed = await raw.page("GET", f"{MESSAGES}?as={ADA_ID}")
    assert [(one["content"], one["reactions"][0]["me"]) for one in listed] == [("changed", True)]
    assert (await raw.page("DELETE", path + "/reactions/%F0%9F%91%8D", who))[0] == 204
    assert (await raw.page("DELETE", path, {"as": str(GRACE_ID)}))[0] == 403
    assert (await raw.page("DELETE", path, who))[0] == 204


async def test_a_person_uploads_a_file(playground: Playground, raw: Raw) -> None:
    """Multipart works as in Discord, and a file that is no picture is served as a download that runs nothing."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", f'{{"as": "{ADA_ID}"}}')
    form.add_field("files[0]", b"<script>alert(1)</script>", filename="evil.html", content_type="text/html")
    _, sent = await raw.page("POST", MESSAGES, data=form)

    async with raw.session.get(sent["attachments"][0]["url"]) as answer:
        assert await answer.read() == b"<script>alert(1)</script>"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="evil.html"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_type == "application/octet-stream"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"as": str(ADA_ID), "content": "x" * 2001}, 400, 50035),
        ({"as": str(ADA_ID), "content": "x" * 4001, "nitro": True}, 400, 50035),
        ({"as": str(ADA_ID), "content": ""}, 400, 50006),
        ({"as": str(ADA_ID), "content": "x", "reply_to": "1"}, 400, 50035),
        ({"as": str(BOT_ID), "content": "x"}, 404, 10013),
        ({"content": "x"}, 400, 50035),
        ([], 400, 50035),
    ],
)
async def test_bad_input_is_an_error_with_its_code(raw: Raw, body: Any, status: int, code: int) -> None:
    """The page gets Discord's own error inside `error`."""
    answered, answer = await raw.page("POST", MESSAGES, body)

    assert (answered, answer["error"]["code"]) == (status, code)


async def test_nitro_has_four_thousand(raw: Raw) -> None:
    """A person with Nitro may send up to 4000 characters."""
    status, sent = await raw.page("POST", MESSAGES, {"as": str(ADA_ID), "content": "x" * 4000, "nitro": True})

    assert (status, len(sent["content"])) == (200, 4000)


async def test_events_are_seen_as_one_person_sees_them(playground: Playground, bot: Bot, raw: Raw) -> None:
    """Messages, requests and the bot's status come live; a DM is told to its owner alone."""
    events = f"{playground.url}/playground/events?as="
    async with (
        raw.session.ws_connect(events + str(ADA_ID)) as ada,
        raw.session.ws_connect(events + str(GRACE_ID)) as grace,
    ):
        playground.people.send(playground.people.open_dm(GRACE_ID).id, GRACE_ID, "private")
        await bot.general.send("public")

        assert (await until(grace, "CHANNEL_CREATE"))["recipients"][0]["id"] == str(BOT_ID)
        assert (await until(grace, "MESSAGE_CREATE"))["content"] == "private"
        assert (await until(ada, "MESSAGE_CREATE"))["content"] == "public"
        request = await until(ada, "REQUEST")
        assert (request["method"], request["route"], request["status"]) == (
            "POST",
            "/channels/{channel_id}/messages",
            200,
        )
        await bot.close()
        assert await until(ada, "BOT_STATUS") == {"online": False, "activity": None}


async def test_an_interaction_is_followed_by_events(playground: Playground, bot: Bot, raw: Raw) -> None:
    """Pending, the answer, done: in this order, for the person who asked."""

    @bot.tree.command(description="Say hi")
    async def hi(interaction: Any) -> None:
        await interaction.response.send_message("hello", ephemeral=True)

    async with raw.session.ws_connect(f"{playground.url}/playground/events?as={ADA_ID}") as socket:
        await bot.tree.sync()
        command = (await until(socket, "COMMANDS_UPDATE"))["commands"][0]
        body = {"as": str(ADA_ID), "channel_id": str(GENERAL_ID), "type": "command", "command_id": command["id"]}
        _, opened = await raw.page("POST", "/interactions", body)

        pending = await until(socket, "INTERACTION_PENDING")
        answer = await until(socket, "MESSAGE_CREATE")
        done = await until(socket, "INTERACTION_DONE")
    assert pending["interaction_id"] == done["interaction_id"] == opened["interaction_id"]
    assert pending["command_name"] == "hi"
    assert (answer["content"], answer["flags"]) == ("hello", 64)


async def test_a_person_starts_and_archives_a_thread(raw: Raw) -> None:
    """Threads are opened, renamed and archived by HTTP."""
    who = {"as": str(GRACE_ID)}
    _, thread = await raw.page("POST", f"/channels/{GENERAL_ID}/threads", who | {"name": "topic"})
    _, changed = await raw.page("PATCH", f"/channels/{thread['id']}", who | {"name": "new", "archived": True})

    assert (thread["type"], thread["parent_id"]) == (11, str(GENERAL_ID))
    assert (changed["name"], changed["thread_metadata"]["archived"]) == ("new", True)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "command", "command_id": "1"},
        {"type": "component", "message_id": "1", "custom_id": "x"},
        {"type": "modal", "modal_id": "1", "values": {}},
        {"type": "autocomplete", "command_id": "1", "options": [], "focused": "x"},
        {"type": "other"},
    ],
)
async def test_an_impossible_interaction_is_refused(raw: Raw, body: dict[str, Any]) -> None:
    """What is not there cannot be used."""
    status, answer = await raw.page("POST", "/interactions", body | {"as": str(ADA_ID), "channel_id": str(GENERAL_ID)})

    assert status in (400, 404)
    assert answer["error"]["message"]


async def test_an_unknown_viewer_gets_no_events(playground: Playground, raw: Raw) -> None:
    """The WebSocket is for the people of the playground."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await raw.session.ws_connect(f"{playground.url}/playground/events?as={BOT_ID}")
    assert refused.value.status == 404
