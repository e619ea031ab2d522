"""One delivery per channel: permissions, outages, replies that are refused, blocks by the proxy."""

import asyncio
import contextlib
from typing import Any

import pytest

from programs.discord.delivery.notices import FAILING, is_notice
from programs.discord.permissions.bot import BotPermissions
from programs.playground.entities import BOT_ID, BOT_PERMISSIONS, BOT_ROLE_ID, Channel, Message, Permission
from programs.playground.errors import ApiError
from programs.playground.forms import MessageForm
from programs.playground.posting import Posting
from tests.programs.discord.delivery.delivery_scene import (
    CREATE,
    HISTORY,
    QUICK_REACTIONS,
    Ended,
    Time,
    allowed,
    before_long,
    channels,
    delivered,
    deny,
    marked,
    nothing_owed,
    refuse_posts,
    signs,
    soon,
    unavailable,
)
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene

DONE, OWED = "✅", "❌"


def first_fails(form: MessageForm, _files: object) -> ApiError | None:
    """Discord fails over the answer to the first question."""
    return unavailable() if "first" in (form.content or "") else None


async def test_many_permission_events_lose_no_answer(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many permission events arrive together, an owed answer is shown when the permission is there."""
    scene = await unstarted.start()
    deny(scene, Permission.SEND_MESSAGES)
    await allowed(scene, "send_messages", yes=False)
    ended = Ended(scene)
    asked = scene.ask("in vain")
    await ended.reach(1)
    await soon(scene, lambda: OWED in signs(asked))
    gate = Gate(scene, "deliveries.of_outcome")
    gate.holds = True

    deny(scene)
    with contextlib.suppress(TimeoutError):  # whoever looks nothing up there cannot be met there
        async with asyncio.timeout(1.0):
            await gate.reached.wait()
    for number in range(5):
        scene.playground.admin.set_role(BOT_ROLE_ID, BOT_PERMISSIONS, name=f"Bot {number}")
    await before_long(lambda: any(role.name == "Bot 4" for guild in scene.bot.guilds for role in guild.roles))
    gate.open.set()

    await soon(scene, scene.outcomes)


async def test_a_file_that_fails_is_replaced_by_its_text(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part with a file that keeps failing with 5xx is shown without its file after a minute."""
    now = Time()
    scene = await unstarted.start(bot={"clock": now, "sleep": now.sleep, "first_wait": 0.001})
    refuse_posts(monkeypatch, lambda _form, files: unavailable() if files else None)
    scene.model.reply(marked(*(f"part {number}" for number in range(7))) + "the end")
    scene.ask("tell me all")

    await soon(scene, lambda: any("the end" in message.content for message in scene.shown()))

    await delivered(scene)


async def test_after_two_minutes_later_answers_go_on(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that keeps failing with 5xx holds up later ones for two minutes at most; one notice says so."""
    now = Time()
    scene = await unstarted.start(bot={"clock": now, "sleep": now.sleep, "first_wait": 0.001})
    refuse_posts(monkeypatch, first_fails)
    ended = Ended(scene)
    scene.ask("first")
    await ended.reach(1)
    scene.ask("second")

    await soon(scene, lambda: any("second" in message.content for message in scene.outcomes()))

    await soon(scene, lambda: len(scene.shown()) > 1)
    await scene.app.bus.wait_until_idle()
    assert len(scene.shown()) == 2, "the second answer, and one notice"


async def test_done_is_said_of_what_is_visible(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """✅ is not on a question while a part of its answer is not shown."""
    scene = await unstarted.start(bot={**QUICK_REACTIONS, "first_wait": 0.001})
    (elsewhere,) = await channels(scene, 1)
    refuse_posts(monkeypatch, first_fails)
    ended = Ended(scene)
    asked = scene.ask("first")
    await ended.reach(1)
    other = scene.ask("second", channel=elsewhere)

    await soon(scene, lambda: DONE in signs(other))  # signs are set in order, so it was the turn of the other one

    assert DONE not in signs(asked)


async def test_it_ends_in_time_while_discord_fails(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to end while Discord fails, it ends within the grace and five seconds."""
    scene = await unstarted.start(bot={"first_wait": 0.0})
    (elsewhere,) = await channels(scene, 1)
    refuse_posts(monkeypatch, first_fails)
    ended = Ended(scene)
    scene.ask("first")
    await ended.reach(1)
    scene.ask("second", channel=elsewhere)
    await soon(scene, lambda: scene.outcomes(elsewhere))  # in that time the first answer was tried often enough
    scene.playground.faults.plan("hang", *HISTORY, seconds=2.0, committed=False, times=1_000)
    scene.ask("third")
    await before_long(lambda: ended.count == 3)

    try:
        async with asyncio.timeout(0.1 + 5.0):
            await scene.bot.wind_down(0.1)
            await scene.stop()
    finally:
        scene.playground.faults.clear()


async def test_nothing_is_posted_out_of_order_at_the_end(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to end while an answer fails, the bot posts nothing that belongs below it."""
    scene = await unstarted.start(bot={"first_wait": 1.0})
    refuse_posts(monkeypatch, first_fails)
    ended = Ended(scene)
    scene.ask("first")
    scene.ask("second")
    await ended.reach(2)

    await scene.stop()

    assert scene.shown() == []


async def test_without_the_history_it_does_not_reply(unstarted: Scene) -> None:
    """Where Discord refuses replies (160002) the answer is posted without the reference, once."""
    scene = await unstarted.start()
    deny(scene, Permission.READ_MESSAGE_HISTORY)
    await allowed(scene, "read_message_history", yes=False)
    scene.ask("hello")

    await soon(scene, scene.outcomes)

    assert [message.reference for message in scene.shown()] == [None]


def loses_answers(patch: pytest.MonkeyPatch) -> None:
    """Discord posts what the bot says in answers, but does not answer to that."""
    create = Posting.create

    def deaf(
        posting: Posting, channel: Channel, author_id: int, form: MessageForm, *rest: Any, **options: Any
    ) -> Message:
        message = create(posting, channel, author_id, form, *rest, **options)
        if author_id == BOT_ID and not is_notice(message.content):
            raise unavailable()
        return message

    patch.setattr(Posting, "create", deaf)


async def test_where_it_may_not_read_it_says_that_it_cannot_know(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Read Message History nobody can know whether a post without an answer is there: people are told so, it is
    not posted twice, and with the permission it is found.
    """
    now = Time()
    scene = await unstarted.start(bot={"clock": now, "sleep": now.sleep, "first_wait": 0.001})
    deny(scene, Permission.READ_MESSAGE_HISTORY)
    await allowed(scene, "read_message_history", yes=False)
    with monkeypatch.context() as patch:
        loses_answers(patch)
        scene.ask("hello")
        await soon(scene, lambda: [one for one in scene.shown() if one.content == str(FAILING)])
        scene.playground._posting._nonces.clear()
        await scene.bot.check()
        await soon(scene, lambda: "I can't tell whether my answer to" in scene.shown()[-1].content)
    await scene.bot.check()
    assert len(scene.shown()) == 3, "the answer, and two notices"
    assert not await nothing_owed(scene)

    deny(scene)

    await delivered(scene)
    assert len(scene.shown()) == 3


async def test_a_history_that_seems_empty_is_not_believed(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord answers as if nothing was there where the bot may not read, which discord.py may not know yet."""
    now = Time()
    scene = await unstarted.start(bot={"clock": now, "sleep": now.sleep, "first_wait": 0.001})
    monkeypatch.setattr(BotPermissions, "may_read_back", lambda *_: True)
    deny(scene, Permission.READ_MESSAGE_HISTORY)
    await allowed(scene, "read_message_history", yes=False)
    with monkeypatch.context() as patch:
        loses_answers(patch)
        scene.ask("hello")
        # The clock runs ahead with every sleep of the bot: the nonce may be too old before two minutes of failures are.
        await soon(scene, lambda: [one for one in scene.shown() if is_notice(one.content)])
        scene.playground._posting._nonces.clear()
    await scene.bot.check()

    await soon(scene, lambda: [one for one in scene.shown() if "I can't tell whether my answer to" in one.content])
    assert len([one for one in scene.shown() if not is_notice(one.content)]) == 1, "the answer, once"


async def test_a_refused_reply_is_posted_without_the_reference(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where discord.py does not know yet that replies are refused (160002), the answer is posted without one, once."""
    scene = await unstarted.start()
    refuse_posts(
        monkeypatch, lambda form, _files: ApiError(400, 160002, "No history") if form.message_reference else None
    )
    scene.ask("hello")

    await soon(scene, scene.outcomes)

    scene.playground.violations.clear()  # the refusal is the test's, not Discord's
    assert [message.reference for message in scene.shown()] == [None]


async def test_an_answer_comes_when_the_proxy_lets_it(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """After a block of a second by the proxy before Discord the answer is shown, without waiting for a check."""
    blocked = scene.playground.faults.plan("html", *CREATE, status=429, retry_after=1)
    scene.ask("hello")
    await blocked.reached()

    try:
        await soon(scene, scene.outcomes, seconds=3.0)
    finally:
        caplog.clear()  # the block was logged, as it should be

    assert blocked.hits == 1


async def test_a_refused_card_is_shown_as_text(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool card that Discord does not take is shown as text, with the tool and its result."""
    refuse_posts(monkeypatch, lambda form, _files: ApiError(400, 50035, "Invalid Form Body") if form.embeds else None)
    scene.model.reply(tool_calls=[("calculate", '{"expression": "6 * 7"}')])
    scene.model.reply("Done.")
    scene.ask("calculate")

    await scene.outcome()

    scene.playground.violations.clear()  # the refusal is the test's, not Discord's
    (card,) = scene.shown()[:-1]
    assert "calculate" in card.content
    assert "42" in card.content


async def test_a_deleted_channel_is_owed_nothing(unstarted: Scene) -> None:
    """The answers that were owed to a channel that is deleted are given up."""
    scene = await unstarted.start()
    (place,) = await channels(scene, 1)
    deny(scene, Permission.SEND_MESSAGES, channel=place)
    await allowed(scene, "send_messages", yes=False, channel=place)
    ended = Ended(scene)
    asked = scene.ask("in vain", channel=place)
    await ended.reach(1)
    await soon(scene, lambda: OWED in signs(asked))
    assert not await nothing_owed(scene)

    scene.playground.admin.delete_channel(place)

    await before_long(lambda: scene.bot.get_channel(place) is None)
    await before_long(lambda: nothing_owed(scene))
