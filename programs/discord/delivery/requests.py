"""Steps of the delivery as requests: each is made once, and what comes of it is returned, never raised."""

from contextvars import ContextVar

import discord

from llmgine.bus import MessageBus
from llmgine.errors import StoreError
from llmgine.messages.commands import StopTurnCommand
from llmgine.sessions import SessionStore
from programs.discord.delivery.answer import NO_MORE, Lookup
from programs.discord.delivery.bodies import Body, attached_sizes, prepare_plain_form, same_files, stored_files
from programs.discord.delivery.delay_notices import DelayNotices
from programs.discord.delivery.message_arguments import Files
from programs.discord.delivery.next_steps import Delete, Edit, LookUp, NoticeKind, Notify, Post, Step, Store
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.read_back import ReadBack
from programs.discord.delivery.refusals import UNKNOWN_MESSAGE, DeliveryRefusedError, ShutOutError, UnreachableError
from programs.discord.delivery.request_results import (
    Done,
    Found,
    Loaded,
    Notified,
    Refused,
    Result,
    Shut,
    Unknown,
    Unsure,
    Wait,
    result_of,
)
from programs.discord.delivery.unanswered import noting_unanswered
from programs.discord.ids import Origin, nonce

requested: ContextVar[Step | None] = ContextVar("requested", default=None)  # the step of the present request


class Requests:
    """Makes the requests of all channels.

    Args:
        client: The client.
        bus: Where a turn is stopped whose answer a person deleted.
        store: Where it is stored which message shows which part.
        poster: Who knows how requests are made.
    """

    def __init__(self, client: discord.Client, bus: MessageBus, store: SessionStore, poster: Poster) -> None:
        self.poster = poster
        self._client = client
        self._bus = bus
        self._store = store
        self._read_back = ReadBack(client, store, poster)
        self._delay_notices = DelayNotices(client, store, poster)

    async def make(self, channel_id: int, step: Step, *, reply: bool = False, code: int = 0) -> Result:
        """Do what a step says.

        Args:
            channel_id: Where.
            step: The step.
            reply: Whether a message refers to the question.
            code: Why the channel is shut, if it is.
        """
        token = requested.set(step)
        try:
            with noting_unanswered() as unanswered:
                result = await self._result(channel_id, step, reply=reply, code=code)
        finally:
            requested.reset(token)
        if isinstance(step, Post | Edit) and not isinstance(result, Done):
            await prepare_plain_form(step.part.body)  # it may be what is shown next
        return Unsure(result) if unanswered.count and isinstance(result, Wait | Shut | Refused) else result

    async def _result(self, channel_id: int, step: Step, *, reply: bool, code: int) -> Result:
        try:
            return await self._made(channel_id, step, reply=reply, code=code)
        except StoreError as error:
            return Unknown(str(error))
        except (UnreachableError, DeliveryRefusedError) as error:
            return result_of(error)

    async def _made(self, channel_id: int, step: Step, *, reply: bool, code: int) -> Result:
        match step:
            case Post():
                return await self._post(channel_id, step, reply=reply)
            case Edit(slot=slot, part=part):
                keeps = slot.shows is not None and same_files(slot.shows, part.body)  # what is attached stays
                files = None if keeps else await self._files(step)
                return await self._edit(channel_id, slot.message_id, part.body, files)
            case Delete(slot=slot):
                message = self._client.get_partial_messageable(channel_id).get_partial_message(slot.message_id)
                await self.poster.once(channel_id, message.delete)
            case Store(answer=answer, places=places, last=last, no_more=no_more):
                messages = [(key, str(slot.message_id)) for key, slot in places] + [(NO_MORE, "")] * no_more
                write = self._store.deliveries.settle if last else self._store.deliveries.place
                await write(answer.turn, messages, answer.posts)
            case LookUp():
                return await self._look_up(step)
            case Notify(answer=answer, kind=NoticeKind.STOP):
                turn = answer.turn
                await self._bus.execute(StopTurnCommand(session_id=turn.session_id, turn_id=turn.id))
            case Notify(answer=answer, kind=kind):
                return Notified(await self._delay_notices.post(answer.turn, kind, code))
        return Done()

    async def _post(self, channel_id: int, step: Post, *, reply: bool) -> Result:
        turn, body = step.answer.turn, step.part.body
        arguments = self.poster.arguments
        reply_to = Origin.of(turn).reply_to if reply else None
        files = await self._files(step)
        channel = self._client.get_partial_messageable(channel_id)

        async def send() -> discord.Message:  # with a file of its own each time, which discord.py closes
            options = arguments.to_send(
                channel_id, body, nonce=nonce(turn.id, step.number), reply_to=reply_to, files=files
            )
            return await channel.send(**options)

        try:
            message = await self.poster.once(channel_id, send)
        except (DeliveryRefusedError, ShutOutError) as error:
            return self._not_taken(channel_id, body, error)
        shown = arguments.shown(message, body)
        if not shown and (await self._store.deliveries.turn_of(str(message.id))) not in (None, turn.id):
            return Refused(DeliveryRefusedError(UNKNOWN_MESSAGE, "the message of the nonce shows another turn"))
        return Done(message.id, shown)

    async def _files(self, step: Post | Edit) -> Files:
        """What is in the files of tool calls that a part has.

        Raises:
            DeliveryRefusedError: One is not stored any more, so the part is shown without them.
            StoreError: They cannot be read.
        """
        turn, found = step.answer.turn, list[tuple[str, bytes]]()
        for file in stored_files(step.part.body):
            data = await self._store.result_files.read(turn.id, turn.attempt, file.call_id, file.number)
            if data is None:
                raise DeliveryRefusedError(0, f"the file {file.name!r} was deleted")
            found.append((file.name, data))
        return found

    async def _edit(self, channel_id: int, message_id: int, body: Body, files: Files | None) -> Result:
        async def edit() -> None:
            with self.poster.arguments.to_edit(channel_id, body, files) as parameters:
                await self._client.http.edit_message(channel_id, message_id, params=parameters)

        try:
            await self.poster.once(channel_id, edit)
        except (DeliveryRefusedError, ShutOutError) as error:
            return self._not_taken(channel_id, body, error, sent=files is not None)
        return Done(message_id)

    def _not_taken(
        self, channel_id: int, body: Body, error: DeliveryRefusedError | ShutOutError, *, sent: bool = True
    ) -> Result:
        """Remember what is not allowed there. What has a file, if that was sent, may be allowed without it."""
        is_gone = isinstance(error, DeliveryRefusedError) and (error.gone or error.no_message)
        if sent and attached_sizes(body) and not is_gone:
            if isinstance(error, ShutOutError) or not error.too_large:
                self.poster.permissions.note_without_files(channel_id)
            return result_of(DeliveryRefusedError(error.code, str(error)))
        if isinstance(error, ShutOutError):
            self.poster.permissions.note_shut(channel_id, error)
        return result_of(error)

    async def _look_up(self, step: LookUp) -> Result:
        """What is not known of an answer: its messages in the store, or those that nobody stored."""
        turn = step.answer.turn
        if step.answer.lookup is Lookup.CHANNEL:
            unsure = step.answer.unknown_since is not None
            return Found(await self._read_back.orphans(turn, unsure=unsure, alone=step.alone))
        found = await self._store.deliveries.load(turn.id)
        return Loaded(None) if found is None else Loaded(found[0], tuple(found[1]))
