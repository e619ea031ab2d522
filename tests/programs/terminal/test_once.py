"""One question on the command line or in a pipe: the answer alone on the standard output, and an exit code."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from programs.terminal.asked import read_asked
from programs.terminal.command_line import UsageError, read_options
from tests.chat_completions import ChatCompletionsServer, Json
from tests.programs.files import examples
from tests.programs.files.examples import PNG
from tests.programs.terminal.program import EMAIL, in_terminal, piped, run, session_of


def asked(model: ChatCompletionsServer) -> tuple[Json, list[str]]:
    """What the model was told in the last message: the JSON of it, and the types of the images."""
    content = model.requests[-1]["messages"][-1]["content"]
    if isinstance(content, str):
        return json.loads(content), []
    return json.loads(content[0]["text"]), [part["image_url"]["url"].partition(";")[0] for part in content[1:]]


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_the_answer_alone_is_on_the_standard_output(tmp_path: Path) -> None:
    """The session, the tool call, its result and the footer are on the standard error, and nothing is read but that."""
    argument = await run(tmp_path, "Can you", "calculate 24*7?")
    line = await run(tmp_path, lines=["Can you calculate 24*7?"])

    assert argument.output == line.output == "**Result:** 168\n"
    for chat in (argument, line):
        assert f"note: session {session_of(chat.errors)} (new)\n" in chat.errors
        assert 'tool: calculate(expression="24*7")\nresult: 168\n-- demo (offline demo) · ' in chat.errors
        assert chat.process.returncode == 0


async def test_a_question_may_begin_with_a_dash_or_a_slash(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Behind two dashes it is no option, and a command is no command on the command line."""
    chat = await run(tmp_path, "--no-console", "--", "-1", "/exit", OPENAI_BASE_URL=model.base_url)

    assert chat.output == "You said: -1 /exit\n"


