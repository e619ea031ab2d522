"""Discord's JSON objects, drawn from the entities."""

from collections.abc import Iterable
from urllib.parse import quote

from programs.playground.entities import (
    BOT_ID,
    GUILD_ID,
    Attachment,
    Channel,
    ChannelFlag,
    ChannelType,
    Flag,
    ForumTag,
    Guild,
    Json,
    Member,
    Message,
    MessageType,
    Origin,
    Overwrite,
    Permission,
    Role,
    ThreadState,
    User,
    WebhookName,
)
from programs.playground.snowflakes import iso, moment
from programs.playground.sticker_payloads import sticker

HIDDEN_NAME = "___hidden___"
APPLICATION_FLAGS = 1 << 19  # message content, as an unverified application may have it


def user(who: User) -> Json:
    """A user, as others see them."""
    payload: Json = {
        "id": str(who.id),
        "username": who.username,
        "discriminator": "0",
        "global_name": who.global_name,
        "avatar": None,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }
    if who.bot:
        payload["bot"] = True
    return payload


def webhook_author(of: WebhookName) -> Json:
    """The author of a webhook's message: no user there is, under a name that may be another one each time."""
    return user(User(of.id, of.name, None, bot=True)) | {"discriminator": "0000"}


def own_user(who: User) -> Json:
    """The bot, as it sees itself."""
    return user(who) | {"mfa_enabled": False, "locale": "en-US", "verified": True, "email": None}


def partial_member(of: Member) -> Json:
    """A member without its user, as in a message."""
    return {
        "nick": of.nick,
        "avatar": None,
        "banner": None,
        "roles": [str(role_id) for role_id in of.roles],
        "joined_at": iso(of.joined_at),
        "premium_since": None,
        "communication_disabled_until": None if of.timed_out_until is None else iso(of.timed_out_until),
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }


def member(who: User, of: Member) -> Json:
    """A member with the user they are."""
    return {"user": user(who), **partial_member(of)}


