"""What a refusal teaches: remembered for a day and over restarts, only if it helped, and never by a side request."""

from datetime import timedelta

import pytest

from llmgine.engine.lessons import Lessons
from llmgine.errors import ContextOverflowError, PromptRefusedError, ProviderRefusedError
from llmgine.messages.chat_messages import ChatMessage, Usage
from llmgine.messages.commands import (
    Attachment,
    ClearSessionCommand,
    ForgetTurnCommand,
    PromptCommand,
    StopTurnCommand,
)
from llmgine.messages.events import LLMResponseEvent, SessionRenamedEvent
from llmgine.providers.base import Change, ChatReply, ChatRequest, Learnt
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.costs import Today
from tests.llmgine.engine.chat import ADA, Chat, Held, OnText, prompt
from tests.llmgine.engine.conftest import StartChat
from tests.llmgine.engine.test_trimming import size

NO_TOOLS = Learnt(Change.NO_TOOLS, "tools are not supported")
ONCE = Learnt(Change.NO_IMAGES, "invalid image", lasts=False)


def reply(*learnt: Learnt) -> ChatReply:
    return ChatReply(text="ok", model="scripted", learnt=learnt)


class Windowed:
    """A model whose service refuses what is longer than its window, by its own count.

    Attributes:
        window: Tokens it takes.
        scale: How many of its tokens one of ours is.
        named: Whether its refusals name the window and the size of the request.
    """

    def __init__(self, window: int, *, scale: float = 1.0, named: bool = True, lasting: bool = True) -> None:
        self.window, self.scale, self.named, self.lasting = window, scale, named, lasting
        self.sizes: list[int] = []
        self.refused = 0

    async def __call__(self, request: ChatRequest, on_text: OnText) -> ChatReply:
        tokens = int(size(request) * self.scale)
        self.sizes.append(size(request))
        if tokens > self.window:
            self.refused += 1
            about = {"window": self.window, "requested": tokens} if self.named else {}
            raise ContextOverflowError("too long", lasting=self.lasting, **about)
        return ChatReply(text="ok", model="scripted", usage=Usage(input_tokens=tokens, output_tokens=1))


def windows(chat: Chat) -> list[int]:
    return [lesson.value for lesson in chat.engine.model.lessons.all() if lesson.name == "window"]


async def test_what_was_learnt_is_known_to_the_next_request_and_the_next_process(start_chat: StartChat) -> None:
    """A change that helped is made at once from then on, also after a restart."""
    provider = ScriptedProvider([reply(NO_TOOLS), "ok", "ok"])
    chat = await start_chat(provider)
    await chat.say("one")
    await chat.say("two")
    await chat.close()
    again = await start_chat(provider)
    await again.say("three")

    assert [request.changes for request in provider.requests] == [
        frozenset(),
        frozenset({Change.NO_TOOLS}),
        frozenset({Change.NO_TOOLS}),
    ]
    assert [event.left_out for event in [*chat.of(LLMResponseEvent), *again.of(LLMResponseEvent)]] == [
        ("tools",),
        (),
        (),
    ]


async def test_what_speaks_of_one_request_is_not_remembered(start_chat: StartChat) -> None:
    """An image that cannot be read says nothing of the next one."""
    provider = ScriptedProvider([reply(ONCE), "ok"])
    chat = await start_chat(provider)
    await chat.say("one")
    await chat.say("two")

    assert provider.requests[1].changes == frozenset()
    assert chat.engine.model.lessons.all() == []


async def test_lessons_expire_and_can_be_forgotten(start_chat: StartChat) -> None:
    """After a day, and when somebody says so, the service is asked as if nothing was known."""
    chat = await start_chat([reply(NO_TOOLS), reply(NO_TOOLS)])
    await chat.say("one")
    [lesson] = chat.engine.model.lessons.all()

    later = Lessons(chat.store)
    later._now = lambda: lesson.learnt_at + timedelta(hours=24, seconds=1)  # type: ignore[method-assign]  # a day on
    await later.start()
    assert later.all() == []
    assert later.changes("scripted", "scripted") == frozenset()

    await chat.say("two")
    await chat.engine.model.lessons.forget()
    assert chat.engine.model.lessons.all() == []
    assert await chat.store.lessons.all() == []


