"""The terminal chat behind pipes, as scripts and tests use it."""

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from programs.terminal.command_line import read_options
from tests import uv
from tests.chat_completions import ChatCompletionsServer
from tests.processes import ending
from tests.programs.terminal.program import EMAIL, ROOT, environment, piped, run, session_of, transcript
from tests.waiting import computing, patience

QUESTION = 'Run send_email(to="test@example.com", subject="Hello", body="Testing the function calling capability")?'
PROMPTS = ("What's the weather like in San Francisco?", "Can you calculate 24*7 for me?", EMAIL)

TRANSCRIPT = f"""\
note: session terminal:<id> (new)
note: Answers come from the offline demo model, which knows only a few phrases. Set OPENAI_API_KEY or OPENAI_BASE_URL \
for a real model (see .env.example).
> What's the weather like in San Francisco?
tool: get_weather(location="San Francisco")
result: San Francisco: 18 °C, partly cloudy, wind 12 km/h (sample data, not the real weather)
**Weather:** San Francisco: 18 °C, partly cloudy, wind 12 km/h (sample data, not the real weather)
-- demo (offline demo) · <n> tokens · <n> s
> Can you calculate 24*7 for me?
tool: calculate(expression="24*7")
result: 168
**Result:** 168
-- demo (offline demo) · <n> tokens · <n> s
> Send an email to test@example.com with subject 'Hello' and body 'Testing the function calling capability'
{QUESTION} [y/N, or a reason] y
tool: send_email(to="test@example.com", subject="Hello", body="Testing the function calling capability")
result (not done): Not sent, because no mail server is configured: written to <file>
**E-mail:** Not sent, because no mail server is configured: written to <file>
-- demo (offline demo) · <n> tokens · <n> s
"""


@pytest.mark.smoke
async def test_answers_the_three_prompts_of_the_readme(tmp_path: Path) -> None:
    """Each is answered by a real tool call, and the whole transcript is always the same."""
    chat = await transcript(tmp_path, lines=[*PROMPTS, "y"])

    masked = re.sub(r"terminal:[0-9a-f]{8}", "terminal:<id>", chat.output)
    masked = re.sub(r"[\d,.]+ (tokens|s)\b", r"<n> \1", masked)
    masked = re.sub(r"written to \S+\.eml", "written to <file>", masked)
    assert masked == TRANSCRIPT
    assert chat.process.returncode == 0
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1


async def test_sends_nothing_without_a_yes(tmp_path: Path) -> None:
    """No, an empty line, anything else and the end of the input all deny the call, and it is said who did.

    That there was nobody to ask is a failure: what was asked for was not done.
    """
    chat = await transcript(tmp_path, lines=[EMAIL, "n", EMAIL, "", EMAIL, "yess", EMAIL])

    assert chat.output.count("\nresult of send_email(") == 4
    assert chat.output.count("(failed): ann denied this") == 3
    assert chat.output.count("(failed): The terminal (input closed) denied this") == 1
    assert "reason] (end of input)\nerror: send_email was denied: it asks first, and there is nobody" in chat.output
    assert not (tmp_path / "outbox").exists()
    assert chat.process.returncode == 1


async def test_remembers_what_was_said_in_an_earlier_run(tmp_path: Path) -> None:
    """A session goes on where it ended, in another process."""
    first = await run(tmp_path, lines=[PROMPTS[1]])
    session = session_of(first.errors)

    second = await run(tmp_path, "--session", session, lines=["what did I say first?"])

    assert f"session {session}, 1 turn: Can you calculate 24*7 for me?" in second.errors
    assert "you said that I can see is: “Can you calculate 24*7 for me?”" in second.output


async def test_lists_the_sessions(tmp_path: Path) -> None:
    """--list-sessions shows id, turns and name, the one used last first, and answers nobody."""
    empty = await run(tmp_path, "--list-sessions")
    named = await run(tmp_path, "--session-name", "Sums", lines=["calculate 1+1"])
    await run(tmp_path, lines=["calculate 2+2"])

    chat = await run(tmp_path, "--list-sessions")

    assert (empty.output, empty.errors) == ("", "note: There are no sessions yet.\n")
    newest, oldest = chat.output.splitlines()
    assert re.fullmatch(r"  terminal:\w{8}  \d{4}-\d\d-\d\d \d\d:\d\d  1 turn  calculate 2\+2", newest)
    assert session_of(oldest) == session_of(named.errors)
    assert oldest.endswith("1 turn  Sums")
    assert chat.process.returncode == 0