def role(of: Role) -> Json:
    """A role."""
    payload: Json = {
        "id": str(of.id),
        "name": of.name,
        "permissions": str(int(of.permissions)),
        "position": of.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": of.bot_id is not None,
        "mentionable": of.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    return payload if of.bot_id is None else payload | {"tags": {"bot_id": str(of.bot_id)}}


def overwrite(of: Overwrite) -> Json:
    """The permissions of a role or a member in a channel."""
    return {
        "id": str(of.id),
        "type": int(of.for_member),
        "allow": str(int(of.allow)),
        "deny": str(int(of.deny)),
    }


def guild(of: Guild, roles: Iterable[Role]) -> Json:
    """The server with its roles, as REST answers it."""
    return {
        "id": str(of.id),
        "name": of.name,
        "owner_id": str(of.owner_id),
        "roles": [role(one) for one in roles],
        "features": [],
        "emojis": [],
        "stickers": [sticker(one, of.id) for one in of.stickers.values()],
        "region": "deprecated",
        "preferred_locale": of.locale,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw": False,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "afk_timeout": 300,
        "system_channel_id": None if of.system_channel_id is None else str(of.system_channel_id),
        "system_channel_flags": 0,
        "widget_enabled": False,
        "max_members": 500_000,
        "max_presences": None,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        **dict.fromkeys(_ABSENT_IN_A_GUILD),
    }


_ABSENT_IN_A_GUILD = (
    "icon", "description", "home_header", "splash", "discovery_splash", "banner", "application_id",
    "afk_channel_id", "widget_channel_id", "vanity_url_code", "rules_channel_id",
    "safety_alerts_channel_id", "public_updates_channel_id", "incidents_data",
)  # fmt: skip


def application(owner: User) -> Json:
    """The bot's application and who owns it."""
    return {
        "id": str(BOT_ID),
        "name": "LLMgine",
        "icon": None,
        "description": "",
        "type": None,
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": APPLICATION_FLAGS,
        "flags_new": str(APPLICATION_FLAGS),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user(owner),
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
    }


def thread_member(channel: Channel, user_id: int) -> Json:
    """A person in a thread."""
    assert channel.thread is not None  # noqa: S101  only threads have members
    joined = channel.thread.members[user_id]
    return {"id": str(channel.id), "user_id": str(user_id), "join_timestamp": iso(joined), "flags": 0}


def _thread(of: Channel, thread: ThreadState, viewer: int) -> Json:
    payload: Json = {
        "owner_id": str(of.owner_id),
        "message_count": thread.message_count,
        "member_count": len(thread.members),
        "total_message_sent": thread.total_sent,
        "thread_metadata": {
            "archived": thread.archived,
            "locked": thread.locked,
            "auto_archive_duration": thread.auto_archive_duration,
            "archive_timestamp": iso(thread.archive_changed),
            "create_timestamp": iso(moment(of.id)),
        },
    }
    if viewer in thread.members:
        payload["member"] = thread_member(of, viewer)
    return payload


def channel(of: Channel, users: dict[int, User], viewer: int) -> Json:
    """Any channel, thread or DM as `viewer` sees it: a DM shows the other one, a thread the own membership."""
    last = None if of.last_message_id is None else str(of.last_message_id)
    payload: Json = {"id": str(of.id), "type": int(of.type), "flags": 0, "last_message_id": last}
    if of.type is ChannelType.DM:
        other = of.recipient_id if viewer == BOT_ID else BOT_ID
        return payload | {"recipients": [user(users[other])] if other is not None else []}
    parent = None if of.parent_id is None else str(of.parent_id)
    payload |= {"guild_id": str(of.guild_id), "name": of.name, "parent_id": parent}
    if of.type is ChannelType.CATEGORY:
        del payload["last_message_id"]
        return payload | _place(of)
    payload["rate_limit_per_user"] = of.slowmode
    if of.thread is not None:
        tags: Json = {"applied_tags": [str(tag) for tag in of.applied_tags]} if of.applied_tags else {}
        return payload | _thread(of, of.thread, viewer) | tags
    payload["topic"] = of.topic
    if of.type is ChannelType.FORUM:
        payload |= {
            "available_tags": [forum_tag(one) for one in of.tags],
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
        }
    return payload | _place(of)


def forum_tag(of: ForumTag) -> Json:
    """A tag of a forum."""
    return {"id": str(of.id), "name": of.name, "moderated": False, "emoji_id": None, "emoji_name": None}


def hidden_channel(of: Channel) -> Json:
    """A channel of a guild, or a category, for a bot that cannot see it: its id, type and place, and nothing else."""
    nobody = {GUILD_ID: Overwrite(GUILD_ID, deny=Permission.VIEW_CHANNEL)}
    told = Channel(of.id, of.type, HIDDEN_NAME, of.guild_id, of.position, of.parent_id, overwrites=nobody)
    return channel(told, {}, BOT_ID) | {"flags": int(ChannelFlag.OBFUSCATED)}


def _place(of: Channel) -> Json:
    """What channels and categories have, and threads have not."""
    overwrites = [overwrite(one) for one in of.overwrites.values()]
    return {"position": of.position, "nsfw": False, "permission_overwrites": overwrites}


def attachment(of: Attachment, base_url: str) -> Json:
    """A file with its address."""
    url = f"{base_url}/attachments/{of.channel_id}/{of.id}/{quote(of.filename)}"
    payload: Json = {
        "id": str(of.id),
        "filename": of.filename,
        "size": len(of.content),
        "url": url,
        "proxy_url": url,
    }
    more = {
        "content_type": of.content_type,
        "description": of.description,
        "duration_secs": of.duration_secs,
        "waveform": of.waveform,
    }
    return payload | {name: value for name, value in more.items() if value is not None}


def emoji(name: str) -> Json:
    """A standard emoji, as reactions name it."""
    return {"id": None, "name": name}


def reactions(of: Message, viewer: int) -> list[Json]:
    """The reactions of a message, with whether the viewer is among those who reacted."""
    return [
        {
            "emoji": emoji(name),
            "count": len(who),
            "count_details": {"burst": 0, "normal": len(who)},
            "burst_colors": [],
            "me_burst": False,
            "me": viewer in who,
        }
        for name, who in of.reactions.items()
    ]


def interaction_metadata(of: Origin, users: dict[int, User]) -> Json:
    """The interaction that a message answers."""
    payload: Json = {
        "id": str(of.id),
        "type": of.type,
        "user": user(users[of.user_id]),
        "authorizing_integration_owners": {"0": str(GUILD_ID)},
    }
    if of.command_name is not None:
        payload["name"] = of.command_name
    if of.trigger is not None:
        payload["triggering_interaction_metadata"] = interaction_metadata(of.trigger, users)
    elif of.message_id is not None:
        payload["interacted_message_id"] = str(of.message_id)
    return payload


def message(of: Message, users: dict[int, User], viewer: int, base_url: str) -> Json:
    """A message alone; what hangs on it (what it replies to, its thread) is added by the state."""
    payload: Json = {
        "id": str(of.id),
        "channel_id": str(of.channel_id),
        "type": int(of.type),
        "author": user(users[of.author_id]) if of.webhook is None else webhook_author(of.webhook),
        "content": of.content,
        "timestamp": iso(moment(of.id)),
        "edited_timestamp": None if of.edited_at is None else iso(of.edited_at),
        "tts": False,
        "pinned": of.pinned_at is not None,
        "mention_everyone": of.mention_everyone,
        "mentions": [user(users[who]) for who in of.mentions],
        "mention_roles": [str(role) for role in of.mention_roles],
        "embeds": [] if of.flags & Flag.SUPPRESS_EMBEDS else of.embeds,
        "components": of.components,
        "attachments": [attachment(one, base_url) for one in of.attachments],
        "flags": of.flags,
    }
    if of.nonce is not None:
        payload["nonce"] = of.nonce
    if of.reactions:
        payload["reactions"] = reactions(of, viewer)
    if of.author_id == BOT_ID:
        payload["application_id"] = str(BOT_ID)
    if of.webhook is not None:
        payload["webhook_id"] = str(of.webhook.id)
        if of.webhook.application_id is not None:
            payload["application_id"] = str(of.webhook.application_id)
    if of.origin is not None:
        payload["webhook_id"] = str(BOT_ID)  # answers to interactions are sent through the application's webhook
        payload["interaction_metadata"] = interaction_metadata(of.origin, users)
        if of.type in (MessageType.CHAT_INPUT_COMMAND, MessageType.CONTEXT_MENU_COMMAND):
            payload["interaction"] = {
                "id": str(of.origin.id),
                "type": of.origin.type,
                "name": of.origin.command_name,
                "user": user(users[of.origin.user_id]),
            }
    return payload
