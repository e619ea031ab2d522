"""Reactions and the typing indicator."""

from programs.playground import payloads
from programs.playground.entities import BOT_ID, Message, Permission
from programs.playground.posting import Posting
from programs.playground.reactions import require_emoji, require_reactable
from programs.playground.state import State
from programs.playground.wire import NOTHING, Call, Reply, Routes

_EMOJI = "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}"


class ReactionRoutes:
    """The routes of reactions, and of typing."""

    def __init__(self, state: State, posting: Posting) -> None:
        self._state = state
        self._posting = posting

    def routes(self) -> Routes:
        """Method, path and handler of each."""
        return [
            ("PUT", _EMOJI + "/@me", self.add),
            ("DELETE", _EMOJI + "/@me", self.remove),
            ("GET", _EMOJI, self.who),
            ("POST", "/channels/{channel_id}/typing", self.typing),
        ]

    def add(self, call: Call) -> Reply:
        """Add a reaction of the bot. Raises 50013 where it may not, 10014 for what is no emoji."""
        message = self._find(call)
        emoji = require_emoji(call.ids["emoji"])
        needed = Permission.READ_MESSAGE_HISTORY
        if emoji not in message.reactions:
            needed |= Permission.ADD_REACTIONS
        self._state.require(BOT_ID, self._state.channels[message.channel_id], needed)
        require_reactable(message, emoji)
        self._state.add_reaction(message, emoji, BOT_ID)
        return NOTHING

    def remove(self, call: Call) -> Reply:
        """Remove a reaction of the bot."""
        self._state.remove_reaction(self._find(call), require_emoji(call.ids["emoji"]), BOT_ID)
        return NOTHING

    def who(self, call: Call) -> Reply:
        """Who reacted with an emoji."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        message = self._state.message(channel, call.id("message_id"), BOT_ID)
        return Reply(
            [
                payloads.user(self._state.users[one])
                for one in message.reactions.get(require_emoji(call.ids["emoji"]), [])
            ]
        )

    def typing(self, call: Call) -> Reply:
        """Show that the bot types. Raises 50013 where it may not write."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        in_thread = channel.thread is not None
        self._state.require(
            BOT_ID, channel, Permission.SEND_MESSAGES_IN_THREADS if in_thread else Permission.SEND_MESSAGES
        )
        self._state.typing(channel, BOT_ID)
        return NOTHING

    def _find(self, call: Call) -> Message:
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        self._posting.require_open(channel)
        return self._state.message(channel, call.id("message_id"), BOT_ID)
