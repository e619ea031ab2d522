"""Voice messages and audio: transcribed for who sent them, before the message is admitted."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import discord

from llmgine.engine.spending import Account
from llmgine.engine.transcribing import Transcriber
from llmgine.errors import (
    AllowanceError,
    ProviderBusyError,
    ProviderError,
    ProviderUnavailableError,
)
from llmgine.messages.commands import Attachment, PromptCommand
from llmgine.messages.translatable import tr
from llmgine.sessions.costs import Asker
from llmgine.sessions.limits import person_scope
from programs.audio_content import AUDIO_SUFFIXES, MAX_AUDIO, AudioFormat, audio_format
from programs.discord.delivery.typing_indicator import TypingIndicator
from programs.discord.ids import SOURCE, Origin, Place
from programs.discord.permissions.bot import BotPermissions
from programs.discord.permissions.webhooks import author_of
from programs.files.recordings import MAX_RECORDINGS, noted, with_transcript

UNHEARD = "[a voice message]"  # in place of what is said in it
_REMEMBERED = 50  # transcripts
_PATIENCE = 15.0  # seconds to read one from Discord
_AUDIO_TYPES = ("audio/", "application/ogg")

# Reads at most so many bytes of a file, and says whether there are more.
Download = Callable[[int], Awaitable[tuple[bytes, bool]]]

_log = logging.getLogger(__name__)


def is_audio(file: discord.Attachment) -> bool:
    """Whether a file is meant to be heard, by its type or its name; what it is, its bytes tell later."""
    kind = (file.content_type or "").casefold()
    if kind.startswith(_AUDIO_TYPES) or file.is_voice_message():
        return True
    return not kind.startswith(("text/", "image/")) and file.filename.casefold().endswith(AUDIO_SUFFIXES)


@dataclass(frozen=True)
class Ear:
    """Makes text of the recordings of one message, which count for who sent it.

    Attributes:
        transcriber: Who transcribes.
        account: Where that counts.
        person: Among whom the slots are shared.
        typing: Shows meanwhile that there will be an answer.
        heard: The last transcripts, by file: what has to be admitted again costs nothing again.
        seconds: How long a recording may be read from Discord.
    """

    transcriber: Transcriber
    account: Account
    person: str
    typing: TypingIndicator
    heard: "OrderedDict[str | None, Attachment]"
    seconds: float = _PATIENCE

    async def hear(self, facts: Attachment, claimed: float | None, download: Download) -> Attachment:
        """A file with its transcript, or with what is said of it in place of that.

        Args:
            facts: The file.
            claimed: How many seconds it plays, as its sender says.
            download: Reads it.

        Raises:
            StoreError: What that costs cannot be counted. Nothing was sent.
        """
        if facts.id in self.heard:
            return self.heard[facts.id]
        if facts.size > MAX_AUDIO:
            return _too_large(facts)
        async with self._typing_seen(), self.transcriber.slot(self.person):
            try:
                async with asyncio.timeout(self.seconds):
                    data, cut = await download(MAX_AUDIO)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                _log.warning("Audio %s cannot be read: %r", facts.id, error)
                return noted(facts, "could not be read", tr("could not be read"))
            kind = audio_format(data)
            if cut:
                return _too_large(facts)
            if kind is None:
                words = tr("skipped: not audio in a format I know (Ogg, MP3, WAV, M4A, WebM or FLAC)")
                return noted(facts, "left out: no audio in a known format", words)
            return await self._transcribed(facts, data, kind, claimed)

    async def _transcribed(
        self, facts: Attachment, data: bytes, kind: AudioFormat, claimed: float | None
    ) -> Attachment:
        try:
            heard = await with_transcript(
                facts, data, kind, transcriber=self.transcriber, account=self.account, claimed=claimed
            )
        except AllowanceError:
            words = tr("could not be transcribed: a daily limit is used up")
        except (ProviderBusyError, ProviderUnavailableError):
            words = tr("could not be transcribed: the service for that does not answer. Send it again later")
        except ProviderError:
            words = tr("could not be transcribed: the service for that refused it, and my log says why")
        else:
            self.heard[facts.id] = heard
            if len(self.heard) > _REMEMBERED:
                self.heard.popitem(last=False)
            return heard
        return noted(facts, str(words), words)

    @contextlib.asynccontextmanager
    async def _typing_seen(self) -> AsyncIterator[None]:
        self.typing.show(on=True)
        try:
            yield
        finally:
            self.typing.show(on=False)


class Ears:
    """Makes an `Ear` for each message that has something to hear.

    Args:
        transcriber: Who transcribes; None where nobody does.
    """

    def __init__(self, client: discord.Client, transcriber: Transcriber | None, permissions: BotPermissions) -> None:
        self._client = client
        self._transcriber = transcriber
        self._permissions = permissions
        self._heard: OrderedDict[str | None, Attachment] = OrderedDict()

    async def of(
        self,
        message: discord.Message,
        place: Place,
        *,
        session_id: str,
        thread_id: int | None,
        roles: tuple[str, ...],
    ) -> Ear | None:
        """For a message that is answered in a session; None where nobody hears.

        Args:
            message: The message; its author is who it counts for.
            place: Where it was written.
            session_id: Where it is answered.
            thread_id: The thread that was opened for it.
            roles: The roles of its author that limits are set for.

        Raises:
            StoreError: The limits cannot be looked up.
        """
        if self._transcriber is None:
            return None
        answered = Origin.at(place, message.id, thread_id=thread_id).answered
        author = author_of(message)
        asker = Asker(person=person_scope(SOURCE, author), roles=roles)
        scopes = tuple(dict.fromkeys([session_id, *answered.scopes]))
        account = await self._transcriber.account(scopes, asker)
        typing = TypingIndicator(self._client, self._permissions, answered.channel_id)
        return Ear(self._transcriber, account, author.id if author.is_person else session_id, typing, self._heard)


def unheard(facts: Attachment) -> Attachment:
    """A file that nobody here can hear."""
    words = tr("skipped: I can't hear audio, because TRANSCRIBE_MODEL is not set")
    return noted(facts, "left out: audio cannot be heard here", words)


def too_slow(facts: Attachment) -> Attachment:
    """A file that could not be heard in time."""
    words = tr("could not be transcribed: that takes too long")
    return noted(facts, str(words), words)


def too_many(facts: Attachment) -> Attachment:
    """One recording more than are heard of a message."""
    words = tr("skipped: I only listen to {count} audio files per message", count=MAX_RECORDINGS)
    return noted(facts, f"left out: {MAX_RECORDINGS} audio files are transcribed of a message", words)


def with_spoken(command: PromptCommand, message: discord.Message) -> PromptCommand:
    """A prompt with what is said in a voice message as its text; any other as it is."""
    if not message.flags.voice:
        return command
    file = next((one for one in command.attachments if one.transcript == "file"), None)
    if file is None or not file.text:
        return command.model_copy(update={"text": UNHEARD})
    moved = file.model_copy(update={"text": None, "transcript": "prompt"})
    attachments = tuple(moved if one is file else one for one in command.attachments)
    return command.model_copy(update={"text": file.text, "attachments": attachments})


def _too_large(facts: Attachment) -> Attachment:
    size = MAX_AUDIO // 2**20
    return noted(facts, f"left out: larger than {size} MiB", tr("skipped: larger than {size} MiB", size=size))
