"""Files that come with a message: what the model sees of them, and what people and the model are told of the rest."""

import asyncio
import gzip
import json
import struct
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from aiohttp import web

from llmgine.tools.context import current_tool_context
from programs.discord.incoming.attachments import AttachmentReader, Files
from programs.files.limits import MAX_BYTES, MAX_DOCUMENT, MAX_PARTS, MAX_SHOWN, MAX_TEXT, MAX_TEXTS, MAX_TOTAL
from programs.playground.entities import ADA_ID, GENERAL_ID, Json, Message
from programs.playground.posting import Upload
from tests.programs.discord.scene import MENTION, Scene, body_of
from tests.programs.discord.test_presses import submit
from tests.programs.discord.test_slash import modal
from tests.programs.files import examples
from tests.programs.files.examples import PNG
from tests.waiting import patience as waiting


def ask(scene: Scene, *files: tuple[str, bytes], text: str = "look", **options: Any) -> Message:
    """Ask, with files."""
    uploads = tuple(Upload(number, name, content) for number, (name, content) in enumerate(files))
    return scene.ask(text, uploads=uploads, **options)


def asked(scene: Scene, number: int = -1) -> tuple[Json, list[str]]:
    """What the model was told in the last message of a request: the JSON of it, and the images."""
    content = scene.model.requests[number]["messages"][-1]["content"]
    if isinstance(content, str):
        return json.loads(content), []
    return json.loads(content[0]["text"]), [part["image_url"]["url"] for part in content[1:]]


async def test_an_image_is_seen(scene: Scene) -> None:
    """It goes to the model as a data URL, in later questions too, and nothing is said about it."""
    ask(scene, ("cat.png", PNG))
    outcome = await scene.outcome()

    told, images = asked(scene)
    assert told["files"] == [{"name": "cat.png", "type": "image/png"}]
    assert [image[:22] for image in images] == ["data:image/png;base64,"]
    assert "📎" not in outcome.content
    scene.ask("and its tail?")
    await scene.outcome(2)
    assert len(scene.model.requests[1]["messages"][1]["content"]) == 2


async def test_the_demo_model_is_blind(unstarted: Scene) -> None:
    """Without a model configured, people are told that their image is not seen."""
    scene = await unstarted.start(demo=True)

    ask(scene, ("cat.png", PNG))

    assert "`cat.png` skipped: this model can't read images" in (await scene.outcome()).content


async def test_a_text_file_is_read(scene: Scene) -> None:
    """Code and text are told as text, a mark of their encoding left out."""
    ask(
        scene,
        ("main.py", b"print(1)\n"),
        ("readme.txt", b"\xef\xbb\xbfh\xc3\xa9"),
        ("wide.txt", "wide".encode("utf-16")),
    )

    outcome = await scene.outcome()

    told, _ = asked(scene)
    assert [file["text"] for file in told["files"]] == ["print(1)\n", "hé", "wide"]
    assert "📎" not in outcome.content


async def test_a_message_that_is_only_a_file_is_answered(scene: Scene) -> None:
    """No word is needed beside it."""
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.say("", channel=dm.id, uploads=(Upload(0, "notes.txt", b"buy milk"),))

    await scene.outcome(channel=dm.id)

    assert asked(scene)[0]["files"][0]["text"] == "buy milk"


async def test_what_is_not_read_is_told_to_both(scene: Scene) -> None:
    """A cut, another encoding and what is neither text nor image: the model and the person are told the same."""
    ask(
        scene,
        ("long.log", b"x" * (MAX_TEXT + 1)),
        ("old.txt", b"caf\xe9"),
        ("song.mp3", b"ID3\x04\0"),
        ("tool.bin", bytes(10)),
    )

    outcome = await scene.outcome()

    told, _ = asked(scene)
    notes = [file["note"] for file in told["files"]]
    assert notes == [
        f"cut after its first {MAX_SHOWN:,} characters",
        "not UTF-8: read as Latin-1, so letters may be wrong",
        "left out: audio cannot be heard here",
        "left out: neither text nor an image",
    ]
    assert [len(file.get("text", "")) for file in told["files"]] == [MAX_SHOWN, 4, 0, 0]
    small_print = body_of(outcome.content).rsplit("\n", 1)[1]
    assert small_print.startswith("-# 📎 `long.log` cut after")
    assert "`song.mp3` skipped: I can't hear audio" in small_print
    assert all(note.replace("left out", "skipped") in small_print for note in notes if "audio" not in note)


