"""The rules of voice messages: one audio file with its length and its waveform, and nothing else."""

from collections.abc import Sequence

from programs.playground.entities import Attachment
from programs.playground.errors import ApiError

AUDIO_TYPES = {
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "wav": "audio/x-wav",
    "flac": "audio/flac",
    "aac": "audio/aac",
}


def require_voice(attachments: Sequence[Attachment], *, others: bool) -> None:
    """Check a voice message.

    Args:
        attachments: Its files.
        others: Whether there is more in it, such as a text.

    Raises:
        ApiError: 50159 with anything beside its file, 50160 without exactly one audio file, 50161 where the length or
            the waveform of that is not given.
    """
    if others:
        raise ApiError(400, 50159, "Voice messages do not support additional content.")
    if len(attachments) != 1 or not (attachments[0].content_type or "").startswith("audio/"):
        raise ApiError(400, 50160, "Voice messages must have a single audio attachment.")
    if attachments[0].duration_secs is None or attachments[0].waveform is None:
        raise ApiError(400, 50161, "Voice messages must have supporting metadata.")


def not_editable() -> ApiError:
    """The refusal of an edit of a voice message."""
    return ApiError(400, 50162, "Voice messages cannot be edited.")