async def test_another_model_is_not_spoken_of(start_chat: StartChat) -> None:
    """What is true of one model of a service may be wrong for the next."""
    chat = await start_chat([reply(NO_TOOLS)])
    await chat.say("one")

    assert chat.engine.model.lessons.changes("scripted", "other") == frozenset()
    assert chat.engine.model.lessons.changes("elsewhere", "scripted") == frozenset()


async def test_a_side_request_teaches_nothing(start_chat: StartChat) -> None:
    """A title is asked for with what is known, and what it meets is not remembered."""
    provider = ScriptedProvider(["answer", reply(NO_TOOLS), "answer"])
    chat = await start_chat(provider, titles=True)
    await chat.say("one")
    await chat.told(SessionRenamedEvent)

    assert chat.engine.model.lessons.all() == []


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.6])
async def test_a_window_is_learnt_and_no_refusal_reaches_people(
    start_chat: StartChat, *, named: bool, scale: float
) -> None:
    """However the service counts, every question is answered, and refusals become rare."""
    model = Windowed(6_000, scale=scale, named=named)
    chat = await start_chat(model, window=32_000)

    outcomes = [await chat.say(f"{number} {'x' * 900}") for number in range(60)]

    assert {outcome.state for outcome in outcomes} == {"done"}
    assert any("history" in event.left_out for event in chat.of(LLMResponseEvent))
    assert windows(chat)
    assert model.refused <= 8


async def test_a_learnt_window_is_never_below_what_succeeded_nor_below_the_floor(start_chat: StartChat) -> None:
    """One refusal of a service in trouble does not shrink a conversation to nothing."""
    model = Windowed(100_000)
    chat = await start_chat(model)
    for _ in range(12):
        await chat.say("x" * 1_500)
    largest = max(model.sizes)
    model.window = largest // 3
    await chat.say("refused once")
    model.window = 100_000

    assert min(windows(chat)) >= largest
    assert [lesson.value for lesson in await chat.store.lessons.all()] == windows(chat)
    assert (chat.engine.model.lessons.window("scripted", "scripted") or 0) >= largest


async def test_a_limit_per_minute_teaches_no_window(start_chat: StartChat) -> None:
    """It means less this time, and nothing for later."""
    model = Windowed(3_000, lasting=False)
    chat = await start_chat(model)

    outcomes = [await chat.say("x" * 3_000) for _ in range(6)]

    assert {outcome.state for outcome in outcomes} == {"done"}
    assert model.refused
    assert windows(chat) == []


async def test_one_message_that_is_too_long_says_so_and_the_next_is_answered(start_chat: StartChat) -> None:
    """It is not sent again, except by who asks for it once more."""
    model = Windowed(3_000)
    chat = await start_chat(model)

    refused, following = await chat.say("x" * 30_000), await chat.say("what is 2+2?")

    assert refused.state == "failed"
    assert "too long" in (refused.notice or "")
    assert "3,000" in (refused.notice or "")
    assert following.state == "done"
    assert model.sizes[-1] < 500


async def test_one_message_that_is_too_long_costs_no_memory(start_chat: StartChat) -> None:
    """What was said before it is sent with the question after it."""
    provider = Windowed(3_000)
    chat = await start_chat(provider)
    await chat.say("I am Ada")
    before = provider.sizes[-1]

    refused, following = await chat.say("x" * 20_000), await chat.say("who am I?")

    assert (refused.state, following.state) == ("failed", "done")
    assert provider.sizes[-1] > before


async def test_too_long_is_asked_again_three_times_at_most(start_chat: StartChat) -> None:
    """A service that refuses everything ends the turn, soon."""
    model = Windowed(100_000, named=False)
    chat = await start_chat(model)
    for _ in range(10):
        await chat.say("x" * 600)
    model.window, before = 0, len(model.sizes)

    outcome = await chat.say("again")

    assert outcome.state == "failed"
    assert len(model.sizes) - before == 4
    sizes = model.sizes[before:]
    assert sizes == sorted(sizes, reverse=True)


