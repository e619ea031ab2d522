"""Discord's JSON of stickers."""

from programs.playground.entities import Json, Sticker


def sticker_item(of: Sticker) -> Json:
    """A sticker, as a message has it."""
    return {"id": str(of.id), "name": of.name, "format_type": 1}


def sticker(of: Sticker, guild_id: int) -> Json:
    """A sticker of the server."""
    more: Json = {"description": None, "tags": "wave", "type": 2, "available": True, "guild_id": str(guild_id)}
    return {**sticker_item(of), **more}
