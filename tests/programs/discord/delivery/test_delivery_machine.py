"""Anything in any order between turns, Discord, the store and the bot's own ends, against what people see.

`SEED=n` runs the same again, and `EXAMPLES=n` runs more. All is pure: a failure is made as small as it gets.
"""

import os
import random
from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import TurnStatus
from programs.discord.delivery.answer import Part, Phase
from programs.discord.delivery.next_steps import Delete, Edit, Notify, Post, Store
from tests.programs.discord.delivery.discord_model import HOUR, SimulatedDiscord
from tests.programs.discord.delivery.shell import Fate, Request, Shell
from tests.programs.discord.delivery.store_model import SimulatedStore
from tests.programs.discord.delivery.talk import FINAL, RUNNING, Talk, drawn, is_shown

DAY = 86_400.0
CHECK = 180.0  # seconds between two looks at what could not be done
_MOST_TURNS = 5

_RUNNING, _ENDED, _QUEUED = ("running",), ("done", "failed", "stopped"), ("queued",)

_outcomes: st.SearchStrategy[TurnStatus] = st.sampled_from(["done", "done", "failed", "stopped"])
_which = st.integers(min_value=0, max_value=9)
_fates = st.sampled_from([Fate.FINE] * 8 + list(Fate))
_for_posts = st.sampled_from([Fate.FINE] * 4 + [fate for fate in Fate if fate not in (Fate.TOO_OLD, Fate.OUTDATED)])
_for_changes = st.sampled_from([Fate.FINE] * 4 + [fate for fate in Fate if fate not in (Fate.LATE, Fate.OUTDATED)])


def _any_is(*states: str) -> "Callable[[DeliveryMachine], bool]":
    """Whether a turn is in one of these states."""
    return lambda machine: any(talk.turn.state in states for talk in machine.talks.values())