async def test_refuses_a_session_that_is_not_there(tmp_path: Path) -> None:
    """An unknown session is one sentence and exit code 2, and makes no session."""
    nowhere = await run(tmp_path, "--session", "terminal:nope", lines=["hello"])
    await run(tmp_path, lines=["hello"])
    chat = await run(tmp_path, "--session", "terminal:nope", lines=["hello"])

    assert nowhere.errors == "error: There are no sessions yet.\n"
    assert chat.errors == "error: There is no session 'terminal:nope'; list them with --list-sessions or /sessions\n"
    assert nowhere.process.returncode == chat.process.returncode == 2
    assert len((await run(tmp_path, "--list-sessions")).output.splitlines()) == 1


@pytest.mark.parametrize(
    ("env_file", "settings", "says"),
    [
        ("OPENAI_API_KEY 'x\n", {}, ".env line 1 isn't NAME=value"),
        ("", {"DATABASE_URL": "sqlite:////proc/nowhere/chat.db"}, "DATABASE_URL: /proc/nowhere"),
        ("", {"DATABASE_URL": "mysql://there"}, "DATABASE_URL: mysql: is not supported"),
        ("", {"CONTEXT_TOKENS": "many"}, "CONTEXT_TOKENS: "),
    ],
)
async def test_says_in_one_sentence_which_setting_is_bad(
    tmp_path: Path, env_file: str, settings: dict[str, str], says: str
) -> None:
    """A setting that cannot be used is one line that names it and exit code 78, never a traceback."""
    (tmp_path / ".env").write_text(env_file)

    chat = await run(tmp_path, lines=["hello"], **settings)

    assert says in chat.errors
    assert len(chat.errors.splitlines()) == 1
    assert chat.process.returncode == 78


@pytest.mark.parametrize("file", ["programs/function_chat.py", "function_chat.py"])
async def test_runs_as_a_file(tmp_path: Path, file: str) -> None:
    """`python programs/function_chat.py` works from anywhere, and finds discord.py rather than `programs/discord`."""
    folder = ROOT if "/" in file else ROOT / "programs"
    check = f"import runpy, sys; sys.path[0] = {str(ROOT / 'programs')!r}; sys.argv = ['x', '--list-sessions']\n"
    probe = (
        f"{check}try: runpy.run_path({file!r}, run_name='__main__')\nexcept SystemExit: pass\n"
        "import discord; print(discord.Client)"
    )

    async with piped(tmp_path, "--list-sessions", command=[file], cwd=folder, PYTHONPATH="") as chat:
        pass
    async with piped(tmp_path, command=["-c", probe], cwd=folder, PYTHONPATH="") as probed:
        pass

    assert chat.errors == "note: There are no sessions yet.\n"
    assert "discord.client.Client" in probed.output


async def test_the_script_runs_from_any_folder(tmp_path: Path) -> None:
    """`run_function_chat.sh` starts the chat from another folder, also through a link, which `usage:` then names."""
    link = tmp_path / "chat"
    link.symlink_to(ROOT / "run_function_chat.sh")
    # Nothing is to be installed here: the environment the tests run in is the one to use.
    settings = {"UV_NO_SYNC": "1", "UV_OFFLINE": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix, "PATH": uv.PATH}
    env = environment(tmp_path, **settings)

    listed = await shell(link, "--list-sessions", env=env, cwd=tmp_path)
    code, output = await shell(link, "--mode", env=env, cwd=tmp_path)

    assert listed == (0, "note: There are no sessions yet.\n")
    assert output.startswith(f"usage: {link}\n")
    assert output.endswith(f"\n{link}: error: unrecognized arguments: --mode\n")
    assert code == 2


@pytest.mark.parametrize(("in_path", "in_venv"), [(True, True), (False, True), (False, False)])
async def test_the_script_finds_uv(tmp_path: Path, *, in_path: bool, in_venv: bool) -> None:
    """It takes the uv of the machine, else the one in .venv, else says in a sentence what to do."""
    tools = tmp_path / "bin"
    venv = tmp_path / ".venv" / "bin"
    script = shutil.copy(ROOT / "run_function_chat.sh", tmp_path)
    for folder, is_there, name in ((tools, in_path, "machine"), (venv, in_venv, "venv")):
        folder.mkdir(parents=True)
        if is_there:
            (folder / "uv").write_text(f'#!/bin/sh\necho {name} "$@"\n')
            (folder / "uv").chmod(0o755)
    for tool in ("sh", "dirname", "readlink"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)

    code, output = await shell(Path(script), "--model", "a b", env={"PATH": str(tools)}, cwd=Path("/"))

    if in_path or in_venv:
        assert output == f"{'machine' if in_path else 'venv'} run python -m programs.function_chat --model a b\n"
    else:
        assert output.startswith("uv is not installed: run 'python3 -m venv .venv")
    assert code == (0 if in_path or in_venv else 1)


