"""Messages of discord.py's own class, made as it makes them of what Discord sends."""

from typing import Any

import discord

_client = discord.Client(intents=discord.Intents.none())
_PAYLOAD: dict[str, Any] = {
    "channel_id": "1",
    "content": "hello",
    "author": {"id": "2", "username": "ada", "discriminator": "0", "avatar": None, "global_name": "Ada"},
    "timestamp": "2026-11-28T00:00:00.000000+00:00",
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
    "pinned": False,
    "type": 0,
    "components": [],
}


def message(message_id: int) -> discord.Message:
    """A message with this id; two of one id are equal."""
    payload: Any = {**_PAYLOAD, "id": str(message_id)}
    channel: Any = _client.get_partial_messageable(1)
    return discord.Message(state=_client._connection, channel=channel, data=payload)