class DeliveryMachine(RuleBasedStateMachine):
    """A channel of two sessions, which lives through the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.discord = SimulatedDiscord()
        self.store = SimulatedStore()
        self.questions: dict[str, int] = {}
        self.talks: dict[str, Talk] = {}
        self.refused: set[tuple[str, DeliveryKey]] = set()
        self.given_up: set[str] = set()
        self.version = 0
        self.shell = self._new_shell()
        self.is_paused = False

    def _new_shell(self) -> Shell:
        shell = Shell(self.discord, self.store, self.questions)
        shell.refused = self.refused
        return shell

    # What the engine does.

    @initialize(may_read=st.sampled_from([True, True, True, False]), knows=st.booleans())
    def begin_life(self, *, may_read: bool, knows: bool) -> None:
        """The channel is as it is."""
        self.discord.may_read, self.shell.knows_rights = may_read, knows

    def _new_parts(self, talk: Talk, shape: str, *, final: bool) -> list[Part]:
        self.version += 1
        return drawn(talk.turn, shape, self.version, talk.shown, final=final)

    def _of(self, which: int, *states: str) -> Talk | None:
        talks = [talk for talk in self.talks.values() if talk.turn.state in states]
        return talks[which % len(talks)] if talks else None

    @precondition(lambda self: len(self.talks) < _MOST_TURNS and not self.is_paused)
    @rule(session=st.integers(min_value=0, max_value=1), shape=st.sampled_from(RUNNING))
    def start(self, session: int, shape: str) -> None:
        """Somebody asks, and the turn runs at once unless the session is busy."""
        if any(
            talk.turn.session_id == f"session {session}" and talk.turn.state in ("running", "queued")
            for talk in self.talks.values()
        ):
            return
        turn = self.store.admit(len(self.talks) + 1, session)
        talk = Talk(turn, self.discord.say(), self.discord.now)
        self.talks[turn.id], self.questions[turn.id] = talk, talk.question
        talk.shown = self._new_parts(talk, shape, final=False)
        self.shell.begin(turn, talk.shown, resumed=False)

    @precondition(lambda self: not self.is_paused)
    @precondition(_any_is(*_RUNNING))
    @rule(which=_which, shape=st.sampled_from(RUNNING))
    def progress(self, which: int, shape: str) -> None:
        """A turn shows something else."""
        talk = self._of(which, "running")
        if talk is not None and self.shell.answer(talk.turn.id) is not None:
            talk.shown = self._new_parts(talk, shape, final=False)
            self.shell.progress(talk.turn.id, talk.shown)

    @precondition(_any_is(*_RUNNING))
    @rule(which=_which, shape=st.sampled_from(FINAL), state=_outcomes)
    def finish(self, which: int, shape: str, state: TurnStatus) -> None:
        """A turn ends."""
        talk = self._of(which, "running")
        if talk is not None:
            talk.final = self._new_parts(talk, shape, final=True)
            talk.turn = self.store.finish(talk.turn.id, state, talk.final)
            self.shell.finish(talk.turn, talk.final)

    @precondition(_any_is(*_RUNNING, *_ENDED))
    @rule(which=_which)
    def ask_again(self, which: int) -> None:
        """The question was edited, or Regenerate pressed: the turn is queued once more."""
        talk = self._of(which, *_RUNNING, *_ENDED)
        if talk is not None:
            talk.turn, talk.final, talk.shown = self.store.again(talk.turn.id), None, []

    def _waiting(self) -> list[Talk]:
        """Turns that were queued once more, or lost their process."""
        return [
            talk
            for talk in self.talks.values()
            if talk.turn.state == "queued" or (talk.turn.state == "running" and not self.shell.answer(talk.turn.id))
        ]

    @precondition(lambda self: not self.is_paused and self._waiting())
    @rule(which=_which, shape=st.sampled_from(RUNNING))
    def start_again(self, which: int, shape: str) -> None:
        """A turn that waits for it runs."""
        waiting = self._waiting()
        self._run(waiting[which % len(waiting)], shape)

    def _run(self, talk: Talk, shape: str) -> None:
        resumed = talk.turn.state == "running"
        talk.turn = self.store.run(talk.turn.id)
        talk.shown = self._new_parts(talk, shape, final=False)
        self.shell.begin(talk.turn, talk.shown, resumed=resumed)

    @precondition(_any_is(*_QUEUED, *_ENDED))
    @rule(which=_which)
    def forget(self, which: int) -> None:
        """Undo."""
        talk = self._of(which, *_QUEUED, *_ENDED)
        if talk is not None:
            talk.turn, talk.final = self.store.forget(talk.turn.id), []
            self.shell.withdraw(talk.turn)

    # What Discord, the store and people do.

    @precondition(lambda self: self.shell.running)
    @rule(which=_which, fate=_fates)
    def result(self, which: int, fate: Fate) -> None:
        """A request has come to its end."""
        self._resolve(self.shell.running[which % len(self.shell.running)], fate)

    @precondition(lambda self: any(isinstance(one.step, Post) for one in self.shell.running))
    @rule(fate=_for_posts)
    def result_of_the_post(self, fate: Fate) -> None:
        """The message that is being posted is there, or not."""
        self._resolve(next(one for one in self.shell.running if isinstance(one.step, Post)), fate)

    @precondition(lambda self: any(isinstance(one.step, Edit | Delete) for one in self.shell.running))
    @rule(fate=_for_changes)
    def result_of_the_change(self, fate: Fate) -> None:
        """The message that is being changed is changed, or not."""
        self._resolve(next(one for one in self.shell.running if isinstance(one.step, Edit | Delete)), fate)

    @precondition(lambda self: self.shell.running)
    @rule(fates=st.lists(_fates, min_size=2, max_size=10))
    def results(self, fates: list[Fate]) -> None:
        """Several requests come to their end, the oldest first."""
        for fate in fates:
            if self.shell.running:
                self._resolve(self.shell.running[0], fate)

    @precondition(lambda self: self.shell.running)
    @rule(times=st.integers(min_value=2, max_value=20))
    def all_goes_well(self, times: int) -> None:
        """All goes well for a while."""
        for _ in range(times):
            if self.shell.running:
                self.shell.resolve(self.shell.running[0], Fate.FINE)

    def _resolve(self, request: Request, fate: Fate) -> None:
        is_plain = isinstance(request.step, Store | Notify) and fate not in (Fate.LOST, Fate.UNANSWERED)
        self.shell.resolve(request, Fate.FINE if is_plain else fate)

    @precondition(lambda self: self.discord.visible())
    @rule(which=_which)
    def take_away(self, which: int) -> None:
        """A person deletes a message of the bot's."""
        there = self.discord.visible()
        message = there[which % len(there)]
        message.is_deleted = True
        self.talks[message.turn_id].taken += 1

    @rule()
    def talk_between(self) -> None:
        """Somebody writes."""
        self.discord.say()

    @rule(
        rights=st.sampled_from([(True, True), (True, True), (True, False), (False, False)]),
        may_read=st.sampled_from([True, True, False]),
    )
    def permissions(self, rights: tuple[bool, bool], *, may_read: bool) -> None:
        """Permissions change."""
        self.discord.may_view, self.discord.may_write = rights
        self.discord.may_read = may_read
        self.shell.rights_changed()

    @precondition(lambda self: not self.discord.is_gone and len(self.talks) > 1)
    @rule(chance=st.integers(min_value=0, max_value=9), known=st.booleans())
    def remove(self, chance: int, *, known: bool) -> None:
        """The channel is deleted."""
        if chance == 0:
            self.discord.is_gone = True
            if known:
                self.shell.removed()

    @rule(allowed=st.sampled_from([True, True, False]))
    def budget(self, *, allowed: bool) -> None:
        """There may be requests now, or none for a while."""
        self.shell.allowed = allowed
        self.shell.work()

    # What time does.

    @rule(
        seconds=st.sampled_from([0.2, 1.5, 5.0, 20.0, 35.0, 70.0, 130.0, 400.0, HOUR + 100.0, DAY + HOUR]),
        arrived=st.booleans(),
    )
    def time_passes(self, seconds: float, *, arrived: bool) -> None:
        """Time passes; requests that have lasted too long get no answer."""
        self.shell.pass_time(seconds, arrived=arrived)

    @rule()
    def check(self) -> None:
        """The bot looks at what it could not do, and gives up what is owed for a day."""
        old = [
            answer
            for answer in self.shell.channel.answers
            if self.discord.now - self.talks[answer.turn.id].admitted_at > DAY
        ]
        may = self.discord.may_view and self.discord.may_write
        given_up = [one for one in old if one.phase is Phase.OWED or (one.has_ended and not may)]
        self.shell.look_again(given_up)

    @precondition(lambda self: not self.is_paused)
    @rule()
    def pause(self) -> None:
        """The bot is told to end."""
        self.is_paused = True
        self.shell.pause("It goes on soon.")

    @rule(arrived=st.booleans(), forgotten=st.booleans())
    def kill(self, *, arrived: bool, forgotten: bool) -> None:
        """The process dies and another one begins, at once or when Discord has forgotten the nonces."""
        self.shell.kill(arrived=arrived)
        self._collect()
        self.discord.pass_time(400.0 if forgotten else 1.0)
        knows = self.shell.knows_rights
        self.shell = self._new_shell()
        self.shell.knows_rights = knows
        self.is_paused = False
        self.shell.recover()

    # What is promised.

    @invariant()
    def messages_are_in_order(self) -> None:
        """No message belongs to two answers, and those of an answer are in the order of their ids."""
        seen: set[int] = set()
        for answer in self.shell.channel.answers:
            ids = [slot.message_id for slot in answer.slots if slot.message_id]
            assert ids == sorted(set(ids)), "messages of an answer are not in order"
            assert not seen & set(ids), "a message belongs to two answers"
            seen |= set(ids)

    @invariant()
    def no_nonce_makes_two_messages(self) -> None:
        """No two messages that show a turn were made with one nonce of it."""
        nonces = [one.nonce for one in self.discord.visible() if one.nonce is not None and one.nonce[0] == one.turn_id]
        assert len(nonces) == len(set(nonces)), "a nonce was used for two messages"

    @invariant()
    def what_is_delivered_is_seen(self) -> None:
        """What is settled as delivered is visible, all of it and nothing else."""
        self._collect()

    def _collect(self) -> None:
        self.given_up |= {one.turn.id for one in self.shell.channel.answers if one.phase is Phase.GIVEN_UP}
        for answer, phase in self.shell.settled:
            talk = self.talks[answer.turn.id]
            if phase is Phase.GIVEN_UP:
                self.given_up.add(talk.turn.id)
            elif answer.turn.attempt == talk.turn.attempt:
                self._look_at(talk)
        self.shell.settled.clear()

    def _look_at(self, talk: Talk) -> None:
        seen = [one for one in self.discord.visible() if one.turn_id == talk.turn.id]
        bodies = [one.body for one in seen]
        refused = {key for turn_id, key in self.refused if turn_id == talk.turn.id}
        final = talk.final or []
        wanted = [part.body for part in final]
        assert is_shown(bodies, final, refused, talk.taken), f"of {talk.turn.id} is seen {bodies}, not {wanted}"

    def teardown(self) -> None:
        """All goes well from here on, and everything ends."""
        self._rest()
        self._collect()
        for talk in self.talks.values():
            if talk.turn.id not in self.given_up:
                self._look_at(talk)

    def _rest(self) -> None:
        if self.is_paused:
            self.kill(arrived=True, forgotten=False)
        self.discord.may_view = self.discord.may_write = self.discord.may_read = self.shell.allowed = True
        self.shell.rights_changed()
        for talk in self._waiting():
            self._run(talk, "T")
        for talk in self.talks.values():
            if talk.turn.state == "running":
                talk.final = self._new_parts(talk, "TT", final=True)
                talk.turn = self.store.finish(talk.turn.id, "done", talk.final)
                self.shell.finish(talk.turn, talk.final)
        for _ in range(20):
            end = self.discord.now + CHECK
            while self.discord.now < end:
                self._settle()
                self.shell.pass_time(min(5.0, end - self.discord.now), arrived=True)
            if not self.shell.channel.answers:
                break
            self.shell.look_again()
        left = [(one.turn.id, one.phase, one.lookup, one.slots) for one in self.shell.channel.answers]
        assert not left, f"not settled: {left}"
        owed = self.store.undelivered()
        assert not owed, f"still owed: {owed}"

    def _settle(self) -> None:
        for _ in range(500):
            if not self.shell.running:
                return
            self.shell.resolve(self.shell.running[0], Fate.FINE)
        raise AssertionError("requests never end")


def test_whatever_happens() -> None:
    """Whatever happens in whatever order, each answer is seen once, in order, or is withdrawn, or given up."""
    number = int(os.environ.get("SEED", "0")) or random.randrange(1, 2**32)  # noqa: S311  not a secret
    print(f"SEED={number}")  # noqa: T201  what a failure is repeated by
    bounds = settings(
        max_examples=int(os.environ.get("EXAMPLES", "150")),
        stateful_step_count=40,
        deadline=None,
        database=None,
        phases=(Stage.generate, Stage.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )

    class Seeded(DeliveryMachine):
        pass

    run_state_machine_as_test(hypothesis.seed(number)(Seeded), settings=bounds)