async def test_too_many_and_too_large(scene: Scene) -> None:
    """Only so many images, none beyond the limit, none that is not what it says."""
    message = ask(
        scene,
        ("big.png", PNG),
        ("fake.png", b"<svg onload=alert(1)>"),
        *((f"{number}.png", PNG) for number in range(5)),
    )
    message.attachments[0].content += bytes(MAX_BYTES)  # more than the server takes at once

    outcome = await scene.outcome()

    told, images = asked(scene)
    assert len(images) == 4
    assert [file.get("note") for file in told["files"]] == [
        "left out: larger than 25 MiB",
        "an SVG image: only its source text is read",
        *[None] * 4,
        "left out: 4 images are shown of a message",
    ]
    assert "`big.png` skipped: larger than 25 MiB" in outcome.content


async def test_too_many_text_files(scene: Scene) -> None:
    """Only so many are read of a message; of each of the others the model and the person are told that it was not."""
    ask(scene, *((f"{number}.txt", b"words") for number in range(MAX_TEXTS + 2)))

    outcome = await scene.outcome()

    told, _ = asked(scene)
    note = "left out: 4 text files are read of a message"
    assert [file.get("text") for file in told["files"]] == [*["words"] * MAX_TEXTS, None, None]
    assert [file.get("note") for file in told["files"]] == [*[None] * MAX_TEXTS, note, note]
    assert "`4.txt` skipped: I only read 4 text files per message" in outcome.content


async def test_a_model_that_sees_nothing(scene: Scene) -> None:
    """With OPENAI_VISION off no image is read or sent, and both are told."""
    await scene.restart(openai_vision=False)
    ask(scene, ("cat.png", PNG))

    outcome = await scene.outcome()

    told, images = asked(scene)
    assert images == []
    assert told["files"][0]["note"] == "left out: the model does not see images"
    assert "does not see images" in outcome.content


async def test_images_of_before_are_not_sent_to_a_model_that_sees_nothing(scene: Scene) -> None:
    """With OPENAI_VISION off the history has no images either; nor has the log, ever."""
    scene.model.reply("A cat.")
    ask(scene, ("cat.png", PNG))
    await scene.outcome()
    await scene.restart(openai_vision=False)
    scene.ask("and now?")

    await scene.outcome(2)

    assert all(isinstance(message["content"], str) for message in scene.model.requests[-1]["messages"])
    await scene.stop()
    assert "base64" not in "".join(path.read_text() for path in (scene.folder / "logs").glob("*.jsonl"))


async def test_a_service_that_refuses_images_is_asked_without(scene: Scene) -> None:
    """Once, and the person and the model are told."""
    scene.model.fail(400, {"error": {"message": "image_url is only supported by certain models"}})
    scene.model.reply("I cannot see it.")
    ask(scene, ("cat.png", PNG))

    outcome = await scene.outcome()

    assert len(scene.model.requests) == 2
    assert "cannot be shown to you" in scene.model.requests[1]["messages"][-1]["content"]
    assert "I cannot see it." in outcome.content
    assert "This model can't read the images, so it answered without them" in outcome.content


@pytest.mark.parametrize(("words", "requests"), [("no such image", 2), ("no such thing", 1)])
async def test_a_service_that_refuses_anyway_is_not_asked_for_ever(scene: Scene, words: str, requests: int) -> None:
    """Only a refusal that speaks of images is tried without them, once, and what is said is what the service said."""
    for _ in range(3):
        scene.model.fail(400, {"error": {"message": words}})
    ask(scene, ("cat.png", PNG))

    outcome = await scene.outcome()

    assert len(scene.model.requests) == requests
    assert words in outcome.content


async def test_a_file_that_cannot_be_read_costs_no_prompt(scene: Scene) -> None:
    """The CDN failing is a note; the question is answered."""
    attachment = ask(scene, ("notes.txt", b"buy milk")).attachments[0]
    del scene.playground.state.attachments[attachment.id]

    outcome = await scene.outcome()

    assert asked(scene)[0]["files"][0]["note"] == "could not be read"
    assert "could not be read" in outcome.content


