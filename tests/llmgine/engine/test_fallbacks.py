"""Fallback models: who is asked in place of a model that is not there, when, for how long, and what is told of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmgine.engine.rests import RESTS, Rests, ServiceModel
from llmgine.engine.turn_limits import TurnLimits
from llmgine.errors import (
    ContextOverflowError,
    EmptyReplyError,
    PromptRefusedError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    ProviderReplyError,
    ProviderStartingError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    ReplyCutOffError,
    UnreadableCallError,
)
from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import Attachment, ChangeSettingCommand
from llmgine.messages.events import LLMResponseEvent, ModelAskedEvent, ModelFailedEvent, ModelRetryEvent
from llmgine.messages.steps import Fallback
from llmgine.messages.translatable import joined
from llmgine.providers.base import Change, ChatReply, ChatRequest
from llmgine.providers.prices import Prices
from llmgine.providers.routing import RoutingProvider
from llmgine.providers.scripted import ScriptedProvider, ScriptedReply
from llmgine.sessions.costs import Today
from tests.llmgine.engine.chat import ADA, Chat, Held, OnText, call, prompt, roll
from tests.llmgine.engine.conftest import StartChat
from tests.llmgine.engine.test_spending import PRICED, used

DOWN = ProviderUnavailableError("It is down.")
SECOND, THIRD = "anthropic:second", "anthropic:third"
FIRST_ASKED = ServiceModel("scripted", "first")


class HandClock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_(self, **time: int) -> None:
        self.time += timedelta(**time)


class Models:
    """A first model, and two others at another service that share a script.

    Attributes:
        clock: What rests are measured by.
    """

    def __init__(self, first: Sequence[ScriptedReply], others: Sequence[ScriptedReply] = ()) -> None:
        self.first = ScriptedProvider(list(first), model="first")
        self.others = ScriptedProvider(list(others), model="second")
        self.clock = HandClock()
        self.rests = Rests(self.clock)

    async def start(self, start_chat: StartChat, fallbacks: Sequence[str] = (SECOND,), **options: object) -> Chat:
        provider = RoutingProvider({"openai": self.first, "anthropic": self.others})
        return await start_chat(provider, fallbacks=tuple(fallbacks), rests=self.rests, **options)

    @property
    def asked(self) -> tuple[list[str | None], list[str | None]]:
        """The names by which the first service and the other one were asked."""
        first, others = ([one.model for one in provider.requests] for provider in (self.first, self.others))
        return first, others


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        ProviderBusyError("slow down", retry_after=0),
        ProviderStartingError("503"),
        ProviderTimeoutError("silent"),
        ProviderReplyError("HTML"),
        EmptyReplyError("nothing"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_model_that_is_not_there_is_tried_once_more(start_chat: StartChat, error: ProviderError) -> None:
    """Then the next is asked; what is told and stored says who answered, in whose place, and why."""
    models = Models([error, error], ["from the second"])
    chat = await models.start(start_chat)

    outcome = await chat.say()

    assert (outcome.state, outcome.text, outcome.model) == ("done", "from the second", SECOND)
    assert models.asked == (["first", "first"], ["second"])
    assert [(one.next_try, one.tries) for one in chat.of(ModelRetryEvent)] == [(2, 2)]
    assert [(one.model, one.error) for one in chat.of(ModelFailedEvent)] == [("first", type(error).__name__)]
    fallback = Fallback(first="first", model=SECOND, reason=joined("", str(error)))
    assert [one.fallback for one in chat.of(ModelAskedEvent)] == [None, fallback]
    assert [one.fallback for one in chat.of(LLMResponseEvent)] == [fallback]
    stored = (await chat.store.turns.get(outcome.turn_id)).state.replies
    assert [one.fallback for one in stored] == [fallback]
    assert str(fallback.words) == f"anthropic:second answered, because first failed: {error}"


@pytest.mark.parametrize(
    "error",
    [ProviderRefusedError("No quota is left."), ProviderBusyError("Wait for a minute.", retry_after=11)],
    ids=["refused", "long wait"],
)
async def test_what_does_not_pass_soon_is_not_tried_again(start_chat: StartChat, error: ProviderError) -> None:
    """No quota, an unknown model, a wrong key, or a service that asks to wait: the next model is asked at once."""
    models = Models([error], ["from the second"])
    chat = await models.start(start_chat)

    assert (await chat.say()).text == "from the second"
    assert models.asked == (["first"], ["second"])
    assert not chat.of(ModelRetryEvent)


@pytest.mark.parametrize(
    "error",
    [
        PromptRefusedError("It refuses that."),
        ProviderRefusedError("It refuses that.", may_be_prompt=True),
        ReplyCutOffError("It refuses that.", partial=""),
    ],
    ids=["content", "perhaps content", "in the middle"],
)
async def test_what_was_refused_is_asked_nowhere_else(start_chat: StartChat, error: ProviderError) -> None:
    """A message that one service refuses for its content goes to no other, and its model does not rest."""
    models = Models([error, "next"], ["from the second"])
    chat = await models.start(start_chat)

    outcome, following = await chat.say(), await chat.say()

    assert (outcome.state, outcome.notice) == ("failed", "It refuses that.")
    assert (following.text, models.asked[1], models.rests.all()) == ("next", [], [])


async def test_an_answer_that_was_withheld_is_an_answer(start_chat: StartChat) -> None:
    """A reply whose content the service withholds is no failure."""
    models = Models([ChatReply(text="", finish="filtered", model="first")], ["from the second"])
    chat = await models.start(start_chat)

    assert "withheld" in str((await chat.say()).notice)
    assert models.asked[1] == []


async def test_a_message_that_is_too_long_is_asked_nowhere_else(start_chat: StartChat) -> None:
    """It is made shorter for the model that refused it, and said to be too long where that does not help."""
    models = Models([ContextOverflowError("too long")] * 9, ["from the second"])
    chat = await models.start(start_chat)

    assert (await chat.say()).state == "failed"
    assert models.asked[1] == []


@pytest.mark.parametrize("error", [DOWN, ReplyCutOffError("It broke off.", partial="Once upon")])
async def test_after_the_first_text_no_other_is_asked(start_chat: StartChat, error: ProviderError) -> None:
    """People have seen it, also where it was taken back."""

    async def begin(request: ChatRequest, on_text: OnText) -> ChatReply:
        on_text("Once upon")
        raise error

    models = Models([begin, begin], ["from the second"])
    chat = await models.start(start_chat)

    assert (await chat.say()).notice == str(error)
    assert models.asked[1] == []


async def test_a_reply_that_breaks_off_while_it_is_thought_about_is_asked_for_elsewhere(start_chat: StartChat) -> None:
    """Nobody has seen anything of it."""
    models = Models([ReplyCutOffError("It broke off.", partial="", only_thinking=True)], ["from the second"])
    chat = await models.start(start_chat)

    assert (await chat.say()).text == "from the second"
    assert models.rests.all() == []


async def test_after_the_first_tool_call_no_other_is_asked(start_chat: StartChat) -> None:
    """A model that fails in the second round is tried as often as one without others, and the turn ends."""
    models = Models([call("roll"), *[DOWN] * 4], ["from the second"])
    chat = await models.start(start_chat)
    await chat.engine.register_tool(roll)

    assert (await chat.say()).notice == str(DOWN)
    assert models.asked == (["first"] * 5, [])


async def test_a_turn_stays_with_the_model_that_answered(start_chat: StartChat) -> None:
    """The rounds after a tool call are asked of the same model, also after a restart; each says in whose place."""
    held = Held()
    models = Models([DOWN, DOWN, "from the first"], [call("roll"), held, "It is a 4."])
    chat = await models.start(start_chat)
    await chat.engine.register_tool(roll)
    admitted = await chat.admit()
    await held.reached.wait()
    await chat.close()

    again = await models.start(start_chat)
    await again.engine.register_tool(roll)
    assert await again.engine.recover(["test"]) == 1
    outcome = await again.outcome(admitted.turn_id)

    assert (outcome.text, outcome.model) == ("It is a 4.", SECOND)
    assert models.asked == (["first", "first"], ["second"] * 3)
    stored = (await again.store.turns.get(admitted.turn_id)).state.replies
    assert [one.fallback.first if one.fallback else None for one in stored] == ["first", "first"]


async def test_the_channels_model_is_asked_first_and_each_once(start_chat: StartChat) -> None:
    """Then the fallbacks in the order of the setting; two names of one model are one."""
    refused = ProviderRefusedError("No quota.")
    models = Models([refused], [refused, refused])
    chat = await models.start(start_chat, [THIRD, "anthropic:second", "openai:first", "first"])
    await chat.store.settings.change("s", "model", SECOND, ADA, 0)

    outcome = await chat.say()

    assert [one.model for one in chat.of(ModelAskedEvent)] == [SECOND, THIRD, "openai:first"]
    assert outcome.notice == (
        "The model anthropic:second gave no answer. No quota. "
        "These were tried too, without success: anthropic:third, openai:first."
    )


async def test_a_fallback_that_is_the_model_itself_is_none(start_chat: StartChat) -> None:
    """A model beside which no other can be asked is tried as often as without fallbacks."""
    models = Models([DOWN] * 4)
    chat = await models.start(start_chat, ["openai:first"])

    assert (await chat.say()).notice == str(DOWN)
    assert len(models.asked[0]) == 4


async def test_a_model_that_rests_is_passed_over(start_chat: StartChat) -> None:
    """It is not asked for a minute after it failed, and the answer says so; then it is asked again."""
    models = Models([DOWN, DOWN, "back again"], ["one", "two"])
    chat = await models.start(start_chat)
    await chat.say()

    models.clock.pass_(seconds=59)
    passed = await chat.say(session_id="another")
    models.clock.pass_(seconds=1)
    back = await chat.say()

    assert (passed.text, back.text) == ("two", "back again")
    assert len(models.asked[0]) == 3
    words = [str(one.fallback.words) for one in chat.of(LLMResponseEvent, passed.turn_id) if one.fallback]
    assert words == [
        ("anthropic:second answered, because first failed a short time ago: It could not be reached, or failed.")
    ]
    assert not chat.of(ModelFailedEvent, passed.turn_id)


async def test_what_a_service_quotes_stays_in_its_turn(start_chat: StartChat) -> None:
    """Others are told that a model failed, and nothing of what somebody had said to it."""
    quoting = ProviderUnavailableError("It said: unexpected content 'my secret'")
    chat = await Models([quoting, quoting], ["one", "two"]).start(start_chat)
    await chat.say("my secret")

    outcome = await chat.say(session_id="another")

    words = [str(one.fallback.words) for one in chat.of(LLMResponseEvent, outcome.turn_id) if one.fallback]
    assert len(words) == 1
    assert "secret" not in words[0]


async def test_a_call_that_cannot_be_read_gives_no_rest(start_chat: StartChat) -> None:
    """It is of a single reply: others are still answered by the model they chose."""
    unreadable = UnreadableCallError("The model wrote a tool call that its service could not read.")
    models = Models([unreadable, unreadable], ["one"])
    chat = await models.start(start_chat)

    assert (await chat.say()).text == "one"
    assert models.rests.all() == []


async def test_a_small_window_of_a_fallback_refuses_nothing(start_chat: StartChat) -> None:
    """What is too long for it is sent to the next one, and to the chosen model when that is back."""
    small = ContextOverflowError("It is too long.", window=3_000)
    models = Models([DOWN, DOWN, "read"], [small, small, small, small, DOWN, DOWN])
    chat = await models.start(start_chat)
    first = await chat.say("REPORT " + "word " * 4_000)
    models.clock.pass_(minutes=2)

    assert (await chat.say("and?")).text == "read"
    assert not first.refused
    assert any("REPORT" in message.content for message in models.first.requests[-1].messages)


async def test_a_half_answer_says_who_wrote_it(start_chat: StartChat) -> None:
    """Where the answer of a fallback breaks off, its outcome names the model."""

    async def cut(_request: ChatRequest, on_text: OnText) -> ChatReply:
        on_text("half an answer")
        raise ReplyCutOffError("It broke off.", partial="half an answer")

    chat = await Models([DOWN, DOWN], [cut]).start(start_chat)
    outcome = await chat.say()

    steps = await chat.store.turns.get(outcome.turn_id)
    assert steps is not None
    assert steps.state.outcome is not None
    assert steps.state.outcome.partial == "half an answer"
    assert steps.state.outcome.fallback is not None
    assert steps.state.outcome.fallback.model == SECOND


async def test_a_model_that_uses_up_a_turn_rests(start_chat: StartChat) -> None:
    """Silent until the turn's time is up, it is passed over by the next question."""
    never = Held()
    models = Models([never], ["one"])
    chat = await models.start(start_chat, limits=TurnLimits(seconds=0.2))

    assert (await chat.say()).state == "failed"
    assert [one.asked.model for one in models.rests.all()] == ["first"]
    assert (await chat.say()).text == "one"


