"""The text of what people say in audio: within limits of the day, some at once, with retries and a time limit."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from llmgine.engine.fair_slots import FairSlots
from llmgine.engine.retries import RetryPolicy
from llmgine.engine.spending import Account, Spending
from llmgine.errors import ProviderError, ProviderTimeoutError
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Text, tr
from llmgine.observability.redaction import Redactor
from llmgine.providers.prices import Prices
from llmgine.providers.speech import Recording, Speech, SpeechService, SpeechUsage
from llmgine.sessions import SessionStore
from llmgine.sessions.costs import Asker, Cost
from llmgine.sessions.limits import counted_in

_TOKENS = 10  # of a second of audio, as OpenAI counts them: services that tell nothing are counted so, too
_CHARACTERS = 3  # of a token, about
_MOST_COUNTED = 20  # times our own estimate
_LONGEST_REASON = 300  # characters that are kept of why a recording was not transcribed

_NOTHING = SpeechUsage()

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpeechFailure:
    """Why a recording was not transcribed, and when, in seconds since 1970."""

    reason: str
    at: float


class Transcriber:
    """Makes text of recordings.

    Attributes:
        failure: Why the last recording was not transcribed; None once one was.

    Args:
        speech: Who transcribes. It is closed with this.
        store: Where it is counted what that costs.
        at_once: How many recordings are worked on at once, shared fairly between people.
        retry: The policy for failures that may pass.
        seconds: How long all tries for one recording may take together, beside what it plays.
        longest: How many seconds a recording may play.
        redact: Takes secrets out of what is logged.
        prices: What it costs; by default as the service is known to take.
    """

    def __init__(
        self,
        speech: SpeechService,
        store: SessionStore,
        *,
        at_once: int = 4,
        retry: RetryPolicy | None = None,
        seconds: float = 90.0,
        longest: float = 600.0,
        redact: Redactor | None = None,
        prices: Prices | None = None,
    ) -> None:
        self.failure: SpeechFailure | None = None
        self.longest = longest
        self._speech = speech
        self._store = store
        self._spending = Spending(store, prices or Prices(speech.service))
        self._slots = FairSlots(at_once)
        self._retry = retry or RetryPolicy()
        self._seconds = seconds
        self._redact = redact or Redactor()

    @property
    def model(self) -> str:
        """The model that transcribes."""
        return self._speech.model

    @property
    def service(self) -> str:
        """The host and port of the service that transcribes."""
        return self._speech.service

    def slot(self, person: str) -> AbstractAsyncContextManager[None]:
        """A slot for one recording of a person, which is to be read and transcribed within the block."""
        return self._slots.slot(person)

    async def account(self, scopes: Sequence[str], asker: Asker) -> Account:
        """Where a recording counts that was said in a session with these scopes, the nearest first, by this person."""
        allowances = await self._store.allowances.of(scopes, self._store.today, asker)
        return Account(counted_in(scopes, asker), allowances)

    async def account_in(self, session_id: str, asker: Asker) -> Account:
        """Where a recording counts that this person gives to a session: as what the session costs itself."""
        return Account(*(await self._store.allowances.of_session(session_id, self._store.today, asker)))

    async def transcribe(self, recording: Recording, account: Account) -> str:
        """What is said in a recording, "" where nobody speaks. Called inside a `slot`.

        Raises:
            ProviderError: There is no text, on all tries; why is logged.
            AllowanceError: A limit of the day leaves no room for it; nothing was sent.
            StoreError: It cannot be counted; nothing was sent.
        """
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds + recording.seconds):
                text = await self._retry.run(lambda: self._once(recording, account), self._announce)
        except TimeoutError as error:
            late = ProviderTimeoutError(tr("{service} sent nothing for too long.", service=self.service))
            self._failed(late)
            raise late from error
        except ProviderError as error:
            self._failed(error)
            raise
        self.failure = None
        _log.info("%.0f s of speech transcribed in %.1f s", recording.seconds, time.monotonic() - begun)
        return text

    def _failed(self, error: ProviderError) -> None:
        # The words are those of the model's service, which has its own settings.
        reason = shorten(self._redact(str(error)).replace("OPENAI_", "TRANSCRIBE_"), _LONGEST_REASON)
        self.failure = SpeechFailure(reason, time.time())
        _log.warning("Audio cannot be transcribed by %s at %s: %s", self.model, self.service, reason)

    async def _announce(self, reason: Text | str, next_try: int, _tries: int | None, wait: float) -> None:
        _log.info("Transcribing again in %.1f s, try %d: %s", wait, next_try, self._redact(str(reason)))

    async def _once(self, recording: Recording, account: Account) -> str:
        expected = self._cost(recording, Speech("", _NOTHING))
        async with self._spending.other_call(account, expected, "transcription") as call:
            speech = await self._speech.transcribe(recording)
            call.cost = self._cost(recording, speech)
        return speech.text

    def _cost(self, recording: Recording, speech: Speech) -> Cost:
        """What a transcription costs: as the service says, where that can be; else by how long the recording plays."""
        told = speech.usage
        expected = int(recording.seconds * _TOKENS) + 1
        seconds = recording.seconds
        if told.seconds is not None and 0 < told.seconds <= _MOST_COUNTED * (recording.seconds + 60):
            seconds = told.seconds
        given = told.input_tokens
        if given is None or not 0 < given <= _MOST_COUNTED * (expected + 1_000):
            given = int(seconds * _TOKENS) + 1
        said = told.output_tokens
        if said is None or said > _MOST_COUNTED * (len(speech.text) + 1_000):
            said = len(speech.text) // _CHARACTERS
        price = self._spending.prices.nanodollars_of_audio(
            self.model,
            seconds=seconds,
            input_tokens=given,
            audio_tokens=given if told.audio_tokens is None else told.audio_tokens,
            output_tokens=said,
        )
        return Cost(tokens=given + said, nanodollars=price or 0)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._speech.aclose()
