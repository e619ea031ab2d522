"""The terminal chat and another application on one store: the same session, nothing taken, nothing twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmgine.engine import ask
from llmgine.messages.commands import Admitted, Author, DecideToolCallCommand, PromptCommand
from llmgine.messages.events import TurnEvent, TurnFinishedEvent
from programs.application import Application
from programs.settings import ProgramConfig, ProgramSettings
from tests.chat_completions import ChatCompletionsServer
from tests.programs.terminal.program import environment, in_terminal, piped, run, session_of
from tests.waiting import noted, patience

SESSION = "discord:1200000000000000001"
ANN = Author(id="7", name="Ann")


@contextlib.asynccontextmanager
async def bot(folder: Path, model: ChatCompletionsServer | None = None) -> AsyncIterator[Application]:
    """An application as the bot's, on the store of the chats in `folder`."""
    there = environment(folder)
    settings = ProgramSettings(_env_file=None).model_copy(
        update={
            "database_url": there["DATABASE_URL"],
            "log_dir": folder / "bot-logs",
            "outbox_dir": folder / "outbox",
            "openai_base_url": model.base_url if model else None,
            "openai_api_key": None,
        }
    )
    async with Application(ProgramConfig(settings=settings)) as app:
        yield app


def prompt(text: str, source_id: str = "1") -> PromptCommand:
    return PromptCommand(
        session_id=SESSION, session_name="#general", text=text, source="discord", source_id=source_id, author=ANN
    )


class Heard:
    """The turn events of an application."""

    def __init__(self, app: Application) -> None:
        self.events: list[TurnEvent] = []
        self._changed = asyncio.Condition()
        app.bus.register_event_handler(TurnEvent, self._take)

    async def _take(self, event: TurnEvent) -> None:
        self.events.append(event)
        noted()
        async with self._changed:
            self._changed.notify_all()

    async def until(self, kind: type[TurnEvent]) -> TurnEvent:
        async with patience(f"a {kind.__name__}"), self._changed:
            await self._changed.wait_for(lambda: any(isinstance(event, kind) for event in self.events))
        return next(event for event in self.events if isinstance(event, kind))


