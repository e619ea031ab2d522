"""What whoever runs the guild may change in it: people, roles, overwrites, time-outs, channels, and the time."""

from datetime import timedelta

from programs.playground import payloads
from programs.playground.entities import (
    GUILD_ID,
    MEMBERS_ROLE_ID,
    NO_PERMISSION,
    Channel,
    ChannelType,
    Json,
    Member,
    Overwrite,
    Permission,
    Role,
    User,
)
from programs.playground.errors import ApiError, invalid_form, unknown
from programs.playground.state import State

MAX_IN_CATEGORY = 50


class Moderation:
    """Each change is told to the bot as Discord tells it. Raises `ApiError` for what does not exist."""

    def __init__(self, state: State) -> None:
        self._state = state

    def join(self, name: str, *, roles: tuple[int, ...] = (MEMBERS_ROLE_ID,)) -> int:
        """A new person comes into the guild; gives the id. A name that was here before comes back."""
        username = name.lower().replace(" ", "_")
        known = (user for user in self._state.users.values() if user.username == username and not user.bot)
        user = next(known, None) or User(self._state.ids.next(), username, name)
        self._state.users[user.id] = user
        self._state.members[user.id] = Member(user.id, list(roles), self._state.ids.now())
        self._tell("GUILD_MEMBER_ADD", self._state.member_payload(user.id))
        return user.id

    def leave(self, user_id: int) -> None:
        """A person leaves; what they wrote stays."""
        self._member(user_id)
        del self._state.members[user_id]
        for thread in self._state.threads():
            self._state.leave_thread(thread, user_id)
        self._tell("GUILD_MEMBER_REMOVE", {"user": payloads.user(self._state.users[user_id])})

    def add_role(self, name: str, permissions: Permission = NO_PERMISSION) -> int:
        role = Role(self._state.ids.next(), name, permissions, position=len(self._state.roles))
        self._state.roles[role.id] = role
        self._tell("GUILD_ROLE_CREATE", {"role": payloads.role(role)})
        return role.id

    def set_role(self, role_id: int, permissions: Permission, *, name: str | None = None) -> None:
        """Change what a role allows, and its name; the guild's own id is @everyone's."""
        role = self._role(role_id)
        role.permissions = permissions
        role.name = name or role.name
        self._tell("GUILD_ROLE_UPDATE", {"role": payloads.role(role)})

    def remove_role(self, role_id: int) -> None:
        self._role(role_id)
        del self._state.roles[role_id]
        for member in self._state.members.values():
            if role_id in member.roles:
                member.roles.remove(role_id)
                self._tell_member(member)
        self._tell("GUILD_ROLE_DELETE", {"role_id": str(role_id)})

    def give_roles(self, user_id: int, *role_ids: int) -> None:
        """These and no other roles, beside @everyone."""
        member = self._member(user_id)
        member.roles = [self._role(role_id).id for role_id in role_ids]
        self._tell_member(member)

    def time_out(self, user_id: int, seconds: float | None) -> None:
        """Seconds from now in which a member may only read; None ends it."""
        member = self._member(user_id)
        member.timed_out_until = None if seconds is None else self._state.ids.now() + timedelta(seconds=seconds)
        self._tell_member(member)

    def overwrite(
        self, channel_id: int, target_id: int, *, allow: Permission = NO_PERMISSION, deny: Permission = NO_PERMISSION
    ) -> None:
        """What a role or a member may, and may not, in a channel; nothing at all takes the overwrite away.

        Channels whose overwrites are those of their category are in sync with it: what is set there is set in them too.
        """
        channel = self._channel(channel_id)
        for_member = target_id not in self._state.roles
        if for_member:
            self._member(target_id)
        in_sync = [one for one in self._state.channels_in(channel_id) if one.overwrites == channel.overwrites]
        for one in (channel, *in_sync):
            if allow or deny:
                one.overwrites[target_id] = Overwrite(target_id, allow, deny, for_member)
            else:
                one.overwrites.pop(target_id, None)
            self._state.update_channel(one)

    def slow_down(self, channel_id: int, seconds: int) -> None:
        """Seconds a member waits between two messages in a channel or thread."""
        channel = self._channel(channel_id)
        channel.slowmode = seconds
        if channel.thread is None:
            self._state.update_channel(channel)
        else:
            self._state.update_thread(channel)

    def add_channel(
        self, name: str, kind: ChannelType = ChannelType.TEXT, *, category_id: int | None = None
    ) -> Channel:
        """A channel, which begins in sync with its category where it is in one."""
        category = None if category_id is None else self._room_in(category_id, kind)
        overwrites = {} if category is None else dict(category.overwrites)
        channel = Channel(
            self._state.ids.next(), kind, name, GUILD_ID, self._next_position(kind), category_id, overwrites=overwrites
        )
        self._state.add_channel(channel)
        return channel

    def add_category(self, name: str) -> Channel:
        return self.add_channel(name, ChannelType.CATEGORY)

    def move_channel(self, channel_id: int, category_id: int | None, *, sync: bool = False) -> None:
        """Into another category, or out of all; it takes over that one's overwrites only with `sync`."""
        channel = self._channel(channel_id)
        if category_id is not None and category_id != channel.parent_id:
            self._room_in(category_id, channel.type)
        channel.parent_id = category_id
        if sync and category_id is not None:
            channel.overwrites = dict(self._state.channels[category_id].overwrites)
        self._state.update_channel(channel)

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
        inside = (one for one in self._state.channels.values() if one.guild_id is not None and one.thread is None)
        same = [one for one in inside if (one.type is ChannelType.CATEGORY) == (kind is ChannelType.CATEGORY)]
        return max((one.position for one in same), default=-1) + 1

    def change_channel(self, channel_id: int, changes: Json) -> None:
        """Any of `name`, `topic` and `rate_limit_per_user`, seconds."""
        channel = self._channel(channel_id)
        channel.name = changes.get("name", channel.name)
        channel.topic = changes.get("topic", channel.topic) or None
        channel.slowmode = changes.get("rate_limit_per_user", channel.slowmode)
        self._state.update_channel(channel)

    def delete_channel(self, channel_id: int) -> None:
        self._state.delete_channel(self._channel(channel_id))

    def close_dms(self, user_id: int, *, closed: bool = True) -> None:
        """Whether a person takes no messages from the bot."""
        self._state.users[self._state.person(user_id)].dms_closed = closed
        self._state.changes.note()

    def _tell(self, name: str, payload: Json) -> None:
        whole = {"guild_id": str(GUILD_ID), **payload}
        self._state.emit(name, lambda _: dict(whole))

    def _tell_member(self, member: Member) -> None:
        self._tell("GUILD_MEMBER_UPDATE", self._state.member_payload(member.id))

    def _member(self, user_id: int) -> Member:
        member = self._state.members.get(user_id)
        if member is None:
            raise unknown("Member")
        return member

    def _role(self, role_id: int) -> Role:
        role = self._state.roles.get(role_id)
        if role is None:
            raise unknown("Role")
        return role

    def _channel(self, channel_id: int) -> Channel:
        channel = self._state.channels.get(channel_id)
        if channel is None or channel.guild_id is None:
            raise unknown("Channel")
        return channel


def _invalid_parent(code: str, words: str) -> ApiError:
    return invalid_form((("parent_id",), f"CHANNEL_PARENT_{code}", words))
