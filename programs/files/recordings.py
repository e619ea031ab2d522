"""Text of the recordings that come with a message, for all front ends."""

from llmgine.engine.spending import Account
from llmgine.engine.transcribing import Transcriber
from llmgine.messages.commands import Attachment
from llmgine.messages.text import collapse_spaces
from llmgine.messages.translatable import Text, tr
from llmgine.messages.visible_text import visible_text
from llmgine.providers.speech import Recording
from programs.audio_content import AudioFormat, audio_seconds

MAX_RECORDINGS = 2  # of a message
MAX_TRANSCRIPT = 20_000  # characters of one that the model is shown


async def with_transcript(
    facts: Attachment,
    data: bytes,
    kind: AudioFormat,
    *,
    transcriber: Transcriber,
    account: Account,
    claimed: float | None = None,
) -> Attachment:
    """A recording with what is said in it as its text, or with a note where it is too long or nobody speaks.

    To be called inside a slot of the transcriber.

    Args:
        facts: The file.
        data: What is in it.
        kind: Its format.
        transcriber: Who transcribes.
        account: Where that counts.
        claimed: How many seconds it plays, as its sender says.

    Raises:
        ProviderError: There is no text; `transcriber.failure` says why.
        AllowanceError: A limit of the day leaves no room for it.
        StoreError: It cannot be counted. Nothing was sent.
    """
    seconds = audio_seconds(data, kind, claimed)
    if seconds > transcriber.longest:
        minutes = transcriber.longest / 60
        words = tr("skipped: I only listen to {minutes:.0f} minutes of audio", minutes=minutes)
        return noted(facts, f"left out: only {minutes:.0f} minutes of audio are transcribed", words)
    recording = Recording(data, f"audio{kind.suffix}", kind.media_type, seconds)
    return _with_text(facts, await transcriber.transcribe(recording, account))


def noted(facts: Attachment, note: str, shown: Text) -> Attachment:
    """A file with what is said of it to the model, and what to people."""
    return facts.model_copy(update={"note": note, "note_text": shown})


def _with_text(facts: Attachment, text: str) -> Attachment:
    text = visible_text(text).strip()
    if not collapse_spaces(text):
        return noted(facts, "nobody speaks in it, as far as can be heard", tr("has no speech that I can make out"))
    heard = facts.model_copy(update={"text": text[:MAX_TRANSCRIPT], "transcript": "file"})
    if len(text) <= MAX_TRANSCRIPT:
        return heard
    words = tr("cut after its first {characters} characters", characters=MAX_TRANSCRIPT)
    return noted(heard, str(words), words)
