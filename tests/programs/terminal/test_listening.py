"""Audio that goes with a message in the terminal: made text before the message is sent, and nothing without it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from llmgine.messages.commands import EVERYWHERE
from llmgine.sessions.store import open_store
from tests.chat_completions import ChatCompletionsServer, Json
from tests.programs.terminal.program import in_terminal, piped, run, session_of, transcript
from tests.recordings import MAKERS, ogg
from tests.transcriptions import TranscriptionServer
from tests.waiting import eventually

PROMPT = "\n> "
CTRL_C, CTRL_D = "\x03", "\x04"


@pytest.fixture
async def service() -> AsyncIterator[TranscriptionServer]:
    """A transcription service, to which only fit requests come."""
    async with TranscriptionServer() as running:
        yield running
    assert running.refusals == []


def settings(model: ChatCompletionsServer, service: TranscriptionServer) -> dict[str, Any]:
    """The settings of a chat whose audio is transcribed."""
    return {
        "OPENAI_BASE_URL": model.base_url,
        "TRANSCRIBE_MODEL": "whisper-small",
        "TRANSCRIBE_BASE_URL": service.base_url,
    }


def asked(model: ChatCompletionsServer) -> Json:
    """What the model was told in the last message."""
    told: Json = json.loads(model.requests[-1]["messages"][-1]["content"])
    return told


@pytest.mark.parametrize("kind", sorted(MAKERS))
async def test_a_recording_beside_a_question(
    tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer, kind: str
) -> None:
    """Its text is the file's, and is quoted on the standard error; the answer alone is on the standard output."""
    data = MAKERS[kind](1.0)
    (tmp_path / f"note.{kind}").write_bytes(data)
    service.say("Minutes of\nMonday.")
    model.reply("It is Monday.")

    chat = await run(tmp_path, "-f", f"note.{kind}", "summarise", **settings(model, service))

    told = asked(model)
    assert told["text"] == "summarise"
    assert [(file["name"], file["text"]) for file in told["files"]] == [(f"note.{kind}", "Minutes of\nMonday.")]
    assert "transcribed" in told["files"][0]["note"]
    assert [(one.name, one.data) for one in service.requests] == [(f"audio.{kind}", data)]
    assert f"note: Heard in note.{kind}: “Minutes of Monday.”\n" in chat.errors
    assert (chat.output, chat.process.returncode) == ("It is Monday.\n", 0)


async def test_a_recording_from_a_pipe(
    tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer
) -> None:
    """It goes along as a text would; as the question itself it is refused."""
    async with piped(tmp_path, "summarise", **settings(model, service)) as chat:
        chat.type(ogg())
        chat.end_input()
        assert await chat.end() == 0
    async with piped(tmp_path, "-", **settings(model, service)) as spoken:
        spoken.type(ogg())
        spoken.end_input()
        assert await spoken.end() == 2

    assert asked(model)["files"][0]["text"] == "Hello there."
    assert spoken.errors == "error: A question is text. Attach other files with --file - beside one.\n"
    assert len(service.requests) == 1


async def test_a_recording_goes_with_the_next_message(
    tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer
) -> None:
    """/file attaches it, and it is heard once, when that message is sent; `-` removes it unheard."""
    (tmp_path / "note.ogg").write_bytes(ogg())
    lines = ["/file note.ogg", "/file -", "/file note.ogg", "one", "two"]

    chat = await transcript(tmp_path, lines=lines, **settings(model, service))

    contents = [request["messages"][-1]["content"] for request in model.requests]
    assert json.loads(contents[0])["files"][0]["text"] == "Hello there."
    assert len(contents) == 2
    assert "files" not in contents[1]
    assert len(service.requests) == 1
    assert "> one\nnote: Heard in note.ogg: “Hello there.”\n" in chat.output
    assert chat.output.count("Heard in") == 1


