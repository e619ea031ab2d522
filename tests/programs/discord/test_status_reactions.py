"""Signs: what the reactions on a person's message say of its turn."""

import asyncio

import pytest

from llmgine.messages.commands import StopTurnCommand
from llmgine.messages.events import TurnFinishedEvent, TurnStartedEvent
from llmgine.sessions.clock import now
from programs.discord.delivery.delivered_event import TurnDeliveredEvent
from programs.discord.ids import SOURCE, Origin, Place, session_id
from programs.discord.status_reactions import ENDED, PLACES, WAITING, WORKING
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, RANDOM_ID, Message, Permission
from programs.playground.forms import ThreadChanges
from tests.durability.waiting import eventually
from tests.programs.discord.scene import Scene
from tests.waiting import patience

QUICK = {"reaction_interval": 0.01, "reaction_delay": 0.0}
REACTION = "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me"
MESSAGE = "/channels/{channel_id}/messages/{message_id}"
OWED = "❌"  # a reaction that is no sign: people are told by it that the bot may not write where they asked


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


async def test_no_request_is_wasted_on_an_answer_that_comes_at_once(signing: Scene) -> None:
    """Where the answer is delivered as soon as its turn has ended, its sign replaces that of the turn that ran."""
    go_on = asyncio.Event()
    signing.model.hold(go_on)
    asked = signing.ask("hello")
    await signed(signing, asked, WORKING)
    go_on.set()
    await signed(signing, asked, ENDED["done"])
    await nothing_left(signing)

    assert requests(signing) == ["PUT", "PUT", "DELETE"]
    assert [record for record in signing.playground.requests if (record.method, record.route) == ("GET", MESSAGE)] == []


async def test_signs_appear_in_dms(signing: Scene) -> None:
    """A question in a DM gets its sign too, though discord.py does not know the channel."""
    dm = signing.playground.people.open_dm(ADA_ID)

    await signed(signing, signing.say("hello", channel=dm.id), ENDED["done"])


async def test_a_thread_that_was_archived_meanwhile(signing: Scene) -> None:
    """A question in a thread that is archived while it is answered gets its sign: the answer opens the thread again."""
    thread = signing.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    go_on = asyncio.Event()
    signing.model.hold(go_on)
    await eventually(lambda: signing.bot.get_channel(thread.id))
    asked = signing.ask("hello", channel=thread.id)
    await signed(signing, asked, WORKING)
    signing.playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True))
    await eventually(lambda: signing.bot.get_channel(thread.id) is None)
    go_on.set()

    await signed(signing, asked, ENDED["done"])


