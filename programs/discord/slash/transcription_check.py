"""What /doctor says of voice messages: who transcribes them, and whether the last one was."""

import time

from llmgine.messages.translatable import Text, joined, tr
from programs.application import Application
from programs.discord.slash.findings import Finding, quoted

_ABOUT = tr("Voice messages")
_MAX_NAME, _MAX_REASON = 60, 300
_REMEMBERED = 86_400.0  # seconds for which a failure is shown


def findings(app: Application, *, all_of_it: bool) -> list[Finding]:
    """The finding, where a model for voice messages is set.

    Args:
        app: The application.
        all_of_it: Whether the service and its words may be shown, as to an operator.
    """
    transcriber = app.transcriber
    if transcriber is None:
        return []
    words: Text = tr("transcribed by {model}", model=quoted(transcriber.model, _MAX_NAME))
    if all_of_it:
        words = tr("{words} at {service}", words=words, service=quoted(transcriber.service, _MAX_NAME))
    failure = transcriber.failure
    if failure is None or time.time() - failure.at > _REMEMBERED:
        return [Finding(_ABOUT, 0, words)]
    failed = tr("the last one was not, <t:{at}:R>: check TRANSCRIBE_MODEL and its service", at=str(int(failure.at)))
    said = tr("it said {reason}", reason=quoted(failure.reason, _MAX_REASON)) if all_of_it else ""
    return [Finding(_ABOUT, 1, joined("; ", words, failed, said))]
