"""The page's settings: roles, members, channels and who may do what in them."""

from collections.abc import Iterable

from programs.playground import payloads
from programs.playground.admin import Admin
from programs.playground.entities import Channel, ChannelType, Json, Permission
from programs.playground.forms import ThreadChanges
from programs.playground.page_forms import (
    ChannelChanges,
    MemberChanges,
    Named,
    NewChannel,
    OverwriteForm,
    RoleChanges,
    Who,
)
from programs.playground.people import People
from programs.playground.permissions import EVERYTHING
from programs.playground.state import State
from programs.playground.viewers import seen
from programs.playground.wire import NOTHING, Call, Reply, Route

# What is asked about the guild as a whole: no channel allows or denies it.
_OF_THE_GUILD = (
    Permission.KICK_MEMBERS | Permission.ADMINISTRATOR | Permission.MANAGE_GUILD | Permission.MODERATE_MEMBERS
)
_CHANNEL = "/channels/{channel_id}"
_MEMBER = "/members/{user_id}"
_ROLE = "/roles/{role_id}"


class PageSettings:
    """The requests of the page's menus: members, roles, channels and permissions."""

    def __init__(self, state: State, people: People, admin: Admin) -> None:
        self._state = state
        self._people = people
        self._admin = admin

    def routes(self) -> Iterable[Route]:
        """Method, path and handler of each."""
        return [
            ("POST", "/members", self.join),
            ("PATCH", _MEMBER, self.change_member),
            ("DELETE", _MEMBER, self.remove_member),
            ("POST", "/roles", self.add_role),
            ("PATCH", _ROLE, self.change_role),
            ("DELETE", _ROLE, self.remove_role),
            ("POST", "/channels", self.add_channel),
            ("PATCH", _CHANNEL, self.change_channel),
            ("DELETE", _CHANNEL, self.delete_channel),
            ("PUT", _CHANNEL + "/overwrites/{target_id}", self.overwrite),
        ]

    def state(self, viewer: int) -> Json:
        """What the settings show, as part of the page's state."""
        everybody = self._state.members
        return {
            "dms_closed": self._state.users[viewer].dms_closed,
            "members": [self._state.member_payload(user_id) for user_id in everybody],
            "roles": [payloads.role(role) for role in self._state.roles.values()],
            "permissions": [
                {"name": one.name, "bit": str(int(one)), "in_channels": not one & _OF_THE_GUILD} for one in Permission
            ],
        }

    def join(self, call: Call) -> Reply:
        """Somebody new comes, or somebody who was here before."""
        return Reply({"id": str(self._admin.join(call.form(Named).name))}, 201)

    def change_member(self, call: Call) -> Reply:
        """Change a member's roles, time-out or DMs."""
        user_id, form = call.id("user_id"), call.form(MemberChanges)
        self._admin.change_member(
            user_id, roles=form.roles, time_out=form.time_out, dms_closed=form.dms_closed, by=self._who(call)
        )
        return Reply(self._state.member_payload(user_id))

    def remove_member(self, call: Call) -> Reply:
        """Let a member leave."""
        self._admin.leave(call.id("user_id"), by=self._who(call))
        return NOTHING

    def add_role(self, call: Call) -> Reply:
        """Add a role."""
        role_id = self._admin.add_role(call.form(Named).name, by=self._who(call))
        return Reply(payloads.role(self._state.roles[role_id]), 201)

    def change_role(self, call: Call) -> Reply:
        """Rename a role or change its permissions."""
        role_id, form = call.id("role_id"), call.form(RoleChanges)
        allowed = None if form.permissions is None else _allowed(form.permissions)
        self._admin.set_role(role_id, allowed, name=form.name, by=self._who(call))
        return Reply(payloads.role(self._state.roles[role_id]))

    def remove_role(self, call: Call) -> Reply:
        """Delete a role."""
        self._admin.remove_role(call.id("role_id"), by=self._who(call))
        return NOTHING

    def add_channel(self, call: Call) -> Reply:
        """Add a channel, a category or a forum."""
        by, form = self._who(call), call.form(NewChannel)
        made = self._admin.add_channel(form.name, ChannelType(form.type), category_id=form.parent_id, by=by)
        return Reply(seen(self._state, made, by), 201)

    def change_channel(self, call: Call) -> Reply:
        """Change a channel or a thread."""
        by, channel = self._channel(call)
        if channel.thread is None:
            self._admin.change_channel(channel.id, call.form(ChannelChanges).named(), by=by)
        else:
            self._people.change_thread(channel.id, by, call.form(ThreadChanges))
        return Reply(seen(self._state, channel, by))

    def delete_channel(self, call: Call) -> Reply:
        """Delete a channel or a thread."""
        by, channel = self._channel(call)
        if channel.thread is None:
            self._admin.delete_channel(channel.id, by=by)
        else:
            self._people.delete_thread(channel.id, by)
        return NOTHING

    def overwrite(self, call: Call) -> Reply:
        """Set the permissions of a role or a member in a channel."""
        by, channel = self._channel(call)
        form = call.form(OverwriteForm)
        allow, deny = _allowed(form.allow), _allowed(form.deny)
        self._admin.overwrite(channel.id, call.id("target_id"), allow=allow, deny=deny, by=by)
        return NOTHING

    def _who(self, call: Call) -> int:
        """The person who asks. Raises 10013 for anybody else."""
        return self._state.person(call.form(Who).user_id)

    def _channel(self, call: Call) -> tuple[int, Channel]:
        by = self._who(call)
        return by, self._state.channel(call.id("channel_id"), by)


def _allowed(bits: int) -> Permission:
    """Those of the bits that are permissions here."""
    return Permission(bits & EVERYTHING)
