"""The program as people run it."""

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from llmgine.engine import ask
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import PromptCommand
from llmgine.observability import Metric, MetricEvent
from llmgine.observability.jsonl import JsonlSink
from llmgine.observability.redaction import Redactor
from programs.application import Application
from programs.logs.__main__ import main
from programs.settings import ProgramConfig, ProgramSettings
from tests.processes import ending, python_path
from tests.programs.logs.story import Story, Turn

CALL = ToolCall(id="call00001", name="get_weather", arguments='{"location": "Paris"}')
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31m\u202e<img src=x onerror=alert(1)>\r\x9b1m"


def environment(**settings: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": python_path(), "PYTHONUTF8": "1", "TERM": "xterm", **settings}


@asynccontextmanager
async def running(*arguments: str, stdout: int = asyncio.subprocess.PIPE) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program as a process of its own, ended with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "programs.logs", *arguments),
        env=environment(),
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
    )
    async with ending(process):
        yield process


def shown(story: Story, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the program writes about the story's log."""
    assert main([arguments[0], "--log-dir", str(story.path.parent), *arguments[1:]]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", [["tail"], ["stats"], ["trace", "last"], ["serve"]])
def test_a_missing_log_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """It says what to do, and the exit code is 78."""
    assert main([*command, "--log-dir", str(tmp_path)]) == 78

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"error: There is no log at {tmp_path / 'events.jsonl'}: start the bot or the terminal chat once, "
        "or give the log's folder with --log-dir or LOG_DIR\n"
    )


def test_a_log_that_cannot_be_read_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, and the exit code is 1."""
    (tmp_path / "events.jsonl").mkdir()

    assert main(["stats", "--log-dir", str(tmp_path)]) == 1

    assert capsys.readouterr().err.startswith("error: [Errno 21] Is a directory: ")


def test_the_log_is_where_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """LOG_DIR leads here as it leads the bot."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOG_DIR", "elsewhere")

    assert main(["stats"]) == 78

    assert "elsewhere/events.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "tail", "stats", "trace", "serve"])
