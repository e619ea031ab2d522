"""A turn as it is shown in Discord while it runs, and until its last part is delivered."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Container

import discord

from llmgine.errors import StoreError, SupersededError
from llmgine.messages.events import AnswerProgressEvent, ModelRetryEvent, TurnEvent, TurnStartedEvent
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Delivery, DeliveryKey, TurnSteps
from llmgine.turns import step_of
from programs.discord.components.retirement import Ending, ends
from programs.discord.delivery.bodies import Body, file_of, without_file
from programs.discord.delivery.budget import as_courtesy
from programs.discord.delivery.editor import Editor
from programs.discord.delivery.elsewhere import Elsewhere
from programs.discord.delivery.metrics import TurnCounts
from programs.discord.delivery.notices import AGAINST_THE_RULES, NOT_TAKEN
from programs.discord.delivery.pace import Pace
from programs.discord.delivery.positions import Positions
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import RefusedError, ShutOutError, UnreachableError
from programs.discord.delivery.rendering import AGAIN, THINKING, Live, render, retrying, waiting_notice
from programs.discord.ids import Origin, nonce

_PAUSED = "⏳ Restarting; this will go on."
_PATIENCE = 10.0  # seconds to wait for a post that is under way
_TYPING_INTERVAL = 8.0  # seconds; Discord shows "is typing" for 10


class TurnView:
    """Draws one turn from its steps whenever something happens to it, and lets the editors catch up.

    Args:
        turn: The turn.
        positions: Where its parts stand.
        elsewhere: Who tells people when its parts cannot stand anywhere.
        cancel: Ends the turn, as people do.
        above: The last part of what is above in the channel; nothing of this one is posted above that.
        interval: Seconds between two edits of a message.

    Attributes:
        ended: Whether it shows the outcome, or is about to.
        out_of_date: Whether it has to be settled anew, because it cannot be shown as it was drawn.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        turn: Turn,
        *,
        positions: Positions,
        elsewhere: Elsewhere,
        cancel: Callable[[Turn], Awaitable[object]],
        above: Editor | None,
        interval: float,
    ) -> None:
        self.turn = turn
        self.ended = False
        self.counts = TurnCounts()
        self._client = client
        self._store = store
        self._poster = poster
        self._positions = positions
        self._elsewhere = elsewhere
        self._cancel = cancel
        self._interval = interval
        self._previews = Pace(self.draw, interval)
        self._steps: TurnSteps | None = None
        # Until the first words come; the answer that stands there is not to be read as one to what is asked now.
        self._live: Live | None = Live(0, status=AGAIN) if turn.attempt > 1 else None
        self._others_wait = False  # whether turns of the session are queued behind this one
        self._editors: dict[DeliveryKey, Editor] = {}
        self._rests: dict[DeliveryKey, list[DeliveryKey]] = {}  # of parts whose file cannot be sent
        self.out_of_date = False
        self._anew = False
        self._ending: Delivery | None = None  # the part with the buttons of the whole turn
        self._typing: asyncio.Task[None] | None = None
        self._closed = False
        self.above = self.last = above
        origin = Origin.of(turn)
        self.channel_id = origin.channel_id
        self._reply_to = origin.reply_to

    @property
    def owed(self) -> bool:
        """Whether parts could not be shown, and are to be shown another time."""
        return any(editor.lost for editor in self._editors.values())

    @property
    def waited(self) -> bool:
        """Whether Discord made it wait for long."""
        return any(editor.waited for editor in self._editors.values())

    @property
    def drawing(self) -> list[Editor]:
        """The editors of the parts that do not show yet what they are to show."""
        return [editor for editor in self._editors.values() if not editor.settled.is_set()]

    @property
    def is_typing(self) -> bool:
        """Whether people see that an answer is being written."""
        return self._typing is not None

    async def hear(self, event: TurnEvent, *, draw: bool = True) -> None:
        """Take notice of an event of this turn, and draw it anew, unless what is above is not shown."""
        if isinstance(event, AnswerProgressEvent):
            if event.text.strip():  # until there is something to see, what stands there stays
                self._live = Live(event.round, text=event.text)
            elif self._live is not None and self._live.text:  # it was thinking
                self._live = Live(event.round, status=THINKING)
        elif isinstance(event, ModelRetryEvent):
            self._live = retrying(event)
        else:
            with contextlib.suppress(StoreError):  # cleared since; what is left to show comes with its last event
                self._steps = await self._after(event)
                if self._steps.state.waiting or self._others_wait:
                    self._others_wait = len(await self._store.turns.unfinished(self.turn.session_id)) > 1
        if self._steps is not None:
            self._type(on=not self._steps.state.waiting and self._steps.state.outcome is None)
        if draw:
            (self._previews.draw if isinstance(event, AnswerProgressEvent) else self.draw)()

    async def _after(self, event: TurnEvent) -> TurnSteps:
        """The turn with what an event tells of it; read from the store where it is not known yet."""
        if isinstance(event, TurnStartedEvent) and event.steps:
            return TurnSteps(self.turn, event.steps)
        if self._steps is None or isinstance(event, TurnStartedEvent):
            return await self._store.turns.get(self.turn.id)
        step = step_of(event) if event.turn_id == self.turn.id else None  # that another one waits is told of, too
        return self._steps if step is None else self._steps.plus(step)

    def draw(self, *, anew: bool = False) -> None:
        """Show the turn as it is, while it has not ended; `anew`: also what could not be shown before."""
        self._anew = anew
        if self._steps is not None and not self.ended:
            parts = self._sendable(render(self._steps, self._live))
            notice = waiting_notice(self._steps) if self._others_wait else None
            if notice is not None:
                parts.append(notice)
            self._hand_over(parts)
            self._show(parts, first=parts[0][0] if parts else None, final=False)

    async def settle(self, *, anew: bool = False) -> None:
        """Show the outcome as it was committed: the stored bodies, which outlive a cleared conversation.

        `anew`: also what could not be shown before.
        """
        self.ended, self.out_of_date = True, False
        self._previews.stop()
        self._type(on=False)
        try:
            found = await self._store.deliveries.of_outcome(self.turn)
        except SupersededError:
            return  # the newer attempt goes on with the messages of this one
        stored = [part for part in found if part.body]
        self._ending = next((part for part in stored if ends(part.body)), None)
        parts = self._sendable([(part.key, part.body) for part in stored])
        sent = {part.key for part in stored if part.sent}
        sent |= {rest for key in sent for rest in self._rests.get(key, ())}
        first = parts[0][0] if parts else None
        self._anew = anew
        self._hand_over(parts, sent)
        self._show([part for part in parts if part[0] not in sent], first=first, final=True)
        shown = dict(parts)
        for key in self._positions.known:
            if key not in shown:
                self._editor(key).withdraw()
        if not self._closed:
            self._positions.tidy()

    @property
    def ending(self) -> Ending | None:
        """The message with the buttons of the whole turn, if there is one."""
        part = self._ending
        message_id = None if part is None else self._positions.at(part.key)
        return None if part is None or message_id is None else Ending(self.turn, message_id, part.body)

    async def delivered(self) -> None:
        """Wait until every part shows its final body, or cannot be shown now."""
        await asyncio.gather(*(editor.task for editor in self._editors.values()), return_exceptions=True)

    async def pause(self) -> None:
        """Say under the last message of an unfinished turn that it will go on."""
        if self._editors and not self._closed and (self._steps is None or self._steps.state.outcome is None):
            await list(self._editors.values())[-1].pause(_PAUSED)

    async def retire(self) -> None:
        """Close for a newer attempt, once no post is under way: what stands where is written down then."""
        async with contextlib.AsyncExitStack() as stack:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await stack.enter_async_context(self._poster.turnstile(self.channel_id))
            await self.close()

    async def close(self) -> None:
        """End the editors where they are; what they did not show is shown after the next start."""
        self._type(on=False)
        self._previews.stop()
        self._closed = True
        for editor in self._editors.values():
            editor.task.cancel()
        self._positions.close()
        await self.delivered()

    def _show(self, parts: list[tuple[DeliveryKey, Body]], *, first: DeliveryKey | None, final: bool) -> None:
        """Tell the editors what their messages should show now; a part that is no longer one is taken away.

        `first` is the part that replies to the question. What was first may be gone: "waiting for the model", say.
        """
        if self._closed:
            return
        for key, body in parts:
            self._editor(key, replies=key == first).show(body, final=final)
        for key in self._editors.keys() - {key for key, _ in parts}:
            self._editors[key].withdraw()

    def _hand_over(self, parts: list[tuple[DeliveryKey, Body]], sent: Container[DeliveryKey] = ()) -> None:
        """What stands nowhere yet takes the message of what is no part any more: an answer stays where it is."""
        keys = [key for key, _ in parts]
        there = dict.fromkeys([*self._editors, *self._positions.known])
        gone = [key for key in there if key not in keys and not (key in self._editors and self._editors[key].final)]
        for key in keys:
            # What comes after it may still be one of the next parts.
            old = next((old for old in gone if old.kind == "old" or old.place < key.place), None)
            if old is not None and key not in there and key not in sent:
                gone.remove(old)
                self._give(old, key)

    def _give(self, old: DeliveryKey, key: DeliveryKey) -> None:
        """Let a part have the message of another one."""
        self._positions.hand_over(old, key)
        editor = self._editors.pop(old, None)
        if editor is not None and not editor.task.done():  # one that has ended leaves its message to a new one
            editor.take_over(key, nonce(self.turn, key))
            self._editors[key] = editor

    def _editor(self, key: DeliveryKey, *, replies: bool = False) -> Editor:
        """The editor of a part; when it is drawn anew, a new one where the old could not show it."""
        editor = self._editors.get(key)
        if editor is None or (editor.lost and self._anew):
            # What could not be shown is shown anew, with all that stands below it; what is above is there.
            above = None if editor is not None and self.last is not None and self.last.lost else self.last
            self._editors[key] = self.last = editor = Editor(
                self._poster,
                self,
                channel_id=self.channel_id,
                key=key,
                nonce=nonce(self.turn, key),
                reply_to=self._reply_to if replies else None,
                after=above,
                message_id=self._positions.of(key),
                inherited=key in self._positions.inherited,
                counts=self.counts,
                interval=self._interval,
            )
        return editor

    def _sendable(self, parts: list[tuple[DeliveryKey, Body]]) -> list[tuple[DeliveryKey, Body]]:
        """The parts as they can be sent: where no file can, what it holds stands in more messages."""
        found = []
        for key, body in parts:
            file, bodies = file_of(body), [body]
            if file is not None:
                begun = (
                    key.model_copy(update={"part": key.part + 1}) in self._positions.known
                )  # and gone on with as begun
                if begun or not self._poster.access.may_attach(self.channel_id, file.size):
                    bodies = without_file(body)
            keys = [key.model_copy(update={"part": key.part + number}) for number in range(len(bodies))]
            self._rests[key] = keys[1:]
            found += list(zip(keys, bodies, strict=True))
        return found

    async def posted(self, key: DeliveryKey, message_id: int | None) -> None:
        """See `Keeper`."""
        await self._positions.move(key, message_id)

    async def shown(self, key: DeliveryKey) -> None:
        """See `Keeper`. A part whose file could not be sent is shown when all of it is."""
        for rest in self._rests.get(key, ()):
            editor = self._editors[rest]
            await asyncio.wait({editor.task})
            if editor.lost:
                raise UnreachableError("the rest of it is not shown yet")
        await self._positions.done(key)

    async def gone(self, key: DeliveryKey) -> None:
        """See `Keeper`."""
        await self._positions.gone(key)

    async def shut_out(self, error: ShutOutError) -> None:
        """See `Keeper`."""
        await self._elsewhere.tell(self.turn, error)

    async def taken_away(self) -> None:
        """See `Keeper`. Whoever deletes an answer that is being written wants no more of it."""
        await self._cancel(self.turn)

    async def instead(self, body: Body, error: RefusedError) -> Body | None:
        """See `Keeper`."""
        if error.gone:
            return None
        if error.locked:
            await self._elsewhere.tell_of_lock(self.turn)
            return None
        if file_of(body) is not None:
            self.out_of_date = True
            raise UnreachableError("no file can be sent there")
        last_line = str(body.get("content", "")).rpartition("\n")[2]
        footer = f"\n{last_line}" if last_line.startswith("-# ") else ""
        buttons = {"buttons": body["buttons"]} if "buttons" in body else {}
        return {"content": f"{AGAINST_THE_RULES if error.against_the_rules else NOT_TAKEN}{footer}", **buttons}

    def _type(self, *, on: bool) -> None:
        if on and self._typing is None and not self._closed:
            self._typing = asyncio.create_task(self._keep_typing())
        elif not on and self._typing is not None:
            self._typing.cancel()
            self._typing = None

    async def _keep_typing(self) -> None:
        """Show "is typing" until cancelled; it is a courtesy, so a failure ends it and nothing else."""
        channel = self._client.get_partial_messageable(self.channel_id)
        with contextlib.suppress(discord.DiscordException, OSError):
            while self._poster.access.may_write(self.channel_id):
                with as_courtesy():
                    await channel.typing()
                await asyncio.sleep(_TYPING_INTERVAL)
