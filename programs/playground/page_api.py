"""The page's own API: the state as one person sees it, and everything that person can do."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from programs.playground import payloads
from programs.playground.entities import BOT_ID, Channel, ChannelType, Json
from programs.playground.errors import ApiError
from programs.playground.log import RequestRecord
from programs.playground.page_forms import NewInteraction, NewMessage, NewThread, Text, Who
from programs.playground.page_settings import PageSettings
from programs.playground.people import People
from programs.playground.rest.messages import page
from programs.playground.snowflakes import read_id
from programs.playground.state import State
from programs.playground.viewers import seen
from programs.playground.wire import NOTHING, Call, Reply, answer, read_call
from programs.web.page_files import HEADERS

log = logging.getLogger(__name__)

SHOWN_REQUESTS = 200
_CHANNEL = "/channels/{channel_id}"
_MESSAGE = _CHANNEL + "/messages/{message_id}"
Handler = Callable[[Call], Reply | Awaitable[Reply]]


class PageApi:
    """The requests of the page, each made as one person."""

    def __init__(
        self,
        state: State,
        people: People,
        settings: PageSettings,
        *,
        notice: str | None,
        requests: Sequence[RequestRecord],
    ) -> None:
        self._state = state
        self._people = people
        self._settings = settings
        self._notice = notice
        self._requests = requests

    def add(self, app: web.Application) -> None:
        """Put the routes of the page into `app`."""
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/state", self.state),
            ("GET", _CHANNEL + "/messages", self.messages),
            ("POST", _CHANNEL + "/messages", self.send),
            ("PATCH", _MESSAGE, self.edit),
            ("DELETE", _MESSAGE, self.delete),
            ("PUT", _MESSAGE + "/reactions/{emoji}", self.react),
            ("DELETE", _MESSAGE + "/reactions/{emoji}", self.unreact),
            ("GET", _CHANNEL + "/pins", self.pins),
            ("PUT", _MESSAGE + "/pin", self.pin),
            ("DELETE", _MESSAGE + "/pin", self.unpin),
            ("POST", _CHANNEL + "/typing", self.typing),
            ("POST", _CHANNEL + "/threads", self.create_thread),
            ("POST", "/dms", self.open_dm),
            ("POST", "/interactions", self.interact),
            *self._settings.routes(),
        ]
        for method, template, handler in routes:
            app.router.add_route(method, "/playground" + template, answering(handler))

    def state(self, call: Call) -> Reply:
        """All that the page draws for this person."""
        viewer = self._viewer(call)
        channels = [c for c in self._state.channels.values() if self._state.may_see(viewer, c)]

        def drawn(fits: Callable[[Channel], bool]) -> list[Json]:
            return [seen(self._state, channel, viewer) for channel in channels if fits(channel)]

        return Reply(
            {
                "me": payloads.user(self._state.users[viewer]),
                "people": [payloads.user(person) for person in self._state.people],
                "bot": payloads.user(self._state.users[BOT_ID]),
                "bot_online": self._state.bot_online,
                "bot_activity": self._state.bot_activity,
                "notice": self._notice,
                "guild": {
                    "id": str(self._state.guild.id),
                    "name": self._state.guild.name,
                    "owner_id": str(self._state.guild.owner_id),
                    "permissions": str(int(self._state.permissions(viewer))),
                },
                "categories": drawn(lambda channel: channel.type is ChannelType.CATEGORY),
                "channels": drawn(lambda channel: channel.type in (ChannelType.TEXT, ChannelType.FORUM)),
                "threads": drawn(lambda channel: channel.thread is not None),
                "dms": drawn(lambda channel: channel.type is ChannelType.DM),
                "commands": list(self._state.commands.values()),
                "typing": [],
                **self._settings.state(viewer),
                "requests": [record.shown() for record in list(self._requests)[-SHOWN_REQUESTS:]],
            }
        )

    def messages(self, call: Call) -> Reply:
        """Messages of a channel, as the person sees them."""
        viewer = self._viewer(call)
        channel = self._state.channel(call.id("channel_id"), viewer)
        return Reply([self._state.message_payload(one, viewer) for one in page(channel, call, viewer=viewer)])

    def send(self, call: Call) -> Reply:
        """Write a message."""
        form = call.form(NewMessage)
        message = self._people.send(
            call.id("channel_id"),
            form.user_id,
            form.content,
            reply_to=form.reply_to,
            forward=form.forward,
            ping=form.ping,
            nonce=form.nonce,
            nitro=form.nitro,
            uploads=call.files,
            voice=None if form.voice is None else (form.voice.duration_secs, form.voice.waveform),
        )
        return Reply(self._state.message_payload(message, form.user_id))

    def edit(self, call: Call) -> Reply:
        """Edit a message of one's own."""
        form = call.form(Text)
        message = self._people.edit(call.id("channel_id"), call.id("message_id"), form.user_id, form.content)
        return Reply(self._state.message_payload(message, form.user_id))

    def delete(self, call: Call) -> Reply:
        """Delete a message."""
        self._people.delete(call.id("channel_id"), call.id("message_id"), call.form(Who).user_id)
        return NOTHING

    def react(self, call: Call) -> Reply:
        """Add a reaction."""
        who = call.form(Who).user_id
        self._people.react(call.id("channel_id"), call.id("message_id"), who, call.ids["emoji"])
        return NOTHING

    def unreact(self, call: Call) -> Reply:
        """Remove one's reaction."""
        who = call.form(Who).user_id
        self._people.unreact(call.id("channel_id"), call.id("message_id"), who, call.ids["emoji"])
        return NOTHING

    def pins(self, call: Call) -> Reply:
        """The pinned messages of a channel."""
        viewer = self._viewer(call)
        pinned = self._people.pins(call.id("channel_id"), viewer)
        return Reply([self._state.message_payload(message, viewer) for message in pinned])

    def pin(self, call: Call) -> Reply:
        """Pin a message."""
        self._people.pin(call.id("channel_id"), call.id("message_id"), call.form(Who).user_id)
        return NOTHING

    def unpin(self, call: Call) -> Reply:
        """Unpin a message."""
        self._people.unpin(call.id("channel_id"), call.id("message_id"), call.form(Who).user_id)
        return NOTHING

    def typing(self, call: Call) -> Reply:
        """Show that the person types."""
        self._people.typing(call.id("channel_id"), call.form(Who).user_id)
        return NOTHING

    def create_thread(self, call: Call) -> Reply:
        """Open a thread, or a post where the channel is a forum."""
        form = call.form(NewThread)
        where, who = call.id("channel_id"), form.user_id
        if self._state.channel(where, self._state.person(who)).type is ChannelType.FORUM:
            thread = self._people.create_post(where, who, form.name, form.content, uploads=call.files)
        else:
            thread = self._people.create_thread(where, who, form.name, message_id=form.message_id)
        return Reply(seen(self._state, thread, form.user_id))

    def open_dm(self, call: Call) -> Reply:
        """Open the person's DM with the bot."""
        who = call.form(Who).user_id
        return Reply(seen(self._state, self._people.open_dm(who), who))

    async def interact(self, call: Call) -> Reply:
        """Use a command, a component or a modal, or ask for suggestions."""
        form = call.form(NewInteraction)
        options = [option.model_dump(exclude_none=True) for option in form.options]
        who, where, command = form.user_id, form.channel_id, form.command_id or 0
        if form.type == "autocomplete":
            choices = await self._people.autocomplete(where, who, command, options, form.focused)
            return Reply({"choices": choices})
        if form.type == "command":
            target, files = form.target_id, call.files
            opened = self._people.command(where, who, command, options, target_id=target, uploads=files)
        elif form.type == "component":
            values = form.values if isinstance(form.values, list) else None
            opened = self._people.click(where, who, form.message_id, form.custom_id, values)
        else:
            filled = form.values if isinstance(form.values, dict) else {}
            opened = self._people.submit_modal(who, form.modal_id, filled)
        return Reply({"interaction_id": str(opened.id)})

    def _viewer(self, call: Call) -> int:
        """The person at the page: the first one when nobody is named. Raises 10013 for anybody else."""
        asked = call.query.get("as", str(self._state.people[0].id))
        return self._state.person(read_id(asked) or 0)


def answering(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A route of the playground's own API around `handler`; its errors are JSON too."""

    async def answer_it(request: web.Request) -> web.Response:
        try:
            outcome = handler(await read_call(request))
            reply = await outcome if inspect.isawaitable(outcome) else outcome
        except ApiError as error:
            reply = Reply({"error": error.body()}, error.status)
        except Exception:
            # The page shows what went wrong; the log has where.
            log.exception("%s %s failed", request.method, request.path)
            reply = Reply({"error": {"code": 0, "message": "The playground failed; see its log."}}, 500)
        return answer(reply.body, reply.status, HEADERS)

    return answer_it
