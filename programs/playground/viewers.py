"""Which channels somebody sees, and the events they get: one person on the page, and the bot on the gateway."""

from collections.abc import Iterable, Iterator

from programs.playground.entities import BOT_ID, Channel, ChannelType, Json
from programs.playground.gateway_events import View, event_of
from programs.playground.greetings import thread_list_sync
from programs.playground.state import Dispatch, State

_OF_A_CHANNEL = ("CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE")
_WITH_THREADS = (ChannelType.TEXT, ChannelType.FORUM)


def seen(state: State, channel: Channel, viewer: int) -> Json:
    """A channel as the page has it: with what the person may do there."""
    return state.channel_payload(channel, viewer) | {"permissions": _allowed(state, channel, viewer)}


def _allowed(state: State, channel: Channel, viewer: int) -> str:
    return str(int(state.permissions(viewer, channel)))


class Viewer:
    """One person's view, from now on: channels come into sight, change, and go out of it."""

    def __init__(self, state: State, viewer: int) -> None:
        self._state = state
        self._viewer = viewer
        self._known = self._now()
        self._may = state.permissions(viewer)

    def _now(self) -> dict[int, str]:
        """Each channel in sight, with what is allowed in it."""
        channels = self._state.channels.values()
        visible = (one for one in channels if self._state.may_see(self._viewer, one))
        return {one.id: _allowed(self._state, one, self._viewer) for one in visible}

    def follow(self, dispatch: Dispatch) -> Iterator[tuple[str, Json]]:
        """What `dispatch` means for this person: events, each with its name and data."""
        if dispatch.name in _OF_A_CHANNEL:
            yield from self._look_again(int(dispatch.render(self._viewer)["id"]))
            return
        if dispatch.is_for(self._viewer):
            data = dispatch.render(self._viewer)
            if dispatch.name in ("THREAD_CREATE", "THREAD_UPDATE"):
                channel_id = int(data["id"])
                allowed = _allowed(self._state, self._state.channels[channel_id], self._viewer)
                self._known[channel_id] = data["permissions"] = allowed
            elif dispatch.name == "THREAD_DELETE":
                self._known.pop(int(data["id"]), None)
            yield dispatch.name, data
        if self._may_be_changed_by(dispatch):
            yield from self._look_again()
            may = self._state.permissions(self._viewer)
            if may != self._may:
                self._may = may
                yield "PERMISSIONS", {"permissions": str(int(may))}

    def _may_be_changed_by(self, dispatch: Dispatch) -> bool:
        view = event_of(dispatch.name).view
        if view is View.OF_ITS_MEMBER:
            return int(dispatch.render(self._viewer)["user"]["id"]) == self._viewer
        return view is not View.NOBODYS

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


class BotViewer:
    """The bot's view, from now on: it learns of every channel of the guild, and of one it cannot see nothing more.

    A channel that it begins or ceases to see is sent once more, whatever the reason.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[int, int | None] = {}  # the channels in sight, each with its category
        self._look_again(one.id for one in state.guild_channels())

    def follow(self, dispatch: Dispatch) -> Iterator[tuple[str, Json]]:
        """What the bot gets when `dispatch` happens: events, each with its name and data."""
        if not dispatch.is_for(BOT_ID):
            return
        data = dispatch.render(BOT_ID)
        changed = self._look_again(self._concerned(dispatch.name, data))
        yield dispatch.name, data
        told = int(data["id"]) if dispatch.name in _OF_A_CHANNEL else None
        for channel in changed:
            if channel.id != told:
                yield "CHANNEL_UPDATE", self._state.channel_event(channel, BOT_ID)
            if channel.id in self._known and channel.type in _WITH_THREADS and dispatch.name != "CHANNEL_CREATE":
                yield "THREAD_LIST_SYNC", thread_list_sync(self._state, channel)

    def _concerned(self, name: str, data: Json) -> Iterable[int]:
        """The channels that the bot may begin or cease to see by this event."""
        match event_of(name).view:
            case View.NOBODYS:
                return ()
            case View.OF_ITS_CHANNEL:
                channel_id = int(data["id"])
                channel = self._state.channels.get(channel_id)
                categories = {self._known.get(channel_id), channel.parent_id if channel else None}
                return [channel_id, *(one for one in categories if one is not None)]
            case View.OF_ITS_MEMBER if int(data["user"]["id"]) != BOT_ID:
                return ()
        return [one.id for one in self._state.guild_channels()]

    def _look_again(self, channel_ids: Iterable[int]) -> list[Channel]:
        """Those of the channels that came into sight or went out of it since they were last looked at."""
        changed = []
        for channel_id in channel_ids:
            channel = self._state.channels.get(channel_id)
            before = channel_id in self._known
            self._known.pop(channel_id, None)
            if channel is None or channel.guild_id is None or channel.thread is not None:
                continue
            visible = self._state.may_see(BOT_ID, channel)
            if visible:
                self._known[channel_id] = channel.parent_id
            if visible != before:
                changed.append(channel)
        return changed
