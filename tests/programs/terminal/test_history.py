"""What is typed is remembered for later chats, in a file that only its owner can read."""

import stat
from pathlib import Path

import pytest

from llmgine.observability.redaction import Redactor
from programs.terminal.history import TypedHistory
from tests.chat_completions import ChatCompletionsServer
from tests.programs.terminal.program import in_terminal

PROMPT = "\n> "
UP, CTRL_D = "\x1b[A", "\x04"
SECRET = "made-up-secret"


def history(path: Path) -> TypedHistory:
    return TypedHistory(path, Redactor([SECRET]))


def test_entries_come_back_the_newest_first(tmp_path: Path) -> None:
    """With their lines, in another chat; only their owner can read the file, in a folder that is made for it."""
    path = tmp_path / "data" / "history"

    for entry in ("first", "two\nlines", "\x1b[2J ö \ud800"):
        history(path).store_string(entry)
    history(path).store_string("last")

    assert list(history(path).load_history_strings())[:1] + list(history(path).load_history_strings())[-2:] == [
        "last",
        "two\nlines",
        "first",
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("entry", [f"/system the key is {SECRET}", " not to be kept", "x" * 10_001])
def test_what_is_not_to_be_kept_is_not_written(tmp_path: Path, entry: str) -> None:
    """A secret, a line that begins with a space, and a page that was pasted."""
    history(tmp_path / "history").store_string(entry)

    assert not (tmp_path / "history").exists()


def test_a_long_file_keeps_its_newer_half(tmp_path: Path) -> None:
    """It is cut at the beginning of an entry, and stays for its owner alone."""
    path = tmp_path / "history"
    for number in range(200):
        history(path).store_string(f"{number} {'x' * 9_000}")

    entries = list(history(path).load_history_strings())

    assert [entry.partition(" ")[0] for entry in entries] == [
        str(number) for number in range(199, 199 - len(entries), -1)
    ]
    assert 40 < len(entries) < 60
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_used_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The chat goes on without it."""
    (tmp_path / "history").mkdir()

    history(tmp_path / "history").store_string("one")

    assert list(history(tmp_path / "history").load_history_strings()) == []
    assert "cannot be written" in caplog.text
    assert "cannot be read" in caplog.text


async def test_the_arrow_keys_bring_back_what_was_typed_in_another_session(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """Answers to questions are not among it, and /clear says where it is."""
    for typed, seen in (("something\r", "You said: something"), (f"{UP}{UP} else\r", "You said: something else")):
        async with in_terminal(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
            await chat.until(PROMPT)
            chat.type(typed)
            await chat.until(seen)
            await chat.until(" s\n\n> ")
            chat.type("/clear\r")
            await chat.until("data/terminal-history")
            chat.type(CTRL_D)
        assert stat.S_IMODE((tmp_path / "data" / "terminal-history").stat().st_mode) == 0o600
