"""From a prompt to its one outcome."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from llmgine.errors import ProviderBusyError, ProviderUnavailableError, StoreError
from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import (
    Admitted,
    PromptCommand,
    SetSystemPromptCommand,
)
from llmgine.messages.deliveries import Delivery, DeliveryKey
from llmgine.messages.events import (
    AnswerProgressEvent,
    Event,
    LLMResponseEvent,
    ModelAskedEvent,
    SystemPromptChangedEvent,
    TurnAdmittedEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.providers.base import MAX_CHARACTERS, ChatReply, ChatRequest
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.database import Operation
from llmgine.sessions.records import TurnSteps
from tests.llmgine.engine.chat import ADA, Held, OnText, call, echo, prompt, roll
from tests.llmgine.engine.conftest import StartChat


async def test_a_prompt_is_answered(start_chat: StartChat) -> None:
    """Admitted, started, asked, replied, finished: each once, in this order, with what the front end stored."""
    usage = Usage(input_tokens=12, output_tokens=3)
    chat = await start_chat([ChatReply(text="Hello Ada", model="gpt", usage=usage)])

    outcome = await chat.say("hi", author=ADA)

    assert (outcome.state, outcome.text, outcome.notice) == ("done", "Hello Ada", None)
    assert (outcome.model, outcome.usage, outcome.source, outcome.origin) == ("gpt", usage, "test", {"channel": "s"})
    kinds = [type(event) for event in chat.of(Event, outcome.turn_id) if not isinstance(event, AnswerProgressEvent)]
    assert kinds == [TurnAdmittedEvent, TurnStartedEvent, ModelAskedEvent, LLMResponseEvent, TurnFinishedEvent]


async def test_admission_does_not_wait_for_the_model(start_chat: StartChat) -> None:
    """`execute` returns while the model is still held, and says how many are before."""
    held = Held()
    chat = await start_chat([held, "two", "three"])

    places = [(await chat.admit()).place for _ in range(3)]
    await held.reached.wait()

    assert places == [0, 1, 2]
    assert not chat.of(TurnFinishedEvent)
    held.open.set()
    await chat.told(TurnFinishedEvent, times=3)


async def test_a_burst_is_answered_in_order(start_chat: StartChat) -> None:
    """Ten prompts at once: ten outcomes, in the order of their admission, each seeing those before."""
    provider = ScriptedProvider(echo())
    chat = await start_chat(provider)

    admitted = [await chat.admit(str(number)) for number in range(10)]
    await chat.told(TurnFinishedEvent, times=10)

    assert [event.turn_id for event in chat.of(TurnFinishedEvent)] == [place.turn_id for place in admitted]
    assert [event.text for event in chat.of(TurnFinishedEvent)] == [f"You said {number}" for number in range(10)]
    assert [len(request.messages) for request in provider.requests] == [2 + 2 * number for number in range(10)]


async def test_sessions_run_side_by_side(start_chat: StartChat) -> None:
    """While one is held another is answered, and neither sees the other's words."""
    held = Held()
    chat = await start_chat([held, "from b"])
    first = await chat.admit("in a", "a")
    await held.reached.wait()

    other = await chat.say("in b", "b")

    assert other.text == "from b"
    held.open.set()
    assert (await chat.outcome(first.turn_id)).text == "the end"


async def test_model_calls_are_bounded_over_all_sessions(start_chat: StartChat) -> None:
    """With three calls allowed at once, ten sessions never have more, and all are answered."""
    running = most = 0
    full, free = asyncio.Event(), asyncio.Event()

    async def count(request: ChatRequest, on_text: OnText) -> ChatReply:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            full.set()
        await free.wait()
        running -= 1
        return ChatReply(text="ok", model="m")

    chat = await start_chat(count, calls_at_once=3)
    for number in range(10):
        await chat.admit(session_id=str(number))
    await full.wait()
    await chat.told(TurnStartedEvent, times=10)
    free.set()
    await chat.told(TurnFinishedEvent, times=10)

    assert most == 3


async def test_a_message_that_comes_twice_is_answered_once(start_chat: StartChat) -> None:
    """The second admission names the first's turn and starts nothing."""
    chat = await start_chat(["one", "two"])
    command = prompt()
    first: Admitted = (await chat.bus.execute(command)).unwrap()
    await chat.outcome(first.turn_id)

    again: Admitted = (await chat.bus.execute(command)).unwrap()
    await chat.say("next")

    assert (again.turn_id, again.duplicate) == (first.turn_id, True)
    assert [event.text for event in chat.of(TurnFinishedEvent)] == ["one", "two"]