async def test_a_reply_shows_an_image_again(unstarted: Scene) -> None:
    """Long after it was sent for the last time: to the model and to tools, however the reply is made."""
    seen: list[int] = []

    async def count_images() -> str:
        """Count the images."""
        seen.append(len(await current_tool_context().images()))
        return "counted"

    scene = await unstarted.start(tools=(count_images,))
    picture = ask(scene, ("cat.png", PNG))
    await scene.outcome()
    for number in range(2, 6):
        scene.ask("and now?")
        await scene.outcome(number)
    assert all(isinstance(message["content"], str) for message in scene.model.requests[-1]["messages"])

    scene.model.reply(tool_calls=[("count_images", "{}")])
    scene.ask("closer", reply_to=picture.id)
    await scene.outcome(6)

    told, images = asked(scene, -2)
    assert (told["reply_to"]["files"], len(images)) == ([{"name": "cat.png", "type": "image/png"}], 1)
    assert seen == [1]
    scene.playground.people.command(GENERAL_ID, ADA_ID, "Ask about this", target_id=picture.id)
    submit(scene, await modal(scene), "What is it?")
    await scene.outcome(7)
    assert len(asked(scene)[1]) == 1


async def test_images_are_forgotten_with_their_turn(scene: Scene) -> None:
    """/clear and a deleted question leave none in the store; an image outlives a restart until then."""
    question = ask(scene, ("cat.png", PNG))
    await scene.outcome()
    await scene.restart()
    turn_id = str(await scene.app.store.turns.of_message("discord", str(question.id)))
    assert len(await scene.app.store.turns.images(turn_id, [0])) == 1

    scene.playground.people.delete(GENERAL_ID, question.id, ADA_ID)

    await scene.until(lambda: not scene.shown())
    assert await scene.app.store.turns.images(turn_id, [0]) == []


async def test_an_edit_keeps_the_files(scene: Scene) -> None:
    """The question is asked again with the image it came with."""
    question = ask(scene, ("cat.png", PNG))
    await scene.outcome()

    scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} closer")

    await scene.model.until(lambda: len(scene.model.requests) == 2)
    told, images = asked(scene)
    assert (told["text"], len(images)) == ("closer", 1)


@pytest.mark.parametrize(
    ("name", "content_type", "data", "text"),
    [
        ("main.ts", "video/mp2t", b"export const x = 1", "export const x = 1"),
        ("run.sh", "application/x-sh", b"#!/bin/sh\necho hi", "#!/bin/sh\necho hi"),
        ("data.json", "application/json", b'{"a": 1}', '{"a": 1}'),
        ("song.mp3", "audio/mpeg", b"no song", "no song"),
        ("page.bin", "application/octet-stream", "wide".encode("utf-32-be"), "wide"),
        ("notes", None, "Grüße".encode("utf-16-le"), "Grüße"),
        ("image.png", "image/png", b"no image", "no image"),
    ],
)
async def test_a_text_is_read_whatever_discord_takes_it_for(
    scene: Scene, name: str, content_type: str | None, data: bytes, text: str
) -> None:
    """Its bytes decide, and it is not called a video."""
    scene.ask("read", uploads=(Upload(0, name, data, content_type),))

    outcome = await scene.outcome()

    [file] = asked(scene)[0]["files"]
    assert (file["name"], file["text"]) == (name, text)
    assert file["type"].startswith(("text/", "application/"))
    assert "📎" not in outcome.content


@pytest.mark.parametrize("content_type", [None, "text/plain", "video/mp4"])
async def test_an_image_is_seen_whatever_discord_takes_it_for(scene: Scene, content_type: str | None) -> None:
    """Also where Discord knows no type at all."""
    scene.ask("look", uploads=(Upload(0, "shot", PNG, content_type),))

    outcome = await scene.outcome()

    told, images = asked(scene)
    assert told["files"] == [{"name": "shot", "type": "image/png"}]
    assert [image[:22] for image in images] == ["data:image/png;base64,"]
    assert "📎" not in outcome.content


