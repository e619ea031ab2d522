"""The terminal chat in a terminal: editing, completion, the rich view, and the keys that stop and leave."""

import asyncio
import json
import termios
from pathlib import Path

from aiohttp import web

from programs.demo_texts import LONG_ANSWER
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.programs.terminal.program import in_terminal, session_of

PROMPT = "\n> "
UP, LEFT, TAB, CTRL_C, CTRL_D = "\x1b[A", "\x1b[D", "\t", "\x03", "\x04"
EMAIL = ("send_email", json.dumps({"to": "test@example.com", "subject": "Hello", "body": "Testing"}))


def said(model: ChatCompletionsServer) -> list[str]:
    """What people said in the newest request."""
    return [message["content"] for message in model.requests[-1]["messages"] if message["role"] == "user"]


async def test_a_tool_call_and_its_result_are_a_line_each(tmp_path: Path) -> None:
    """The call with its arguments, the result with its time, the answer as Markdown, the footer."""
    async with in_terminal(tmp_path) as chat:
        await chat.until(PROMPT)

        chat.type("What's the weather like in San Francisco?\r")

        await chat.until(" s\n\n> ")
        chat.type(CTRL_D)
    assert '⚙ get_weather(location="San Francisco")\n  ✓ 0.0 s  San Francisco: 18 °C' in chat.text
    assert "\nWeather: San Francisco: 18 °C" in chat.text
    assert "\ndemo (offline demo) · " in chat.text
    assert chat.process.returncode == 0


async def test_a_failed_call_is_red(tmp_path: Path) -> None:
    """A result that is an error stands out."""
    async with in_terminal(tmp_path) as chat:
        await chat.until(PROMPT)

        chat.type("calculate 1/0\r")

        await chat.until("demo (offline demo)")
        chat.type(CTRL_D)
    assert "\x1b[1;31m✗\x1b[0m" in chat.output


