"""Users, the application, the gateway's address and the guild."""

from collections.abc import Callable

from programs.playground import payloads
from programs.playground.entities import ADA_ID, BOT_ID, GUILD_ID, Json
from programs.playground.errors import unknown
from programs.playground.state import State
from programs.playground.wire import Call, Reply, Routes


class UserRoutes:
    """The routes of users, the application, the gateway's address and the server."""

    def __init__(self, state: State, gateway_url: Callable[[], str], start_limit: Callable[[], Json]) -> None:
        self._state = state
        self._gateway_url = gateway_url
        self._start_limit = start_limit

    def routes(self) -> Routes:
        """Method, path and handler of each."""
        return [
            ("GET", "/users/@me", self.me),
            ("GET", "/users/{user_id}", self.user),
            ("GET", "/oauth2/applications/@me", self.application),
            ("GET", "/applications/@me", self.application),
            ("GET", "/gateway/bot", self.gateway_bot),
            ("GET", "/guilds/{guild_id}", self.guild),
            ("GET", "/guilds/{guild_id}/channels", self.guild_channels),
            ("GET", "/guilds/{guild_id}/roles", self.guild_roles),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self.member),
            ("GET", "/guilds/{guild_id}/threads/active", self.active_threads),
        ]

    @staticmethod
    def open_routes(gateway_url: Callable[[], str]) -> Routes:
        """The route that needs no token."""
        return [("GET", "/gateway", lambda _: Reply({"url": gateway_url()}))]

    def me(self, _: Call) -> Reply:
        """The bot."""
        return Reply(payloads.own_user(self._state.users[BOT_ID]))

    def user(self, call: Call) -> Reply:
        """A user. Raises 10013 where there is none."""
        user = self._state.users.get(call.id("user_id"))
        if user is None:
            raise unknown("User")
        return Reply(payloads.user(user))

    def application(self, _: Call) -> Reply:
        """The bot's application."""
        return Reply(payloads.application(self._state.users[ADA_ID]))

    def gateway_bot(self, _: Call) -> Reply:
        """Where the gateway is, and how often the bot may log in."""
        return Reply({"url": self._gateway_url(), "shards": 1, "session_start_limit": self._start_limit()})

    def guild(self, call: Call) -> Reply:
        """The server. Raises 10004 for another id."""
        self._require_guild(call)
        return Reply(self._state.guild_payload())

    def guild_channels(self, call: Call) -> Reply:
        """The channels that the bot sees."""
        self._require_guild(call)
        channels = [channel for channel in self._state.guild_channels() if self._state.may_see(BOT_ID, channel)]
        return Reply([self._state.channel_payload(channel, BOT_ID) for channel in channels])

    def guild_roles(self, call: Call) -> Reply:
        """The roles of the server."""
        self._require_guild(call)
        return Reply([payloads.role(role) for role in self._state.roles.values()])

    def member(self, call: Call) -> Reply:
        """A member. Raises 10007 where they are none."""
        self._require_guild(call)
        user_id = call.id("user_id")
        if user_id not in self._state.members:
            raise unknown("Member" if user_id in self._state.users else "User")
        return Reply(self._state.member_payload(user_id))

    def active_threads(self, call: Call) -> Reply:
        """The threads that are not archived and that the bot sees, with its own memberships."""
        self._require_guild(call)
        threads = [
            channel
            for channel in self._state.threads()
            if channel.thread and not channel.thread.archived and self._state.may_see(BOT_ID, channel)
        ]
        own = [channel for channel in threads if channel.thread and BOT_ID in channel.thread.members]
        return Reply(
            {
                "threads": [self._state.channel_payload(channel, BOT_ID) for channel in threads],
                "members": [payloads.thread_member(channel, BOT_ID) for channel in own],
                "has_more": False,
            }
        )

    @staticmethod
    def _require_guild(call: Call) -> None:
        if call.id("guild_id") != GUILD_ID:
            raise unknown("Guild")
