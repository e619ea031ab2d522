"""Faults on request, under the real discord.py and under plain HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest

from programs.playground.entities import ADA_ID, GENERAL_ID
from programs.playground.errors import ApiError
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Clock, Raw, within

CREATE = ("POST", "/channels/{channel_id}/messages")
EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
MESSAGES = f"/channels/{GENERAL_ID}/messages"


def posted(playground: Playground) -> list[str]:
    return [message.content for message in playground.state.channels[GENERAL_ID].messages.values()]


async def test_only_the_request_that_was_meant_fails(playground: Playground, raw: Raw) -> None:
    """The second and third create fail with the status asked for, uncommitted; those around them pass."""
    fault = playground.faults.plan("error", *CREATE, nth=2, times=2, status=503)

    answers = [(await raw.api("POST", MESSAGES, {"content": str(n)}))[0] for n in range(4)]

    assert answers == [200, 503, 503, 200]
    assert (posted(playground), fault.hits) == (["0", "3"], 2)


async def test_a_commit_may_be_followed_by_an_error(playground: Playground, raw: Raw) -> None:
    """The message is there although the answer was a 500."""
    playground.faults.plan("error", *CREATE, committed=True)

    status, _ = await raw.api("POST", MESSAGES, {"content": "there"})

    assert (status, posted(playground)) == (500, ["there"])


@pytest.mark.parametrize("scope", ["user", "global", "shared"])
async def test_a_limit_is_met_on_request(playground: Playground, raw: Raw, scope: str) -> None:
    """A 429 has Discord's headers and body, and names its scope."""
    playground.faults.plan("rate_limit", *CREATE, retry_after=1.5, scope=scope)

    headers = {"Authorization": f"Bot {playground.token}"}
    async with raw.session.post(playground.api_base + MESSAGES, json={"content": "x"}, headers=headers) as answer:
        body = await answer.json()

    assert (answer.status, answer.headers["X-RateLimit-Scope"], answer.headers["Retry-After"]) == (429, scope, "2")
    assert "Via" in answer.headers
    assert body == {"message": "You are being rate limited.", "retry_after": 1.5, "global": scope == "global"}
    assert posted(playground) == []


async def test_the_proxys_page_is_no_json(playground: Playground, bot: Bot) -> None:
    """A page instead of JSON, without Via, is a ban to discord.py: it raises at once."""
    playground.faults.plan("html", *CREATE, status=429)

    with pytest.raises(discord.HTTPException) as refused:
        await bot.general.send("x")

    assert refused.value.status == 429
    assert "<html>" in refused.value.text
    assert len([one for one in playground.requests if one.status == 429]) == 1


async def test_a_connection_is_reset_after_the_commit(playground: Playground, bot: Bot) -> None:
    """The message is posted, its author learns of a reset only, and the same nonce finds the message."""
    fault = playground.faults.plan("reset", *CREATE)

    with pytest.raises((OSError, aiohttp.ClientError)):
        await bot.general.send("once", nonce="n")
    again = await bot.general.send("once", nonce="n")

    assert posted(playground) == ["once"]
    assert again.id in playground.state.channels[GENERAL_ID].messages
    assert fault.hits == 1
    assert [one.status for one in playground.requests if (one.method, one.route) == CREATE] == [0, 200]


async def test_an_answer_never_comes_after_the_commit(playground: Playground, bot: Bot) -> None:
    """The message is there while its author still waits; when let go, the connection is cut."""
    fault = playground.faults.plan("hang", *CREATE)
    sending = asyncio.create_task(bot.general.send("there"))

    await within(fault.reached())
    await within(playground.wait_for(lambda _: posted(playground)))
    assert not sending.done()
    fault.release()

    with pytest.raises((OSError, aiohttp.ClientError)):
        await within(sending)


