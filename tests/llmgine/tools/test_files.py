"""Files that tools give: checked where they are made, named safely, without secrets, from any process."""

import asyncio
import json
import time
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import pytest

from llmgine.engine.file_room import MOST_BYTES as MOST_OF_TURN
from llmgine.engine.file_room import FileRoom, without_data
from llmgine.messages.chat_messages import ResultFile, ToolCall, ToolResult
from llmgine.messages.steps import ResultStep
from llmgine.tools.files import MOST_BYTES, MOST_FILES, File, ToolOutput, result_files, safe_name
from llmgine.tools.isolation import Isolation
from llmgine.tools.tool import Tool
from llmgine.tools.tool_manager import ToolManager
from llmgine.turn_state import TurnState
from tests.cpu import moment

PNG = b"\x89PNG\r\n\x1a\n\0\n\n"
SECRET = "sk-proj-" + "a1B2" * 12


def draw(number: int) -> ToolOutput:
    """Draw something.

    Args:
        number: How many pictures.
    """
    return ToolOutput({"drawn": number}, [File(f"{one}.png", PNG + bytes([one])) for one in range(number)])


def give_large() -> ToolOutput:
    """Give a large file."""
    return ToolOutput("large", [File("large.txt", b"a line of a text\n" * 1_000_000), File("b.bin", bytes(3_000_000))])


def give_too_much() -> ToolOutput:
    """Give a file that is too large."""
    return ToolOutput("too large", [File("large.bin", bytes(MOST_BYTES + 1))])


def give_file() -> File:
    """Give a file."""
    return File("a.png", PNG)


def give_files() -> tuple[File, File]:
    """Give two files."""
    return File("a.png", PNG), File("b.png", PNG)


def give_text() -> str:
    """Give a text."""
    return "a text"


def give_nothing() -> ToolOutput:
    """Give a text alone."""
    return ToolOutput()


async def run(function: Any, arguments: str = "{}", *, isolated: bool) -> ToolResult:
    manager = ToolManager()
    manager.register(function, isolation=Isolation() if isolated else None)
    return await manager.run(ToolCall(name=function.__name__, arguments=arguments))


@pytest.mark.parametrize("isolated", [False, True], ids=["here", "isolated"])
class TestCalls:
    """A tool that runs here, and one in a process of its own, give the same."""

    async def test_the_files_come_with_the_text(self, *, isolated: bool) -> None:
        """Any value is the text, and the data are as they were, whatever bytes they have."""
        result = await run(draw, '{"number": 3}', isolated=isolated)
        assert json.loads(result.content) == {"drawn": 3}
        assert [(one.name, one.data) for one in result.files] == [(f"{n}.png", PNG + bytes([n])) for n in range(3)]
        assert {one.media_type for one in result.files} == {"image/png"}
        assert "data" not in result.model_dump_json()

    async def test_large_files_hold_nothing_up(self, *, isolated: bool) -> None:
        """Twenty megabytes of text and others arrive whole, and other work is not kept waiting for them."""
        running = asyncio.create_task(run(give_large, isolated=isolated))
        longest, last = 0.0, time.thread_time()
        while not running.done():
            await asyncio.sleep(0.001)
            now = time.thread_time()
            longest, last = max(longest, now - last), now
        assert [one.size for one in (await running).files] == [17_000_000, 3_000_000]
        assert longest < 25 * moment()

    async def test_too_much_is_an_error(self, *, isolated: bool) -> None:
        """More than a call may give is none, and the model reads why."""
        result = await run(give_too_much, isolated=isolated)
        assert not result.ok
        assert "25 MiB" in result.content
        result = await run(draw, '{"number": 11}', isolated=isolated)
        assert not result.ok
        assert "at most 10 files, not 11" in result.content
        assert result.files == ()

    async def test_files_alone(self, *, isolated: bool) -> None:
        """A file is a result by itself, and so are several."""
        result = await run(give_file, isolated=isolated)
        assert (result.content, [one.name for one in result.files], result.ok) == ("done", ["a.png"], True)
        result = await run(give_files, isolated=isolated)
        assert (result.content, [one.name for one in result.files]) == ("done", ["a.png", "b.png"])

    async def test_a_text_alone(self, *, isolated: bool) -> None:
        """Without files it is as any other result."""
        result = await run(give_nothing, isolated=isolated)
        assert (result.content, result.files, result.ok, result.done) == ("done", (), True, True)