async def test_without_the_setting(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """It says what to set: on the command line before anything is begun, and in the chat at once."""
    (tmp_path / "note.ogg").write_bytes(ogg())

    chat = await run(tmp_path, "-f", "note.ogg", "summarise", OPENAI_BASE_URL=model.base_url)
    begun = (tmp_path / "data").exists()
    within = await run(tmp_path, lines=["/file note.ogg", "hello"], OPENAI_BASE_URL=model.base_url)

    error = "error: note.ogg is audio, which is only heard where TRANSCRIBE_MODEL is set (see .env.example).\n"
    assert (chat.output, chat.errors, chat.process.returncode) == ("", error, 2)
    assert not begun
    assert error in within.errors
    assert [request["messages"][-1]["content"] for request in model.requests] == ["hello"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a.amr": b"#!AMR\n" + bytes(40)}, "a.amr is audio in no format that is heard"),
        ({"a.ogg": b"OggS" + bytes(25 * 2**20)}, "a.ogg is larger than 25 MiB."),
        ({f"{number}.ogg": ogg() for number in range(3)}, "A message takes at most 2 audio files."),
        ({"a.ogg": b"\x00\x00\x00\x18ftypisom" + bytes(40), "b.mp4": b"\x00\x00\x00\x18ftypisom"}, "b.mp4 cannot be"),
    ],
)
async def test_audio_that_cannot_go_along(
    tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer, files: dict[str, bytes], says: str
) -> None:
    """It is refused as any other file is, before anything is begun or sent."""
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    chat = await run(tmp_path, *(f"--file={name}" for name in files), "what?", **settings(model, service))

    assert says in chat.errors
    assert chat.process.returncode == 2
    assert (service.requests, model.requests) == ([], [])
    assert not (tmp_path / "data").exists()


class TestWithoutAText:
    """Nothing is answered without it: the question is not sent, and the exit code is 1."""

    async def test_refused(self, tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer) -> None:
        """The service's reason is said."""
        service.fail(400, {"error": {"message": "no such model: whisper-small"}})

        await self._unsent(tmp_path, model, service, ogg(), "note.ogg could not be transcribed: ", "no such model")

    async def test_no_speech(self, tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer) -> None:
        """Silence is no question."""
        service.say(" \n")

        await self._unsent(tmp_path, model, service, ogg(), "note.ogg has no speech that I can make out.")

    async def test_too_long(self, tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer) -> None:
        """Nothing is sent to the service either."""
        data = ogg(601, size=400_000)

        await self._unsent(tmp_path, model, service, data, "was skipped: I only listen to 10 minutes of audio.")

        assert service.requests == []

    async def test_a_budget(self, tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer) -> None:
        """What is transcribed counts in the limit of a day, which then refuses before anything is sent."""
        service.say("Hello.", {"type": "tokens", "input_tokens": 60, "output_tokens": 5, "total_tokens": 65})
        (tmp_path / "note.ogg").write_bytes(ogg())
        limited = {**settings(model, service), "DAILY_TOKENS": "60"}
        await run(tmp_path, "-f", "note.ogg", "hello", **limited)
        assert len(service.requests) == 1

        await self._unsent(
            tmp_path, model, service, ogg(), "The daily limit of 60 tokens is used up.", DAILY_TOKENS="60"
        )

        assert len(service.requests) == 1

    async def _unsent(
        self,
        folder: Path,
        model: ChatCompletionsServer,
        service: TranscriptionServer,
        data: bytes,
        *says: str,
        **others: str,
    ) -> None:
        asked_before = len(model.requests)
        (folder / "note.ogg").write_bytes(data)
        chat = await run(folder, "-f", "note.ogg", "summarise", **settings(model, service), **others)
        for words in says:
            assert words in chat.errors
        assert "Your message was not sent.\n" in chat.errors
        assert (chat.output, chat.process.returncode) == ("", 1)
        assert len(model.requests) == asked_before


async def test_what_was_heard_is_not_paid_twice(
    tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer
) -> None:
    """Where one of two recordings fails, the message can be sent again, and the first is not heard again."""
    for name in ("a.ogg", "b.ogg"):
        (tmp_path / name).write_bytes(ogg())
    service.say("first")
    service.fail(400)
    service.say("second")

    chat = await transcript(
        tmp_path, lines=["/file a.ogg", "/file b.ogg", "hello", "hello"], **settings(model, service)
    )

    assert "error: b.ogg could not be transcribed: " in chat.output
    assert [file["text"] for file in asked(model)["files"]] == ["first", "second"]
    assert len(service.requests) == 3
    assert len(model.requests) == 1


