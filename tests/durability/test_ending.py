"""Told to end: what runs may finish, what cannot goes on after the next start, and people are told."""

import asyncio

import pytest

from programs.playground.entities import GENERAL_ID
from tests.programs.discord.scene import Scene, body_of, people_said


async def test_a_running_answer_ends_within_the_grace(settled: Scene) -> None:
    """Told to end, the bot lets the running answer end and shows it; it takes nothing new up meanwhile."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="Nearly ", after="there.")
    scene.ask("first")
    await scene.until(scene.shown)

    winding = asyncio.create_task(scene.bot.wind_down(10.0))
    while not scene.bot.is_winding_down:  # noqa: ASYNC110  it begins in a task of its own
        await asyncio.sleep(0)
    scene.ask("second")
    go_on.set()
    await winding
    await scene.stop()

    assert [body_of(message.content) for message in scene.outcomes()] == ["Nearly there."]
    await scene.start()
    await scene.outcome(2)
    assert [people_said(request)[-1] for request in scene.model.requests] == ["first", "second"]


async def test_an_answer_that_takes_too_long_says_that_it_will_go_on(settled: Scene) -> None:
    """Past the grace the message says that this will go on; after the restart it does, in the same message."""
    scene, never = settled, asyncio.Event()
    scene.model.hold(never, before="I was about to ")
    scene.ask("tell me")
    await scene.until(scene.shown)

    await scene.bot.wind_down(0.05)
    await scene.stop()

    (paused,) = scene.shown()
    assert paused.content == "I was about to\n-# ⏳ Restarting. This answer will continue."
    never.set()
    scene.model.reply("I was about to say this.")
    await scene.start()
    outcome = await scene.outcome()
    assert (outcome.id, body_of(outcome.content)) == (paused.id, "I was about to say this.")
    assert len(scene.shown()) == 1


async def test_a_call_that_waits_for_a_person_is_not_waited_for(settled: Scene) -> None:
    """A turn that waits for approval does not hold up the end; its card says so and its buttons work afterwards."""
    scene = settled
    scene.model.reply(tool_calls=[("send_email", '{"to": "ada@example.com", "subject": "s", "body": "b"}')])
    scene.ask("mail me")
    await scene.until(lambda: any(message.components for message in scene.shown()))

    async with asyncio.timeout(30):  # half of the grace
        await scene.bot.wind_down(60.0)
    await scene.stop()

    (card,) = scene.shown()
    assert "Restarting" in str(card.embeds)
    await scene.start()
    await scene.until(lambda: "Restarting" not in str(scene.shown()[0].embeds))
    scene.click(scene.shown()[0], "Approve")
    await scene.outcome()
    assert len(list((scene.folder / "outbox").iterdir())) == 1


async def test_twenty_busy_sessions_end_in_time_and_finish_later(settled: Scene) -> None:
    """Twenty sessions in the middle of an answer: the end comes within the grace, and all are answered afterwards."""
    scene, never = settled, asyncio.Event()
    threads = [scene.playground.people.create_thread(GENERAL_ID, 100_000_000_000_000_021, f"t{n}") for n in range(20)]
    for _ in threads:
        scene.model.hold(never, before="I was about to ")
    for thread in threads:
        scene.ask("tell me", channel=thread.id)
    await scene.model.until(lambda: scene.model.active == 8)

    async with asyncio.timeout(8):
        await scene.bot.wind_down(0.5)
        await scene.stop()

    never.set()
    scene.model._answers.clear()
    await scene.start()
    for thread in threads:
        await scene.until(lambda thread=thread: scene.outcomes(thread.id))  # type: ignore[misc]  # bound in the loop
    assert all(len(scene.outcomes(thread.id)) == len(scene.shown(thread.id)) == 1 for thread in threads)


@pytest.mark.parametrize("loss", ["drop", "invalidate"])
@pytest.mark.parametrize("steps", [0, 24, 48, 200])
async def test_it_ends_also_while_it_connects_anew(settled: Scene, steps: int, loss: str) -> None:
    """However the connection was lost, and however far it has come with a new one, the end comes soon."""
    getattr(settled.playground.gateway, loss)()
    for _ in range(steps):
        await asyncio.sleep(0)

    async with asyncio.timeout(4):  # discord.py itself would wait for five seconds, or for ever
        await settled.stop()