async def test_a_long_answer_stands_on_the_screen(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """An answer longer than the screen is there whole, and the screen is never wiped."""
    model.reply(LONG_ANSWER)
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until(PROMPT)

        chat.type("Show me a long answer\r")

        await chat.until("gpt-4o-mini · ")
        chat.type(CTRL_D)
    rest = chat.text
    for line in ("A long answer", "What to look at", "1 The text", "def words(", "sys.exit(main())", "How it works"):
        assert line in rest
        rest = rest[rest.index(line) :]
    assert "```" not in chat.text
    assert "\x1b[2J" not in chat.output


async def test_commands_are_completed(tmp_path: Path) -> None:
    """A slash offers the commands with what they do, and Tab writes one out."""
    async with in_terminal(tmp_path) as chat:
        await chat.until(PROMPT)
        chat.type("/to")
        await chat.until("list the tools the model can call")

        chat.type(TAB + "\r")

        await chat.until("send_email (asks you first)")
        chat.type(CTRL_D)


async def test_arguments_are_completed(tmp_path: Path) -> None:
    """Those that are chosen from a list, and files."""
    (tmp_path / "notes of may.txt").write_text("text")
    async with in_terminal(tmp_path) as chat:
        await chat.until(PROMPT)
        chat.type("/effort hi")
        await chat.until("xhigh")
        chat.type(f"{TAB}\r")
        await chat.until("Effort: high · to choose from: none, ")
        chat.type("/file no")
        await chat.until("notes of may.txt")

        chat.type(f"{TAB}\r")

        await chat.until("Attached to the next message: notes of may.txt.")
        chat.type(CTRL_D)


async def test_a_paste_of_ten_thousand_lines_is_one_message(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """It goes to the model whole."""
    text = "\n".join(str(number) for number in range(10_000))
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until(PROMPT)
        await chat.paste(text)
        chat.type("\r")
        await model.until(lambda: len(model.requests) == 1)
        await chat.until("gpt-4o-mini · ")
        chat.type(CTRL_D)
    assert said(model) == [text]


async def test_two_terminals_in_one_session(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Each answers its own questions, after those of the other, and --continue finds the session that both are in."""
    settings = {"OPENAI_BASE_URL": model.base_url}
    async with in_terminal(tmp_path, **settings) as first:
        await first.until(PROMPT)
        first.type("one\r")
        await first.until("You said: one")
        async with in_terminal(tmp_path, "-c", **settings) as second:
            await second.until(PROMPT)
            second.type("two\r")
            await second.until("You said: two")
            first.type("/undo\r")
            await first.until("Forgotten, with its answer: two")
            first.type("three\r")
            await first.until("You said: three")
            second.type(CTRL_D)
        first.type(CTRL_D)
    assert session_of(first.text) == session_of(second.text)
    assert said(model) == ["one", "three"]
    assert "You said: two" not in first.text


async def test_one_ctrl_c_ends_a_single_question(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """What had come stays, and the terminal is left as it was found."""
    model.hold(asyncio.Event(), before="Once upon a time")
    async with in_terminal(tmp_path, "story", OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until("Once upon a time")
        chat.type(CTRL_C)
        assert await chat.end() == 130
        assert termios.tcgetattr(chat.descriptor)[3] & termios.ECHO
    assert "Stopped." in chat.text
    assert "Traceback" not in chat.text


async def test_without_term_the_chat_works(tmp_path: Path) -> None:
    """As in a terminal that a program opens with an empty environment."""
    async with in_terminal(tmp_path, TERM="") as chat:
        await chat.until(PROMPT)
        chat.type("calculate 1+1\r")
        await chat.until("Result: 2")
        chat.type(CTRL_D)
    assert chat.process.returncode == 0


async def test_a_line_is_edited_and_found_again(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Arrow keys move in the line; the up arrow brings the last one back."""
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until(PROMPT)
        chat.type(f"helo{LEFT}l\r")
        await chat.until("You said: hello")
        await chat.until(" s\n\n> ")

        chat.type(f"{UP}!\r")

        await chat.until("You said: hello!")
        chat.type(CTRL_D)


async def test_the_history_survives_a_restart(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The up arrow brings back what was said in this session in an earlier run."""
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as first:
        await first.until(PROMPT)
        first.type("something\r")
        await first.until(" s\n\n> ")
        first.type(CTRL_D)
    session = session_of(first.text)

    async with in_terminal(tmp_path, "--session", session, OPENAI_BASE_URL=model.base_url) as second:
        await second.until(PROMPT)
        second.type(f"{UP} else\r")
        await second.until("You said: something else")
        second.type(CTRL_D)


async def test_a_paste_of_several_lines_is_one_message(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Line breaks inside a paste, and Alt-Enter, do not send what is before them."""
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until(PROMPT)

        chat.type("\x1b[200~first\r\nsecond\x1b[201~\x1b\rthird\r")

        await chat.until("You said: first")
        await chat.until(" s\n\n> ")
        chat.type(CTRL_D)
    assert said(model) == ["first\nsecond\nthird"]


async def test_ctrl_c_stops_the_answer_and_a_second_one_leaves(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """What had come stays; the terminal is left as it was found."""
    model.hold(asyncio.Event(), before="Once upon a time")
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until(PROMPT)
        chat.type("Tell me a story\r")
        await chat.until("Once upon a time")

        chat.type(CTRL_C)
        await chat.until("Stopped.\n\n> ")
        await model.until(lambda: model.aborted == 1)
        chat.type(CTRL_C)

        assert await chat.end() == 130
        assert termios.tcgetattr(chat.descriptor)[3] & termios.ECHO
    assert chat.output.count("\x1b[?25l") <= chat.output.count("\x1b[?25h")  # the cursor is shown again


async def test_ctrl_c_at_the_prompt_throws_the_line_away(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """On a line with text it clears it; on an empty one it says that another one leaves."""
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until(PROMPT)
        chat.type(f"nonsense{CTRL_C}sense\r")
        await chat.until("You said: sense")
        await chat.until(" s\n\n> ")

        chat.type(CTRL_C)
        await chat.until("Press Ctrl-C again to quit.")
        chat.type(CTRL_C)

        assert await chat.end() == 130


async def test_an_approval_shows_the_exact_arguments(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Text that would turn around or hide what stands there is shown in escapes, and y runs the call."""
    body = "pay \u202e001\nBcc: all\u2066 hidden"
    model.reply(tool_calls=[("send_email", json.dumps({"to": "a@b.example", "subject": "S", "body": body}))])
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until(PROMPT)
        chat.type("Write\r")
        await chat.until("? [y/N, or a reason]")
        shown = chat.text.replace("\n", "")
        chat.type("y\r")
        await chat.until("Not sent")
        await chat.until(" s\n\n> ")
        chat.type(CTRL_D)
    assert r'Run send_email(to="a@b.example", subject="S", body="pay \u202e001\nBcc: all\u2066 hidden")?' in shown


async def test_what_was_typed_before_the_question_does_not_answer_it(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """A y that was on its way approves nothing."""
    typed = asyncio.Event()

    async def answer(exchange: Exchange) -> web.StreamResponse:
        await exchange.text("One moment.")
        await typed.wait()
        await exchange.call(0, "call_0", *EMAIL)
        await exchange.chunk({}, "tool_calls")
        return await exchange.end()

    model.answer(answer)
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        await chat.until(PROMPT)
        chat.type("Write\r")
        await chat.until("One moment.")
        chat.type("y\r")
        typed.set()
        await chat.until("? [y/N, or a reason]")
        chat.type("\r")
        await chat.until("denied this")
        await chat.until(" s\n\n> ")
        chat.type(CTRL_D)
    assert not (tmp_path / "outbox").exists()


async def test_ctrl_c_at_a_question_stops_the_turn(tmp_path: Path) -> None:
    """Nothing runs, and the prompt is there again."""
    async with in_terminal(tmp_path) as chat:
        await chat.until(PROMPT)
        chat.type("Send an email to test@example.com with subject 'Hello' and body 'Testing'\r")
        await chat.until("? [y/N, or a reason]")

        chat.type(CTRL_C)

        await chat.until("Stopped.\n\n> ")
        chat.type(CTRL_D)
    assert not (tmp_path / "outbox").exists()


async def test_a_question_whose_time_runs_out_gives_the_prompt_back(tmp_path: Path) -> None:
    """What was typed half is gone, and the next line is a prompt."""
    async with in_terminal(tmp_path, APPROVAL_TIMEOUT="1") as chat:
        await chat.until(PROMPT)
        chat.type("Send an email to test@example.com with subject 'Hello' and body 'Testing'\r")
        await chat.until("? [y/N, or a reason]")
        chat.type("ye")

        await chat.until("Nobody answered in time, so send_email was not run.")

        await chat.until(" s\n\n> ")
        chat.type("calculate 1+1\r")
        await chat.until("Result: 2")
        chat.type(CTRL_D)
    assert not (tmp_path / "outbox").exists()


async def test_an_error_of_the_model_is_red_and_says_what_to_do(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The next message works."""
    model.fail(401)
    async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="made-up-key") as chat:
        await chat.until(PROMPT)
        chat.type("one\r")
        await chat.until("OPENAI_API_KEY")
        await chat.until("\n\n> ")
        chat.type("two\r")
        await chat.until("You said: two")
        chat.type(CTRL_D)
    assert "\x1b[1;31m✗ " in chat.output


async def test_a_terminal_that_can_do_nothing_gets_the_plain_view(tmp_path: Path) -> None:
    """TERM=dumb has neither colours nor a cursor to move."""
    async with in_terminal(tmp_path, TERM="dumb") as chat:
        await chat.until("offline demo model")
        chat.type("calculate 1+1\n")
        await chat.until("**Result:** 2")
        chat.type("/exit\n")
    assert "\x1b" not in chat.output
    assert chat.process.returncode == 0
