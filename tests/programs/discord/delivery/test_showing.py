"""What people see of an answer: status reactions, replies and pings, flags, previews of links, /why."""

import contextlib
from collections.abc import Callable

import pytest

from programs.playground.entities import GRACE_ID, Flag, Message
from programs.playground.errors import ApiError
from programs.playground.forms import MessageForm
from tests.programs.discord.delivery.delivery_scene import (
    CREATE,
    DELETE,
    Ended,
    answered_anew,
    attempt_ended,
    before_long,
    marked,
    refuse_posts,
    reword,
    soon,
    stages,
    unavailable,
)
from tests.programs.discord.scene import Scene, body_of

PAYING = "pay", '{"amount": 3}'
LINK = "See https://example.com/page for more."


async def pay(amount: int) -> str:
    """Pay.

    Args:
        amount: How much.
    """
    return f"Paid {amount}."


async def with_approvals(scene: Scene) -> Scene:
    """Start the bot with a tool that somebody has to approve."""
    return await scene.start(tools=(pay,), tool_options={"requires_approval": True})


async def checked(scene: Scene, state: Callable[[], bool]) -> bool:
    """Whether the state is there, after one more of the checks that the bot makes every few minutes."""
    await scene.bot.check()
    return state()


def previews_suppressed(message: Message) -> bool:
    """Whether Discord shows no previews of the links in a message; its embeds it does not show then either."""
    return bool(message.flags & Flag.SUPPRESS_EMBEDS)


def anew_by_edit(scene: Scene, asked: Message) -> None:
    """Have the question answered again: its author edits it."""
    reword(scene, asked)


def anew_by_button(scene: Scene, _asked: Message) -> None:
    """Have the question answered again: somebody presses the button."""
    scene.click(scene.outcomes()[-1], "Regenerate")


async def test_what_comes_after_other_messages_replies(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of an answer that comes after somebody else's message replies to the question, and pings."""
    scene = await unstarted.start(bot={"first_wait": 0.001})
    down = True

    def refusal(form: MessageForm, _files: object) -> ApiError | None:
        return unavailable() if down and "two" in (form.content or "") else None

    refuse_posts(monkeypatch, refusal)
    scene.model.reply(marked("one", "two"))
    ended = Ended(scene)
    asked = scene.ask("tell me", by=GRACE_ID)
    await ended.reach(1)
    await soon(scene, scene.shown)
    said = scene.say("Something else.")
    await before_long(lambda: getattr(scene.bot.get_channel(said.channel_id), "last_message_id", 0) == said.id)
    down = False

    await before_long(lambda: checked(scene, lambda: bool(scene.outcomes())))

    rest = scene.shown()[-1]
    assert rest.reference is not None
    assert rest.reference.message_id == asked.id
    assert rest.mentions == [GRACE_ID]


async def test_nothing_of_a_stopped_answer_stays(unstarted: Scene) -> None:
    """A message of a stopped answer that Discord takes long to post goes when the question is answered again."""
    scene = await unstarted.start()
    late = scene.playground.faults.plan("delay", *CREATE, nth=2)
    stages(scene, marked("one", "two", "three"), "the end")
    asked = scene.ask("tell me")
    await late.reached()
    scene.command("stop")
    await before_long(lambda: attempt_ended(scene, asked, 1))
    scene.model.reply("new")
    reword(scene, asked)
    await before_long(lambda: attempt_ended(scene, asked, 2))
    with contextlib.suppress(TimeoutError):  # it may be waited for
        await soon(scene, scene.outcomes, seconds=1.0)
    late.release()

    await answered_anew(scene, asked)

    await scene.bot.check()
    await soon(
        scene,
        lambda: any(record.status == 200 and "two" in str(record.request) for record in scene.playground.requests),
    )
    assert [body_of(message.content) for message in scene.shown()] == ["new"]


async def test_a_deletion_that_fails_is_made_up_for(unstarted: Scene) -> None:
    """What was shown of a stopped answer goes when it is regenerated, also when Discord fails at first."""
    scene = await unstarted.start(bot={"first_wait": 0.0})
    stages(scene, marked("one", "two", "three"), "the end")
    asked = scene.ask("tell me")
    await soon(scene, lambda: len(scene.shown()) == 3)
    scene.command("stop")
    await scene.outcome()
    scene.playground.faults.plan("error", *DELETE, status=503, times=30)
    scene.model.reply("new")
    scene.click(scene.outcomes()[-1], "Regenerate")
    await before_long(lambda: attempt_ended(scene, asked, 2))
    await scene.app.bus.wait_until_idle()

    scene.playground.faults.clear()

    await before_long(lambda: checked(scene, lambda: [body_of(one.content) for one in scene.shown()] == ["new"]))


@pytest.mark.parametrize("anew", [anew_by_edit, anew_by_button])
async def test_a_card_in_place_of_a_text_is_visible(unstarted: Scene, anew: Callable[[Scene, Message], None]) -> None:
    """An approval card that takes the place of a text shows what is to be approved."""
    scene = await with_approvals(unstarted)
    asked = scene.ask("first")
    await scene.outcome()
    scene.model.reply(tool_calls=[PAYING])

    anew(scene, asked)

    card = await soon(scene, lambda: next((one for one in scene.shown() if one.embeds), None))
    assert card is not None
    assert not previews_suppressed(card)


async def test_a_card_after_a_wait_for_the_model_is_visible(unstarted: Scene) -> None:
    """An approval card in the message that told of a 429 of the model's shows what is to be approved."""
    scene = await with_approvals(unstarted)
    scene.model.fail(429, headers={"Retry-After": "1"})
    scene.model.reply(tool_calls=[PAYING])
    scene.ask("pay")

    card = await soon(scene, lambda: next((one for one in scene.shown() if one.embeds), None))

    assert card is not None
    assert not previews_suppressed(card)


async def test_a_text_in_place_of_a_card_has_no_previews(unstarted: Scene) -> None:
    """The model's words have previews suppressed also in a message that was a card before."""
    scene = await unstarted.start()
    scene.model.reply(tool_calls=[("calculate", '{"expression": "6 * 7"}')])
    asked = scene.ask("calculate")
    await scene.outcome()
    scene.model.reply(LINK)

    reword(scene, asked)

    await answered_anew(scene, asked)
    (text,) = scene.shown()
    assert "See <https://example.com/page> for more." in text.content
    assert previews_suppressed(text)