async def test_piped_text_goes_along_as_a_file(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """All lines of it, as material beside the question; and nothing where the pipe is empty."""
    await run(tmp_path, "What went wrong?", lines=["/exit", "ö\tfailed"], OPENAI_BASE_URL=model.base_url)
    told, _ = asked(model)
    await run(tmp_path, "Hello?", OPENAI_BASE_URL=model.base_url)

    file = {"name": "standard input", "type": "text/plain", "text": "/exit\nö\tfailed\n"}
    assert told == {"text": "What went wrong?", "files": [file]}
    assert model.requests[-1]["messages"][-1]["content"] == "Hello?"


async def test_a_dash_takes_the_whole_pipe_as_the_question(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """All its lines are one message, and an empty one is a mistake."""
    await run(tmp_path, "-", lines=["first", "second"], OPENAI_BASE_URL=model.base_url)
    empty = await run(tmp_path, "-", OPENAI_BASE_URL=model.base_url)

    assert [request["messages"][-1]["content"] for request in model.requests] == ["first\nsecond\n"]
    assert (empty.process.returncode, empty.errors) == (2, "error: The question is empty.\n")


async def test_a_question_that_looks_like_a_document_is_text(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """HTML is asked as it is, and what is no text cannot be a question."""
    page = "<!DOCTYPE html>\n<html><body><script>x()</script>What does this do?</body></html>\n"
    await run(tmp_path, "-", lines=page.splitlines(), OPENAI_BASE_URL=model.base_url)
    binary = await run(tmp_path, "-", lines=["\0\1"], OPENAI_BASE_URL=model.base_url)

    assert [request["messages"][-1]["content"] for request in model.requests] == [page]
    assert binary.process.returncode == 2
    assert binary.errors == "error: A question is text. Attach other files with --file - beside one.\n"


async def test_files_are_attached_by_what_is_in_them(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """An image that is called a text is an image, and a text goes whole, whatever the orders to a terminal in it."""
    text = "line\n" * 10_000 + "\x1b]0;owned\x07"
    (tmp_path / "not an image.png").write_text(text)
    (tmp_path / "hostile\x1b[2J.txt").write_bytes(PNG)

    chat = await run(
        tmp_path,
        *("-f", "not an image.png", "What is this?", "--file", "hostile\x1b[2J.txt", "-f", "-"),
        lines=["piped"],
        OPENAI_BASE_URL=model.base_url,
    )

    told, images = asked(model)
    assert [(file["name"], file["type"]) for file in told["files"]] == [
        ("not an image.png", "text/plain"),
        ("hostile.txt", "image/png"),
        ("standard input", "text/plain"),
    ]
    assert told["files"][0]["text"] == text
    assert images == ["data:image/png"]
    assert "\x1b" not in chat.output + chat.errors


async def test_documents_are_read_as_in_discord(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Their text, and scanned pages as images; what was left out of one is a note beside the answer."""
    (tmp_path / "a.pdf").write_bytes(examples.pdf("Rent is 700"))
    (tmp_path / "b.bin").write_bytes(examples.workbook())
    (tmp_path / "scan").write_bytes(examples.scan(2))
    (tmp_path / "moving").write_bytes(examples.animation(2))

    chat = await run(
        tmp_path,
        *("-f", "a.pdf", "-f", "b.bin", "-f", "scan", "-f", "moving", "What is this?"),
        OPENAI_BASE_URL=model.base_url,
    )

    told, images = asked(model)
    names = ["a.pdf", "b.bin", "scan", "scan, page 1", "scan, page 2", "moving"]
    assert [file["name"] for file in told["files"]] == names
    assert told["files"][0]["text"] == "[page 1]\nRent is 700"
    assert "| May | 12.5 |" in told["files"][1]["text"]
    assert images == ["data:image/jpeg", "data:image/jpeg", "data:image/png"]
    assert "note: moving: an animation: only its first frame is shown to the model.\n" in chat.errors


async def test_a_file_that_is_missing_is_a_usage_error(tmp_path: Path) -> None:
    """It is one sentence and exit code 2, and nothing was begun."""
    chat = await run(tmp_path, "-f", "nowhere\x07.txt", "look")

    assert chat.errors == "error: nowhere.txt cannot be read: No such file or directory.\n"
    assert (chat.output, chat.process.returncode) == ("", 2)
    assert entries(tmp_path) == []


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([("folder/file", b"")], "folder cannot be read: Is a directory"),
        ([("a.bin", b"\0\1")], "a.bin is neither text nor an image."),
        ([("a.bin", b"\xff\xfa\1")], "a.bin is neither text nor an image."),
        ([("a.pdf", b"%PDF-1.7 some text")], "a.pdf cannot be attached: the file is damaged."),
        ([("a.txt", b"x" * (2**18 + 1))], "a.txt is larger than 256 KiB"),
        ([("a.png", PNG + bytes(25 * 2**20))], "a.png is larger than 25 MiB."),
        ([(f"{n}.png", PNG) for n in range(5)], "A message takes at most 4 images."),
        ([(f"{n}.txt", b"x") for n in range(21)], "A message takes at most 20 files."),
    ],
)
def test_a_file_that_cannot_go_along_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[tuple[str, bytes]], says: str
) -> None:
    """The sentence says what is wrong with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    for name, data in files:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(data)
    options = read_options([*(f"--file={name.partition('/')[0]}" for name, _ in files), "look"])

    with pytest.raises(UsageError) as refusal:
        read_asked(options, vision=True, image_bytes=1_000_000)

    assert says in str(refusal.value)


def test_an_image_needs_a_model_that_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any other it is refused, rather than left out."""
    monkeypatch.setattr("sys.stdin", None)
    (tmp_path / "a.png").write_bytes(PNG)

    with pytest.raises(UsageError, match=r"a\.png is an image, and this model can't read images"):
        read_asked(read_options(["-f", str(tmp_path / "a.png"), "look"]), vision=False, image_bytes=1_000_000)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--continue", "--session", "x"], "not allowed with"),
        (["  "], "argument QUESTION: must not be empty"),
        (["--list-sessions", "two", "words"], "quote WORDS"),
        (["-f", "-"], "--file - needs a QUESTION"),
        (["-f", "-", "-"], "--file - needs a QUESTION"),
        (["-f"], "expected one argument"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    """The exit code is 2, and the usage is said with what is wrong."""
    with pytest.raises(SystemExit) as end:
        read_options(arguments)

    assert end.value.code == 2
    assert says in capsys.readouterr().err


async def test_whoever_only_looks_for_sessions_makes_no_files(tmp_path: Path) -> None:
    """In a folder without sessions, the list is empty and there is nothing to continue; both say so."""
    listed = await run(tmp_path, "--list-sessions")
    continued = await run(tmp_path, "--continue")

    assert (listed.output, listed.errors, listed.process.returncode) == ("", "note: There are no sessions yet.\n", 0)
    assert continued.errors.startswith("error: There is no session to continue;")
    assert continued.process.returncode == 2
    assert entries(tmp_path) == []


async def test_an_answer_that_fails_is_exit_code_1(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """What had come of it is on the standard output, and why it failed on the standard error."""
    model.cut("Half an answer")

    chat = await run(tmp_path, "one", OPENAI_BASE_URL=model.base_url)

    assert chat.output == "Half an answer\n"
    assert "\nerror: " in chat.errors
    assert chat.process.returncode == 1


async def test_a_call_that_nobody_can_approve_is_denied(tmp_path: Path) -> None:
    """It never waits: nothing runs, the reason is on the standard error, and the exit code tells a script."""
    chat = await run(tmp_path, EMAIL, lines=["y"])

    assert "error: send_email was denied: it asks first, and there is nobody to ask.\n" in chat.errors
    assert chat.output.startswith("**E-mail:** The terminal (input closed) denied this call.")
    assert chat.process.returncode == 1
    assert not (tmp_path / "outbox").exists()


async def test_what_a_killed_run_left_is_finished_but_is_not_the_answer(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """After kill -9, --continue ends the old turn on the standard error, and answers its own question."""
    model.hold(asyncio.Event(), before="Lost")
    async with piped(tmp_path, "Old question", OPENAI_BASE_URL=model.base_url) as killed:
        killed.end_input()
        await model.until(lambda: model.active == 1)
        killed.process.kill()
        await killed.end()

    chat = await run(tmp_path, "-c", "new question", OPENAI_BASE_URL=model.base_url)

    assert f"note: session {session_of(killed.errors)}, " in chat.errors
    assert "continuing now.\n> Old question\nYou said: Old question\n" in chat.errors
    assert chat.output == "You said: new question\n"
    assert chat.process.returncode == 0


class TestCtrlC:
    """It ends with exit code 130 and no traceback, wherever it comes."""

    async def test_while_it_loads(self, tmp_path: Path) -> None:
        """Before anything of ours runs; the shell makes 130 of the signal."""
        async with piped(tmp_path, "hello") as chat:
            chat.interrupt()
            assert await chat.end() in {-signal.SIGINT, 130}
        assert "Traceback" not in chat.errors

    async def test_while_a_pipe_is_read(self, tmp_path: Path) -> None:
        """A pipe that does not end is said to be waited for."""
        async with piped(tmp_path, "hello") as chat:
            await chat.until("note: Reading the standard input to its end;")
            chat.interrupt()
            assert await chat.end() == 130
        assert "Traceback" not in chat.errors

    async def test_while_it_answers(self, tmp_path: Path, model: ChatCompletionsServer) -> None:
        """The turn ends stopped, so that the next run has nothing to finish."""
        model.hold(asyncio.Event(), before="Once")
        async with piped(tmp_path, "hello", OPENAI_BASE_URL=model.base_url) as chat:
            chat.end_input()
            await model.until(lambda: model.active == 1)
            chat.interrupt()
            assert await chat.end() == 130
        again = await run(tmp_path, "-c", "and now?", OPENAI_BASE_URL=model.base_url)
        assert "note: Stopped." in chat.errors
        assert "continuing" not in again.errors


async def test_in_a_terminal_the_answer_grows_and_a_tool_asks(tmp_path: Path) -> None:
    """One question with its approval, in colours; then the program ends."""
    async with in_terminal(tmp_path, EMAIL) as chat:
        await chat.until("? [y/N, or a reason]")
        chat.type("y\r")
        assert await chat.end() == 0
    assert "⚙ send_email(" in chat.text
    assert "E-mail: Not sent, because no mail server is configured" in chat.text
    assert "/help lists" not in chat.text


async def test_with_its_output_in_a_file_a_tool_still_asks_in_the_terminal(tmp_path: Path) -> None:
    """The file gets the answer alone."""
    async with in_terminal(tmp_path, EMAIL, script='"$@" > answer.md; echo "code $?"') as chat:
        await chat.until("? [y/N, or a reason]")
        chat.type("not today\r")
        await chat.until("code 0")
    answer = (tmp_path / "answer.md").read_text()
    assert answer.startswith("**E-mail:** ann denied this call. The reason given: not today\n")
    assert "\x1b" not in answer
    assert not (tmp_path / "outbox").exists()


async def test_a_file_beside_a_chat_goes_with_its_first_message(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """With that alone."""
    (tmp_path / "a.txt").write_text("text")

    await run(tmp_path, "-f", "a.txt", lines=["one", "two"], OPENAI_BASE_URL=model.base_url)

    contents = [request["messages"][-1]["content"] for request in model.requests]
    assert json.loads(contents[0])["files"][0]["text"] == "text"
    assert json.loads(contents[1]) == {"text": "two"} if contents[1].startswith("{") else contents[1] == "two"


async def test_a_pipe_with_a_name_is_read(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """As shells make one of `<(command)`."""
    os.mkfifo(tmp_path / "fifo")
    writer = asyncio.to_thread((tmp_path / "fifo").write_text, "from a pipe")

    chat, _ = await asyncio.gather(run(tmp_path, "-f", "fifo", "q", OPENAI_BASE_URL=model.base_url), writer)

    assert asked(model)[0]["files"][0]["text"] == "from a pipe"
    assert chat.process.returncode == 0