async def test_a_refused_prompt_is_left_out_later_and_sent_again_by_a_retry(start_chat: StartChat) -> None:
    """One prompt that a service will not take does not end the conversation."""
    provider = ScriptedProvider(["one", ProviderRefusedError("filtered", may_be_prompt=True), "three"])
    chat = await start_chat(provider)
    await chat.say("first")
    refused = await chat.say("bad words")
    await chat.say("last")

    said = [message.content for message in provider.requests[-1].messages]
    assert refused.state == "failed"
    assert said[1:] == ["first", "one", "last"]
    assert provider.requests[1].messages[-1] == ChatMessage(role="user", content="bad words")


async def test_what_is_forgotten_leaves_no_parts(start_chat: StartChat) -> None:
    """Undo deletes what the service sent beside its answer, too."""
    parts = {"service": "scripted", "model": "scripted", "data": {"reasoning_content": "secret thought"}}
    provider = ScriptedProvider([ChatReply.model_validate({"text": "ok", "model": "scripted", "parts": parts})])
    chat = await start_chat(provider)
    outcome = await chat.say("one")
    turn = await chat.store.turns.get(outcome.turn_id)
    assert turn.state.replies[0].parts is not None
    assert "secret" not in "".join(step.model_dump_json() for step in turn.steps) + repr(turn)

    await chat.bus.execute(ForgetTurnCommand(session_id="s", turn_id=outcome.turn_id))

    assert not any("secret" in event.model_dump_json() for event in chat.events)


async def test_refused_twice_in_a_row_names_the_way_out(start_chat: StartChat) -> None:
    """It may be an older message that the service will not take."""

    async def touchy(request: ChatRequest, on_text: OnText) -> ChatReply:
        if any("flagged" in message.content for message in request.messages):
            raise PromptRefusedError("Refused for its content.")
        return ChatReply(text="ok", model="scripted")

    chat = await start_chat(ScriptedProvider(["something flagged", touchy, touchy, touchy]))

    _, first, second = [await chat.say(text) for text in ("one", "two", "three")]
    await chat.bus.execute(ClearSessionCommand(session_id="s"))
    cleared = await chat.say("four")

    assert (first.state, second.state, cleared.state) == ("failed", "failed", "done")
    assert "/clear" not in (first.notice or "")
    assert "/clear" in (second.notice or "")


async def test_a_message_stopped_in_the_queue_names_nobody(start_chat: StartChat) -> None:
    """One person's conversation stays plain text whatever became of their messages."""
    held = Held()
    provider = ScriptedProvider([held, "ok"])
    chat = await start_chat(provider)
    first = await chat.admit("one", author=ADA)
    await held.reached.wait()
    queued = await chat.admit("two", author=ADA)
    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=queued.turn_id))
    held.open.set()
    await chat.outcome(first.turn_id)
    await chat.outcome(queued.turn_id)

    await chat.say("three", author=ADA)

    assert [message.content for message in provider.requests[-1].messages if message.role == "user"] == [
        "one",
        "two",
        "three",
    ]


@pytest.mark.parametrize("usage", [Usage(), Usage(input_tokens=10**15, output_tokens=5), Usage(output_tokens=9)])
async def test_a_count_that_cannot_be_is_not_believed(start_chat: StartChat, usage: Usage) -> None:
    """It is neither free nor does it use up the day: what we estimate counts."""
    chat = await start_chat([ChatReply(text="ok", model="scripted", usage=usage)])
    chat.store.limits = Today(day=0, tokens=1_000_000)

    outcome = await chat.say("hello")

    [allowance] = await chat.store.allowances.of(["s"], chat.store.today)
    assert outcome.usage == Usage()
    assert 0 < allowance.used < 1_000


async def test_an_image_that_cannot_be_read_hides_no_other(start_chat: StartChat) -> None:
    """The next question is sent the good ones that came before, and not the bad one."""

    def with_image(number: int) -> PromptCommand:
        picture = Attachment(name=f"{number}.png", media_type="image/png", size=1, image=0)
        command = prompt(f"look {number}")
        return command.model_copy(update={"attachments": (picture,), "images": (f"data:image/png;base64,{number}",)})

    provider = ScriptedProvider(["good", reply(ONCE), "ok"])
    chat = await start_chat(provider)
    for number in (1, 2):
        admitted = (await chat.bus.execute(with_image(number))).unwrap()
        await chat.outcome(admitted.turn_id)
    await chat.say("and now?")

    shown = [image for message in provider.requests[-1].messages for image in message.images]
    assert shown == ["data:image/png;base64,1"]
