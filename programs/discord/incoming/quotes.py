"""What a message replies to, as it is told to the model."""

import re

import discord

from llmgine.messages.commands import Author, Quote
from llmgine.messages.text import shorten
from llmgine.sessions import SessionStore

_LONGEST = 1_000  # characters
_SMALL_PRINT = re.compile(r"^-# .*\n?", re.MULTILINE)


class Quotes:
    """Finds the quote of a reply."""

    def __init__(self, client: discord.Client, store: SessionStore) -> None:
        self._client = client
        self._store = store

    async def of(self, message: discord.Message, session_id: str) -> Quote | None:
        """What the message replies to; None where that is the last answer, which the model has before it, or is gone.

        Raises:
            StoreError: Which answer was the last cannot be looked up.
        """
        reference = message.reference
        replied_to = reference.resolved if reference else None
        if not isinstance(replied_to, discord.Message):
            return None
        author = replied_to.author
        if author == self._client.user:
            text = _SMALL_PRINT.sub("", replied_to.content).strip()
            if not text or await self._store.deliveries.is_last_answer(session_id, str(replied_to.id)):
                return None
            return Quote(author=None, text=shorten(text, _LONGEST))
        text = shorten(replied_to.clean_content, _LONGEST) or "[a message without text]"
        return Quote(author=Author(id=str(author.id), name=author.display_name), text=text)