@pytest.mark.parametrize(
    ("data", "words", "kind"),
    [
        (examples.pdf("Rent is 700"), "Rent is 700", "application/pdf"),
        (examples.word(), "| Ada | engine |", "wordprocessingml.document"),
        (examples.workbook(), "| May | 12.5 |", "spreadsheetml.sheet"),
        (examples.slides(), "Notes: Smile", "presentationml.presentation"),
        (examples.HTML, "Leek **and** potato", "text/html"),
    ],
)
async def test_a_document_is_read(scene: Scene, data: bytes, words: str, kind: str) -> None:
    """As text, under any name."""
    ask(scene, ("unnamed", data))

    outcome = await scene.outcome()

    [file] = asked(scene)[0]["files"]
    assert words in file["text"]
    assert file["type"].endswith(kind)
    assert "📎" not in outcome.content


async def test_scanned_pages_are_seen(scene: Scene) -> None:
    """Each is an image named after its document; an edit keeps them, and reads nothing again."""
    question = ask(scene, ("scan.pdf", examples.scan(2)), ("cat.png", PNG))
    await scene.outcome()

    scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} closer")

    await scene.model.until(lambda: len(scene.model.requests) == 2)
    for number in (0, 1):
        told, images = asked(scene, number)
        assert told["files"] == [
            {"name": "scan.pdf", "type": "application/pdf"},
            {"name": "scan.pdf, page 1", "type": "image/jpeg"},
            {"name": "scan.pdf, page 2", "type": "image/jpeg"},
            {"name": "cat.png", "type": "image/png"},
        ]
        assert [image[:15] for image in images] == ["data:image/jpeg", "data:image/jpeg", "data:image/png;"]
    assert len([one for one in scene.playground.requests if "/attachments/" in one.path]) <= 2


async def test_pages_and_images_share_their_limit(scene: Scene) -> None:
    """Four images are shown of a message, and it is said how many pages are not."""
    ask(scene, ("cat.png", PNG), ("scan.pdf", examples.scan(5)))

    outcome = await scene.outcome()

    told, images = asked(scene)
    note = "only 3 of its 5 pages without text are shown to the model as images"
    assert (len(images), told["files"][1]["note"]) == (4, note)
    assert f"`scan.pdf` {note}" in outcome.content


async def test_documents_share_what_is_read_of_a_message(scene: Scene) -> None:
    """Of two long ones the second has what the first left, and of a third nothing is read."""
    long = examples.pdf(*["word " * 600] * 30)
    ask(scene, *((f"{number}.pdf", long) for number in range(3)))

    outcome = await scene.outcome()

    told, _ = asked(scene)
    assert [len(file.get("text", "")) for file in told["files"]] == [MAX_DOCUMENT, MAX_TOTAL - MAX_DOCUMENT, 0]
    assert [file["note"] for file in told["files"]] == [
        f"cut after its first {MAX_DOCUMENT:,} characters",
        f"cut after its first {MAX_TOTAL - MAX_DOCUMENT:,} characters",
        "left out: the other files of the message have all the text that I read",
    ]
    small_print = [line for line in outcome.content.splitlines() if "📎" in line]
    assert len(small_print) == 1


async def test_files_that_mean_no_good_keep_no_question_back(scene: Scene) -> None:
    """A bomb, a huge image, a broken PDF and a good file: one line says what was skipped, and the good one is read."""
    huge = PNG[:16] + struct.pack(">II", 60_000, 60_000) + PNG[24:]
    many = examples.changed(examples.word(), {f"{number}": b"" for number in range(MAX_PARTS + 1)})
    ask(scene, ("bomb.docx", many), ("huge.png", huge), ("a.pdf", b"%PDF-1.7"), ("good.pdf", examples.pdf("fine")))

    outcome = await scene.outcome()

    told, images = asked(scene)
    assert [file.get("note", "")[:9] for file in told["files"]] == ["left out:"] * 3 + [""]
    assert (told["files"][3]["text"], images) == ("[page 1]\nfine", [])
    [line] = [line for line in outcome.content.splitlines() if "📎" in line]
    assert all(f"`{name}` skipped: " in line for name in ("bomb.docx", "huge.png", "a.pdf"))


