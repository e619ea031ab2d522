"""What the model sees next: the system prompt, as much of the history as fits, and the present turn."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from llmgine.context.envelope import PEOPLE_NOTE
from llmgine.context.past_turns import (
    IMAGE_TOKENS,
    MOST_IMAGES,
    PastTurn,
    estimated_tokens,
    fitting,
    seen,
    tokens_of_tools,
)
from llmgine.messages.chat_messages import ChatMessage, ToolSchema
from llmgine.sessions import SessionStore
from llmgine.sessions.records import SessionSettings, TurnSteps

# What the model is told of how to answer, beside the system prompt.
STYLES = {
    "brief": "Answer in one to three sentences, whatever was asked for above; leave out what was not asked.",
    "normal": "",
    "detailed": "Answer in depth: with the reasons, an example where it helps, and what to look out for.",
}

_KEEP = 0.6  # after trimming, how full the window is: trimming is rare, so the prefix stays the same for prompt caches
_STEP = 500  # tokens; how long a past turn may be changes in such steps, so that its text seldom does
_FLOOR = 2_000  # tokens of conversation that are sent however small a window was learnt

PAGE = 200  # turns read back at a time
_REMEMBERED = 5_000  # ended turns kept ready, over all sessions; they never change


@dataclass(frozen=True)
class Conversation:
    """The messages of a model call.

    Attributes:
        messages: From the system text to the present turn.
        history_from: The place of the oldest turn in it, 0 if none was ever left out.
        tokens: The size of the request with its tools, by our own estimate.
        fixed_tokens: The part of it that is neither history nor the present turn.
        past: How many ended turns are in it.
        image_tokens: The part of its size that is images.
        enveloped: Whether the present prompt is sent as JSON with its author.
        unseen: Whether images of the present turn are not shown.
        after_refusal: Whether the service would not take the prompt before, either.
    """

    messages: tuple[ChatMessage, ...]
    history_from: int
    tokens: int
    fixed_tokens: int
    past: int
    image_tokens: int
    enveloped: bool
    unseen: bool
    after_refusal: bool


@dataclass(frozen=True)
class Bounds:
    """What is known of the model that is asked.

    Attributes:
        model: Its name.
        window: Tokens it takes at once, by our own estimate, if that was learnt.
        limit: Tokens that this request may have after one that was too long, by our own estimate.
        blind: Whether it takes no images.
    """

    model: str = ""
    window: int | None = None
    limit: int | None = None
    blind: bool = False


class ContextManager:
    """Builds the messages of a model call.

    Args:
        store: Where the history is.
        system_prompt: The one of sessions that have none of their own.
        window: Tokens that a model call may have.
        vision: Whether the model is shown images.
    """

    def __init__(self, store: SessionStore, *, system_prompt: str, window: int, vision: bool = True) -> None:
        self._store = store
        self.system_prompt = system_prompt
        self._window = window
        self._vision = vision
        self._remembered: OrderedDict[tuple[str, int], PastTurn] = OrderedDict()

    async def build(
        self,
        present: TurnSteps,
        settings: SessionSettings | None = None,
        tools: Iterable[ToolSchema] = (),
        bounds: Bounds | None = None,
        ended: Sequence[tuple[str, int]] | None = None,
    ) -> Conversation:
        """The conversation up to and with the present turn.

        Args:
            present: The turn to be answered.
            settings: Those of its session.
            tools: What is offered with it; they count.
            bounds: What is known of the model.
            ended: The ids and attempts of the last `PAGE` ended turns before it, the newest first, if they were read.
        """
        settings, bounds = settings or SessionSettings(), bounds or Bounds()
        system = self.system_prompt if settings.system_prompt is None else settings.system_prompt
        system = f"{system}\n\n{STYLES[settings.style]}".rstrip()
        fixed = tokens_of_tools(tools) + estimated_tokens([ChatMessage(role="system", content=system + PEOPLE_NOTE)])
        past, start = await self._uncut(present, ended)
        now = seen(present, shared=_is_shared(past, present))
        ratio = next((turn.ratio for turn in reversed(past) if turn.ratio is not None), 1.0)
        window = self._room(fixed, bounds, ratio)
        most = self._room(fixed, replace(bounds, limit=None), 1.0) // 2 // _STEP * _STEP
        fitted = [fitting(turn, most) for turn in past]
        now = fitting(now, window - fixed)
        kept = trim(fitted, now, window - fixed, goal=None if bounds.limit else _KEEP * window - fixed)
        if len(kept) < len(past):
            start = kept[0].seq if kept else now.seq
        turns = [*kept, now]
        if any(turn.enveloped for turn in turns):
            system = f"{system}\n\n{PEOPLE_NOTE}"
        messages = [one for shown in await self._with_images(turns, bounds) for one in shown]
        return Conversation(
            messages=(ChatMessage(role="system", content=system), *messages),
            history_from=start,
            tokens=fixed + sum(turn.tokens for turn in turns),
            fixed_tokens=fixed,
            past=len(kept),
            image_tokens=sum(len(message.images) for message in messages) * IMAGE_TOKENS,
            enveloped=now.enveloped,
            unseen=bool(now.images) and self._vision and bounds.blind,
            after_refusal=bool(past) and past[-1].refused,
        )

    async def _uncut(self, present: TurnSteps, ended: Sequence[tuple[str, int]] | None) -> tuple[list[PastTurn], int]:
        """The ended turns that were not left out before, oldest first, and the place they begin at."""
        past = await self._past(present, ended)
        begun = [*(turn.history_from for turn in past), *(reply.history_from or 0 for reply in present.state.replies)]
        start = max(begun, default=0)
        return [turn for turn in past if turn.seq >= start], start

    def _room(self, fixed: int, bounds: Bounds, ratio: float) -> int:
        """Tokens the whole call may have, by our own estimate; the service counts `ratio` for one of them."""
        most = max(int(self._window / ratio), min(self._window, fixed + _FLOOR))
        if bounds.limit is not None:
            return min(bounds.limit, most)
        if bounds.window is None:
            return most
        reserve = min(1_024, bounds.window // 4)  # for the reply
        return min(max(bounds.window - reserve, fixed + _FLOOR), most)

    async def _with_images(self, turns: Sequence[PastTurn], bounds: Bounds) -> list[tuple[ChatMessage, ...]]:
        """The messages of turns, the newest images with the prompts they came with.

        Images that the model refused are not sent to it again.
        """
        shown: list[tuple[ChatMessage, ...]] = []
        left, blind = MOST_IMAGES if self._vision else 0, bounds.blind
        for turn in reversed(turns):
            messages = turn.messages
            refused = turn.blind_model is not None and turn.blind_model == bounds.model
            blind = blind or (refused and not turn.images)  # then it was an older image that was refused
            if left and turn.images and messages and (blind or refused):
                messages = (messages[0].without_images(), *messages[1:])
            elif left and turn.images and messages:
                images = await self._store.turns.images(turn.turn_id, turn.images[-left:])
                left -= len(images)
                messages = (messages[0].model_copy(update={"images": tuple(images)}), *messages[1:])
            shown.append(messages)
        return shown[::-1]

    async def _past(self, present: TurnSteps, ended: Sequence[tuple[str, int]] | None) -> list[PastTurn]:
        """The ended turns before the present one that may be sent, oldest first; none is read twice."""
        newest_first: list[PastTurn] = []
        before, tokens = present.turn.seq, 0
        while True:
            keys = ended if ended is not None else await self._store.turns.ended(present.turn.session_id, before, PAGE)
            page, more, ended = await self._page(keys), len(keys) == PAGE, None
            newest_first += page
            tokens += sum(min(turn.tokens, self._window // 2) for turn in page)  # longer ones are shortened
            begun = max((turn.history_from for turn in newest_first), default=0)
            if not more or not page or page[-1].seq <= begun or tokens > self._window:
                return newest_first[::-1]
            before = page[-1].seq

    async def _page(self, keys: Sequence[tuple[str, int]]) -> list[PastTurn]:
        """These turns, but for those whose texts were deleted."""
        unknown = [key[0] for key in keys if key not in self._remembered]
        for turn in await self._store.turns.many(unknown) if unknown else ():
            self._remembered[turn.turn.id, turn.turn.attempt] = seen(turn)
        page = [self._remembered[key] for key in keys if key in self._remembered]
        for key in keys:
            if key in self._remembered:
                self._remembered.move_to_end(key)
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return page

    def remember(self, turn: TurnSteps) -> None:
        """Keep a turn that has ended at hand, so that it need not be read for the next one."""
        self._remembered[turn.turn.id, turn.turn.attempt] = seen(turn)


def trim(past: Sequence[PastTurn], present: PastTurn, window: int, *, goal: float | None = None) -> Sequence[PastTurn]:
    """The newest turns of the past that fit beside the present one; whole turns only.

    Nothing is dropped before it must be. Then the oldest turns are, down to the goal, so that the cut moves seldom;
    where it is, is stored with the reply, so that it never moves back.

    Args:
        past: The turns that were not dropped before, oldest first.
        present: The turn to be answered.
        window: Tokens that both may take, by our own estimate.
        goal: Tokens that both may take once something must be dropped; the window unless given.
    """
    total = sum(turn.tokens for turn in past) + present.tokens
    if total <= window:
        return past
    start = 0
    while start < len(past) and total > (window if goal is None else goal):
        total -= past[start].tokens
        start += 1
    return past[start:]


def _is_shared(past: Sequence[PastTurn], present: TurnSteps) -> bool:
    """Whether somebody else spoke in this conversation, or its messages already name their authors."""
    author = present.state.prompt.author
    if author is None:
        return False
    return any(turn.shared or turn.author not in (None, author.id) for turn in past)
