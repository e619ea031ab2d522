"""Discord's JSON of what a message may have beside text, files, embeds and components."""

from programs.playground import payloads
from programs.playground.entities import Flag, Json, Message, Poll
from programs.playground.snowflakes import iso, moment
from programs.playground.sticker_payloads import sticker_item


def extras(of: Message, viewer: int, base_url: str) -> Json:
    """These parts of a message, as Discord sends them."""
    payload: Json = {}
    if of.poll is not None:
        payload["poll"] = _poll_payload(of.poll, viewer)
    if of.stickers:
        payload["sticker_items"] = [sticker_item(one) for one in of.stickers]
    if of.snapshots:
        payload["message_snapshots"] = [{"message": _snapshot_payload(one, base_url)} for one in of.snapshots]
    return payload


def _snapshot_payload(of: Message, base_url: str) -> Json:
    payload: Json = {
        "type": int(of.type),
        "content": of.content,
        "mentions": [],
        "mention_roles": [str(role) for role in of.mention_roles],
        "attachments": [payloads.attachment(one, base_url) for one in of.attachments],
        "embeds": [] if of.flags & Flag.SUPPRESS_EMBEDS else of.embeds,
        "timestamp": iso(moment(of.id)),
        "edited_timestamp": None if of.edited_at is None else iso(of.edited_at),
        "flags": of.flags,
        "components": of.components,
    }
    return payload | ({"sticker_items": [sticker_item(one) for one in of.stickers]} if of.stickers else {})


def _poll_payload(of: Poll, viewer: int) -> Json:
    counts = [{"id": answer, "count": len(who), "me_voted": viewer in who} for answer, who in of.votes.items() if who]
    return {
        "question": {"text": of.question},
        "answers": [{"answer_id": n, "poll_media": {"text": text}} for n, text in enumerate(of.answers, 1)],
        "expiry": iso(of.ends),
        "allow_multiselect": of.multiselect,
        "layout_type": 1,
        "results": {"answer_counts": counts, "is_finalized": of.finalized},
    }