@pytest.mark.parametrize(("committed", "before"), [(False, []), (True, ["late"])])
async def test_an_answer_is_held_until_released(
    playground: Playground, bot: Bot, committed: bool, before: list[str]
) -> None:
    """A delayed request waits before its commit, or after it, and then is answered as ever."""
    fault = playground.faults.plan("delay", *CREATE, committed=committed)
    sending = asyncio.create_task(bot.general.send("late"))

    await within(fault.reached())
    assert posted(playground) == before
    fault.release()

    assert (await within(sending)).content == "late"


async def test_a_stopping_playground_lets_go() -> None:
    """What a fault holds does not keep the playground from stopping."""
    async with Playground() as playground, aiohttp.ClientSession() as session:
        fault = playground.faults.plan("hang", *CREATE)
        headers = {"Authorization": f"Bot {playground.token}"}
        request = session.post(playground.api_base + MESSAGES, json={"content": "x"}, headers=headers)
        asking = asyncio.create_task(request)
        await within(fault.reached())
        await within(playground.stop())
        with pytest.raises((OSError, aiohttp.ClientError)):
            await within(asking)


async def test_the_message_being_edited_goes_away(playground: Playground, bot: Bot) -> None:
    """Just before the edit somebody deletes its message: 10008."""
    message = await bot.general.send("soon gone")
    playground.faults.plan("delete_message", *EDIT)

    with pytest.raises(discord.NotFound) as refused:
        await message.edit(content="too late")

    assert refused.value.code == 10008


@pytest.mark.parametrize(
    ("effect", "code"), [("archive_thread", 50083), ("lock_thread", 50083), ("delete_thread", 10003)]
)
async def test_the_thread_changes_under_an_edit(playground: Playground, bot: Bot, effect: Any, code: int) -> None:
    """Just before the edit its thread is archived, locked or deleted, and Discord says so."""
    thread = await bot.general.create_thread(name="t", type=discord.ChannelType.public_thread)
    message = await thread.send("x")
    playground.faults.plan(effect, *EDIT)

    with pytest.raises(discord.HTTPException) as refused:
        await message.edit(content="y")

    assert refused.value.code == code


async def test_an_answer_meets_a_locked_thread(playground: Playground, bot: Bot) -> None:
    """A thread locked just before the answer refuses it: 160005."""
    thread = await bot.general.create_thread(name="t", type=discord.ChannelType.public_thread)
    playground.faults.plan("lock_thread", *CREATE)

    with pytest.raises(discord.HTTPException) as refused:
        await thread.send("y")

    assert refused.value.code == 160005


@pytest.mark.parametrize(
    "plan", [("nothing", *CREATE), ("error", "FETCH", CREATE[1]), ("error", "POST", "channels"), ("error", "", "")]
)
async def test_a_fault_that_is_none_is_refused(playground: Playground, plan: tuple[Any, str, str]) -> None:
    """An unknown effect, method or route is told at once, not found out by nothing happening."""
    with pytest.raises(ApiError):
        playground.faults.plan(*plan)


@pytest.fixture
async def open_to_faults() -> AsyncIterator[Raw]:
    async with Playground(fault_api=True) as playground, aiohttp.ClientSession() as session:
        yield Raw(session, playground)


async def test_a_program_plans_faults_over_http(open_to_faults: Raw) -> None:
    """Planned, met, listed with its hits, and cleared."""
    plan = {"effect": "error", "method": CREATE[0], "route": CREATE[1], "status": 502}
    assert await open_to_faults.page("POST", "/faults", plan) == (201, plan | {"hits": 0})

    assert (await open_to_faults.api("POST", MESSAGES, {"content": "x"}))[0] == 502

    assert (await open_to_faults.page("GET", "/faults"))[1] == {"faults": [plan | {"hits": 1}], "violations": []}
    assert (await open_to_faults.page("DELETE", "/faults"))[0] == 204
    assert (await open_to_faults.page("GET", "/faults"))[1]["faults"] == []


