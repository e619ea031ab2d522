"""Anything in any order between people, Discord, the store and the bot's own ends, against a plain list of messages.

A failure prints the seed and the steps; `SEED=n` runs the same again, and `EXAMPLES=n` runs more: 300 are ten minutes.
What happens between two steps depends on sockets and threads, so a fault that is a matter of moments may need several
runs of its seed, and Hypothesis calls it flaky; its steps are printed all the same.

The bot is whole: the real client on real sockets, the real engine and store; only the model is the offline demo. So
what is found is what people would see, and an answer, an edit or a kill costs a few milliseconds in one event loop.
"""

import asyncio
import gc
import os
import random
from collections.abc import Coroutine

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from programs.playground.entities import ADA_ID, GRACE_ID
from tests.programs.discord.incoming.believed import Entry
from tests.programs.discord.incoming.stage import TURNS, Stage
from tests.programs.discord.incoming.trouble import READ, READING, WRITING

_people = st.sampled_from([ADA_ID, GRACE_ID])
_which = st.integers(min_value=0, max_value=50)
_newest = st.integers(min_value=0, max_value=5)  # counted from the end


class FeedMachine(RuleBasedStateMachine):
    """A stage that lives through the steps, in an event loop of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stage = Stage()
        self.cursors: dict[int, int] = {}
        try:
            self.runner.run(self.stage.open())
        except BaseException:
            self.runner.close()
            raise

    def _go(self, step: Coroutine[None, None, None] | None = None, turns: int = 3) -> None:
        """Do it, and let what is under way go on a little."""

        async def go() -> None:
            if step is not None:
                await step
            for _ in range(turns):
                await asyncio.sleep(0)

        self.runner.run(go())

    def _place(self, which: int) -> int:
        return self.stage.places[which % len(self.stage.places)]

    def _entry(self, newest: int) -> Entry | None:
        there = [one for one in self.stage.believed.entries if not one.deleted]
        return there[-1 - newest % len(there)] if there else None

    @rule(which=_which, by=_people, how=st.sampled_from(["ask", "ask", "talk", "reply"]))
    def live(self, which: int, by: int, how: str) -> None:
        """Somebody writes."""

        async def step() -> None:
            self.stage.write(self._place(which), by, how)

        self._go(step())

    @rule(which=_which, count=st.integers(min_value=2, max_value=2 * TURNS))
    def page(self, which: int, count: int) -> None:
        """Somebody writes so much that a read has several pages, or that it is more than is answered late."""

        async def step() -> None:
            for _ in range(count):
                self.stage.write(self._place(which), ADA_ID)

        self._go(step())

    @rule(which=_which)
    def lose(self, which: int) -> None:
        """Somebody writes, and Discord never tells of it."""

        async def step() -> None:
            self.stage.write(self._place(which), ADA_ID, lost=True)

        self._go(step())

    @rule(newest=_newest, how=st.sampled_from(["ask", "ask", "talk"]), lost=st.booleans())
    def edit(self, newest: int, how: str, *, lost: bool) -> None:
        """Somebody changes what they wrote."""

        async def step() -> None:
            if entry := self._entry(newest):
                self.stage.edit(entry, how, lost=lost)

        self._go(step())

    @rule(newest=_newest, lost=st.booleans())
    def delete(self, newest: int, *, lost: bool) -> None:
        """Somebody takes back what they wrote."""

        async def step() -> None:
            if entry := self._entry(newest):
                self.stage.delete(entry, lost=lost)

        self._go(step())

    @precondition(lambda self: len(self.stage.places) < 6)
    @rule()
    def new_thread(self) -> None:
        """Somebody opens a thread."""

        async def step() -> None:
            self.stage.new_thread()

        self._go(step())

    @rule(how=st.sampled_from(["drop", "invalidate", "ask_to_reconnect"]))
    def gap(self, how: str) -> None:
        """The connection ends: it is resumed, or begins anew."""

        async def step() -> None:
            if how == "invalidate":
                self.stage.disturbed()
            getattr(self.stage.playground.gateway, how)()

        self._go(step())

    @rule(how=st.sampled_from(["unavailable", "reset", "nonsense"]), times=st.integers(min_value=1, max_value=2))
    def read_fails(self, how: str, times: int) -> None:
        """The next reads fail, but not so often that live messages stop waiting for them."""

        async def step() -> None:
            self.stage.playground.faults.clear()
            self.stage.reads.nonsense = times if how == "nonsense" else 0
            if how == "unavailable":
                self.stage.playground.faults.plan("error", *READ, status=503, times=times)
            elif how == "reset":
                self.stage.playground.faults.plan("reset", *READ, times=times)

        self._go(step())

    @rule(status=st.sampled_from([403, 503]))
    def read_is_refused(self, status: int) -> None:
        """Reads are refused, or fail so often that live messages no longer wait for them."""

        async def step() -> None:
            self.stage.loosened()
            self.stage.playground.faults.plan("error", *READ, status=status, times=1 if status == 403 else 4)

        self._go(step())

    @rule()
    def hold_reads(self) -> None:
        """Reads get no answer for now."""
        self.stage.reads.hold()

    @rule()
    def release_reads(self) -> None:
        """Those that are held are answered."""
        self.stage.reads.release()
        self._go()

    @rule(name=st.sampled_from(READING + WRITING), times=st.integers(min_value=1, max_value=3))
    def store_fails(self, name: str, times: int) -> None:
        """An operation of the store fails the next times."""
        self.stage.store.failing[name] = times

    @precondition(lambda self: not self.stage.in_outage)
    @rule(listed=st.booleans())
    def outage(self, *, listed: bool) -> None:
        """The server is unavailable; READY of a bot that starts meanwhile may not even name it."""

        async def step() -> None:
            self.stage.disturbed()
            self.stage.in_outage = True
            self.stage.playground.gateway.outage(listed=listed or self.stage.lives.is_up)

        self._go(step())

    @precondition(lambda self: self.stage.in_outage)
    @rule()
    def restore(self) -> None:
        """The server is back."""

        async def step() -> None:
            self.stage.in_outage = False
            self.stage.playground.gateway.restore()

        self._go(step())

    @precondition(lambda self: self.stage.lives.is_up)
    @rule()
    def rotate(self) -> None:
        """The rotation looks at one place."""

        async def step() -> None:
            self.stage.feeds._look_at_one()

        self._go(step())

    @precondition(lambda self: self.stage.lives.is_up)
    @rule()
    def check(self) -> None:
        """The bot looks where somebody wrote lately."""
        self._go(self.stage.scene.bot.check())

    @precondition(lambda self: self.stage.lives.is_up)
    @rule()
    def stop(self) -> None:
        """The bot is told to end."""

        async def step() -> None:
            self.stage.disturbed()
            self.stage.reads.release()  # what shows answers waits for those too; test_feed_ends has ends without them
            left = await self.stage.lives.stop()
            assert left == [], "tasks go on after the end"

        self._go(step())

    @precondition(lambda self: self.stage.lives.is_up)
    @rule()
    def kill(self) -> None:
        """The bot is killed."""

        async def step() -> None:
            self.stage.disturbed()
            await self.stage.lives.kill()

        self._go(step())

    @precondition(lambda self: not self.stage.lives.is_up)
    @rule()
    def start(self) -> None:
        """The bot starts again."""
        self._go(self.stage.start())

    @rule(turns=st.sampled_from([10, 30, 100, 300]))
    def time_passes(self, turns: int) -> None:
        """What is under way goes on."""
        self._go(turns=turns)

    @rule()
    def rest(self) -> None:
        """All is well for a while."""
        self._go(self.stage.rest())

    @invariant()
    def no_cursor_passes_anything(self) -> None:
        """A cursor only grows, and everything before it was processed; nothing is admitted wrongly or out of order."""
        stage = self.stage
        cursors = stage.database.cursors()  # first: what it has passed was stored before
        stored = stage.database.messages()
        stage.look()
        back = [place for place, before in self.cursors.items() if cursors.get(place, 0) < before]
        wrong = [f"the cursor of {place} went back" for place in back]
        wrong += [*stage.believed.passed(cursors, stored), *stage.believed.never_wrong(stored)]
        if wrong:
            raise AssertionError("\n".join(wrong))
        self.cursors = cursors

    def teardown(self) -> None:
        """Let everything end, and look at all promises."""
        try:
            self.runner.run(self.stage.rest())
        finally:
            self.runner.run(self.stage.stack.aclose())
            self.runner.close()


@pytest.mark.timeout(900)  # a failure is run once more
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who is killed closes no connection
def test_whatever_comes_in() -> None:
    """Whatever happens in whatever order, what is said to the bot is admitted once, in order, in its latest words."""
    number = int(os.environ.get("SEED", "0")) or random.randrange(1, 2**32)  # noqa: S311  not a secret
    print(f"SEED={number}")  # noqa: T201  what a failure is repeated by
    bounds = settings(
        max_examples=int(os.environ.get("EXAMPLES", "12")),
        stateful_step_count=25,
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.generate,),  # a failure is not made smaller, which would take many times as long
        suppress_health_check=list(HealthCheck),
    )

    class Seeded(FeedMachine):
        pass

    try:
        run_state_machine_as_test(hypothesis.seed(number)(Seeded), settings=bounds)
    finally:
        gc.collect()  # what a killed bot left unclosed is told of here, and not in another test