async def test_who_rests_is_asked_where_nobody_else_answers(start_chat: StartChat) -> None:
    """A model that rests may be back before its rest ends; the chosen one is then in nobody's place."""
    models = Models([DOWN, DOWN, "back again"], ["one", DOWN, DOWN])
    chat = await models.start(start_chat)
    await chat.say()

    outcome = await chat.say()

    assert outcome.text == "back again"
    assert [one.fallback for one in chat.of(LLMResponseEvent, outcome.turn_id)] == [None]
    assert [one.asked.model for one in models.rests.all()] == ["second"]


async def test_an_answer_ends_the_rests(start_chat: StartChat) -> None:
    """A model that fails again after it answered rests for a minute, not for five."""
    models = Models([DOWN, DOWN, "back again", DOWN, DOWN], ["one", "two"])
    chat = await models.start(start_chat)
    for _ in range(3):
        await chat.say()
        models.clock.pass_(minutes=1)

    assert len(models.asked[0]) == 5
    assert models.rests.all() == []


async def test_the_cost_is_that_of_who_answers(start_chat: StartChat, tmp_path: Path) -> None:
    """Tokens and money are counted by the price of the model that answered, in the same limits."""
    reply = ChatReply(text="fine", model=PRICED, usage=Usage(input_tokens=1_000, output_tokens=0))
    models = Models([DOWN, DOWN, reply])
    chat = await models.start(start_chat, [PRICED], prices=Prices("api.openai.com"))
    chat.store.limits = Today(day=0, tokens=5_000_000)

    assert (await chat.say()).text == "fine"
    [(_, tokens, nanodollars, reserved)] = used(tmp_path)
    assert (tokens, nanodollars, reserved) == (1_000, 250_000, 0)


