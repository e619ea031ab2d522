"""What the engine and a service that transcribes tell each other."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Recording:
    """Audio that is to be transcribed.

    Attributes:
        data: The file.
        name: Its name; services tell the format by the suffix.
        media_type: Its type.
        seconds: How long it plays, about.
    """

    data: bytes
    name: str
    media_type: str
    seconds: float


@dataclass(frozen=True)
class SpeechUsage:
    """What a service says a transcription took: tokens, or seconds of audio; what it does not say is None.

    Attributes:
        input_tokens: Of the audio and of whatever else was sent.
        audio_tokens: Those of the audio alone.
        output_tokens: Of the text.
        seconds: Of the audio.
    """

    input_tokens: int | None = None
    audio_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Speech:
    """The text of a recording, "" where nobody speaks, and what it took."""

    text: str
    usage: SpeechUsage


class SpeechService(Protocol):
    """Who transcribes."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def service(self) -> str:
        """The service's host and port."""

    async def transcribe(self, recording: Recording) -> Speech:
        """The text of a recording.

        Raises:
            ProviderError: There is none.
        """

    async def aclose(self) -> None:
        """Let go of connections."""
