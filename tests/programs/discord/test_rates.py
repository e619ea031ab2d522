"""How often a person may ask within a minute: counted over all channels and forms of asking, and never in silence."""

from typing import Any

import pytest

from llmgine.errors import UserError
from programs.discord.permissions.rates import WINDOW, Rates
from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID, Message
from tests.programs.discord.scene import MENTION, Scene, body_of, people_said
from tests.programs.discord.test_presses import answered, submit
from tests.programs.discord.test_slash import modal, told

EDSGER_ID = 7
SIGN, LINE = "🚦", "I answer at most 2 of your messages, edits and button presses per minute."


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def start(scene: Scene, clock: Clock, **settings: object) -> Scene:
    """The bot, for which a person may ask twice a minute."""
    # Ada owns the application, so she would be its operator.
    given: dict[str, Any] = {
        "messages_per_minute": 2,
        "operators": (EDSGER_ID,),
        **settings,
    }  # Ada owns the application
    return await scene.start(bot={"monotonic": clock}, **given)


async def marked(scene: Scene, message: Message) -> None:
    """Wait until people see on a message that it is not answered."""
    await scene.until(lambda: SIGN in message.reactions)


async def shown(scene: Scene, answer: str) -> None:
    """Wait until the only answer is this one."""
    await scene.until(lambda: [body_of(message.content) for message in scene.outcomes()] == [answer])


def lines(scene: Scene, channel: int = GENERAL_ID) -> list[Message]:
    """What people were told of it."""
    return [message for message in scene.shown(channel) if message.content.startswith(f"🚦 {LINE}")]


async def ask_twice(scene: Scene, by: int = GRACE_ID) -> list[Message]:
    """Two questions, which are answered."""
    asked = []
    for number in (1, 2):
        before = len(scene.outcomes())
        asked.append(scene.ask(f"question {number}", by=by))
        await scene.outcome(before + 1)
    return asked


class TestRates:
    """What is counted, and for how long."""

    def test_so_many_in_any_minute(self, clock: Clock) -> None:
        """However they are spread: a further one is let through once the first is a minute old."""
        rates = Rates(3, tuple, clock=clock)
        let_through = []
        for _ in range(240):
            if rates.take(1) is None:
                let_through.append(clock.now)
            clock.now += 1

        assert all(later - earlier >= WINDOW for earlier, later in zip(let_through, let_through[3:], strict=False))
        assert len(let_through) == 12

    def test_people_do_not_share(self, clock: Clock) -> None:
        """One who asks too often costs no other anything."""
        rates = Rates(1, tuple, clock=clock)
        assert [rates.take(1), rates.take(2)] == [None, None]
        assert [rates.take(1) is None, rates.take(2) is None, rates.take(3) is None] == [False, False, True]

    def test_a_person_is_told_once_in_a_minute(self, clock: Clock) -> None:
        """Of many that are too often, the first of each minute is told in words, with how long it lasts."""
        rates = Rates(1, tuple, clock=clock)
        rates.take(1)
        clock.now = 20.0
        refused = [rates.take(1) for _ in range(50)]

        assert [one.is_first for one in refused if one] == [True] + [False] * 49
        assert {one.seconds for one in refused if one} == {40.0}
        clock.now = 60.0
        assert rates.take(1) is None
        clock.now = 81.0
        again = rates.take(1)
        assert again is not None
        assert again.is_first

    def test_operators_and_no_limit(self, clock: Clock) -> None:
        """The operator may always ask; without a limit everybody may."""
        assert all(Rates(1, lambda: (7,), clock=clock).take(7) is None for _ in range(100))
        assert all(Rates(0, tuple, clock=clock).take(1) is None for _ in range(100))

    def test_what_failed_does_not_count(self, clock: Clock) -> None:
        """What is to be done once more is given back."""
        rates = Rates(1, tuple, clock=clock)
        assert rates.take(1) is None
        rates.give_back(1)
        assert rates.take(1) is None
        assert rates.take(1) is not None

    def test_little_is_kept_of_a_million_people(self, clock: Clock) -> None:
        """At most some thousand are remembered, and nobody for longer than a minute."""
        rates = Rates(20, tuple, clock=clock)
        for person in range(1_000_000):
            rates.take(person)
        assert len(rates._people) <= 10_000

        clock.now += WINDOW
        rates.take(0)
        assert list(rates._people) == [0]

    def test_a_press_is_told_why(self, clock: Clock) -> None:
        """A refusal says how many are answered, and when to try again."""
        rates = Rates(1, tuple, clock=clock)
        rates.require(1)
        with pytest.raises(UserError, match=r"at most 1 of your .* Try again in 61 s"):
            rates.require(1)