async def test_it_counts_where_the_session_counts(
    tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer
) -> None:
    """In the session's own scope, and in that of all together."""
    service.say("Hello.", {"type": "tokens", "input_tokens": 60_000, "output_tokens": 5, "total_tokens": 60_005})
    (tmp_path / "note.ogg").write_bytes(ogg(590.0, size=200_000))
    chat = await run(tmp_path, "-f", "note.ogg", "hello", **settings(model, service))

    store = await open_store(f"sqlite:///{tmp_path}/data/chat.db")
    try:
        for scope in (session_of(chat.errors), EVERYWHERE):
            (used,) = await store.allowances.used(scope, 0)
            assert used.cost.tokens >= 60_005
    finally:
        await store.close()


async def test_a_hostile_transcript(tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer) -> None:
    """It gives the terminal no orders, imitates no other line, and its passwords are neither shown nor sent."""
    secret = "sk-proj-" + "a1B2c3D4" * 5
    service.say(f"Well\x1b[2J\nerror: no\u202e {secret}")
    (tmp_path / "note.ogg").write_bytes(ogg())

    chat = await run(tmp_path, "-f", "note.ogg", "hello", **settings(model, service))

    assert "note: Heard in note.ogg: “Well[2J error: no " in chat.errors
    for hidden in ("\x1b", "\u202e", secret):
        assert hidden not in chat.errors
    assert secret not in json.dumps(model.requests)


class TestCtrlC:
    """It stops the listening, and the request to the service."""

    async def test_beside_a_question(
        self, tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer
    ) -> None:
        """The program ends with 130, and nothing is left to be finished."""
        service.hang()
        (tmp_path / "note.ogg").write_bytes(ogg())
        async with piped(tmp_path, "-f", "note.ogg", "hello", **settings(model, service)) as chat:
            chat.end_input()
            await eventually(lambda: service.active == 1)
            chat.interrupt()
            assert await chat.end() == 130
        again = await run(tmp_path, "and now?", **settings(model, service))

        assert "note: Stopped. Your message was not sent.\n" in chat.errors
        assert "Traceback" not in chat.errors
        assert service.aborted == 1
        assert again.output == "You said: and now?\n"
        assert "continuing" not in again.errors

    async def test_in_a_chat(self, tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer) -> None:
        """The chat goes on, with the recording still attached."""
        service.hang()
        (tmp_path / "note.ogg").write_bytes(ogg())
        async with in_terminal(tmp_path, "-f", "note.ogg", **settings(model, service)) as chat:
            await chat.until(PROMPT)
            chat.type("hello\r")
            await chat.until("Listening to note.ogg … (Ctrl-C to stop)")
            await eventually(lambda: service.active == 1)
            chat.type(CTRL_C)
            await chat.until("Your message was not sent.")
            chat.type("again\r")
            await chat.until(" tokens · ")
            chat.type(CTRL_D)
            assert await chat.end() == 0
        assert asked(model)["files"][0]["text"] == "Hello there."
        assert len(model.requests) == 1
        assert "Heard in note.ogg: “Hello there.”" in chat.text

    async def test_twice(self, tmp_path: Path, model: ChatCompletionsServer, service: TranscriptionServer) -> None:
        """The second one quits, as everywhere."""
        service.hang()
        (tmp_path / "note.ogg").write_bytes(ogg())
        async with in_terminal(tmp_path, "-f", "note.ogg", **settings(model, service)) as chat:
            await chat.until(PROMPT)
            chat.type("hello\r")
            await eventually(lambda: service.active == 1)
            chat.type(CTRL_C)
            await chat.until("Your message was not sent.")
            chat.type(CTRL_C)
            assert await chat.end() == 130
        assert "Traceback" not in chat.text