async def test_the_limit_of_a_question_is_that_of_who_answers(start_chat: StartChat) -> None:
    """What its rounds cost is known by the name that was asked, whatever its service calls it."""
    dated = call("roll").model_copy(update={"model": "dated-name", "usage": Usage(input_tokens=1_000, output_tokens=0)})
    models = Models([DOWN, DOWN, dated, "too much"])
    limits = TurnLimits(nanodollars=200_000)
    chat = await models.start(start_chat, [PRICED], prices=Prices("api.openai.com"), limits=limits)
    await chat.engine.register_tool(roll)

    assert "TURN_DOLLARS" in str((await chat.say()).notice)
    assert len(models.asked[0]) == 3


async def test_a_limit_of_the_day_holds_for_fallbacks(start_chat: StartChat) -> None:
    """Where a limit leaves no room no model is asked, and none rests for it."""
    models = Models(["the last"], ["from the second"])
    chat = await models.start(start_chat)
    chat.store.limits = Today(day=0, tokens=1)
    await chat.say()

    outcome = await chat.say()

    assert "The daily limit of 1 tokens is used up" in str(outcome.notice)
    assert (models.asked, models.rests.all()) == ((["first"], []), [])


async def test_a_fallback_is_sent_no_images_that_it_does_not_take(start_chat: StartChat) -> None:
    """What is known of the model that is asked decides, not what is known of the first."""
    models = Models([DOWN, DOWN], ["I see nothing."])
    chat = await models.start(start_chat)
    await chat.engine.model.lessons.learn("scripted", SECOND, Change.NO_IMAGES)
    picture = Attachment(id="1", name="cat.png", size=1, media_type="image/png", image=0)
    asked = prompt("look").model_copy(update={"attachments": (picture,), "images": ("data:image/png;base64,AAAA",)})

    admitted = (await chat.bus.execute(asked)).unwrap()
    await chat.outcome(admitted.turn_id)

    assert [bool(one.messages[-1].images) for one in (*models.first.requests, *models.others.requests)] == [
        True,
        True,
        False,
    ]
    assert [one.left_out for one in chat.of(LLMResponseEvent)] == [("images",)]


