"""Signs: what the reactions on a person's message say of its turn."""

import asyncio

import pytest

from llmgine.messages.commands import StopTurnCommand
from llmgine.sessions.clock import now
from programs.discord.signs import ENDED, PLACES, WAITING, WORKING
from programs.playground.entities import BOT_ID, GENERAL_ID, Message, Permission
from tests.durability.waiting import eventually
from tests.programs.discord.scene import Scene
from tests.waiting import patience

QUICK = {"sign_interval": 0.01, "sign_delay": 0.0}
REACTION = "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me"


@pytest.fixture
async def signing(unstarted: Scene) -> Scene:
    """A scene whose bot takes no time over its signs."""
    return await unstarted.start(bot=QUICK)


async def signed(scene: Scene, message: Message, *signs: str) -> None:
    """Wait until exactly these are the bot's reactions."""

    def found() -> bool:
        return {sign for sign, who in message.reactions.items() if BOT_ID in who} == set(signs)

    await scene.until(found)


def requests(scene: Scene) -> list[str]:
    return [record.method for record in scene.playground.requests if record.route == REACTION]


async def test_a_sign_follows_its_turn(signing: Scene) -> None:
    """Working while the model is asked, then done; one sign at a time is left."""
    go_on = asyncio.Event()
    signing.model.hold(go_on)
    asked = signing.ask("hello")

    await signed(signing, asked, WORKING)
    go_on.set()

    await signed(signing, asked, ENDED["done"])


async def test_who_waits_sees_the_place(signing: Scene) -> None:
    """A message that is queued shows how many are before it, and moves up."""
    first, second = asyncio.Event(), asyncio.Event()
    signing.model.hold(first)
    signing.model.hold(second)
    asked = [signing.ask(text) for text in ("a", "b", "c")]

    await signed(signing, asked[1], PLACES[0])
    await signed(signing, asked[2], PLACES[1])
    first.set()
    await signed(signing, asked[2], PLACES[0])
    second.set()

    for message in asked:
        await signed(signing, message, ENDED["done"])


async def test_failed_stopped_and_waiting_have_their_signs(unstarted: Scene) -> None:
    """A failure, a stop and a call that waits for approval are told apart."""

    async def pay(amount: int) -> str:
        """Pay.

        Args:
            amount: How much.
        """
        return f"Paid {amount}."

    scene = await unstarted.start(bot=QUICK, tools=(pay,), tool_options={"requires_approval": True})
    scene.model.fail(401)
    failed = scene.ask("hello")
    await signed(scene, failed, ENDED["failed"])

    scene.model.reply(tool_calls=[("pay", '{"amount": 3}')])
    asked = scene.ask("pay")
    await signed(scene, asked, WAITING)
    await scene.app.bus.execute(StopTurnCommand(session_id=f"discord:{GENERAL_ID}"))

    await signed(scene, asked, ENDED["stopped"])


async def test_a_restart_sets_stale_signs_right(signing: Scene) -> None:
    """What an earlier process left on open turns is replaced."""
    go_on = asyncio.Event()
    signing.model.hold(go_on)
    signing.model.hold(go_on)
    asked = [signing.ask("a"), signing.ask("b")]
    await signed(signing, asked[0], WORKING)
    await signed(signing, asked[1], PLACES[0])

    await signing.stop()
    signing.playground.people.react(GENERAL_ID, asked[0].id, asked[1].author_id, PLACES[0])
    go_on.set()
    await signing.start(bot=QUICK)

    await signed(signing, asked[0], ENDED["done"])
    await signed(signing, asked[1], ENDED["done"])
    assert PLACES[0] in asked[0].reactions, "a person's own reaction stays"


async def test_without_the_permission_nothing_is_asked_for(signing: Scene) -> None:
    """Where the bot may not react it does not try, and answers all the same."""
    signing.playground.world.overwrite(GENERAL_ID, BOT_ID, deny=Permission.ADD_REACTIONS)
    asked = signing.ask("hello")

    await signing.outcome()
    await nothing_left(signing)

    assert requests(signing) == []
    assert asked.reactions == {}


async def test_a_message_that_is_gone_is_let_be(signing: Scene) -> None:
    """A sign whose message was deleted is forgotten, without a word in the log."""
    go_on = asyncio.Event()
    signing.model.hold(go_on)
    asked = signing.ask("hello")
    await signed(signing, asked, WORKING)
    signing.playground.faults.plan("error", "PUT", REACTION, status=404)
    go_on.set()

    await signing.outcome()
    await nothing_left(signing)


async def test_while_the_bot_is_busy_signs_wait(unstarted: Scene) -> None:
    """With many turns at once nothing is sent for signs, but what would mislead is set right afterwards."""
    go_on, busy = asyncio.Event(), [False]
    signing = await unstarted.start(bot={**QUICK, "is_busy": lambda: busy[0]})
    signing.model.hold(go_on)
    asked = signing.ask("hello")
    await signed(signing, asked, WORKING)
    before = len(requests(signing))
    busy[0] = True
    go_on.set()
    late = signing.ask("again")
    await signing.outcome(2)
    assert len(requests(signing)) == before

    busy[0] = False

    await signed(signing, asked, ENDED["done"])
    assert late.reactions == {}


async def test_many_turns_at_once_get_no_signs(unstarted: Scene) -> None:
    """With more turns than previews have room for, not one request is spent on signs, and none is over a limit."""
    signing, go_on = await unstarted.start(bot={**QUICK, "sign_delay": 0.2}), asyncio.Event()
    channels = [signing.playground.world.add_channel(f"busy-{number}").id for number in range(25)]
    await eventually(lambda: all(signing.bot.get_channel(channel) for channel in channels))
    for _ in channels:
        signing.model.hold(go_on)
    for channel in channels:
        signing.ask("hello", channel=channel)
    await eventually(lambda: signing.bot.is_busy)
    before = len(requests(signing))
    go_on.set()
    for channel in channels:
        await signing.outcome(channel=channel)

    assert before == 0
    assert [record for record in signing.playground.requests if record.status == 429] == []


async def test_the_sign_of_a_question_with_a_thread_of_its_own(signing: Scene) -> None:
    """Where each question gets a thread the sign is on the question, in the channel."""
    await signing.app.store.settings.change(f"discord:{GENERAL_ID}", "threads", "auto", None, now())

    await signed(signing, signing.ask("hello"), ENDED["done"])


async def nothing_left(scene: Scene) -> None:
    """Wait until there is no sign to be set."""
    async with patience("all signs to be set"):
        await scene.bot.signs_settled()
