"""The commands inside the terminal chat."""

import json
import stat
from pathlib import Path

from tests.chat_completions import ChatCompletionsServer
from tests.programs.terminal.program import run, session_of


async def test_commands(tmp_path: Path) -> None:
    """/help, /tools and /sessions list; /exit leaves at once."""
    chat = await run(tmp_path, lines=["/help", "/tools", "/sessions", "calculate 1+1", "/sessions", "/exit", "hello"])

    for name in ("/sessions", "/system", "/clear", "/tools", "/export", "/help", "/exit"):
        assert f"\n{name}" in chat.output
    assert "\nsend_email (asks you first): " in chat.output
    assert "\ncalculate: " in chat.output
    assert "> /sessions\nnote: There are no sessions yet.\n" in chat.output
    assert f"> /sessions\n* {session_of(chat.output)}  " in chat.output
    assert chat.output.endswith("> /exit\n")
    assert chat.process.returncode == 0


async def test_an_unknown_command_is_not_said_to_the_model(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """It is answered with the commands there are; two slashes say a literal one; empty lines do nothing."""
    lines = ["/unknown thing", "", "   ", "//etc is a folder"]

    chat = await run(tmp_path, lines=lines, OPENAI_BASE_URL=model.base_url)

    assert "error: Unknown command /unknown. The commands are /sessions, /system, " in chat.output
    assert [request["messages"][-1]["content"] for request in model.requests] == ["/etc is a folder"]


async def test_system_prompts(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The option sets the session's own one, /system replaces it, `-` takes it away; each from the next message on."""
    lines = ["one", "/system Be a pirate.", "two", "/system", "/system -", "three"]

    chat = await run(
        tmp_path,
        "--system-prompt",
        "Be brief.",
        lines=lines,
        OPENAI_BASE_URL=model.base_url,
        SYSTEM_PROMPT="The default.",
    )

    said = [request["messages"][0]["content"] for request in model.requests]
    assert said == ["Be brief.", "Be a pirate.", "The default."]
    assert "> /system\nBe a pirate.\n" in chat.output


async def test_a_system_prompt_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """It is one sentence, inside the chat and on the command line."""
    inside = await run(tmp_path, lines=[f"/system {'x' * 5000}", "calculate 1+1"])
    outside = await run(tmp_path, "--system-prompt", "x" * 5000)

    assert "error: A system prompt has at most 4,000 characters" in inside.output
    assert "**Result:** 2" in inside.output
    assert outside.errors.startswith("error: A system prompt has at most 4,000 characters")
    assert outside.process.returncode == 1


async def test_clear_forgets(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """After /clear the model is sent nothing of what was said before."""
    await run(tmp_path, lines=["one", "/clear", "two"], OPENAI_BASE_URL=model.base_url)

    assert [message["content"] for message in model.requests[1]["messages"][1:]] == ["two"]


async def test_exports_the_session(tmp_path: Path) -> None:
    """/export shows JSON with everything; with a name it writes a new file that only its owner can read."""
    lines = ["calculate 1+1", "/export chat.json", "/export chat.json", "/export no/such/folder", "/export", "/exit"]

    chat = await run(tmp_path, lines=lines)

    file = tmp_path / "chat.json"
    written = json.loads(file.read_text())
    shown = json.loads(chat.output.partition("> /export\n")[2].partition("> /exit")[0])
    assert shown == written
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(written) == {"version", "session", "turns"}
    assert written["version"] == 1
    assert written["session"]["id"] == session_of(chat.output)
    kinds = [step["kind"] for step in written["turns"][0]["steps"]]
    assert kinds == ["prompt", "reply", "started", "result", "reply", "outcome"]
    assert f"note: Saved to {file}." in chat.output
    assert "error: chat.json already exists; choose another name." in chat.output
    assert "error: no/such/folder cannot be written" in chat.output


async def test_an_export_of_nothing_is_an_error(tmp_path: Path) -> None:
    """Before anything was said there is no session to export."""
    chat = await run(tmp_path, lines=["/export", "/exit"])

    assert "error: There is no session" in chat.output
