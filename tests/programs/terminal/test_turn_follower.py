"""Turns of the terminal chat behind pipes: as they stream, fail, are stopped, and survive."""

import asyncio
import io
import os
import re
from pathlib import Path

from aiohttp import web

from programs.application import Application
from programs.terminal.chat import Chat
from programs.terminal.current_session import CurrentSession
from programs.terminal.lines import PlainLines
from programs.terminal.plain_view import PlainView
from programs.terminal.thinking import ThinkingStatus
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.programs.terminal.program import EMAIL, in_terminal, piped, run, session_of, transcript
from tests.programs.terminal.test_chat import config
from tests.waiting import patience


async def test_writes_an_answer_when_it_is_whole(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """A pipe gets nothing of an answer before the model is done: what it takes back could not be taken back there."""
    more = asyncio.Event()
    model.hold(more, before="The beginning, ", after="the end.")
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        chat.say("Hello")
        await model.until(lambda: model.active == 1)
        assert chat.output == ""
        more.set()
        await chat.until("-- gpt-4o-mini · ")
    assert chat.output == "The beginning, the end.\n"


async def test_a_model_that_refuses_is_an_error_and_the_next_message_works(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """The error says what to do, the conversation goes on, and the exit code says that an answer failed."""
    model.fail(401)

    chat = await transcript(
        tmp_path, lines=["one", "two"], OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="made-up-key"
    )

    assert re.search(r"^> one\nerror: .*OPENAI_API_KEY.*\n> two\nYou said: two\n", chat.output, re.MULTILINE)
    assert chat.process.returncode == 1


async def test_says_when_the_model_is_asked_again(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """A failure that passes is visible while it is waited for, and the answer comes."""
    model.fail(500)

    chat = await transcript(tmp_path, lines=["one"], OPENAI_BASE_URL=model.base_url)

    assert re.search(r"^note: .+ Trying again in \d+ s \(try 2 of 4\)\.\nYou said: one$", chat.output, re.MULTILINE)


async def test_an_answer_that_breaks_off_keeps_what_came(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """What was streamed stands once, then the error."""
    model.cut("Half an answer")

    chat = await transcript(tmp_path, lines=["one"], OPENAI_BASE_URL=model.base_url)

    assert re.search(r"^> one\nHalf an answer\nerror: .+\n$", chat.output, re.MULTILINE)


async def test_ctrl_c_stops_the_answer_and_ends(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The service sees that nobody listens any more, what had come stays, and nothing is left for the next run."""
    model.hold(asyncio.Event(), before="Once upon a time")
    async with piped(tmp_path, mixed=True, OPENAI_BASE_URL=model.base_url) as chat:
        chat.say("Tell me a story", "and another one")
        await model.until(lambda: model.active == 1)

        chat.interrupt()

        assert await chat.end() == 130
    await model.until(lambda: model.aborted == 1)
    assert re.search(r"^> Tell me a story\n(Once upon a time\n)?note: Stopped\.\n$", chat.output, re.MULTILINE)
    again = await run(tmp_path, "--session", session_of(chat.output))
    assert "continuing" not in again.errors
    assert len(model.requests) == 1


async def test_ctrl_c_while_nothing_is_asked_ends(tmp_path: Path) -> None:
    """Of a program that waits for a pipe, too."""
    async with piped(tmp_path) as chat:
        chat.say("/help")
        await chat.until("clear the line or stop the answer")

        chat.interrupt()

        assert await chat.end() == 130
    assert "Traceback" not in chat.errors


async def test_ctrl_c_at_a_question_stops_the_turn(tmp_path: Path) -> None:
    """Nothing runs, and the program ends."""
    async with piped(tmp_path) as chat:
        chat.say(EMAIL)
        await chat.until("? [y/N, or a reason] ")

        chat.interrupt()

        assert await chat.end() == 130
    assert "note: Stopped." in chat.errors
    assert not (tmp_path / "outbox").exists()


async def test_a_question_may_be_answered_with_a_reason(tmp_path: Path) -> None:
    """What is neither yes nor no denies the call, and is told to the model as the reason."""
    async with piped(tmp_path) as chat:
        chat.say(EMAIL)
        await chat.until("? [y/N, or a reason] ")

        chat.say("ask my colleague first")

        await chat.until("The reason given: ask my colleague first")
    assert not (tmp_path / "outbox").exists()


async def test_finishes_what_a_killed_process_left(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """A turn cut by kill -9 is answered when its session is opened again, once, and shown with what was asked."""
    model.hold(asyncio.Event(), before="Lost")
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as killed:
        killed.say("Important question")
        await model.until(lambda: model.active == 1)
        killed.process.kill()
        await killed.end()
    session = session_of(killed.errors)

    chat = await transcript(tmp_path, "--session", session, lines=["next"], OPENAI_BASE_URL=model.base_url)

    assert re.search(
        r"^note: The program ended before it had answered; continuing now\.\n"
        r"> Important question\nYou said: Important question\n-- .+\n"
        r"> next\nYou said: next\n",
        chat.output,
        re.MULTILINE,
    )


async def test_a_turn_that_an_earlier_run_was_asked_to_stop_ends_stopped(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """A recovered turn can be stopped by Ctrl-C like any other."""
    for _ in range(2):
        model.hold(asyncio.Event(), before="Lost")
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as killed:
        killed.say("Important question")
        await model.until(lambda: model.active == 1)
        killed.process.kill()
        await killed.end()

    async with piped(tmp_path, "--session", session_of(killed.errors), OPENAI_BASE_URL=model.base_url) as chat:
        await model.until(lambda: len(model.requests) == 2 and model.active == 1)
        chat.interrupt()
        await chat.until("note: Stopped.")


async def test_a_question_that_nobody_answers_is_denied(tmp_path: Path) -> None:
    """When its time runs out the question is taken back, it is said, and the next line is a prompt again."""
    async with piped(tmp_path, APPROVAL_TIMEOUT="1") as chat:
        chat.say(EMAIL)
        await chat.until("note: Nobody answered in time, so send_email was not run.")
        chat.say("calculate 1+1")
        await chat.until("**Result:** 2")
    assert not (tmp_path / "outbox").exists()


async def test_the_status_counts_the_seconds_of_thinking() -> None:
    """After three seconds without text the status says for how long, every five; a new round begins again."""
    status = ThinkingStatus()
    assert status.seconds_left is None
    status.begin()
    assert 2.9 < (status.seconds_left or 0) <= 3.0
    status.begin(-12.0)
    assert status.seconds_left == 0.0
    assert status.next() == "thinking … 12 s (Ctrl-C to stop)"
    assert 4.9 < (status.seconds_left or 0) <= 5.0
    status.end()
    assert status.seconds_left is None
    status.resume()
    assert status.seconds_left == 0.0
    assert status.next() == "thinking … 12 s (Ctrl-C to stop)"


async def test_a_terminal_says_for_how_long_the_model_thinks(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """It is on the screen until the answer takes its place, and nothing of it stays; a pipe gets none of it."""
    go_on = asyncio.Event()
    model.hold(go_on, silent=True, after="The answer.")
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until("\n> ")
        chat.type("Think\r")
        await chat.until("thinking … 3 s")
        go_on.set()
        await chat.until("The answer.")
        await chat.until(" s\n\n> ")
        chat.type("\x04")
    go_on.clear()
    model.hold(go_on, silent=True, after="The answer.")
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        chat.say("Think")
        await model.until(lambda: model.active == 1)
        await asyncio.sleep(3.5)
        go_on.set()
        await chat.until("-- gpt-4o-mini · ")
    assert "thinking" not in chat.output + chat.errors


class Recorded(PlainView):
    """A view that notes what it is told of a growing answer, and of what is waited for."""

    def __init__(self) -> None:
        super().__init__(io.StringIO(), io.StringIO())
        self.told: list[str] = []
        self.changed = asyncio.Event()

    def status(self, text: str) -> None:
        """See `View`."""
        self.answer(text.partition("(")[0])

    def answer(self, text: str) -> None:
        """See `View`."""
        self.told.append(text)
        self.changed.set()


async def test_the_status_goes_on_where_text_was_thinking(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Text that the end of thinking takes back makes room for the seconds at once, and then the answer comes."""
    view, go_on, end = Recorded(), asyncio.Event(), asyncio.Event()

    async def thinks(exchange: Exchange) -> web.StreamResponse:
        await exchange.text("I wonder about secrets. ")
        await go_on.wait()
        await exchange.text("\n</think>\n")
        await end.wait()
        await exchange.text("The answer.")
        await exchange.chunk({}, "stop")
        return await exchange.end()

    model.answer(thinks)
    session = CurrentSession()
    session.begin(None)
    async with Application(config(tmp_path, model)) as app:
        lines = PlainLines(os.open(os.devnull, os.O_RDONLY), io.StringIO())
        chat = asyncio.create_task(Chat(app, session, view=view, lines=lines, interactive=False).run("Think"))
        await told(view, "I wonder about secrets. ")
        go_on.set()
        await told(view, "thinking … 1 s ")
        end.set()
        assert await chat == 0

    assert view.told[1:4] == ["I wonder about secrets. ", "", "thinking … 1 s "]


async def told(view: Recorded, text: str) -> None:
    """Wait until the view is told this."""
    async with patience(f"{text!r}"):
        while text not in view.told:
            view.changed.clear()
            await view.changed.wait()


async def test_a_note_says_who_answered_in_whose_place(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Where the model is not there a fallback model answers, and the note under the answer says why, once a turn."""
    model.fail(401, {"error": {"message": "no such key"}})
    model.reply(tool_calls=[("calculate", '{"expression": "6*7"}')])
    model.reply("It is 42.")

    chat = await transcript(tmp_path, lines=["one"], OPENAI_BASE_URL=model.base_url, FALLBACK_MODELS="other-model")

    assert re.search(r"It is 42\.\n", chat.output)
    [note] = re.findall(r"^note: (other-model answered, .*)$", chat.output, re.MULTILINE)
    assert note.startswith("other-model answered, because gpt-4o-mini failed: The model service at 127.0.0.1 refused")
    assert [one["model"] for one in model.requests] == ["gpt-4o-mini", "other-model", "other-model"]
