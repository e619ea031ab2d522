"""What may be changed in the guild: its members, roles, channels and overwrites."""

from collections.abc import Iterable
from datetime import timedelta

from programs.playground import payloads, sticker_payloads
from programs.playground.entities import (
    GUILD_ID,
    MEMBERS_ROLE_ID,
    NO_PERMISSION,
    Channel,
    ChannelType,
    ForumTag,
    Json,
    Member,
    Overwrite,
    Permission,
    Role,
    Sticker,
    User,
)
from programs.playground.errors import ApiError, invalid_form, missing_permissions, unknown
from programs.playground.rights import Rights
from programs.playground.state import State

MAX_IN_CATEGORY = 50


class Admin:
    """The one place where each of these changes is made; the bot and the page get its events as on Discord.

    Every method that takes `by` makes the change on behalf of that member, and raises 50013 where Discord would refuse
    it; without, on behalf of whoever runs the guild. All raise `ApiError` for what does not exist.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._rights = Rights(state)

    def join(self, name: str, *, roles: tuple[int, ...] = (MEMBERS_ROLE_ID,)) -> int:
        """A new person comes into the guild; gives the id. A name that was here before comes back."""
        username = name.lower().replace(" ", "_")
        known = (user for user in self._state.users.values() if user.username == username and not user.bot)
        user = next(known, None) or User(self._state.ids.next(), username, name)
        self._state.users[user.id] = user
        self._state.members[user.id] = Member(user.id, list(roles), self._state.ids.now())
        self._tell("GUILD_MEMBER_ADD", self._state.member_payload(user.id))
        return user.id

    def join_bot(self, name: str, *, roles: tuple[int, ...] = (MEMBERS_ROLE_ID,)) -> int:
        """Another bot comes into the guild; gives the id. See `OtherBots` for what it writes."""
        user = User(self._state.ids.next(), name.lower().replace(" ", "_"), name, bot=True)
        self._state.users[user.id] = user
        self._state.members[user.id] = Member(user.id, list(roles), self._state.ids.now())
        self._tell("GUILD_MEMBER_ADD", self._state.member_payload(user.id))
        return user.id

    def add_sticker(self, name: str) -> int:
        """A new sticker of the guild; gives the id."""
        sticker = Sticker(self._state.ids.next(), name)
        self._state.guild.stickers[sticker.id] = sticker
        stickers = [sticker_payloads.sticker(one, GUILD_ID) for one in self._state.guild.stickers.values()]
        self._tell("GUILD_STICKERS_UPDATE", {"stickers": stickers})
        return sticker.id

    def set_tags(self, forum_id: int, *names: str) -> list[int]:
        """The tags that posts of a forum may have, in place of those it had; gives their ids."""
        forum = self._channel(forum_id)
        forum.tags = [ForumTag(self._state.ids.next(), name) for name in names]
        self._tell_channel("CHANNEL_UPDATE", forum)
        return [tag.id for tag in forum.tags]

    def leave(self, user_id: int, *, by: int | None = None) -> None:
        """A person leaves, or is made to leave; what they wrote stays. The owner may not leave."""
        self._member(user_id)
        self._state.person(user_id)
        if by != user_id:
            self._rights.require_permissions(by, Permission.KICK_MEMBERS)
            self._rights.require_above(by, user_id)
        elif user_id == self._state.guild.owner_id:
            raise missing_permissions()
        del self._state.members[user_id]
        for thread in self._state.threads():
            self._state.leave_thread(thread, user_id)
        self._tell("GUILD_MEMBER_REMOVE", {"user": payloads.user(self._state.users[user_id])})

    def change_member(
        self,
        user_id: int,
        *,
        roles: list[int] | None = None,
        time_out: float | None = None,
        dms_closed: bool | None = None,
        by: int | None = None,
    ) -> None:
        """Several changes of a member at once: all that are not None, or none where one is refused.

        Args:
            user_id: The member.
            roles: As in `give_roles`.
            time_out: Seconds, as in `time_out`; 0 ends it.
            dms_closed: As in `close_dms`.
            by: Who asks.
        """
        member = self._member(user_id)
        if roles is not None:
            self._require_to_give(by, member, roles)
        if time_out is not None:
            self._require_to_time_out(by, user_id)
        if dms_closed is not None:
            self._rights.require_self(by, user_id)
        if roles is not None:
            self.give_roles(user_id, *roles)
        if time_out is not None:
            self.time_out(user_id, time_out or None)
        if dms_closed is not None:
            self.close_dms(user_id, closed=dms_closed)

    def give_roles(self, user_id: int, *role_ids: int, by: int | None = None) -> None:
        """These and no other roles, beside @everyone."""
        member = self._member(user_id)
        self._require_to_give(by, member, role_ids)
        member.roles = list(role_ids)
        self._tell_member(member)

    def time_out(self, user_id: int, seconds: float | None, *, by: int | None = None) -> None:
        """Seconds from now in which a member may only read; None ends it."""
        member = self._member(user_id)
        self._require_to_time_out(by, user_id)
        member.timed_out_until = None if seconds is None else self._state.ids.now() + timedelta(seconds=seconds)
        self._tell_member(member)

    def close_dms(self, user_id: int, *, closed: bool = True, by: int | None = None) -> None:
        """Whether a person takes no messages from the bot, which is for that person alone to say."""
        user = self._state.users[self._state.person(user_id)]
        self._rights.require_self(by, user_id)
        user.dms_closed = closed
        self._state.changes.note()

    def add_role(self, name: str, permissions: Permission = NO_PERMISSION, *, by: int | None = None) -> int:
        """A new role, the highest of all; gives the id."""
        self._rights.require_permissions(by, Permission.MANAGE_ROLES | permissions)
        role = Role(self._state.ids.next(), name, permissions, position=len(self._state.roles))
        self._state.roles[role.id] = role
        self._tell("GUILD_ROLE_CREATE", {"role": payloads.role(role)})
        return role.id

    def set_role(
        self, role_id: int, permissions: Permission | None = None, *, name: str | None = None, by: int | None = None
    ) -> None:
        """Change what a role allows, its name, or both; the guild's own id is @everyone's."""
        role = self._role(role_id, by=by)
        wanted = role.permissions if permissions is None else permissions
        self._rights.require_permissions(by, wanted ^ role.permissions)
        role.permissions = wanted
        role.name = name or role.name
        self._tell("GUILD_ROLE_UPDATE", {"role": payloads.role(role)})

    def remove_role(self, role_id: int, *, by: int | None = None) -> None:
        """Nobody can delete @everyone, or the role that a bot came with."""
        role = self._role(role_id, by=by)
        if role_id == GUILD_ID or role.bot_id is not None:
            raise missing_permissions()
        del self._state.roles[role_id]
        for member in self._state.members.values():
            if role_id in member.roles:
                member.roles.remove(role_id)
                self._tell_member(member)
        self._tell("GUILD_ROLE_DELETE", {"role_id": str(role_id)})

    def add_channel(
        self,
        name: str,
        kind: ChannelType = ChannelType.TEXT,
        *,
        category_id: int | None = None,
        by: int | None = None,
    ) -> Channel:
        """A channel, which begins in sync with its category where it is in one."""
        self._require_in(by, category_id)
        category = None if category_id is None else self._room_in(category_id, kind)
        overwrites = {} if category is None else dict(category.overwrites)
        channel = Channel(
            self._state.ids.next(), kind, name, GUILD_ID, self._next_position(kind), category_id, overwrites=overwrites
        )
        self._state.channels[channel.id] = channel
        self._tell_channel("CHANNEL_CREATE", channel)
        return channel

    def add_category(self, name: str, *, by: int | None = None) -> Channel:
        """Add a category. Raises 50013 where the person `by` may not manage channels."""
        return self.add_channel(name, ChannelType.CATEGORY, by=by)

    def change_channel(self, channel_id: int, changes: Json, *, by: int | None = None) -> None:
        """Any of `name`, `topic`, `rate_limit_per_user` (seconds) and `parent_id` (a category, or None)."""
        channel = self._channel(channel_id)
        self._rights.require_permissions(by, Permission.MANAGE_CHANNELS, channel)
        if changes.get("parent_id", channel.parent_id) != channel.parent_id:
            self.move_channel(channel_id, changes["parent_id"], by=by)
        if changes.keys() - {"parent_id"}:
            channel.name = changes.get("name", channel.name)
            channel.topic = changes.get("topic", channel.topic) or None
            channel.slowmode = changes.get("rate_limit_per_user", channel.slowmode)
            if channel.thread is None:
                self._tell_channel("CHANNEL_UPDATE", channel)
            else:
                self._state.update_thread(channel)

    def slow_down(self, channel_id: int, seconds: int) -> None:
        """Seconds a member waits between two messages in a channel or thread."""
        self.change_channel(channel_id, {"rate_limit_per_user": seconds})

    def move_channel(
        self, channel_id: int, category_id: int | None, *, sync: bool = False, by: int | None = None
    ) -> None:
        """Into another category, or out of all; it takes over that one's overwrites only with `sync`."""
        channel = self._channel(channel_id)
        self._rights.require_permissions(by, Permission.MANAGE_CHANNELS, channel)
        self._require_in(by, category_id)
        if category_id is not None and category_id != channel.parent_id:
            self._room_in(category_id, channel.type)
        channel.parent_id = category_id
        if sync and category_id is not None:
            channel.overwrites = dict(self._state.channels[category_id].overwrites)
        self._tell_channel("CHANNEL_UPDATE", channel)

    def delete_channel(self, channel_id: int, *, by: int | None = None) -> None:
        """A channel goes with its threads; the channels of a category stay, in none."""
        channel = self._channel(channel_id)
        self._rights.require_permissions(by, Permission.MANAGE_CHANNELS, channel)
        for thread in self._state.threads(channel.id):
            self._state.delete_thread(thread)
        del self._state.channels[channel.id]
        self._tell_channel("CHANNEL_DELETE", channel)
        for left in self._state.channels_in(channel.id):
            left.parent_id = None
            self._tell_channel("CHANNEL_UPDATE", left)

    def overwrite(
        self,
        channel_id: int,
        target_id: int,
        *,
        allow: Permission = NO_PERMISSION,
        deny: Permission = NO_PERMISSION,
        by: int | None = None,
    ) -> None:
        """What a role or a member may, and may not, in a channel; nothing at all takes the overwrite away.

        Channels whose overwrites are those of their category are in sync with it: what is set there is set in them too.
        """
        channel = self._channel(channel_id)
        self._rights.require_permissions(by, Permission.MANAGE_ROLES | allow | deny, channel)
        for_member = target_id not in self._state.roles
        if for_member:
            self._member(target_id)
        in_sync = [one for one in self._state.channels_in(channel_id) if one.overwrites == channel.overwrites]
        for one in (channel, *in_sync):
            if allow or deny:
                one.overwrites[target_id] = Overwrite(target_id, allow, deny, for_member)
            else:
                one.overwrites.pop(target_id, None)
            self._tell_channel("CHANNEL_UPDATE", one)

    def _require_to_give(self, by: int | None, member: Member, role_ids: Iterable[int]) -> None:
        """Raises 10011 for what is no role, and 50013 for a role that `by` may neither give nor take."""
        self._rights.require_permissions(by, Permission.MANAGE_ROLES)
        for role_id in {*role_ids} ^ {*member.roles}:
            self._role(role_id, by=by)

    def _require_to_time_out(self, by: int | None, user_id: int) -> None:
        self._rights.require_permissions(by, Permission.MODERATE_MEMBERS)
        self._rights.require_above(by, user_id)

    def _require_in(self, by: int | None, category_id: int | None) -> None:
        """Channels are managed in a category by who may do so there; outside of all, by who may in the guild."""
        self._rights.require_permissions(by, Permission.MANAGE_CHANNELS, self._state.channels.get(category_id or 0))

    def _room_in(self, category_id: int, kind: ChannelType) -> Channel:
        """A category that takes one more channel of that type. Raises 50035."""
        category = self._state.channels.get(category_id)
        if category is None:
            raise _invalid_parent("INVALID", "Category does not exist")
        if category.type is not ChannelType.CATEGORY or kind not in (ChannelType.TEXT, ChannelType.FORUM):
            raise _invalid_parent("INVALID_TYPE", "Not a category")
        if len(self._state.channels_in(category_id)) >= MAX_IN_CATEGORY:
            raise _invalid_parent("MAX_CHANNELS", f"Maximum number of channels in category reached ({MAX_IN_CATEGORY})")
        return category

    def _next_position(self, kind: ChannelType) -> int:
        """At the end: categories are counted by themselves."""
        of_categories = kind is ChannelType.CATEGORY
        same = (c for c in self._state.guild_channels() if (c.type is ChannelType.CATEGORY) == of_categories)
        return max((one.position for one in same), default=-1) + 1

    def _tell(self, name: str, payload: Json) -> None:
        whole = {"guild_id": str(GUILD_ID), **payload}
        self._state.emit(name, lambda _: dict(whole))

    def _tell_member(self, member: Member) -> None:
        self._tell("GUILD_MEMBER_UPDATE", self._state.member_payload(member.id))

    def _tell_channel(self, name: str, channel: Channel) -> None:
        # Everybody gets it: a bot gets events of channels it cannot see, and the page may have to show or hide one.
        self._state.emit(name, lambda viewer: self._state.channel_event(channel, viewer))

    def _member(self, user_id: int) -> Member:
        member = self._state.members.get(user_id)
        if member is None:
            raise unknown("Member")
        return member

    def _role(self, role_id: int, *, by: int | None) -> Role:
        """A role that `by` may manage: one below their own highest."""
        self._rights.require_permissions(by, Permission.MANAGE_ROLES)
        role = self._state.roles.get(role_id)
        if role is None:
            raise unknown("Role")
        self._rights.require_above_role(by, role)
        return role

    def _channel(self, channel_id: int) -> Channel:
        channel = self._state.channels.get(channel_id)
        if channel is None or channel.guild_id is None:
            raise unknown("Channel")
        return channel


def _invalid_parent(code: str, words: str) -> ApiError:
    return invalid_form((("parent_id",), f"CHANNEL_PARENT_{code}", words))