async def test_what_a_document_says_is_no_instruction_and_no_secret(scene: Scene) -> None:
    """It is sent as a file, and a key in it is redacted before anything is stored."""
    key = "sk-proj-" + "a1B2" * 12
    ask(scene, ("a.pdf", examples.pdf(f"key {key}")))

    await scene.outcome()

    [file] = asked(scene)[0]["files"]
    assert file["text"].startswith("[page 1]\nkey ")
    assert key not in json.dumps(scene.model.requests)


class TestReader:
    """The reader by itself, against a server that means no good."""

    @pytest.fixture
    async def cdn(self) -> AsyncIterator[str]:
        # What comes first, what comes again and again, and after how many seconds.
        streams = {
            "endless": (b"", b"x" * 2**16, 0.0),
            "picture": (PNG, bytes(2**20), 0.0),
            "trickle": (b"", b"x", 0.05),
            "slow": (b"", b"", 60.0),
        }

        async def streamed(request: web.Request) -> web.StreamResponse:
            first, again, pause = streams[request.path[1:]]
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(first)
            while True:
                await response.write(again)
                await asyncio.sleep(pause)

        async def packed(_request: web.Request) -> web.Response:
            return web.Response(body=gzip.compress(bytes(2**24)), headers={"Content-Encoding": "gzip"})

        async def elsewhere(_request: web.Request) -> web.Response:
            raise web.HTTPFound("/endless")

        app = web.Application()
        handlers = dict.fromkeys(streams, streamed) | {"packed": packed, "elsewhere": elsewhere}
        for name, handler in handlers.items():
            app.router.add_get(f"/{name}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()

    async def read(self, base: str, url: str, kind: str | None = "text/plain", patience: float = 0.5) -> Files:
        """Read one file that says it has 3 bytes."""
        data = {"id": "1", "filename": "f", "size": 3, "url": url, "proxy_url": url, "content_type": kind}
        state: Any = SimpleNamespace(http=None)  # it is needed for other things only
        file = discord.Attachment(data=data, state=state)  # type: ignore[arg-type]  # fewer fields than there may be
        reader = AttachmentReader(vision=True, image_bytes=18_000_000, base=f"{base}/api/v10", patience=patience)
        async with waiting("a file to be read or given up"):
            return await reader.read([file])

    async def test_the_size_is_counted_not_believed(self, cdn: str) -> None:
        """A file without end is cut, or left out, whatever size it says it has."""
        [text] = (await self.read(cdn, f"{cdn}/endless")).attachments
        [image] = (await self.read(cdn, f"{cdn}/endless", "image/png")).attachments
        [picture] = (await self.read(cdn, f"{cdn}/picture", patience=20)).attachments

        assert text.note == image.note == f"cut after its first {MAX_SHOWN:,} characters"
        assert picture.note == "left out: larger than 25 MiB"

    @pytest.mark.parametrize("path", ["slow", "trickle", "packed", "elsewhere", "nothing"])
    async def test_what_does_not_come_plainly_is_not_read(self, cdn: str, path: str) -> None:
        """No end, a packed body, a way to somewhere else, nothing at all."""
        [file] = (await self.read(cdn, f"{cdn}/{path}")).attachments

        assert (file.note, file.text) == ("could not be read", None)

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:1/endless",
            "http://cdn.discordapp.com/a",
            "https://cdn.discordapp.com.evil.example/a",
            "https://cdn.discordapp.com@evil.example/a",
            "https://cdn.discordapp.com:8443/a",
            "file:///etc/passwd",
            "//",
        ],
    )
    async def test_other_hosts_are_not_asked(self, cdn: str, url: str) -> None:
        """Only Discord's own addresses, and those of the server the bot is at."""
        [file] = (await self.read(cdn, url)).attachments

        assert file.note == "could not be read"

    async def test_a_server_of_somebody_else_is_not_asked(self, cdn: str, caplog: pytest.LogCaptureFixture) -> None:
        """Not even where it is on this machine too, and would answer."""
        [file] = (await self.read("http://127.0.0.1:1", f"{cdn}/endless")).attachments

        assert "it is at no address of Discord's" in caplog.text
        assert (file.note, file.text) == ("could not be read", None)