@pytest.mark.parametrize(
    ("name", "media_type", "safe"),
    [
        ("chart.png", "", "chart.png"),
        ("../../etc/passwd", "", "passwd"),
        ("C:\\windows\\cmd.exe", "", "cmd.exe"),
        (".bashrc", "", "bashrc"),
        ("...", "", "file"),
        ("", "image/png", "file.png"),
        ("chart", "image/png", "chart.png"),
        ("a\u202eb\x00c\nd.txt", "", "abc d.txt"),
        ('<b>"x"|?*`y`.md', "", "_b_x_y_.md"),
        ("con.txt", "", "_con.txt"),
        ("LPT1", "", "_LPT1"),
        ("x" * 500 + ".csv", "", "x" * 76 + ".csv"),
        ("𝄞" * 90 + ".csv", "", "𝄞" * 49 + ".csv"),
        ("Übersicht 2026.pdf", "", "Übersicht 2026.pdf"),
        ("report.final version of it", "text/plain", "report.final version of it.txt"),
    ],
)
def test_names_are_safe(name: str, media_type: str, safe: str) -> None:
    """No path, no hidden file or character, no device of Windows; with an extension where the type is known."""
    assert safe_name(name, media_type) == safe
    assert PurePosixPath(safe).name == PureWindowsPath(safe).name == safe


async def test_each_file_has_its_own_name() -> None:
    """Two files of one name are told apart, also where a system does not tell capitals apart."""
    named = await result_files([File("a.txt", b"1"), File("A.TXT", b"2"), File("a.txt", b"3")], str)
    assert [one.name for one in named] == ["a.txt", "A-2.TXT", "a-3.txt"]


async def test_texts_and_names_have_no_secrets() -> None:
    """What looks like a key goes, wherever in a long text it is; what is no text stays as it is."""
    manager = ToolManager()
    text = ("line\n" * 50_000 + f"key: {SECRET}\n") * 2

    async def give() -> ToolOutput:
        """Give files."""
        return ToolOutput("x", [File("a.txt", text.encode()), File(f"{SECRET}.txt", b"x"), File("b.bin", b"\xff" * 9)])

    manager.register(give)
    result = await manager.run(ToolCall(name="give"))
    assert SECRET.encode() not in result.files[0].data
    assert result.files[0].data.count(b"[redacted]") == 2
    assert len(result.files[0].data) == result.files[0].size
    assert SECRET not in result.files[1].name
    assert result.files[2].data == b"\xff" * 9


@pytest.mark.parametrize(
    "make",
    [
        lambda: File("a", "text"),  # type: ignore[arg-type]
        lambda: File("a", b""),
        lambda: File(1, b"x"),  # type: ignore[arg-type]
        lambda: ToolOutput("x", ["a.png"]),  # type: ignore[list-item]
        lambda: ToolOutput("x", [File("a", b"x")] * (MOST_FILES + 1)),
    ],
)
def test_what_is_no_file_is_refused(make: Any) -> None:
    """Where it is made, so that the author of the tool sees it."""
    with pytest.raises((TypeError, ValueError)):
        make()


def given(*sizes: int) -> ToolResult:
    files = [ResultFile(name=f"{size}.bin", media_type="x/y", size=size, data=b"x") for size in sizes]
    return ToolResult(call_id="c", name="give", content="text", files=tuple(files))


def test_a_turn_has_room_for_so_much() -> None:
    """What does not fit is left out and said; what comes after it and fits is there."""
    room = FileRoom(TurnState())
    first = room.take(given(MOST_OF_TURN - 10))
    assert first.files[0].note is None
    second = room.take(given(11, 10, 1))
    assert [one.note is None for one in second.files] == [False, True, False]
    assert second.files[0].data == b""
    assert second.content == "text"


def test_what_is_stored_is_not_kept_in_memory() -> None:
    """The step of a turn that goes on has the names alone."""
    step = without_data(ResultStep(round=0, result=given(5), seconds=0.1))
    assert [(one.name, one.data) for one in step.result.files] == [("5.bin", b"")]


async def test_a_tool_in_a_process_of_its_own_gives_its_text() -> None:
    """Without files it is the text itself, as of any tool."""
    tool = Tool.from_function(give_text, isolation=Isolation())
    assert await tool.call("{}") == "a text"
