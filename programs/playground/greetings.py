"""What a new gateway session gets first: READY, and the guild as it is now."""

from programs.playground import payloads
from programs.playground.entities import BOT_ID, GUILD_ID, Channel, Json
from programs.playground.gateway_sessions import Session
from programs.playground.intents import Intent
from programs.playground.snowflakes import iso
from programs.playground.state import State

UNAVAILABLE: Json = {"id": str(GUILD_ID), "unavailable": True}


def ready(state: State, session: Session, resume_url: str, guilds: list[Json]) -> Json:
    """What READY says.

    Args:
        state: What there is.
        session: The session that begins.
        resume_url: Where it can be resumed.
        guilds: The servers, which are unavailable until GUILD_CREATE.
    """
    return {
        "v": 10,
        "user": payloads.own_user(state.users[BOT_ID]),
        "guilds": guilds,
        "session_id": session.id,
        "session_type": "normal",
        "resume_gateway_url": resume_url,
        "application": {"id": str(BOT_ID), "flags": payloads.APPLICATION_FLAGS},
        "private_channels": [],
        "user_settings": {},
        "shard": list(session.shard),
    }


def guild_create(state: State, intents: Intent) -> Json:
    """The whole guild: all its members only for those with the intent, threads only while they are open.

    Of channels that the bot cannot see, it only learns that they exist.
    """
    everyone = intents & Intent.GUILD_MEMBERS
    members = [user_id for user_id in state.members if everyone or user_id == BOT_ID]
    return state.guild_payload() | {
        "joined_at": iso(state.members[BOT_ID].joined_at),
        "large": False,
        "unavailable": False,
        "member_count": len(state.members),
        "members": [state.member_payload(user_id) for user_id in members],
        "channels": [state.channel_event(channel, BOT_ID) for channel in state.guild_channels()],
        "threads": [state.channel_payload(thread, BOT_ID) for thread in _open_threads(state)],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def thread_list_sync(state: State, parent: Channel) -> Json:
    """The open threads of a channel that the bot now sees."""
    threads = _open_threads(state, parent.id)
    own = [one for one in threads if one.thread and BOT_ID in one.thread.members]
    return {
        "guild_id": str(state.guild.id),
        "channel_ids": [str(parent.id)],
        "threads": [state.channel_payload(thread, BOT_ID) for thread in threads],
        "members": [payloads.thread_member(thread, BOT_ID) for thread in own],
    }


def _open_threads(state: State, parent_id: int | None = None) -> list[Channel]:
    """Those of one channel, or of all, that are not archived and that the bot sees."""
    threads = (one for one in state.threads(parent_id) if one.thread and not one.thread.archived)
    return [one for one in threads if state.may_see(BOT_ID, one)]


def members_chunk(state: State, wanted: Json) -> Json:
    """The answer to a request for members, by id or by the beginning of a name."""
    ids = wanted.get("user_ids")
    chosen = {str(one) for one in (ids if isinstance(ids, list) else [ids])} if ids else None
    query = str(wanted.get("query") or "").lower()
    found = [
        state.member_payload(user_id)
        for user_id in state.members
        if (str(user_id) in chosen if chosen is not None else state.users[user_id].username.startswith(query))
    ]
    return {
        "guild_id": str(state.guild.id),
        "members": found,
        "chunk_index": 0,
        "chunk_count": 1,
        "not_found": sorted(chosen - {member["user"]["id"] for member in found}) if chosen else [],
        "nonce": wanted.get("nonce"),
    }
