"""Anything in any order: people, their edits and deletions, duplicates, clears, faults of everybody, ends and restarts,
and after it all promises hold. A failure prints the seed and the steps; `SEED=n` runs the same again.
"""

import asyncio
import os
import random
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from llmgine.messages.commands import ClearSessionCommand, StopTurnCommand
from llmgine.messages.text import clean_text
from programs.discord.ids import SOURCE, session_id
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID, Message
from programs.playground.invariants import Invariants
from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.durability.databases import LEASE_SECONDS, Databases
from tests.durability.promises import invalid
from tests.programs.discord.scene import MENTION, ROOMY, Scene
from tests.waiting import NoProgressError, patience

_CREATE = ("POST", "/channels/{channel_id}/messages")
_EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
_STILL_TYPING = "the bot is still typing in {}"
_channels = st.sampled_from([GENERAL_ID, RANDOM_ID])
_ENDING: tuple[type[ClearSessionCommand] | type[StopTurnCommand], ...] = (ClearSessionCommand, StopTurnCommand)


class Machine(RuleBasedStateMachine):
    """A scene that lives through the steps, in an event loop of its own."""

    def __init__(self, databases: Databases) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.paid: list[str] = []
        self.asked: list[Message] = []
        self.taken_back: list[Message] = []
        self.cleared: set[int] = set()  # questions that the bot was told to know no more; what it answered stays
        self.payments = 0
        self.refusals = 0
        self.runner.run(self._begin(databases))

    async def _begin(self, databases: Databases) -> None:
        self.stack = AsyncExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.database = await self.stack.enter_async_context(databases(folder))
        playground = await self.stack.enter_async_context(Playground(rules=ROOMY))
        model = await self.stack.enter_async_context(ChatCompletionsServer())
        self.scene = Scene(playground, model, folder)
        await self._start()

    async def _start(self) -> None:
        def pay(reference: str) -> str:
            """Pay; never to be repeated.

            Args:
                reference: What for.
            """
            self.paid.append(reference)
            return f"Paid for {reference}."

        await self.scene.start(tools=(pay,), database_url=self.database.url, lease_seconds=LEASE_SECONDS)
        async with patience("the bot to catch up"):
            await self.scene.bot.caught_up()

    async def _breathe(self) -> None:
        """Let what is under way go on a little."""
        for _ in range(20):
            await asyncio.sleep(0)

    @rule(channel=_channels, by=st.sampled_from([ADA_ID, GRACE_ID]), text=st.text(max_size=30))
    def ask(self, channel: int, by: int, text: str) -> None:
        """Somebody asks."""

        async def step() -> None:
            self.asked.append(self.scene.ask(text, by=by, channel=channel))
            await self._breathe()

        self.runner.run(step())

    @rule(which=st.integers(min_value=0), text=st.text(max_size=30))
    def edit(self, which: int, text: str) -> None:
        """Somebody changes what they asked, in whatever state its answer is."""
        people = self.scene.playground.people

        async def step() -> None:
            if self.asked:
                message = self.asked[which % len(self.asked)]
                people.edit(message.channel_id, message.id, message.author_id, f"{MENTION} {text}")
            await self._breathe()

        self.runner.run(step())

    @rule(which=st.integers(min_value=0))
    def delete(self, which: int) -> None:
        """Somebody takes back what they asked."""

        async def step() -> None:
            if self.asked:
                message = self.asked.pop(which % len(self.asked))
                self.scene.playground.people.delete(message.channel_id, message.id, message.author_id)
                self.taken_back.append(message)
            await self._breathe()

        self.runner.run(step())

    @rule(fault=st.sampled_from(["busy", "cut", "broken", "html", "tool"]))
    def next_reply(self, fault: str) -> None:
        """The next model call goes so."""
        model = self.scene.model
        if fault == "busy":
            model.fail(503)
        elif fault == "cut":
            model.cut("The beginning")
        elif fault == "broken":
            model.chunks(["{not json"])
        elif fault == "html":
            model.html()
        else:
            self.payments += 1
            model.reply(tool_calls=[("pay", f'{{"reference": "payment {self.payments}"}}')])

    @rule(channel=_channels)
    def ask_while_it_is_away(self, channel: int) -> None:
        """The bot ends, somebody asks, and the bot starts again."""

        async def step() -> None:
            await self.scene.stop()
            self.asked.append(self.scene.ask("are you there?", channel=channel))
            await self._start()

        self.runner.run(step())

    @rule()
    def restart(self) -> None:
        """The bot ends in the middle of whatever it does."""

        async def step() -> None:
            await self.scene.stop()
            await self._start()

        self.runner.run(step())

    @rule(effect=st.sampled_from(["reset", "error", "rate_limit"]), route=st.sampled_from([_CREATE, _EDIT]))
    def discord_fails(self, effect: str, route: tuple[str, str]) -> None:
        """The next post or edit fails, or its answer is lost."""
        options = {"error": {"status": 503, "committed": True}, "rate_limit": {"retry_after": 0.01}}.get(effect, {})
        self.refusals += effect == "rate_limit"
        self.scene.playground.faults.plan(effect, *route, **options)  # type: ignore[arg-type]  # one of the effects

    @rule(what=st.sampled_from(["drop", "repeat", "invalidate"]))
    def gateway_fails(self, what: str) -> None:
        """The connection ends, or an event is told twice."""

        async def step() -> None:
            gateway = self.scene.playground.gateway
            gateway.repeat("MESSAGE_CREATE") if what == "repeat" else getattr(gateway, what)()
            await self._breathe()

        self.runner.run(step())

    @rule(channel=_channels, command=st.sampled_from(_ENDING))
    def clear_or_stop(self, channel: int, command: type[ClearSessionCommand] | type[StopTurnCommand]) -> None:
        """Somebody clears the conversation, or stops all of it."""
        bus = self.scene.app.bus

        async def step() -> None:
            if command is ClearSessionCommand:
                # One that was taken back just before may still be on its way to the bot.
                known = [*self.asked, *self.taken_back]
                self.cleared |= {message.id for message in known if message.channel_id == channel}
            async with patience("the command to be carried out"):
                await bus.execute(command(session_id=session_id(channel)))

        self.runner.run(step())

    def teardown(self) -> None:
        """Let everything end, and look at all promises."""
        try:
            self.runner.run(self._check())
        finally:
            self.runner.close()

    async def _check(self) -> None:
        scene = self.scene
        try:
            held = Invariants(scene.playground, refusals=self.refusals)
            try:
                async with patience("it to come to rest"):
                    # What is to be done about an edit or a deletion may still be on its way to the bot.
                    while await self._open_ends() or await self._stale() or self._orphaned(held):
                        await scene.bot.check()
                        await asyncio.sleep(0.02)
            except NoProgressError as error:
                error.add_note(str([*await self._open_ends(), *await self._stale(), *self._orphaned(held)]))
                raise
            breaches = [
                *held.one_outcome(),
                *self._orphaned(held),
                *held.nothing_twice(),
                *held.in_order(),
                *held.no_secret(),
            ]
            breaches += [*held.every_request_valid(), *held.nothing_half_done()]
            # "Is typing" ends with a message or by itself: a bot that has nothing to say any more cannot end it.
            places = {message.channel_id for message in self.taken_back}
            breaches = [words for words in breaches if words not in map(_STILL_TYPING.format, places)]
            breaches += [words for request in scene.model.requests for words in invalid(request["messages"])]
            breaches += [f"paid twice for {one}" for one in self.paid if self.paid.count(one) > 1]
            breaches += await self._stale()
            assert breaches == [], "\n".join(scene.trail())  # what it asked of Discord explains what is shown
        finally:
            await scene.stop()
            await self.stack.aclose()

    def _orphaned(self, held: Invariants) -> list[str]:
        """Answers to what is gone, unless the bot was told before to know nothing of it."""
        known = [f"answers {message_id}, which is gone" for message_id in self.cleared]
        return [words for words in held.nothing_orphaned() if not words.endswith(tuple(known))]

    async def _stale(self) -> list[str]:
        """The questions that were answered as they were before they were changed."""
        return [words for message in self.asked async for words in self._stale_of(message)]

    async def _stale_of(self, message: Message) -> AsyncIterator[str]:
        """Whether a message was answered as it was before it was changed; what was cleared since is not looked at."""
        store = self.scene.app.store
        turn_id = await store.turns.of_message(SOURCE, str(message.id))
        for turn in await store.turns.many([str(turn_id)]):
            asked = turn.state.prompt.text
            wanted = re.sub(rf"^\s*{MENTION}[\s,:]*", "", clean_text(message.content)).strip()
            if asked != (wanted or "[a message without text]"):
                yield f"{message.content!r} was answered as {asked!r}"
            for part in await store.deliveries.of(turn.turn.id):
                shown = self.scene.playground.state.channels[message.channel_id].messages.get(int(part.message_id or 0))
                if shown is not None and "content" in part.body and shown.content != str(part.body["content"]).strip():
                    yield f"{shown.content[:40]!r} is shown, not {str(part.body['content'])[:40]!r}"

    async def _open_ends(self) -> list[str]:
        """Questions without a turn, turns without an outcome, and outcomes that are not shown."""
        store = self.scene.app.store
        turns = {message.id: await store.turns.of_message(SOURCE, str(message.id)) for message in self.asked}
        found = [f"message {message_id} has no turn" for message_id, turn_id in turns.items() if turn_id is None]
        for channel in (GENERAL_ID, RANDOM_ID):
            found += [f"{turn} has no outcome" for turn in await store.turns.unfinished(session_id(channel))]
        return [*found, *(f"{turn} is not shown" for turn in await store.undelivered(SOURCE))]


@pytest.mark.timeout(900)  # a failure takes its time to be made small
def test_anything_in_any_order(databases: Databases) -> None:
    """Whatever happens in whatever order, every question ends in one outcome, in order, and nothing is done twice."""
    number = int(os.environ.get("SEED", "0")) or random.randrange(1, 2**32)  # noqa: S311  not a secret
    print(f"SEED={number}")  # noqa: T201  what a failure is repeated by
    bounds = settings(
        max_examples=int(os.environ.get("EXAMPLES", "5")),
        stateful_step_count=15,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )

    class Seeded(Machine):
        def __init__(self) -> None:
            super().__init__(databases)

    run_state_machine_as_test(hypothesis.seed(number)(Seeded), settings=bounds)