async def test_a_program_disturbs_the_gateway_over_http(open_to_faults: Raw) -> None:
    """Each effect on the gateway is a POST; an unknown one is refused."""
    playground = open_to_faults.playground
    async with open_to_faults.session.ws_connect(playground.gateway_url) as socket:
        await socket.receive()

        assert (await open_to_faults.page("POST", "/faults", {"effect": "reconnect"}))[0] == 204
        assert (await within(socket.receive_json()))["op"] == 7
        for effect in ("repeat", "lose", "reverse", "malformed", "refuse_resume", "outage", "restore", "stop_acks"):
            assert (await open_to_faults.page("POST", "/faults", {"effect": effect}))[0] == 204
        assert (await open_to_faults.page("POST", "/faults", {"effect": "drop", "code": 4009}))[0] == 204
        await within(socket.receive())
        assert socket.close_code == 4009
    bodies: list[Any] = [{"effect": "explode"}, {}, []]
    for bad in bodies:
        assert (await open_to_faults.page("POST", "/faults", bad))[0] == 400


async def test_the_control_surface_is_off_unless_asked_for(raw: Raw, open_to_faults: Raw) -> None:
    """Without being asked for there is no such address, and with it no foreign page gets in."""
    assert (await raw.page("GET", "/faults"))[0] == 404
    assert (await open_to_faults.page("GET", "/faults", headers={"Origin": "https://evil.test"}))[0] == 403


async def test_too_many_refusals_shut_the_bot_out() -> None:
    """After so many 401, 403 and 429 the proxy turns every request away, by a page without Via, until they are old."""
    now = [1000.0]
    async with (
        Playground(rules=Rules(invalid=Window(3, 600.0)), clock=lambda: now[0]) as playground,
        aiohttp.ClientSession() as session,
    ):
        raw = Raw(session, playground)
        playground.faults.plan("rate_limit", *CREATE, scope="shared")
        for headers in ({}, {"Authorization": "Bot no"}):
            assert (await raw.api("GET", "/users/@me", headers=headers))[0] == 401
        assert (await raw.api("POST", MESSAGES, {"content": "x"}))[0] == 429
        assert (await raw.api("GET", "/users/@me"))[0] == 200
        assert (await raw.api("GET", "/users/@me", headers={}))[0] == 401

        headers = {"Authorization": f"Bot {playground.token}"}
        async with session.get(playground.api_base + "/users/@me", headers=headers) as answer:
            assert (answer.status, answer.content_type, answer.headers["Retry-After"]) == (429, "text/html", "600")
            assert "Via" not in answer.headers
        now[0] += 600
        assert (await raw.api("GET", "/users/@me"))[0] == 200


async def test_everything_is_in_the_log(playground: Playground, bot: Bot) -> None:
    """Requests with both bodies, and events as they were told."""
    playground.people.send(GENERAL_ID, ADA_ID, "hello")
    await bot.general.send("hi")

    last = playground.requests[-1]
    assert (last.method, last.route, last.status) == (*CREATE, 200)
    assert (last.request["content"], last.response["content"]) == ("hi", "hi")
    told = [one.data["content"] for one in playground.log.dispatches if one.name == "MESSAGE_CREATE"]
    assert (told, playground.log.complete) == (["hello", "hi"], True)


async def test_a_delay_ends_by_the_clock() -> None:
    """The seconds of a fault are those of the injected clock: moved on, it lets the request go at once."""
    clock = Clock()
    async with Playground(monotonic=clock) as playground, aiohttp.ClientSession() as session:
        raw = Raw(session, playground)
        held = playground.faults.plan("delay", "GET", "/users/@me", seconds=600)
        asking = asyncio.create_task(raw.api("GET", "/users/@me"))
        await within(held.reached())
        clock.now += 599
        playground.tick()
        await raw.api("GET", f"/channels/{GENERAL_ID}")
        assert not asking.done()

        clock.now += 1
        playground.tick()

        assert (await within(asking))[0] == 200
