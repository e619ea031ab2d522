"""The commands inside the terminal chat."""

import json
import stat
from pathlib import Path

from llmgine.messages.commands import PromptCommand
from llmgine.sessions import open_store
from llmgine.sessions.clock import now
from programs.terminal.slash import COMMANDS
from tests.chat_completions import ChatCompletionsServer
from tests.programs.model_list import ListingServer
from tests.programs.terminal.program import environment, run, session_of, transcript


async def test_commands(tmp_path: Path) -> None:
    """/help, /tools and /sessions list; /exit leaves at once."""
    chat = await transcript(
        tmp_path, lines=["/help", "/tools", "/sessions", "calculate 1+1", "/sessions", "/exit", "hello"]
    )

    for name in COMMANDS:
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

    chat = await transcript(tmp_path, lines=lines, OPENAI_BASE_URL=model.base_url)

    assert "error: Unknown command /unknown. The commands are /new, /sessions, " in chat.output
    assert [request["messages"][-1]["content"] for request in model.requests] == ["/etc is a folder"]


async def test_system_prompts(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The option sets the session's own one, /system replaces it, `-` takes it away; each from the next message on."""
    lines = ["one", "/system Be a pirate.", "two", "/system", "/system -", "three"]

    chat = await transcript(
        tmp_path,
        "--system-prompt",
        "Be brief.",
        lines=lines,
        OPENAI_BASE_URL=model.base_url,
        SYSTEM_PROMPT="The default.",
    )

    said = [request["messages"][0]["content"].partition("\n\n")[0] for request in model.requests]
    assert said == ["Be brief.", "Be a pirate.", "The default."]
    assert "> /system\nBe a pirate.\n" in chat.output


async def test_a_system_prompt_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """It is one sentence, inside the chat and on the command line."""
    inside = await transcript(tmp_path, lines=[f"/system {'x' * 5000}", "calculate 1+1"])
    outside = await run(tmp_path, "--system-prompt", "x" * 5000)

    assert "error: A system prompt has at most 4,000 characters" in inside.output
    assert "**Result:** 2" in inside.output
    assert outside.errors.startswith("error: A system prompt has at most 4,000 characters")
    assert outside.process.returncode == 2


async def test_clear_forgets_all_but_the_name(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """After /clear the model is sent nothing of what was said before, and the session is listed as before."""
    lines = ["one", "/rename My\x07  sums", "/clear", "two", "/sessions"]

    chat = await run(tmp_path, "--session-name", "First", lines=lines, OPENAI_BASE_URL=model.base_url)

    assert [message["content"] for message in model.requests[1]["messages"][1:]] == ["two"]
    assert chat.output.endswith("  1 turn  My sums\n")


async def test_retry_and_undo(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """/retry asks the last question again without its answer, /undo takes it back, and each can be done again."""
    lines = ["one", "two", "/retry", "/undo", "/undo", "/undo", "three"]

    chat = await transcript(tmp_path, lines=lines, OPENAI_BASE_URL=model.base_url)

    contents = [[message["content"] for message in request["messages"][1:]] for request in model.requests]
    assert contents == [["one"], *[["one", "You said: one", "two"]] * 2, ["three"]]
    assert "> /retry\nYou said: two\n-- " in chat.output
    assert "note: Forgotten, with its answer: two\n> /undo\nnote: Forgotten, with its answer: one\n" in chat.output
    assert "> /undo\nerror: There is no question yet.\n" in chat.output
    assert chat.process.returncode == 1  # a command failed


async def test_a_question_of_discord_is_left_to_the_bot(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Its answer is a message there, which the terminal cannot edit or delete."""
    store = await open_store(environment(tmp_path)["DATABASE_URL"])
    command = PromptCommand(session_id="discord:1", text="hello", source="discord", source_id="1")
    await store.turns.admit(command, "turn", now())
    await store.close()

    chat = await run(tmp_path, "--session", "discord:1", lines=["/retry", "/undo"], OPENAI_BASE_URL=model.base_url)

    assert chat.errors.count("error: The last question was asked in Discord; use the buttons of its answer there.") == 2
    assert model.requests == []


async def test_new_begins_another_session(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """It knows nothing of the first, which stays as it was; a name is its own, else its first words are."""
    lines = ["one", "/new Second thoughts", "two", "/new", "three", "/sessions"]

    chat = await run(tmp_path, lines=lines, OPENAI_BASE_URL=model.base_url)

    assert [len(request["messages"]) for request in model.requests] == [2, 2, 2]
    names = [line.split("1 turn  ")[1] for line in chat.output.splitlines() if "1 turn" in line]
    assert names == ["three", "Second thoughts", "one"]


async def test_model_and_effort_are_settings_of_the_session(tmp_path: Path) -> None:
    """They are shown, set, checked and taken away again, and the next run of the session has them."""
    lines = ["/model", "/model other-model", "/effort low", "/model nonsense", "/model dear", "/effort loud", "one"]
    async with ListingServer() as model:
        model.models = ["some-model", "other-model", "dear"]
        settings = {"OPENAI_BASE_URL": model.base_url, "OPENAI_MODEL": "some-model", "ALLOWED_MODELS": "other-model"}

        chat = await transcript(tmp_path, lines=lines, **settings)
        again = await run(tmp_path, "-c", lines=["two", "/model -", "/effort -", "three"], **settings)
        await run(tmp_path, "-c", lines=["/model other-model"], **settings)
        await run(tmp_path, "-c", "--model", "some-model", "four", **settings)

    assert "note: Model: some-model (default) · to choose from: some-model, other-model\n" in chat.output
    assert "error: The service has no model 'nonsense'. Pick one from the list.\n" in chat.output
    assert "doesn't allow the model 'dear' here. Allowed: some-model, other-model.\n" in chat.output
    assert "error: The efforts are none, minimal, low, medium, high, xhigh; - restores the default.\n" in chat.output
    assert "note: model other-model; " in again.errors
    sent = [(request["model"], request.get("reasoning_effort")) for request in model.requests]
    assert sent == [("other-model", "low")] * 2 + [("some-model", None)] * 2


async def test_files_go_with_the_next_message(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """/file attaches one, shows and removes them, and refuses what never ends."""
    (tmp_path / "a b.txt").write_text("text")
    lines = ["/file a b.txt", "/file -", "/file", "/file nowhere", "/file /dev/zero", "/file a b.txt", "one", "two"]

    chat = await transcript(tmp_path, lines=lines, OPENAI_BASE_URL=model.base_url)

    contents = [request["messages"][-1]["content"] for request in model.requests]
    assert json.loads(contents[0])["files"] == [{"name": "a b.txt", "type": "text/plain", "text": "text"}]
    assert "files" not in contents[1]
    assert "> /file -\nnote: No files are attached.\n> /file\nnote: No files are attached.\n" in chat.output
    assert "error: nowhere cannot be read: No such file or directory.\n" in chat.output
    assert "error: /dev/zero is not a regular file.\n" in chat.output


async def test_exports_the_session(tmp_path: Path) -> None:
    """/export shows JSON with everything; with a name it writes a new file that only its owner can read."""
    lines = ["calculate 1+1", "/export chat.json", "/export chat.json", "/export no/such/folder", "/export", "/exit"]

    chat = await transcript(tmp_path, lines=lines)

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
    chat = await transcript(tmp_path, lines=["/export", "/exit"])

    assert "error: There is no session" in chat.output


async def test_the_model_is_told_the_time_here(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """It is in the zone of this machine, or in the one that /timezone sets, from the next message on."""
    lines = ["one", "/timezone asia/kolkata", "/timezone Mars/Base", "two"]

    chat = await transcript(tmp_path, lines=lines, OPENAI_BASE_URL=model.base_url, TZ="Asia/Tokyo")

    [[first], [again, second]] = model.times
    assert first == again
    assert " Asia/Tokyo (UTC+09:00)]" in first
    assert " Asia/Kolkata (UTC+05:30)]" in second
    assert "Asia/Kolkata (UTC+05:30). I tell the model when you wrote each message." in chat.output
    assert "error: There is no time zone 'Mars/Base'." in chat.output