class TestMessages:
    """A person who writes a lot."""

    async def test_too_many_are_marked_and_told_once(self, unstarted: Scene, clock: Clock) -> None:
        """Over all channels together; the first is told in words, others are answered, and so is everybody later."""
        scene = await start(unstarted, clock)
        await ask_twice(scene)

        refused = [scene.ask("question 3", by=GRACE_ID), scene.ask("question 4", by=GRACE_ID, channel=RANDOM_ID)]
        for one in refused:
            await marked(scene, one)
        other = scene.ask("hello", by=ADA_ID)
        await scene.outcome(3)

        told_in = [len(lines(scene, channel)) for channel in (GENERAL_ID, RANDOM_ID)]
        assert sum(told_in) == 1
        assert [people_said(request)[-1] for request in scene.model.requests] == ["question 1", "question 2", "hello"]
        assert other.reactions.get(SIGN) is None
        clock.now += WINDOW
        scene.ask("question 5", by=GRACE_ID)
        await scene.outcome(4)

    async def test_talk_is_not_counted(self, unstarted: Scene, clock: Clock) -> None:
        """What is not for the bot costs nothing and is not marked."""
        scene = await start(unstarted, clock)
        talk = [scene.say("hello Ada", by=GRACE_ID) for _ in range(5)]

        await ask_twice(scene)

        assert all(not one.reactions for one in talk)

    async def test_moderators_are_counted_and_the_operator_is_not(self, unstarted: Scene, clock: Clock) -> None:
        """Who may manage messages has the same limit; who operates the bot has none."""
        scene = await start(unstarted, clock, operators=(GRACE_ID,))
        await ask_twice(scene, by=ADA_ID)

        await marked(scene, scene.ask("question 3"))

        for number in range(3):
            scene.ask("hello", by=GRACE_ID)
            await scene.outcome(3 + number)

    async def test_what_was_missed_is_answered(self, unstarted: Scene, clock: Clock) -> None:
        """However much of it there is; it leaves room for what is said then."""
        scene = await start(unstarted, clock)
        await ask_twice(scene)
        await scene.stop()
        for number in range(4):
            scene.ask(f"missed {number}", by=GRACE_ID)

        await start(scene, clock)

        await scene.outcome(6)
        scene.ask("question 3", by=GRACE_ID)
        await scene.outcome(7)
        assert not lines(scene)

    async def test_what_was_refused_stays_so_after_a_restart(self, unstarted: Scene, clock: Clock) -> None:
        """Its author was told; /why knows it, too."""
        scene = await start(unstarted, clock)
        await ask_twice(scene)
        refused = scene.ask("question 3", by=GRACE_ID)
        await marked(scene, refused)
        await scene.restart(messages_per_minute=2)
        scene.ask("question 4", by=GRACE_ID)
        await scene.outcome(3)

        scene.command("why", {"message": str(refused.id)}, by=GRACE_ID)

        await told(scene, "wrote to me too often within a minute", GRACE_ID)
        assert "question 3" not in [people_said(request)[-1] for request in scene.model.requests]


class TestEdits:
    """A person who edits a lot."""

    async def test_thirty_edits_run_two_turns(self, unstarted: Scene, clock: Clock) -> None:
        """The answer stays that of the last edit that counted; the message is marked until an edit is answered."""
        scene = await start(unstarted, clock)
        question = scene.ask("version 0", by=GRACE_ID)
        await scene.outcome()
        for number in range(1, 31):
            scene.playground.people.edit(GENERAL_ID, question.id, GRACE_ID, f"{MENTION} version {number}")
            if number == 1:
                await shown(scene, "You said: version 1")
        await marked(scene, question)
        await scene.bot.caught_up()

        await shown(scene, "You said: version 1")
        assert len(scene.model.requests) == 2
        scene.command("why", {"message": str(question.id)}, by=GRACE_ID)
        await told(scene, "I didn't answer its last edit", GRACE_ID)

        clock.now += WINDOW
        scene.playground.people.edit(GENERAL_ID, question.id, GRACE_ID, f"{MENTION} the last")
        await scene.until(lambda: SIGN not in question.reactions)
        await shown(scene, "You said: the last")
        assert len(scene.model.requests) == 3

    async def test_a_refused_question_is_answered_once_edited(self, unstarted: Scene, clock: Clock) -> None:
        """Later on, an edit is as good as asking again."""
        scene = await start(unstarted, clock)
        await ask_twice(scene)
        refused = scene.ask("question 3", by=GRACE_ID)
        await marked(scene, refused)

        clock.now += WINDOW
        scene.playground.people.edit(GENERAL_ID, refused.id, GRACE_ID, f"{MENTION} question 3, please")

        await scene.outcome(3)
        await scene.until(lambda: SIGN not in refused.reactions)


class TestPresses:
    """A person who presses a lot."""

    @pytest.mark.parametrize("label", ["Regenerate", "Retry", "Continue"])
    async def test_a_button_asks_nothing(self, unstarted: Scene, clock: Clock, label: str) -> None:
        """A press beyond the limit is answered with the reason, to the person alone."""
        scene = await start(unstarted, clock, messages_per_minute=1)
        answer = await answered(scene, label)

        scene.click(answer, label)

        await told(scene, "I answer at most 1 of your messages, edits and button presses per minute. Try again in")
        assert len(scene.model.requests) == 1

    async def test_a_form_asks_nothing(self, unstarted: Scene, clock: Clock) -> None:
        """Opening a form does not count, sending it does."""
        scene = await start(unstarted, clock)
        message = scene.say("something", by=GRACE_ID)
        for number in range(3):
            scene.told.clear()
            scene.playground.people.command(GENERAL_ID, GRACE_ID, "Ask about this", target_id=message.id)
            submit(scene, await modal(scene), "?", by=GRACE_ID)
            if number < 2:
                await scene.outcome(number + 1)

        await told(scene, f"{LINE} Try again in", GRACE_ID)
        assert len(scene.model.requests) == 2
