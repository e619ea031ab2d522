"""Turns of the terminal chat behind pipes: as they stream, fail, are stopped, and survive."""

import asyncio
import re
from pathlib import Path

from tests.chat_completions import ChatCompletionsServer
from tests.programs.terminal.program import EMAIL, piped, run, session_of


async def test_writes_the_answer_as_it_streams(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """What has come of an answer is there before the rest is."""
    more = asyncio.Event()
    model.hold(more, before="The beginning, ", after="the end.")
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        chat.say("Hello")
        await chat.until("The beginning,")
        assert "the end." not in chat.output
        more.set()
        await chat.until("The beginning, the end.\n-- gpt-4o-mini · ")


async def test_a_model_that_refuses_is_an_error_and_the_next_message_works(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """The error says what to do, and the conversation goes on."""
    model.fail(401)

    chat = await run(tmp_path, lines=["one", "two"], OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="made-up-key")

    assert re.search(r"^> one\nerror: .*OPENAI_API_KEY.*\n> two\nYou said: two\n", chat.output, re.MULTILINE)
    assert chat.process.returncode == 0


async def test_says_when_the_model_is_asked_again(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """A failure that passes is visible while it is waited for, and the answer comes."""
    model.fail(500)

    chat = await run(tmp_path, lines=["one"], OPENAI_BASE_URL=model.base_url)

    assert re.search(r"^note: .+ Trying again in \d+ s \(try 2 of 4\)\.\nYou said: one$", chat.output, re.MULTILINE)


async def test_an_answer_that_breaks_off_keeps_what_came(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """What was streamed stands once, then the error."""
    model.cut("Half an answer")

    chat = await run(tmp_path, lines=["one"], OPENAI_BASE_URL=model.base_url)

    assert re.search(r"^> one\nHalf an answer\nerror: .+\n$", chat.output, re.MULTILINE)


async def test_ctrl_c_stops_the_answer_and_the_next_message_works(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The model's service sees that nobody listens any more, what had come stays, and the chat goes on."""
    model.hold(asyncio.Event(), before="Once upon a time")
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        chat.say("Tell me a story")
        await chat.until("Once upon a time")

        chat.interrupt()

        await chat.until("Once upon a time\nnote: Stopped.\n")
        await model.until(lambda: model.aborted == 1)
        chat.say("two")
        await chat.until("You said: two")


async def test_a_second_ctrl_c_leaves(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """It ends with the exit code of an interrupted program, and no traceback."""
    model.hold(asyncio.Event(), before="Once")
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        chat.say("Tell me a story")
        await chat.until("Once")
        chat.interrupt()
        await chat.until("note: Stopped.")

        chat.interrupt()

        assert await chat.end() == 130
    assert chat.errors == ""


async def test_two_ctrl_c_at_the_prompt_leave(tmp_path: Path) -> None:
    """The first one says what a second would do."""
    async with piped(tmp_path) as chat:
        await chat.until("offline demo model")
        chat.say("/help")
        await chat.until("Ctrl-C stops")
        chat.interrupt()
        await chat.until("note: Press Ctrl-C again to quit.")

        chat.interrupt()

        assert await chat.end() == 130


async def test_ctrl_c_at_a_question_stops_the_turn(tmp_path: Path) -> None:
    """Nothing runs, the question is taken back, and the next line is a prompt again."""
    async with piped(tmp_path) as chat:
        chat.say(EMAIL)
        await chat.until("? [y/N] ")

        chat.interrupt()

        await chat.until("note: Stopped.")
        chat.say("calculate 1+1")
        await chat.until("**Result:** 2")
    assert not (tmp_path / "outbox").exists()


async def test_a_question_may_be_answered_with_a_reason(tmp_path: Path) -> None:
    """What is neither yes nor no denies the call, and is told to the model as the reason."""
    async with piped(tmp_path) as chat:
        chat.say(EMAIL)
        await chat.until("? [y/N] ")

        chat.say("ask my colleague first")

        await chat.until("The reason given: ask my colleague first")
    assert not (tmp_path / "outbox").exists()


async def test_finishes_what_a_killed_process_left(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """A turn cut by kill -9 is answered when its session is opened again, once, and shown with what was asked."""
    model.hold(asyncio.Event(), before="Lost")
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as killed:
        killed.say("Important question")
        await killed.until("Lost")
        killed.process.kill()
        await killed.end()
    session = session_of(killed.output)

    chat = await run(tmp_path, "--session", session, lines=["next"], OPENAI_BASE_URL=model.base_url)

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
        await killed.until("Lost")
        killed.process.kill()
        await killed.end()

    async with piped(tmp_path, "--session", session_of(killed.output), OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until("Lost")
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
