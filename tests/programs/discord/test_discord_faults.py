"""Discord at its worst: rate limits, deleted messages, archived threads, lost connections."""

import asyncio

import pytest

from programs.playground.entities import ADA_ID, GENERAL_ID, Json
from programs.playground.faults import Effect
from programs.playground.forms import ThreadChanges
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from tests.programs.discord.delivery.delivery_scene import Time
from tests.programs.discord.scene import PLENTY, Scene, body_of


@pytest.fixture
def narrow() -> Rules:
    return Rules(create=Window(2, 0.2), edit=Window(2, 0.2), other=PLENTY, everything=PLENTY)


class TestNarrow:
    """With buckets so small that the bot runs into them all the time."""

    @pytest.fixture
    async def playground(self, narrow: Rules):  # type: ignore[no-untyped-def]  # a fixture that yields
        async with Playground(rules=narrow) as running:
            yield running

    async def test_every_outcome_is_right_under_rate_limits(self, scene: Scene) -> None:
        """Whatever is refused for a while, all answers end up whole, once, and in order."""
        for number in range(4):
            scene.model.reply(f"{number}: " + "word " * 100)
        for number in range(4):
            scene.ask(f"question {number}")

        await scene.outcome(4)

        expected = [f"{number}: " + ("word " * 100).strip() for number in range(4)]
        assert [body_of(message.content) for message in scene.shown()] == expected


CREATE = ("POST", "/channels/{channel_id}/messages")
EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")


@pytest.mark.parametrize("route", [CREATE, EDIT], ids=["create", "edit"])
@pytest.mark.parametrize(
    ("effect", "options"),
    [
        ("error", {"status": 503}),
        ("error", {"status": 503, "times": 3}),
        ("error", {"status": 503, "committed": True}),
        ("reset", {"committed": True}),
        ("reset", {"committed": False}),
        ("rate_limit", {"retry_after": 0.05}),
        ("rate_limit", {"retry_after": 0.05, "scope": "global"}),
        ("rate_limit", {"retry_after": 0.05, "scope": "shared"}),
    ],
    ids=["503", "503s", "503 after", "reset after", "reset before", "429", "429 global", "429 shared"],
)
async def test_a_request_that_fails_is_made_once_in_the_end(
    scene: Scene, route: tuple[str, str], effect: Effect, options: Json
) -> None:
    """Whether a failed request arrived or not, the answer is shown once and whole."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="The beginning ", after="and the end.")
    planned = scene.playground.faults.plan(effect, *route, **options)
    scene.ask("talk")
    await scene.until(scene.shown)
    go_on.set()

    outcome = await scene.outcome()

    assert planned.hits > 0
    assert body_of(outcome.content) == "The beginning and the end."
    assert len(scene.shown()) == 1


@pytest.mark.parametrize("route", [CREATE, EDIT], ids=["create", "edit"])
async def test_what_discord_refuses_for_good_holds_up_nothing(scene: Scene, route: tuple[str, str]) -> None:
    """A part that Discord refuses is given up at once; it counts as dealt with, and the next answer is shown."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="The beginning ", after="and the end.")
    planned = scene.playground.faults.plan("error", *route, status=403, times=2 if route == CREATE else 1)
    scene.ask("talk")
    await scene.until(lambda: planned.hits or route == EDIT)
    go_on.set()
    scene.ask("hello")

    await scene.until(lambda: any("hello" in outcome.content for outcome in scene.outcomes()))

    await scene.delivered()
    assert planned.spent


async def test_a_refused_preview_is_no_refused_answer(scene: Scene) -> None:
    """The final text is tried once more, also where Discord did not take what came before it."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="Something unfit", after=" was not said.")
    planned = scene.playground.faults.plan("error", *CREATE, status=403)
    scene.ask("talk")
    await scene.until(lambda: planned.spent)
    go_on.set()

    outcome = await scene.outcome()

    assert body_of(outcome.content) == "Something unfit was not said."


async def test_a_deleted_answer_is_stopped(scene: Scene) -> None:
    """Whoever deletes the bot's message while it streams wants no more of it: the model is not asked on."""
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="I will ", after="be back")
    scene.ask("talk")
    half = await scene.until(lambda: next(iter(scene.shown()), None))
    assert half is not None
    scene.model.hold(go_on, before="I will go on ", after="and on")
    scene.playground.state.delete_message(half)
    go_on.set()
    scene.ask("and now?")

    await scene.outcome()

    assert half.id not in [message.id for message in scene.shown()]


async def test_an_archived_thread_is_opened_for_an_edit(scene: Scene) -> None:
    """A thread that is archived while the answer streams is opened again for it."""
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="The beginning ", after="and the end.")
    scene.ask("talk", channel=thread.id)
    await scene.until(lambda: scene.shown(thread.id))
    scene.playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True))
    go_on.set()

    outcome = await scene.outcome(channel=thread.id)

    assert body_of(outcome.content) == "The beginning and the end."


async def test_a_dropped_gateway_loses_nothing(scene: Scene) -> None:
    """A connection that drops in the middle of an answer is resumed, and what was said meanwhile is answered once."""
    scene.ask("before")
    await scene.outcome()

    scene.playground.gateway.drop(4000)
    scene.ask("meanwhile")

    await scene.outcome(2)
    assert len(scene.shown()) == 2


async def test_an_unreachable_discord_leaves_the_part_for_later(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that could not be sent for two minutes is owed, and is sent when Discord is back."""
    scene = await unstarted.start(bot={"sleep": Time().sleep})

    async def cut_off(*_: object, **__: object) -> None:
        raise ConnectionResetError

    scene.ask("hello")
    await scene.outcome()
    monkeypatch.setattr(scene.bot.http, "send_message", cut_off)
    scene.ask("nobody hears")
    await scene.model.until(lambda: len(scene.model.requests) == 2 and not scene.model.active)
    while not await scene.app.store.undelivered("discord"):
        await scene.app.bus.wait_until_idle()
    await scene.bot.all_delivered()
    assert len(scene.shown()) == 1
    monkeypatch.undo()
    await scene.bot.on_resumed()

    await scene.outcome(2)
    assert len(scene.shown()) == 2
