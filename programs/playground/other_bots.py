"""What other bots of the server write, which tests make them: embeds, layouts and polls that people cannot send."""

from typing import Any

from programs.playground.entities import Message
from programs.playground.errors import unknown
from programs.playground.forms import MessageForm, read
from programs.playground.posting import Posting, Upload
from programs.playground.state import State


class OtherBots:
    """Writes as another bot; see `Admin.join_bot`."""

    def __init__(self, state: State, posting: Posting) -> None:
        self._state = state
        self._posting = posting

    def send(
        self, channel_id: int, bot_id: int, content: str = "", *, uploads: tuple[Upload, ...] = (), **form: Any
    ) -> Message:
        """Send a message; `form` are further fields of Discord's form, such as `embeds`, `components` and `flags`.

        Raises:
            ApiError: 10013 where there is no such bot; else what Discord answers such a form with.
        """
        user = self._state.users.get(bot_id)
        if user is None or not user.bot:
            raise unknown("User")
        checked: MessageForm = read(MessageForm, {"content": content, **form})
        return self._posting.create(self._state.channel(channel_id, bot_id), bot_id, checked, uploads)
