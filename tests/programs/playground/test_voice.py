"""Voice messages in the playground: what Discord takes and refuses, and what it tells of them."""

import json
from typing import Any

import aiohttp
import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID
from programs.playground.errors import ApiError
from programs.playground.posting import Upload
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw
from tests.recordings import WAVEFORM, ogg

VOICE = Upload(0, "voice-message.ogg", ogg(2.5))


def speak(playground: Playground, text: str = "", *uploads: Upload, **options: Any) -> Any:
    voice = options.pop("voice", (2.5, WAVEFORM))
    return playground.people.send(GENERAL_ID, ADA_ID, text, uploads=uploads or (VOICE,), voice=voice, **options)


async def test_a_voice_message(playground: Playground) -> None:
    """It has its flag, no text, and one audio file with its length and waveform."""
    message = speak(playground)
    payload = playground.state.message_payload(message, BOT_ID)

    assert payload["flags"] == 1 << 13
    assert payload["content"] == ""
    (file,) = payload["attachments"]
    assert (file["duration_secs"], file["waveform"], file["content_type"]) == (2.5, WAVEFORM, "audio/ogg")


@pytest.mark.parametrize(
    ("text", "uploads", "code"),
    [
        ("and a text", (VOICE,), 50159),
        ("", (VOICE, Upload(1, "b.ogg", ogg())), 50160),
        ("", (Upload(0, "notes.txt", b"x"),), 50160),
    ],
)
async def test_what_is_none(playground: Playground, text: str, uploads: tuple[Upload, ...], code: int) -> None:
    """Discord refuses whatever is no voice message and says so."""
    with pytest.raises(ApiError) as refused:
        speak(playground, text, *uploads)

    assert refused.value.code == code


async def test_nobody_edits_it(playground: Playground) -> None:
    """What was said stays."""
    message = speak(playground)

    with pytest.raises(ApiError) as refused:
        playground.people.edit(GENERAL_ID, message.id, ADA_ID, "I said something else")

    assert refused.value.code == 50162


async def test_it_replies(playground: Playground) -> None:
    """A voice message may reply to another message."""
    first = playground.people.send(GENERAL_ID, ADA_ID, "hello")

    assert speak(playground, reply_to=first.id).reference.message_id == first.id


async def test_the_page_and_tests_send_one(playground: Playground, raw: Raw, bot: Bot) -> None:
    """Over HTTP with the file; discord.py takes it for a voice message."""
    form = aiohttp.FormData(quote_fields=False)
    about = {"as": str(ADA_ID), "voice": {"duration_secs": 2.5, "waveform": WAVEFORM}}
    form.add_field("payload_json", json.dumps(about))
    form.add_field("files[0]", ogg(2.5), filename="voice-message.ogg", content_type="audio/ogg")

    status, sent = await raw.page("POST", f"/channels/{GENERAL_ID}/messages", data=form)
    heard = await bot.heard("message")

    assert (status, sent["flags"]) == (200, 8192)
    assert heard.flags.voice
    assert heard.attachments[0].is_voice_message()
    assert heard.attachments[0].duration == 2.5
    assert await heard.attachments[0].read() == ogg(2.5)


@pytest.mark.parametrize(
    "voice", [{}, {"duration_secs": -1, "waveform": ""}, {"duration_secs": 1, "waveform": "x" * 401}]
)
async def test_a_form_that_is_none(playground: Playground, raw: Raw, voice: Any) -> None:
    """Length and waveform are needed, within Discord's limits."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps({"as": str(ADA_ID), "voice": voice}))
    form.add_field("files[0]", ogg(), filename="voice-message.ogg", content_type="audio/ogg")

    assert (await raw.page("POST", f"/channels/{GENERAL_ID}/messages", data=form))[0] == 400
