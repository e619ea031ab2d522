"""What people may change in the guild: the same as whoever runs it, for those who hold the permission."""

from typing import Literal

from pydantic import Field

from programs.playground.entities import GUILD_ID, Channel, ChannelType, Permission, Role
from programs.playground.errors import missing_permissions, unknown
from programs.playground.forms import Form, Id
from programs.playground.moderation import Moderation
from programs.playground.permissions import EVERYTHING
from programs.playground.state import State

MAX_TIME_OUT = 28 * 24 * 3600  # seconds, as on Discord
MAX_SLOWMODE = 6 * 3600


class RoleChanges(Form):
    name: str | None = Field(None, min_length=1, max_length=100)
    permissions: int | None = Field(None, ge=0)


class MemberChanges(Form):
    """`time_out` is in seconds from now; 0 ends it."""

    roles: list[Id] | None = None
    time_out: float | None = Field(None, ge=0, le=MAX_TIME_OUT)
    dms_closed: bool | None = None


class ChannelChanges(Form):
    name: str | None = Field(None, min_length=1, max_length=100)
    topic: str | None = Field(None, max_length=1024)
    rate_limit_per_user: int | None = Field(None, ge=0, le=MAX_SLOWMODE)
    parent_id: Id | None = None  # given as null: in no category


class OverwriteForm(Form):
    allow: int = Field(0, ge=0)
    deny: int = Field(0, ge=0)


class NewChannel(Form):
    name: str = Field(min_length=1, max_length=100)
    type: Literal[0, 4, 15] = 0
    parent_id: Id | None = None


class Management:
    """Each method names first who asks. Raises 50013 for what that person may not, beside what `Moderation` raises."""

    def __init__(self, state: State, world: Moderation) -> None:
        self._state = state
        self._world = world

    def add_role(self, by: int, name: str) -> Role:
        self._require(by, Permission.MANAGE_ROLES)
        return self._state.roles[self._world.add_role(name)]

    def change_role(self, by: int, role_id: int, changes: RoleChanges) -> Role:
        """Nobody gives or takes what they do not have themselves."""
        role = self._role_below(by, role_id)
        wanted = role.permissions if changes.permissions is None else Permission(changes.permissions & EVERYTHING)
        if (wanted ^ role.permissions) & ~self._state.permissions(by):
            raise missing_permissions()
        self._world.set_role(role_id, wanted, name=changes.name)
        return role

    def remove_role(self, by: int, role_id: int) -> None:
        role = self._role_below(by, role_id)
        if role_id == GUILD_ID or role.bot_id is not None:
            raise missing_permissions()
        self._world.remove_role(role_id)

    def change_member(self, by: int, user_id: int, changes: MemberChanges) -> None:
        """The roles and the time-out of others; whether one takes direct messages of the bot is for oneself to say."""
        if user_id not in self._state.members:
            raise unknown("Member")
        if changes.roles is not None:
            self._require(by, Permission.MANAGE_ROLES)
            for role_id in {*changes.roles} ^ {*self._state.members[user_id].roles}:
                self._role_below(by, role_id)
        if changes.time_out is not None:
            self._require(by, Permission.MODERATE_MEMBERS)
            self._require_above(by, user_id)
        if changes.dms_closed is not None and by != user_id:
            raise missing_permissions()
        if changes.roles is not None:
            self._world.give_roles(user_id, *changes.roles)
        if changes.time_out is not None:
            self._world.time_out(user_id, changes.time_out or None)
        if changes.dms_closed is not None:
            self._world.close_dms(user_id, closed=changes.dms_closed)

    def remove_member(self, by: int, user_id: int) -> None:
        """Leave, or make somebody leave; the owner stays."""
        if by != user_id:
            self._require(by, Permission.KICK_MEMBERS)
            self._require_above(by, user_id)
        if user_id == self._state.guild.owner_id:
            raise missing_permissions()
        self._world.leave(self._state.person(user_id))

    def add_channel(self, by: int, form: NewChannel) -> Channel:
        """In a category, for those who may manage that one."""
        self._require_in(by, form.parent_id)
        kind = ChannelType(form.type)
        return self._world.add_channel(form.name, kind, category_id=form.parent_id)

    def change_channel(self, by: int, channel: Channel, changes: ChannelChanges) -> None:
        self._state.require(by, channel, Permission.MANAGE_CHANNELS)
        if "parent_id" in changes.model_fields_set and changes.parent_id != channel.parent_id:
            self._require_in(by, changes.parent_id)
            self._world.move_channel(channel.id, changes.parent_id)
        wanted = changes.model_dump(exclude_unset=True, exclude_none=True, exclude={"parent_id"})
        if wanted:
            self._world.change_channel(channel.id, wanted)

    def delete_channel(self, by: int, channel: Channel) -> None:
        self._state.require(by, channel, Permission.MANAGE_CHANNELS)
        self._world.delete_channel(channel.id)

    def overwrite(self, by: int, channel: Channel, target_id: int, form: OverwriteForm) -> None:
        """Nobody sets in a channel what they may not do there themselves."""
        self._state.require(by, channel, Permission.MANAGE_ROLES)
        allow, deny = Permission(form.allow & EVERYTHING), Permission(form.deny & EVERYTHING)
        if (allow | deny) & ~self._state.permissions(by, channel):
            raise missing_permissions()
        self._world.overwrite(channel.id, target_id, allow=allow, deny=deny)

    def _require(self, by: int, needed: Permission) -> None:
        if needed & ~self._state.permissions(self._state.person(by)):
            raise missing_permissions()

    def _require_in(self, by: int, category_id: int | None) -> None:
        """Channels are managed in a category by who may do so there; outside of all, by who may in the guild."""
        category = self._state.channels.get(category_id or 0)
        if category is None:
            self._require(by, Permission.MANAGE_CHANNELS)
        else:
            self._state.require(self._state.person(by), category, Permission.MANAGE_CHANNELS)

    def _role_below(self, by: int, role_id: int) -> Role:
        """A role somebody may manage: one that stands below their own highest."""
        self._require(by, Permission.MANAGE_ROLES)
        role = self._state.roles.get(role_id)
        if role is None:
            raise unknown("Role")
        if by != self._state.guild.owner_id and role.position >= self._height(by):
            raise missing_permissions()
        return role

    def _require_above(self, by: int, user_id: int) -> None:
        owner = self._state.guild.owner_id
        if user_id == owner or (by != owner and self._height(user_id) >= self._height(by)):
            raise missing_permissions()

    def _height(self, user_id: int) -> int:
        held = (self._state.roles[role_id] for role_id in self._state.members[user_id].roles)
        return max((role.position for role in held), default=0)