async def test_an_outcome_that_is_not_visible_has_no_sign(signing: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an answer cannot be shown nothing says that its turn runs or is done; once it is visible, it is done."""
    monkeypatch.setattr("programs.discord.status_reactions._GRACE", 0.05)
    asked = await asked_where_it_may_not_write(signing)
    await signed(signing, asked, OWED)

    signing.playground.admin.overwrite(GENERAL_ID, BOT_ID)

    await signed(signing, asked, ENDED["done"])


async def test_an_end_leaves_no_sign_of_a_turn_that_is_over(signing: Scene) -> None:
    """When the bot is closed just after a turn ended, nothing says that the turn runs, though it is not visible yet."""
    asked = await asked_where_it_may_not_write(signing)
    await signed(signing, asked, WORKING, OWED)

    await signing.stop()

    await signed(signing, asked, OWED)


async def test_an_outcome_of_an_earlier_process_gets_its_sign(signing: Scene) -> None:
    """What ended before a kill gets its sign when it is delivered, in place of whatever was left on it."""
    asked = await asked_where_it_may_not_write(signing)
    await signed(signing, asked, WORKING, OWED)
    await signing.stop()
    for left in (WORKING, PLACES[0]):  # as if there had been no time to take it away
        signing.playground.state.add_reaction(asked, left, BOT_ID)
    await signing.start(bot=QUICK)
    await signed(signing, asked, WORKING, PLACES[0], OWED)

    signing.playground.admin.overwrite(GENERAL_ID, BOT_ID)

    await eventually(lambda: ENDED["done"] in asked.reactions)
    await nothing_left(signing)
    assert {WORKING, PLACES[0]} & asked.reactions.keys() == set()


async def test_what_is_answered_again_is_not_done(signing: Scene) -> None:
    """That the earlier answer became visible says nothing of a turn that runs again meanwhile."""
    go_on = asyncio.Event()
    signing.model.hold(go_on)
    asked = signing.ask("hello")
    await signed(signing, asked, WORKING)
    turn_id = await signing.app.store.turns.of_message(SOURCE, str(asked.id))
    general = Place.of(signing.bot.get_channel(GENERAL_ID))

    await signing.app.bus.publish(
        TurnDeliveredEvent(
            session_id=session_id(GENERAL_ID),
            turn_id=str(turn_id),
            source=SOURCE,
            origin=Origin.at(general, asked.id).as_json(),
            state="done",
        )
    )

    await signing.app.bus.wait_until_idle()
    await nothing_left(signing)
    await signed(signing, asked, WORKING)
    go_on.set()


async def test_what_is_answered_again_is_not_done_though_its_last_message_is_another(unstarted: Scene) -> None:
    """A turn that runs again has one sign, though another of its messages is the one it replies to since."""
    go_on, busy = asyncio.Event(), [False]
    signing = await unstarted.start(bot={**QUICK, "is_busy": lambda: busy[0]})
    signing.model.hold(go_on)
    asked = signing.ask("hello")
    await signed(signing, asked, WORKING)
    turn_id = await signing.app.store.turns.of_message(SOURCE, str(asked.id))
    last = signing.say("and another thing")
    busy[0] = True
    go_on.set()
    await signing.outcome()
    general = Place.of(signing.bot.get_channel(GENERAL_ID))

    await signing.app.bus.publish(
        TurnStartedEvent(
            session_id=session_id(GENERAL_ID),
            turn_id=str(turn_id),
            source=SOURCE,
            origin=Origin.at(general, last.id).as_json(),
            attempt=2,
            resumed=False,
        )
    )

    await signing.app.bus.wait_until_idle()
    busy[0] = False
    await nothing_left(signing)
    await signed(signing, asked, WORKING)


async def test_a_sign_that_was_put_off_is_not_set_once_the_turn_runs_again(signing: Scene) -> None:
    """While Discord takes no sign the question is edited and asked again: nothing says that it is answered."""
    go_on = asyncio.Event()
    signing.model.hold(go_on)
    asked = signing.ask("hello")
    await signed(signing, asked, WORKING)
    limited = signing.playground.faults.plan("rate_limit", "PUT", REACTION, retry_after=3.0)
    go_on.set()
    await limited.reached()
    again = asyncio.Event()
    signing.model.hold(again)
    before = len(requests(signing))

    signing.playground.people.edit(GENERAL_ID, asked.id, ADA_ID, f"{asked.content}, once more")

    await signing.until(lambda: len(signing.model.requests) == 2)
    await nothing_left(signing)
    assert requests(signing)[before:] == []
    assert WORKING in asked.reactions
    again.set()
    await signed(signing, asked, ENDED["done"])


async def test_a_request_that_hangs_keeps_no_other_sign_from_being_set(
    signing: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a request left that was given up is read, and set right; the signs of others do not wait for it."""
    monkeypatch.setattr("programs.discord.status_reactions._TIMEOUT", 0.1)
    hanging = signing.playground.faults.plan("delay", "PUT", REACTION)
    unread = signing.playground.faults.plan("delay", "GET", MESSAGE, times=1_000)
    go_on = asyncio.Event()
    signing.model.hold(go_on)
    asked = signing.ask("hello")
    await hanging.reached()
    await unread.reached()

    await signed(signing, signing.ask("hello", channel=RANDOM_ID), ENDED["done"])
    signing.playground.faults.clear()
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
    signing.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.ADD_REACTIONS)
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
    signing, go_on = await unstarted.start(bot={**QUICK, "reaction_delay": 1.5}), asyncio.Event()
    channels = [signing.playground.admin.add_channel(f"busy-{number}").id for number in range(25)]
    await eventually(lambda: all(signing.bot.get_channel(channel) for channel in channels))
    for _ in channels:
        signing.model.hold(go_on)
    for channel in channels:
        signing.ask("hello", channel=channel)
    await eventually(lambda: signing.bot.is_busy)
    await nothing_left(signing)  # all were due
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


async def asked_where_it_may_not_write(scene: Scene) -> Message:
    """A question, and the end of its turn, in a channel where the bot may not write any more when that ends."""
    go_on, ended = asyncio.Event(), asyncio.Event()
    scene.model.hold(go_on)
    scene.app.bus.register_event_handler(TurnFinishedEvent, lambda _event: ended.set())
    asked = scene.ask("hello")
    await signed(scene, asked, WORKING)
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.SEND_MESSAGES)
    go_on.set()
    async with patience("the turn to end"):
        await ended.wait()
        await scene.app.bus.wait_until_idle()
    return asked


async def nothing_left(scene: Scene) -> None:
    """Wait until there is no sign to be set."""
    async with patience("all signs to be set"):
        await scene.bot.reactions_settled()