async def test_a_prompt_is_answered_though_nobody_heard_that_it_was_admitted(
    start_chat: StartChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store fails after a turn was admitted, and the prompt is said again, that turn is run."""
    chat = await start_chat(ScriptedProvider(["hello"]))
    said = prompt("hi")
    admit = chat.store.turns.admit

    async def admit_and_fail(command: PromptCommand, turn_id: str, at: int, timezone: str) -> None:
        await admit(command, turn_id, at, timezone)
        raise StoreError("nobody knows whether it was committed")

    monkeypatch.setattr(chat.store.turns, "admit", admit_and_fail)
    assert isinstance((await chat.bus.execute(said)).exception, StoreError)
    monkeypatch.setattr(chat.store.turns, "admit", admit)

    admitted = (await chat.bus.execute(said)).unwrap()

    assert (await chat.outcome(admitted.turn_id)).text == "hello"


@pytest.mark.parametrize("text", ["", "  \n\t", "\0", "\ud800"])
async def test_nothing_to_answer_is_refused(start_chat: StartChat, text: str) -> None:
    """A prompt without text is a failed command with a reason, and no turn."""
    chat = await start_chat([])

    result = await chat.bus.execute(prompt(text))

    assert (result.success, result.error) == (False, "There is no text to answer.")
    assert not chat.of(TurnAdmittedEvent)


@pytest.mark.parametrize("moment", range(1, 6))
async def test_a_cancelled_caller_does_not_lose_its_prompt(start_chat: StartChat, moment: int) -> None:
    """Cancelled in the middle of its admission, at whatever step, the prompt is answered all the same."""
    chat = await start_chat(["answered"])
    caller = asyncio.create_task(chat.bus.execute(prompt()))
    for _ in range(moment):
        await asyncio.sleep(0)

    caller.cancel()

    assert (await chat.told(TurnFinishedEvent)).text == "answered"
    await asyncio.wait([caller])


async def test_the_answer_is_told_as_it_grows(start_chat: StartChat) -> None:
    """Progress holds all text so far, and the committed reply comes after it."""
    held = Held(text="Once upon", partial="Once ")
    chat = await start_chat([held])
    admitted = await chat.admit()

    progress = await chat.told(AnswerProgressEvent)
    held.open.set()
    await chat.outcome(admitted.turn_id)

    assert (progress.round, progress.text) == (0, "Once ")


async def test_one_turn_is_one_tree(start_chat: StartChat) -> None:
    """From every event of the turn, tool calls too, the parents lead to the prompt's command."""
    chat = await start_chat([call("roll"), "hi"])
    await chat.engine.register_tool(roll)
    command = prompt()
    admitted: Admitted = (await chat.bus.execute(command)).unwrap()
    await chat.outcome(admitted.turn_id)

    events = chat.of(Event, admitted.turn_id)
    parents = {event.span_id: event.parent_id for event in events}
    for event in events:
        here: str | None = event.span_id
        while here in parents:
            here = parents[here]
        assert (here, event.trace_id) == (command.span_id, command.trace_id)


async def test_a_system_prompt_holds_from_the_next_turn_on(start_chat: StartChat) -> None:
    """Set and taken away, each told once; one that is too long is refused and changes nothing."""
    provider = ScriptedProvider(["1", "2", "3"])
    chat = await start_chat(provider)

    await chat.bus.execute(SetSystemPromptCommand(session_id="s", system_prompt="Talk like a pirate."))
    await chat.say()
    too_long = await chat.bus.execute(SetSystemPromptCommand(session_id="s", system_prompt="x" * 4_001))
    await chat.say()
    await chat.bus.execute(SetSystemPromptCommand(session_id="s", system_prompt=None))
    await chat.say()

    assert too_long.error == "A system prompt has at most 4,000 characters; this has 4,001."
    pirate = "Talk like a pirate."
    assert [request.messages[0].content for request in provider.requests] == [pirate, pirate, "Be brief."]
    assert [event.system_prompt for event in chat.of(SystemPromptChangedEvent)] == [pirate, None]


async def test_the_outcome_is_stored_with_its_parts(start_chat: StartChat) -> None:
    """What is to be posted is committed in the same moment as the outcome, before anybody is told of it."""

    def render(steps: TurnSteps) -> list[Delivery]:
        key = DeliveryKey(kind="text", round=0, part=0)
        return [
            Delivery(turn_id=steps.turn.id, attempt=steps.turn.attempt, key=key, body={"content": steps.state.text})
        ]

    chat = await start_chat(["hello"], renderers={"test": render})

    outcome = await chat.say()

    assert [part.body for part in await chat.store.deliveries.of(outcome.turn_id)] == [{"content": "hello"}]
    assert [turn.id for turn in await chat.store.undelivered("test")] == [outcome.turn_id]


async def test_a_renderer_that_fails_does_not_keep_a_turn_open(start_chat: StartChat) -> None:
    """The outcome is committed and told, and the next prompt is answered."""

    def render(_: TurnSteps) -> list[Delivery]:
        raise ValueError

    chat = await start_chat(["one", "two"], renderers={"test": render})

    assert [(await chat.say()).text, (await chat.say()).text] == ["one", "two"]


async def test_a_bug_in_the_program_still_ends_the_turn(start_chat: StartChat) -> None:
    """An exception of no kind of ours becomes a visible outcome without its details; the next prompt works."""
    chat = await start_chat([ZeroDivisionError("the details"), "fine"])

    outcome = await chat.say()

    assert outcome.state == "failed"
    assert "details" not in (outcome.notice or "").replace("its log has the details", "")
    assert (await chat.say()).text == "fine"


async def test_what_the_engine_is_told_after_it_stopped_waits_for_the_next_start(start_chat: StartChat) -> None:
    """A prompt that comes while the program closes is kept, not run with half of it gone."""
    chat = await start_chat(["never asked"])
    await chat.engine.stop()

    admitted = await chat.admit()

    await chat.close()
    assert chat.of(TurnStartedEvent) == []
    heir = await start_chat(["at last"])
    assert await heir.engine.recover(["test"]) == 1
    assert (await heir.outcome(admitted.turn_id)).text == "at last"


async def test_a_store_that_fails_for_a_while_loses_no_turn(
    start_chat: StartChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full when the outcome is committed: with space again it ends, by itself and exactly once."""
    monkeypatch.setattr("llmgine.engine.backoff.FIRST", 0.01)
    provider = ScriptedProvider(["hello"])
    chat = await start_chat(provider)
    failures = iter(["disk full"] * 2)

    @contextlib.asynccontextmanager
    async def full(operation: Operation) -> AsyncIterator[None]:
        if operation.name == "runs.finish":
            for failure in failures:
                raise StoreError(failure)
        yield

    chat.store.observe(full)

    assert (await chat.say()).text == "hello"
    assert await chat.store.turns.unfinished("s") == []
    assert len(chat.of(TurnFinishedEvent)) == 1
    assert len(provider.requests) == 1


async def test_failures_of_the_model_never_poison_the_next_prompt(start_chat: StartChat) -> None:
    """After each kind of failure the session answers again, with a valid conversation."""
    provider = ScriptedProvider(
        [ProviderUnavailableError("down"), "up", ProviderBusyError("busy", retry_after=1e9), "ok"]
    )
    chat = await start_chat(provider, tries=1)

    outcomes = [await chat.say(text) for text in "abcd"]

    assert [(o.state, o.text, o.notice) for o in outcomes] == [
        ("failed", "", "down"),
        ("done", "up", None),
        ("failed", "", "busy"),
        ("done", "ok", None),
    ]
    assert [message.role for message in provider.requests[-1].messages] == [
        *("system", "user", "assistant", "user", "assistant", "user", "assistant", "user")
    ]


def test_a_prompt_names_its_source() -> None:
    """The gate needs it: a prompt without one cannot be built."""
    with pytest.raises(ValueError, match="source_id"):
        PromptCommand(session_id="s", text="hi", source="test")  # type: ignore[call-arg]  # that it is refused is the promise


async def test_a_reply_is_ended_at_its_bound(start_chat: StartChat) -> None:
    """What a model writes beyond it is not kept, and people are told that the answer was ended."""
    chat = await start_chat(["x" * (MAX_CHARACTERS + 1)])

    outcome = await chat.say()

    assert outcome.text == "x" * MAX_CHARACTERS
    assert outcome.notice == "The answer was stopped at 100,000 characters. Ask it to continue."