async def test_a_model_that_cannot_be_chosen_has_its_fallbacks(start_chat: StartChat) -> None:
    """Where no model is set, a service that cannot be asked which it has is one that is not there."""

    class Unknown(ScriptedProvider):
        async def choose_model(self) -> str:
            raise DOWN

    models = Models([], ["from the second"])
    models.first = Unknown([], model="")
    chat = await models.start(start_chat)

    outcome = await chat.say()

    assert outcome.text == "from the second"
    assert [one.fallback.first for one in chat.of(LLMResponseEvent) if one.fallback] == ["scripted"]


async def test_a_fallback_is_not_for_people_to_choose(start_chat: StartChat) -> None:
    """FALLBACK_MODELS adds nothing to what /model offers."""
    chat = await Models([]).start(start_chat)

    result = await chat.bus.execute(ChangeSettingCommand(scope="s", name="model", value=SECOND, changed_by=ADA))

    assert "doesn't allow the model" in str(result.error)


class TestRests:
    """How long a model rests."""

    def test_rests_grow_and_end_with_a_success(self) -> None:
        """1, 5, then 25 minutes, each time it fails; after a success it is a minute again."""
        clock = HandClock()
        rests, found = Rests(clock), []
        for failing in (True, True, True, True, False, True):
            if not failing:
                rests.succeeded(FIRST_ASKED)
                continue
            rests.failed(FIRST_ASKED, joined("", "down"), clock.now())
            [rest] = rests.all()
            found.append(rest.until - clock.now())
            clock.time = rest.until

        assert found == [*RESTS, RESTS[2], RESTS[0]] == [timedelta(minutes=one) for one in (1, 5, 25, 25, 1)]
        assert rests.all() == []

    def test_many_failures_at_once_are_one(self) -> None:
        """Calls that were made before a rest ended do not make the next one longer, whenever they fail."""
        clock = HandClock()
        rests, begun = Rests(clock), clock.now()
        for _ in range(3):
            rests.failed(FIRST_ASKED, joined("", "down"), begun)
            clock.pass_(seconds=50)

        assert rests.all() == []
        rests.failed(FIRST_ASKED, joined("", "down"), clock.now())
        assert [rest.until - clock.now() for rest in rests.all()] == [RESTS[1]]

    def test_a_model_rests_at_its_own_service(self) -> None:
        """A model of the same name elsewhere does not."""
        rests = Rests(HandClock())
        rests.failed(FIRST_ASKED, joined("", "down"), rests.now())

        assert rests.of(FIRST_ASKED) is not None
        assert rests.of(ServiceModel("elsewhere", "first")) is None
