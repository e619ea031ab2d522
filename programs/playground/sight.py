"""Which channels one person sees: the page hears of those that come into sight, change, or go out of it."""

from collections.abc import Iterator

from programs.playground.entities import Channel, ChannelType, Json
from programs.playground.state import Dispatch, State

# After these somebody may see more or fewer channels, or may do something else in them, than before.
_MOVES = frozenset(
    {
        "CHANNEL_CREATE",
        "CHANNEL_DELETE",
        "CHANNEL_UPDATE",
        "GUILD_MEMBER_ADD",
        "GUILD_MEMBER_REMOVE",
        "GUILD_MEMBER_UPDATE",
        "GUILD_ROLE_DELETE",
        "GUILD_ROLE_UPDATE",
        "THREAD_MEMBERS_UPDATE",
    }
)


def seen(state: State, channel: Channel, viewer: int) -> Json:
    """A channel as the page has it: with what the person may do there."""
    return state.channel_payload(channel, viewer) | {"permissions": _allowed(state, channel, viewer)}


def in_sight(state: State, channel: Channel, viewer: int) -> bool:
    """Whether the page has a channel: a category is there also for the sake of a channel in it."""
    if state.may_see(viewer, channel):
        return True
    if channel.type is not ChannelType.CATEGORY:
        return False
    return any(state.may_see(viewer, one) for one in state.channels_in(channel.id))


def _allowed(state: State, channel: Channel, viewer: int) -> str:
    return str(int(state.permissions(viewer, channel)))


class Sight:
    """One person's view, from now on."""

    def __init__(self, state: State, viewer: int) -> None:
        self._state = state
        self._viewer = viewer
        self._known = self._now()
        self._may = state.permissions(viewer)

    def _now(self) -> dict[int, str]:
        """Each channel in sight, with what is allowed in it."""
        channels = self._state.channels.values()
        visible = (one for one in channels if in_sight(self._state, one, self._viewer))
        return {one.id: _allowed(self._state, one, self._viewer) for one in visible}

    def follow(self, dispatch: Dispatch) -> Iterator[tuple[str, Json]]:
        """What `dispatch` means for this person: events, each with its name and data."""
        if dispatch.name == "CHANNEL_UPDATE":
            data = dispatch.render(self._viewer)
            yield from self._look_again(int(data["id"]))
            return
        if dispatch.is_for(self._viewer):
            data = dispatch.render(self._viewer)
            if dispatch.name in ("CHANNEL_CREATE", "THREAD_CREATE", "THREAD_UPDATE"):
                channel_id = int(data["id"])
                allowed = _allowed(self._state, self._state.channels[channel_id], self._viewer)
                self._known[channel_id] = data["permissions"] = allowed
            elif dispatch.name in ("CHANNEL_DELETE", "THREAD_DELETE"):
                self._known.pop(int(data["id"]), None)
            yield dispatch.name, data
        if dispatch.name in _MOVES:
            yield from self._look_again()
            may = self._state.permissions(self._viewer)
            if may != self._may:
                self._may = may
                yield "PERMISSIONS", {"permissions": str(int(may))}

    def _look_again(self, changed: int | None = None) -> Iterator[tuple[str, Json]]:
        """Tell what differs from before, and of the channel `changed` in any case, if it is in sight."""
        before, self._known = self._known, self._now()
        for channel_id in before.keys() - self._known.keys():
            yield "CHANNEL_DELETE", {"id": str(channel_id)}
        for channel_id, allowed in self._known.items():
            if before.get(channel_id) != allowed or channel_id == changed:
                channel = self._state.channels[channel_id]
                name = "CHANNEL_UPDATE" if channel_id in before else "CHANNEL_CREATE"
                yield name, seen(self._state, channel, self._viewer)
