"""One person with many busy threads: how long another waits, counted in calls of the model."""

import asyncio

from aiohttp import web

from llmgine.messages.events import TurnStartedEvent
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.programs.discord.scene import Scene, people_said
from tests.waiting import patience

THREADS, SLOTS = 24, 8


class Gate:
    """Lets the model's answers out one by one."""

    def __init__(self, model: ChatCompletionsServer, answers: int) -> None:
        self._open = asyncio.Semaphore(0)
        for _ in range(answers):
            model.answer(self._answer)

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        await self._open.acquire()
        await exchange.text("Done.")
        await exchange.chunk({}, "stop")
        return await exchange.end()

    def release(self) -> None:
        """Let one answer out."""
        self._open.release()


async def threads(scene: Scene, by: int, count: int) -> list[int]:
    """New threads of a person, in which they ask."""
    people = scene.playground.people
    made = [people.create_thread(GENERAL_ID, by, f"thread {number}").id for number in range(count)]
    for number, thread in enumerate(made):
        scene.ask(f"question {number} of {by}", by=by, channel=thread)
    return made


async def started(scene: Scene, counted: list[TurnStartedEvent], times: int) -> None:
    """Wait until so many turns run, which is when they wait for their slots."""
    async with patience("the turns to begin"):
        while len(counted) < times:
            await scene.app.bus.wait_until_idle()
            await asyncio.sleep(0.01)


async def test_one_call_at_most_is_made_before_that_of_another(unstarted: Scene) -> None:
    """While 24 threads of one member are busy, the next slot that is freed is another member's, in each round."""
    scene = await unstarted.start(messages_per_minute=0)
    turns: list[TurnStartedEvent] = []
    scene.app.bus.register_event_handler(TurnStartedEvent, turns.append)
    gate = Gate(scene.model, THREADS + 2)
    await threads(scene, ADA_ID, THREADS)
    await until(scene, SLOTS)
    await started(scene, turns, THREADS)

    for question in (1, 2):
        before = len(scene.model.requests)
        [thread] = await threads(scene, GRACE_ID, 1)
        await started(scene, turns, THREADS + question)
        gate.release()
        await until(scene, requests=before + 1)

        assert people_said(scene.model.requests[before]) == [f"question 0 of {GRACE_ID}"]

        for _ in range(SLOTS):  # the answers are let out in the order of their requests, and hers was the last
            gate.release()
        await scene.until(lambda thread=thread: scene.outcomes(thread))  # type: ignore[misc]
        await until(scene, requests=before + 1 + SLOTS)

    for _ in range(THREADS):
        gate.release()
    await until(scene, requests=THREADS + 2)


async def until(scene: Scene, requests: int) -> None:
    """Wait until the model was asked so often."""
    await scene.model.until(lambda: len(scene.model.requests) == requests)
