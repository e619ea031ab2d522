"""Transcription by a real service over HTTP: what is sent, what is understood, and what is an error of ours."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from llmgine.errors import (
    ConfigurationError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    ProviderReplyError,
    ProviderStartingError,
    ProviderTimeoutError,
    ProviderUnavailableError,
)
from llmgine.providers.prices import Prices
from llmgine.providers.speech import Recording, SpeechUsage
from llmgine.providers.transcription import OpenAISpeech
from tests.cpu import moment
from tests.recordings import ogg
from tests.transcriptions import LARGEST, TranscriptionServer

KEY = "sk-test-0123456789abcdefghijklmnop"


@pytest.fixture
async def service() -> AsyncIterator[TranscriptionServer]:
    async with TranscriptionServer() as running:
        yield running
    assert running.refusals == []


def recording(data: bytes | None = None) -> Recording:
    return Recording(ogg() if data is None else data, "audio.ogg", "audio/ogg", 1.0)


async def heard(service: TranscriptionServer, *, key: str | None = KEY, seconds: float = 30.0) -> Any:
    """Transcribe once."""
    speech = OpenAISpeech("whisper-1", key, service.base_url, seconds=seconds)
    try:
        return await speech.transcribe(recording())
    finally:
        await speech.aclose()


async def test_what_is_sent(service: TranscriptionServer) -> None:
    """The file with its name and type, the model, and the form of the answer; the key as a bearer token."""
    service.say("  Good morning. \n")

    assert (await heard(service)).text == "Good morning."

    (sent,) = service.requests
    assert (sent.name, sent.media_type, sent.data) == ("audio.ogg", "audio/ogg", ogg())
    assert sent.fields == {"model": "whisper-1", "response_format": "json"}
    assert sent.authorization == f"Bearer {KEY}"


async def test_no_key(service: TranscriptionServer) -> None:
    """Local services get no header."""
    await heard(service, key=None)

    assert service.requests[0].authorization is None


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        (None, SpeechUsage()),
        (
            {"type": "tokens", "input_tokens": 14, "input_token_details": {"audio_tokens": 12}, "output_tokens": 9},
            SpeechUsage(input_tokens=14, audio_tokens=12, output_tokens=9),
        ),
        ({"type": "duration", "seconds": 3.5}, SpeechUsage(seconds=3.5)),
        ({"type": "duration", "seconds": float("inf")}, SpeechUsage()),
        ({"input_tokens": -3, "output_tokens": "9", "seconds": True, "input_token_details": 5}, SpeechUsage()),
        ([], SpeechUsage()),
    ],
)
async def test_usage(service: TranscriptionServer, said: Any, understood: SpeechUsage) -> None:
    """Tokens or seconds, whichever the model is paid by; nonsense is nothing."""
    service.say("x", said)

    assert (await heard(service)).usage == understood


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRefusedError),
        (401, ProviderRefusedError),
        (404, ProviderRefusedError),
        (429, ProviderBusyError),
        (500, ProviderUnavailableError),
        (503, ProviderUnavailableError),
    ],
)
async def test_a_refusal(service: TranscriptionServer, status: int, kind: type[ProviderError]) -> None:
    """It becomes the error that says whether to ask again, without the key in its words."""
    service.fail(status, {"error": {"message": f"no, {KEY} is bad"}})

    with pytest.raises(kind) as caught:
        await heard(service)

    assert KEY not in str(caught.value)


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"text": null}', "[" * 100_000, "\xff", "x" * 3_000_000])
async def test_no_text(service: TranscriptionServer, body: str) -> None:
    """What is no transcript, or has no end, is an error."""

    async def send(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, content_type="application/json")

    service.answer(send)

    with pytest.raises(ProviderReplyError):
        await heard(service)


async def test_an_endless_answer(service: TranscriptionServer) -> None:
    """It is given up after a megabyte."""
    sent = 0

    async def send(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(2**16))
            sent += 2**16

    service.answer(send)

    with pytest.raises(ProviderReplyError, match="too long"):
        await heard(service)
    assert sent < 2**26


async def test_it_hangs(service: TranscriptionServer) -> None:
    """Then it is given up, and the service sees that."""
    service.hang()

    with pytest.raises(ProviderTimeoutError):
        await heard(service, seconds=0.1)


async def test_nobody_listens() -> None:
    """A service that is not up yet is told from others."""
    speech = OpenAISpeech("whisper-1", None, "http://127.0.0.1:9/v1")

    with pytest.raises(ProviderStartingError):
        await speech.transcribe(recording())
    await speech.aclose()


async def test_a_large_file_blocks_nobody(service: TranscriptionServer) -> None:
    """25 MB are sent while everybody else goes on: no step takes five moments of CPU."""
    speech = OpenAISpeech("whisper-1", None, service.base_url)
    longest, before = 0.0, time.thread_time()
    sending = asyncio.create_task(speech.transcribe(recording(b"OggS" + bytes(LARGEST - 4))))
    while not sending.done():
        await asyncio.sleep(0)
        longest, before = max(longest, time.thread_time() - before), time.thread_time()
    await sending
    await speech.aclose()

    assert len(service.requests[0].data) == LARGEST
    assert longest < 5 * moment()


@pytest.mark.parametrize(
    ("key", "address", "words"),
    [
        (None, None, "TRANSCRIBE_BASE_URL, TRANSCRIBE_API_KEY"),
        ("a b", None, "TRANSCRIBE_API_KEY holds a character"),
        (None, "localhost", "TRANSCRIBE_BASE_URL must look like"),
        (None, "http://me:secret@host/v1", "use TRANSCRIBE_API_KEY"),
    ],
)
def test_settings_that_cannot_be_used(key: str | None, address: str | None, words: str) -> None:
    """The text names the setting."""
    with pytest.raises(ConfigurationError, match=words):
        OpenAISpeech("whisper-1", key, address)


@pytest.mark.parametrize(
    ("model", "service", "dollars"),
    [
        ("whisper-1", "api.openai.com", 0.006),  # by time
        ("gpt-4o-transcribe", "api.openai.com", 0.0036 + 0.0001),  # by tokens
        ("whisper-large-v3-turbo", "api.groq.com", 0.04 / 60),
        ("whisper-1", "127.0.0.1:8000", None),
        ("my-own", "api.openai.com", None),
    ],
)
async def test_what_a_minute_costs(model: str, service: str, dollars: float | None) -> None:
    """By the table of prices, in whichever way the model is paid; others have no known price."""
    prices = Prices(service)
    await prices.load()

    cost = prices.nanodollars_of_audio(model, seconds=60.0, input_tokens=600, audio_tokens=600, output_tokens=10)

    assert cost is None if dollars is None else cost == pytest.approx(dollars * 1e9, rel=0.01)
