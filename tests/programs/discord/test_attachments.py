"""Files that come with a message: what the model sees of them, and what people and the model are told of the rest."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from aiohttp import web

from programs.discord.incoming.attachments import MAX_IMAGE, MAX_SHOWN, MAX_TEXT, MAX_TEXTS, AttachmentReader, Files
from programs.playground.entities import ADA_ID, GENERAL_ID, Json, Message
from programs.playground.posting import Upload
from tests.programs.discord.scene import MENTION, Scene, body_of
from tests.waiting import patience

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


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
        "left out: neither text nor an image",
        "left out: neither text nor an image",
    ]
    assert [len(file.get("text", "")) for file in told["files"]] == [MAX_SHOWN, 4, 0, 0]
    small_print = body_of(outcome.content).rsplit("\n", 1)[1]
    assert small_print.startswith("-# 📎 `long.log` cut after")
    assert all(note.replace("left out", "skipped") in small_print for note in notes)


async def test_too_many_and_too_large(scene: Scene) -> None:
    """Only so many images, none beyond the limit, none that is not what it says."""
    files = [("big.png", PNG + bytes(MAX_IMAGE)), ("fake.png", b"<svg onload=alert(1)>")]
    ask(scene, *files, *((f"{number}.png", PNG) for number in range(5)))

    outcome = await scene.outcome()

    told, images = asked(scene)
    assert len(images) == 4
    assert [file.get("note") for file in told["files"]] == [
        "left out: larger than 4 MiB",
        "left out: no PNG, JPEG, GIF or WebP image",
        *[None] * 4,
        "left out: 4 images are shown of a message",
    ]
    assert "`big.png` skipped: larger than 4 MiB" in outcome.content


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

    assert "image_url" not in json.dumps(scene.model.requests[-1])
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


class TestReader:
    """The reader by itself, against a server that means no good."""

    @pytest.fixture
    async def cdn(self) -> AsyncIterator[str]:
        async def endless(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 2**16)

        async def slow(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await asyncio.Event().wait()
            return response

        async def packed(_request: web.Request) -> web.Response:
            return web.Response(body=gzip.compress(bytes(2**24)), headers={"Content-Encoding": "gzip"})

        async def elsewhere(_request: web.Request) -> web.Response:
            raise web.HTTPFound("/endless")

        app = web.Application()
        for name, handler in {"endless": endless, "slow": slow, "packed": packed, "elsewhere": elsewhere}.items():
            app.router.add_get(f"/{name}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()

    async def read(self, base: str, url: str, kind: str = "text/plain") -> Files:
        """Read one file that says it has 3 bytes."""
        data = {"id": "1", "filename": "f", "size": 3, "url": url, "proxy_url": url, "content_type": kind}
        state: Any = SimpleNamespace(http=None)  # it is needed for other things only
        file = discord.Attachment(data=data, state=state)  # type: ignore[arg-type]  # fewer fields than there may be
        reader = AttachmentReader(vision=True, base=f"{base}/api/v10", patience=0.5)
        async with patience("a file to be read or given up"):
            return await reader.read([file])

    async def test_the_size_is_counted_not_believed(self, cdn: str) -> None:
        """A file without end is cut, or left out, whatever size it says it has."""
        [text] = (await self.read(cdn, f"{cdn}/endless")).attachments
        [image] = (await self.read(cdn, f"{cdn}/endless", "image/png")).attachments

        assert text.note == f"cut after its first {MAX_SHOWN:,} characters"
        assert image.note == "left out: larger than 4 MiB"

    @pytest.mark.parametrize("path", ["slow", "packed", "elsewhere", "nothing"])
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

    async def test_a_server_of_somebody_else_is_not_asked(self, cdn: str) -> None:
        """Not even where it is on this machine too, and would answer."""
        [file] = (await self.read("http://127.0.0.1:1", f"{cdn}/endless")).attachments

        assert (file.note, file.text) == ("could not be read", None)
