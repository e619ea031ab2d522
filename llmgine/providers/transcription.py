"""Turning speech into text by any OpenAI-compatible service (`/audio/transcriptions`), with the `openai` client."""

import asyncio
import json
import math
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient, Omit

from llmgine.errors import ConfigurationError, ProviderError, ProviderReplyError, ProviderTimeoutError
from llmgine.messages.text import clean_text
from llmgine.messages.translatable import tr
from llmgine.providers.addresses import checked_address
from llmgine.providers.connection_errors import unconnected, unreadable
from llmgine.providers.quoting import redactor
from llmgine.providers.service_errors import service_error
from llmgine.providers.speech import Recording, Speech, SpeechUsage

_OPENAI = "https://api.openai.com/v1"
_CONNECT = 10.0  # seconds
_LARGEST = 2**20  # bytes of an answer: an hour of speech has a tenth of that


class OpenAISpeech:
    """Transcribes by a service that speaks OpenAI's `/audio/transcriptions`.

    Args:
        model: The model's name at the service.
        api_key: Sent as bearer token; None or "" sends no `Authorization` header.
        base_url: The service's address, up to and without `/audio/transcriptions`; None or "" is OpenAI's own.
        seconds: How long an answer may take; as many more as the recording plays.
        max_connections: The bound on requests at once; more of them wait.

    Raises:
        ConfigurationError: There is neither key nor address, or one of them cannot be used.
    """

    def __init__(
        self,
        model: str,
        api_key: str | None,
        base_url: str | None = None,
        *,
        seconds: float = 60.0,
        max_connections: int = 8,
    ) -> None:
        if not api_key and not base_url:
            raise ConfigurationError(
                "TRANSCRIBE_MODEL needs a service: set TRANSCRIBE_BASE_URL, TRANSCRIBE_API_KEY, OPENAI_API_KEY "
                "or OPENAI_BASE_URL."
            )
        if api_key and not re.fullmatch(r"[!-~]+", api_key):
            raise ConfigurationError("TRANSCRIBE_API_KEY holds a character that no key has (a space, a quote mark?).")
        self._model = model
        self._seconds = seconds
        self._redact = redactor(api_key or "")
        self._base_url = base_url or _OPENAI
        loopback = checked_address(
            self._base_url, with_key=bool(api_key), address="TRANSCRIBE_BASE_URL", key="TRANSCRIBE_API_KEY"
        )
        self._client = AsyncOpenAI(
            api_key=api_key or "none",  # the client wants one, also when none is to be sent
            base_url=self._base_url,
            max_retries=0,
            http_client=DefaultAioHttpClient(
                timeout=httpx2.Timeout(None, connect=_CONNECT),
                limits=httpx2.Limits(max_connections=max_connections),
                trust_env=not loopback,  # a proxy cannot reach this machine's own services
            ),
        )
        # The client fills these from the environment, which only programs read.
        self._headers: dict[str, str | Omit] = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
        if not api_key:
            self._headers["Authorization"] = Omit()

    @property
    def model(self) -> str:
        """The model's name at the service."""
        return self._model

    @property
    def service(self) -> str:
        """The service's host and port."""
        return urlsplit(self._base_url).netloc

    async def transcribe(self, recording: Recording) -> Speech:
        """The text of a recording; see `SpeechService.transcribe`."""
        host = urlsplit(self._base_url).hostname
        try:
            async with asyncio.timeout(self._seconds + recording.seconds):
                status, headers, body = await self._answer(recording)
        except TimeoutError as error:
            raise ProviderTimeoutError(tr("{service} sent nothing for too long.", service=self.service)) from error
        except ProviderError:
            raise
        except Exception as error:  # the client lets errors of its parts through, too
            error.args = tuple(self._redact(arg) if isinstance(arg, str) else arg for arg in error.args)
            if isinstance(error, openai.APIConnectionError):
                raise unconnected(error, host, self.service) from error
            raise unreadable(error, host) from error
        try:
            said: object = json.loads(body)
        except (ValueError, RecursionError):
            said = body[:_LARGEST].decode(errors="replace")
        if status >= 400:
            raise service_error(status, said, model=self._model, headers=headers, redact=self._redact, host=host)
        return speech_in(said)

    async def _answer(self, recording: Recording) -> tuple[int, Mapping[str, str], bytes]:
        """The status, the headers and at most so many bytes of the body."""
        sent = self._client.audio.transcriptions.with_streaming_response.create(
            file=(recording.name, recording.data, recording.media_type),
            model=self._model,
            response_format="json",
            extra_headers=self._headers,
            timeout=None,
        )
        try:
            async with sent as response:
                body = bytearray()
                async for piece in response.iter_bytes(2**16):
                    body += piece
                    if len(body) > _LARGEST:
                        raise ProviderReplyError(tr("{service} sent too long an answer.", service=self.service))
                return response.status_code, response.headers, bytes(body)
        except openai.APIStatusError as error:
            return error.status_code, error.response.headers, error.response.content

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.close()


def speech_in(document: object) -> Speech:
    """What a service answered.

    Raises:
        ProviderReplyError: It has no text.
    """
    text = document.get("text") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(text, str):
        raise ProviderReplyError(tr("The transcription service sent an answer without a text."))
    return Speech(clean_text(text).strip(), _usage_in(document))


def _usage_in(document: Mapping[str, object]) -> SpeechUsage:
    """What the transcription took, as far as it is said in either of the forms that OpenAI has."""
    usage = document.get("usage")
    told: Mapping[str, object] = usage if isinstance(usage, dict) else {}
    details = told.get("input_token_details")
    seconds = told.get("seconds", document.get("duration"))
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds)
    return SpeechUsage(
        input_tokens=_count(told.get("input_tokens")),
        audio_tokens=_count(details.get("audio_tokens")) if isinstance(details, dict) else None,
        output_tokens=_count(told.get("output_tokens")),
        seconds=float(seconds) if is_number and isinstance(seconds, int | float) and seconds >= 0 else None,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