async def test_a_session_of_the_bot_is_listed_and_continued_while_the_bot_runs(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """The terminal's model is sent what was said in Discord, and the bot's what was said at the terminal."""
    async with bot(tmp_path, model) as app:
        await ask(app.bus, prompt("from Discord", "1"))

        listed = await run(tmp_path, "--list-sessions")
        await run(tmp_path, "--session", SESSION, lines=["from the terminal"], OPENAI_BASE_URL=model.base_url)
        await ask(app.bus, prompt("again from Discord", "2"))

    assert f"  {SESSION}  " in listed.output
    assert listed.output.endswith("1 turn  #general\n")
    assert "from Discord" in model.requests[1]["messages"][1]["content"]
    assert model.requests[2]["messages"][3]["content"] == "from the terminal"


async def test_a_turn_of_the_bot_is_waited_for_and_not_taken(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The terminal's prompt runs after the bot's live turn; each process runs its own, each has one outcome."""
    go_on = asyncio.Event()
    model.hold(go_on, before="First ", after="answer.")
    async with bot(tmp_path, model) as app:
        heard = Heard(app)
        first = (await app.bus.execute(prompt("first"))).unwrap()
        await model.until(lambda: model.active == 1)
        async with piped(tmp_path, "--session", SESSION, mixed=True, OPENAI_BASE_URL=model.base_url) as chat:
            chat.say("second")
            await chat.until("note: Waiting for 1 earlier turn.\n")
            assert len(model.requests) == 1

            go_on.set()

            await chat.until("You said: second\n-- ")
        await heard.until(TurnFinishedEvent)
        history = await app.store.turns.history(SESSION)

    assert {event.turn_id for event in heard.events} == {first.turn_id}
    assert [turn.state.text for turn in history] == ["First answer.", "You said: second"]
    assert [turn.turn.source for turn in history] == ["discord", "terminal"]
    assert [message["content"] for message in model.requests[1]["messages"]][2] == "First answer."
    assert len(model.requests) == 2
    assert "First answer." not in chat.output


async def test_the_bot_waits_for_a_turn_of_the_terminal(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The other way round: the bot's prompt comes second and is answered second, by the bot."""
    go_on = asyncio.Event()
    async with bot(tmp_path, model) as app:
        await ask(app.bus, prompt("zero", "0"))
        model.hold(go_on, before="The first ", after="answer.")
        async with piped(tmp_path, "--session", SESSION, mixed=True, OPENAI_BASE_URL=model.base_url) as chat:
            chat.say("first")
            await model.until(lambda: model.active == 1)
            heard = Heard(app)
            second: Admitted = (await app.bus.execute(prompt("second"))).unwrap()
            assert second.place == 1

            go_on.set()

            await chat.until("The first answer.\n-- ")
            await heard.until(TurnFinishedEvent)
        history = await app.store.turns.history(SESSION)

    assert [turn.turn.state for turn in history] == ["done", "done", "done"]
    assert history[1].state.text == "The first answer."
    assert {event.turn_id for event in heard.events} == {second.turn_id}
    assert "second" not in chat.output


async def test_many_prompts_of_both_are_each_answered_once_and_in_order(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """Ten turns of each, admitted as they come, leave twenty outcomes, and no turn is run beside another."""
    numbers = [str(number) for number in range(10)]
    async with bot(tmp_path, model) as app, piped(tmp_path, mixed=True, OPENAI_BASE_URL=model.base_url) as chat:
        heard = Heard(app)
        chat.say("begin")
        await chat.until("You said: begin\n-- ")
        session = session_of(chat.output)
        chat.say(*(f"terminal {number}" for number in numbers))
        for number in numbers:
            command = prompt(f"discord {number}", number).model_copy(update={"session_id": session})
            (await app.bus.execute(command)).unwrap()
        await chat.until("You said: terminal 9\n-- ")
        async with patience("all turns to end"):
            while await app.store.turns.unfinished(session):
                await heard.until(TurnFinishedEvent)
        await app.bus.wait_until_idle()
        history = await app.store.turns.history(session)

    assert len(history) == 21
    by_source = {
        source: [turn.state.prompt.text for turn in history if turn.turn.source == source]
        for source in ("terminal", "discord")
    }
    assert by_source["terminal"][1:] == [f"terminal {number}" for number in numbers]
    assert by_source["discord"] == [f"discord {number}" for number in numbers]
    assert len(model.requests) == 21
    assert sum(isinstance(event, TurnFinishedEvent) for event in heard.events) == 10
    # The model was sent, each time, all earlier outcomes: nothing ran beside another.
    assert [len(request["messages"]) for request in model.requests] == [2 * n + 2 for n in range(21)]


@pytest.mark.parametrize("approved", [True, False])
async def test_a_call_that_was_decided_elsewhere_does_not_leave_the_question_open(
    tmp_path: Path, *, approved: bool
) -> None:
    """Ann decides in Discord; the terminal takes its question back, says who did, and reads the next prompt."""
    async with bot(tmp_path) as app, piped(tmp_path) as chat:
        chat.say("Send an email to test@example.com with subject 'Hello' and body 'Testing'")
        await chat.until("? [y/N, or a reason] ")

        await decide(app, approved=approved)

        await chat.until(f"note: Ann {'approved' if approved else 'denied'} send_email elsewhere.\n")
        chat.say("calculate 1+1")
        await chat.until("**Result:** 2")
    assert (tmp_path / "outbox").exists() == approved


async def test_a_question_on_the_screen_is_taken_back_when_it_is_decided_elsewhere(tmp_path: Path) -> None:
    """In a terminal the half-typed answer goes, and the prompt comes back."""
    async with bot(tmp_path) as app, in_terminal(tmp_path) as chat:
        await chat.until("\n> ")
        chat.type("Send an email to test@example.com with subject 'Hello' and body 'Testing'\r")
        await chat.until("? [y/N, or a reason]")
        chat.type("ye")

        await decide(app, approved=False)

        await chat.until("Ann denied send_email elsewhere.")
        await chat.until(" s\n\n> ")
        chat.type("calculate 1+1\r")
        await chat.until("Result: 2")
        chat.type("\x04")


async def decide(app: Application, *, approved: bool) -> None:
    """Decide the one call that waits in the newest session."""
    session = (await app.store.sessions.page(most=1)).sessions[0]
    turn = (await app.store.turns.unfinished(session.id))[0]
    call = (await app.store.turns.get(turn.id)).state.replies[0].tool_calls[0]
    command = DecideToolCallCommand(
        session_id=session.id, turn_id=turn.id, call_id=call.id, approved=approved, decided_by=ANN
    )
    assert (await app.bus.execute(command)).unwrap()


async def test_ctrl_c_while_waiting_for_the_bot_says_when_it_takes_effect(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """A prompt that waits for its place ends stopped without the model being asked."""
    go_on = asyncio.Event()
    model.hold(go_on, before="First ", after="answer.")
    async with bot(tmp_path, model) as app:
        (await app.bus.execute(prompt("first"))).unwrap()
        await model.until(lambda: model.active == 1)
        async with in_terminal(tmp_path, "--session", SESSION, OPENAI_BASE_URL=model.base_url) as chat:
            await chat.until("\n> ")
            chat.type("second\r")
            await chat.until("Waiting for 1 earlier turn.")
            chat.interrupt()
            await chat.until("It will stop once the earlier turns have ended.")
            go_on.set()
            await chat.until("Stopped.")
            chat.type("\x04")
    assert len(model.requests) == 1