def test_help_says_what_there_is(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command has its help, and every option a sentence."""
    with pytest.raises(SystemExit) as left:
        main([*([command] if command else []), "--help"])

    text = capsys.readouterr().out
    assert left.value.code == 0
    assert "--log-dir" in text if command else all(name in text for name in ("tail", "stats", "trace", "serve"))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["tail", "--level", "loud"],
        ["tail", "-n", "-1"],
        ["tail", "-n", "9" * 5_000],
        ["stats", "--since", "soon"],
        ["stats", "--since", "999999w"],
        ["serve", "--port", "70000"],
        ["trace"],
    ],
)
def test_a_mistake_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A value that cannot be is refused in words, without a traceback, with exit code 2."""
    with pytest.raises(SystemExit) as left:
        main(arguments)

    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


async def test_tail_shows_the_last_lines(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe they are plain: time, level, session, type, and what it says."""
    for number in range(30):
        Turn(story, f"t{number}").finish("failed" if number == 29 else "done", notice="It broke.")

    lines = shown(story, capsys, "tail", "--no-follow", "-n", "2", "--type", "turnfin").splitlines()

    assert len(lines) == 2
    assert lines[1].endswith(" ERROR test:1 TurnFinishedEvent failed, 2.00 s, 100 → 10 tokens, 40 cached: It broke.")
    assert lines[1].startswith("2026-01-01T12:00:00.")


async def test_tail_goes_back_to_older_files(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """When the newest files have too few chosen lines, the others are read too."""
    small = JsonlSink(story.path, Redactor(), max_bytes=1, keep=50)
    Turn(story, "old").finish()
    small.open()
    for _ in range(4):
        small.write(Turn(story, "x").prompt)
        small.flush()
    small.close()

    assert "turn old" in shown(story, capsys, "tail", "--no-follow", "--type", "TurnStarted", "-n", "99")


@pytest.mark.parametrize(
    ("arguments", "kinds"),
    [
        (["--type", "Turn"], {"TurnAdmittedEvent", "TurnStartedEvent", "TurnFinishedEvent"}),
        (["--level", "warning"], {"TurnFinishedEvent"}),
        (["--type", "CommandRes", "--type", "*finished*"], {"CommandResultEvent", "TurnFinishedEvent"}),
        (["--session", "two", "--level", "error"], set()),
    ],
)
async def test_tail_can_be_narrowed(
    story: Story, capsys: pytest.CaptureFixture[str], arguments: list[str], kinds: set[str]
) -> None:
    """By session, type and level; of the types one must fit."""
    for session in ("one", "two"):
        turn = Turn(story, session, session=session)
        turn.reply()
        turn.finish("stopped")

    lines = shown(story, capsys, "tail", "--no-follow", "-n", "99", *arguments).splitlines()

    assert {line.split()[3] for line in lines} == kinds


async def test_what_measures_is_shown_to_those_who_ask(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Metrics and results of commands would hide the rest; a level or a type brings them."""
    Turn(story, "t1")
    story.tell(MetricEvent, metrics=[Metric(name="lag", value=1.5, unit="s")])

    texts = [
        shown(story, capsys, "tail", "--no-follow", *more)
        for more in ([], ["--level", "debug"], ["--type", "MetricEvent"])
    ]

    assert ["lag=1.5 s" in text for text in texts] == [False, True, True]
    assert ["CommandResultEvent" in text for text in texts] == [False, True, False]


async def test_tail_shows_new_lines_as_they_come(story: Story) -> None:
    """Also after the file was rotated, and it ends on Ctrl-C without a word."""
    Turn(story, "before")
    async with running("tail", "--log-dir", str(story.path.parent), "--type", "TurnStarted") as process:
        assert process.stdout
        assert b"turn before" in await process.stdout.readline()

        story.path.rename(story.path.with_name("events.jsonl.20260101000000000000"))
        Turn(story, "after")

        assert b"turn after" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        assert (process.returncode, out, err) == (130, b"", b"")


async def test_who_has_read_enough_may_leave(story: Story) -> None:
    """`tail | head -1` ends without a traceback."""
    reading, writing = os.pipe()
    async with running("tail", "--log-dir", str(story.path.parent), "-n", "5", stdout=writing) as process:
        os.close(writing)
        os.close(reading)
        Turn(story, "t1")

        assert process.stderr
        assert await process.stderr.read() == b""
        assert await process.wait() == 0


async def test_in_a_terminal_lines_are_coloured_and_harmless(story: Story) -> None:
    """Our colours reach the terminal, and nothing that stands in the log commands it."""
    Turn(story, HOSTILE, HOSTILE, session=HOSTILE).finish("failed", notice=HOSTILE)
    for command in (["tail", "--no-follow"], ["stats"], ["trace", "last"]):
        ours, theirs = pty.openpty()
        async with running(*command, "--log-dir", str(story.path.parent), stdout=theirs) as process:
            os.close(theirs)
            assert await process.wait() == 0
        text = read_all(ours).decode()

        assert "\x1b[" in text
        assert not {"\x07", "\u202e", "\x9b"} & set(text)
        assert "\x1b]" not in text
        assert "\x1b[2J" not in text


def read_all(descriptor: int) -> bytes:
    data = b""
    try:
        while piece := os.read(descriptor, 65_536):
            data += piece
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    os.close(descriptor)
    return data


async def test_in_a_pipe_no_command_writes_anything_but_text(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Plain means plain, whatever is in the log."""
    turn = Turn(story, HOSTILE, HOSTILE, session=HOSTILE)
    with turn.tool(CALL.model_copy(update={"name": HOSTILE, "arguments": HOSTILE}), content=HOSTILE):
        pass
    turn.reply(HOSTILE, model=HOSTILE)
    turn.finish(notice=HOSTILE, model=HOSTILE)

    for command in (["tail", "--no-follow", "--level", "debug"], ["stats"], ["trace", "last"]):
        text = shown(story, capsys, *command)
        assert r"\u001b]0;owned\u0007" in text or command == ["stats"]
        assert all(c.isprintable() or c == "\n" for c in text)


async def test_stats_are_tables_or_data(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """People get tables; --json gives the same as one object."""
    turn = Turn(story, "t1")
    turn.reply()
    with turn.tool(CALL):
        pass
    turn.finish()

    tables = shown(story, capsys, "stats")
    data = json.loads(shown(story, capsys, "stats", "--json"))

    assert [word in tables for word in ("done", "small", "get_weather", "500 ms", "1.00 s")] == [True] * 5
    assert (data["turns"]["done"], data["unreadable_lines"]) == (1, 0)
    assert json.loads(shown(story, capsys, "stats", "--json", "--since", "1h"))["records"] == 0


async def test_unreadable_lines_are_said(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left out in silence."""
    with story.path.open("ab") as file:
        file.write(b"torn\n")

    assert main(["stats", "--log-dir", str(story.path.parent)]) == 0

    assert capsys.readouterr().err == "1 lines could not be read.\n"


async def test_trace_draws_the_tree(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """When it began, what it was, how long it took, and how it ended, one line each."""
    turn = Turn(story, "t1", "What is the weather?")
    with turn.tool(CALL, ok=False, content="no such place"):
        pass
    turn.reply(round_=1)
    turn.finish("failed", notice="It broke.", seconds=1.5)

    title, *lines = shown(story, capsys, "trace", "t").splitlines()

    assert title.startswith("turn t1 · test:1 · failed · 1.50 s · ")
    assert [line[13:65].rstrip() for line in lines] == [
        "prompt",
        "├─ admitted",
        "└─ turn",
        "   ├─ round 1",
        "   │  └─ tool get_weather",
        "   └─ round 2",
        "      └─ model small · 100 → 10 tokens, 40 cached",
    ]
    assert lines[4].endswith('501 ms failed get_weather({"location": "Paris"}) → no such place')


async def test_a_turn_that_is_not_there_is_one_sentence(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what to do, and the exit code is 1."""
    assert main(["trace", "x", "--log-dir", str(story.path.parent)]) == 1

    assert capsys.readouterr().err == (
        "error: There is no turn in the log whose id begins with 'x': list the ids with `tail --type TurnStarted`\n"
    )


async def test_a_real_turn_makes_one_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log of the real engine, with the demo model and a tool, is put together again as it ran."""
    settings = ProgramSettings(
        _env_file=None, database_url=f"sqlite:///{tmp_path}/chat.db", log_dir=tmp_path, outbox_dir=tmp_path
    )
    async with Application(ProgramConfig(settings=settings)) as app:
        prompt = PromptCommand(session_id="s", text="What is the weather in Paris?", source="test", source_id="1")
        assert (await ask(app.bus, prompt)).state == "done"

    assert main(["trace", "last", "--log-dir", str(tmp_path)]) == 0

    names = [line[13:65].strip(" ├└─│") for line in capsys.readouterr().out.splitlines()[1:]]
    steps = [name.split(" · ")[0] for name in names if name not in {"metrics", "span"}]
    assert steps == [
        *("prompt", "admitted", "turn"),
        *("round 1", "model demo", "tool get_weather"),
        *("round 2", "model demo"),
    ]


async def test_serve_says_where_it_is_and_ends_on_a_signal(story: Story) -> None:
    """The address it prints answers; SIGTERM ends it at once, also while a page listens."""
    async with running("serve", "--port", "0", "--log-dir", str(story.path.parent)) as process:
        assert process.stdout
        line = (await process.stdout.readline()).decode()
        url = line.split()[-1]
        async with aiohttp.ClientSession() as session, session.get(f"{url}api/changes") as changes:
            assert changes.status == 200

            process.send_signal(signal.SIGTERM)

            assert await process.wait() == 0


async def test_a_taken_port_is_one_sentence(story: Story) -> None:
    """It says what to do."""
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with running("serve", "--port", str(port), "--log-dir", str(story.path.parent)) as process:
        _, err = await process.communicate()
    taken.close()
    await taken.wait_closed()

    assert process.returncode == 78
    assert err.decode().startswith(f"error: Cannot listen on 127.0.0.1:{port} (")
    assert err.decode().endswith("): choose another port with --port\n")