async def test_files_are_those_of_the_folder_that_the_script_is_called_in(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """The script runs the program in the project's folder, and what people name is where they are."""
    script, folder = shutil.copy(ROOT / "run_function_chat.sh", tmp_path), tmp_path / "elsewhere"
    for name, text in {
        "bin/uv": f'#!/bin/sh\nshift 2\nexec {sys.executable} "$@"\n',
        "elsewhere/notes.txt": "mine",
        "notes.txt": "the project's",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "bin" / "uv").chmod(0o755)
    settings = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "OPENAI_BASE_URL": model.base_url}

    code, _ = await shell(Path(script), "-f", "notes.txt", "q", env=environment(tmp_path, **settings), cwd=folder)

    assert json.loads(model.requests[0]["messages"][-1]["content"])["files"][0]["text"] == "mine"
    assert (code, (tmp_path / "data").exists()) == (0, True)


async def shell(program: Path, *arguments: str, env: dict[str, str], cwd: Path) -> tuple[int, str]:
    """Run a program to its end: its exit code, and all it wrote."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env=env,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with ending(process), patience("the end of the program", computing(process.pid)):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_no_order_to_the_terminal_gets_through(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """Escape sequences in an answer, a call, a result and a name come out as harmless text."""
    hostile = "\x1b]0;owned\x07\x1b[2Jred\x1b[31m\x9b1m\rover\x00\x7f"
    model.reply(tool_calls=[("calculate", json.dumps({"expression": hostile})), (f"no{hostile}", "{}")])
    model.reply(hostile)

    chat = await transcript(tmp_path, lines=[f"say {hostile}", "/export", "/sessions"], OPENAI_BASE_URL=model.base_url)

    assert set(re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", chat.output)) == set()
    assert "\nred\nover\n-- " in chat.output


async def test_input_that_is_not_utf_8_is_taken_as_well_as_it_can_be(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """Bad bytes become replacement characters; a last line without an end counts."""
    async with piped(tmp_path, OPENAI_BASE_URL=model.base_url) as chat:
        chat.type(b"caf\xe9\r\nlast")
    contents = [request["messages"][-1]["content"] for request in model.requests]
    assert contents == ["caf\ufffd", "last"]
    assert chat.process.returncode == 0


async def test_options_override_the_environment(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """--model, --api-key and --log-dir win over the environment, and the key is in no log."""
    key = "made-up-key-of-the-command-line"

    chat = await run(
        tmp_path,
        *("--model", "other-model", "--api-key", key, "--log-dir", str(tmp_path / "elsewhere")),
        lines=["one"],
        OPENAI_BASE_URL=model.base_url,
        OPENAI_MODEL="a-model",
        OPENAI_API_KEY="another-made-up-key",
    )

    log = (tmp_path / "elsewhere" / "events.jsonl").read_text()
    assert model.requests[0]["model"] == "other-model"
    assert model.headers[0]["authorization"] == f"Bearer {key}"
    assert "PromptCommand" in log
    assert key not in log + chat.output + chat.errors
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_each_level_of_the_first_readme_is_taken(level: str) -> None:
    """As it is written there, in small letters."""
    assert read_options(["--log-level", level]).log_level == level.upper()


async def test_a_bad_option_is_a_usage_error(tmp_path: Path) -> None:
    """The exit code is 2 and nothing is started."""
    chat = await run(tmp_path, "--log-level", "loud")

    assert "function_chat: error: argument --log-level" in chat.errors
    assert chat.process.returncode == 2
    assert not (tmp_path / "data").exists()


async def test_the_screen_shows_warnings_and_without_a_console_only_the_chat(tmp_path: Path) -> None:
    """A warning of the program's log is on the standard error, unless --no-console says not to."""
    leaking = {"OPENAI_BASE_URL": "http://192.0.2.1/v1", "OPENAI_API_KEY": "made-up-key"}

    default = await run(tmp_path, lines=["/exit"], **leaking)
    silent = await run(tmp_path, "--no-console", lines=["/exit"], **leaking)

    assert "WARNING llmgine.providers.addresses: The key for 192.0.2.1 travels over plain http" in default.errors
    assert "WARNING" not in silent.errors


async def test_a_reader_that_has_enough_is_no_traceback(tmp_path: Path) -> None:
    """When what reads our output ends, so do we, quietly, and no turn is left for the next run."""
    lines = 'printf "%s\\n" "calculate 1+1" "calculate 2+2" "calculate 3+3"'
    script = f'{lines} | "$0" -m programs.function_chat 2>err | head -n 1; "$0" -m programs.function_chat -c </dev/null'

    code, output = await shell(Path("/bin/sh"), "-c", script, sys.executable, env=environment(tmp_path), cwd=tmp_path)

    assert output.startswith(f"**Result:** 2\nnote: session {session_of(output)}, ")
    assert "continuing" not in output
    assert "Traceback" not in (tmp_path / "err").read_text() + output
    assert code == 0
