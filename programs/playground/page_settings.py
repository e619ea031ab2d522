"""The page's settings: roles, members, channels and who may do what in them."""

from collections.abc import Iterable

from pydantic import Field

from programs.playground import payloads
from programs.playground.entities import Channel, Json, Permission
from programs.playground.forms import ThreadChanges
from programs.playground.management import (
    ChannelChanges,
    Management,
    MemberChanges,
    NewChannel,
    OverwriteForm,
    RoleChanges,
)
from programs.playground.moderation import Moderation
from programs.playground.page_forms import Who
from programs.playground.people import People
from programs.playground.sight import seen
from programs.playground.state import State
from programs.playground.wire import NOTHING, Call, Reply, Route

# What is asked about the guild as a whole: no channel allows or denies it.
_OF_THE_GUILD = (
    Permission.KICK_MEMBERS | Permission.ADMINISTRATOR | Permission.MANAGE_GUILD | Permission.MODERATE_MEMBERS
)
_CHANNEL = "/channels/{channel_id}"
_MEMBER = "/members/{user_id}"
_ROLE = "/roles/{role_id}"


class Named(Who):
    name: str = Field(min_length=1, max_length=32)


class PageSettings:
    def __init__(self, state: State, people: People, world: Moderation) -> None:
        self._state = state
        self._people = people
        self._world = world
        self._management = Management(state, world)

    def routes(self) -> Iterable[Route]:
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
        return Reply({"id": str(self._world.join(call.form(Named).name))}, 201)

    def change_member(self, call: Call) -> Reply:
        user_id = call.id("user_id")
        self._management.change_member(call.form(Who).user_id, user_id, call.form(MemberChanges))
        return Reply(self._state.member_payload(user_id))

    def remove_member(self, call: Call) -> Reply:
        self._management.remove_member(call.form(Who).user_id, call.id("user_id"))
        return NOTHING

    def add_role(self, call: Call) -> Reply:
        form = call.form(Named)
        return Reply(payloads.role(self._management.add_role(form.user_id, form.name)), 201)

    def change_role(self, call: Call) -> Reply:
        by = call.form(Who).user_id
        role = self._management.change_role(by, call.id("role_id"), call.form(RoleChanges))
        return Reply(payloads.role(role))

    def remove_role(self, call: Call) -> Reply:
        self._management.remove_role(call.form(Who).user_id, call.id("role_id"))
        return NOTHING

    def add_channel(self, call: Call) -> Reply:
        by = call.form(Who).user_id
        return Reply(seen(self._state, self._management.add_channel(by, call.form(NewChannel)), by), 201)

    def change_channel(self, call: Call) -> Reply:
        by, channel = self._channel(call)
        if channel.thread is None:
            self._management.change_channel(by, channel, call.form(ChannelChanges))
        else:
            self._people.change_thread(channel.id, by, call.form(ThreadChanges))
        return Reply(seen(self._state, channel, by))

    def delete_channel(self, call: Call) -> Reply:
        by, channel = self._channel(call)
        if channel.thread is None:
            self._management.delete_channel(by, channel)
        else:
            self._people.delete_thread(channel.id, by)
        return NOTHING

    def overwrite(self, call: Call) -> Reply:
        by, channel = self._channel(call)
        self._management.overwrite(by, channel, call.id("target_id"), call.form(OverwriteForm))
        return NOTHING

    def _channel(self, call: Call) -> tuple[int, Channel]:
        by = self._state.person(call.form(Who).user_id)
        return by, self._state.channel(call.id("channel_id"), by)
