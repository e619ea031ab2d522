"""What the model sees next: the system prompt, as much of the history as fits, and the present turn."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from llmgine.context.earlier import newest_within, tokens_of, with_earlier
from llmgine.context.envelope import PEOPLE_NOTE, TOOLS_NOTE
from llmgine.context.images import (
    IMAGE_TOKENS,
    IMAGE_TURNS,
    Images,
    unseen,
    with_image_tokens,
    without_images,
)
from llmgine.context.past_turns import (
    PastTurn,
    estimated_tokens,
    fitting,
    seen,
    tokens_of_tools,
)
from llmgine.messages.chat_messages import ChatMessage, ToolSchema
from llmgine.messages.context_messages import ContextMessage
from llmgine.observability.redaction import Redactor
from llmgine.sessions import SessionStore
from llmgine.sessions.records import EndedTurn, SessionSettings, TurnSteps

# What the model is told of how to answer, beside the system prompt.
STYLES = {
    "brief": "Answer in one to three sentences, whatever was asked for above; leave out what was not asked.",
    "normal": "",
    "detailed": "Answer in depth: with the reasons, an example where it helps, and what to look out for.",
}

_KEEP = 0.6  # after trimming, how full the window is: trimming is rare, so the prefix stays the same for prompt caches
_STEP = 500  # tokens; how long a past turn may be changes in such steps, so that its text seldom does
_EARLIER = 4  # the part of the room that what was written before a prompt may take: one in so many
_FLOOR = 2_000  # tokens of conversation that are sent however small a window was learnt

PAGE = 200  # turns read back at a time
_REMEMBERED = 5_000  # ended turns kept ready, over all sessions; no version of one ever changes


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
        outside: Whether text of others than the asker is in it, or may be: of other people, files, web pages.
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
    outside: bool


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
        image_bytes: How many bytes of them a call may have, as they are sent.
        redact: Takes secrets out of what was stored by versions that did not.
        notes: By the source of a turn, what the system text says besides, such as what its program can show.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        system_prompt: str,
        window: int,
        vision: bool = True,
        image_bytes: int = 18_000_000,
        redact: Redactor | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self.system_prompt = system_prompt
        self.window = window
        self._vision = vision
        self._image_bytes = image_bytes
        self._redact = redact or Redactor()
        self._notes = notes or {}
        self._remembered: OrderedDict[EndedTurn, PastTurn] = OrderedDict()

    async def build(
        self,
        present: TurnSteps,
        settings: SessionSettings | None = None,
        tools: Iterable[ToolSchema] = (),
        bounds: Bounds | None = None,
        ended: Sequence[EndedTurn] | None = None,
    ) -> Conversation:
        """The conversation up to and with the present turn.

        Args:
            present: The turn to be answered.
            settings: Those of its session.
            tools: What is offered with it; they count.
            bounds: What is known of the model.
            ended: The last `PAGE` ended turns before it, the newest first, if they were read.
        """
        settings, bounds = settings or SessionSettings(), bounds or Bounds()
        system = self.system_prompt if settings.system_prompt is None else settings.system_prompt
        offered = list(tools)
        notes = (self._notes.get(present.turn.source, ""), STYLES[settings.style], TOOLS_NOTE if offered else "")
        system = self._redact("\n\n".join([system, *filter(None, notes)]))
        fixed = tokens_of_tools(offered) + estimated_tokens([ChatMessage(role="system", content=system + PEOPLE_NOTE)])
        past, start = await self._uncut(present, ended)
        past = [*map(without_images, past[:-IMAGE_TURNS]), *map(with_image_tokens, past[-IMAGE_TURNS:])]
        now = with_image_tokens(seen(present, shared=_is_shared(past, present)))
        ratio = next((turn.ratio for turn in reversed(past) if turn.ratio is not None), 1.0)
        window = self._room(fixed, bounds, ratio)
        most = self._room(fixed, replace(bounds, limit=None), 1.0) // 2 // _STEP * _STEP
        fitted = [fitting(turn, most) for turn in past]
        asked = estimated_tokens(now.messages[:1])  # without results of tools, which are shortened where they must be
        earlier = await self._earlier(present, min((window - fixed) // _EARLIER, window - fixed - asked))
        now = fitting(replace(now, tokens=now.tokens + tokens_of(earlier)), window - fixed)
        kept = trim(fitted, now, window - fixed, goal=None if bounds.limit else _KEEP * window - fixed)
        if len(kept) < len(past):
            start = kept[0].seq if kept else now.seq
        turns = [*kept, replace(now, tokens=now.tokens - tokens_of(earlier))]
        if any(turn.enveloped for turn in turns):
            system = f"{system}\n\n{PEOPLE_NOTE}"
        turns = await self._with_images(turns, bounds)
        turns[-1] = with_earlier(turns[-1], earlier)
        messages = [message for turn in turns for message in turn.messages]
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
            outside=any(turn.outside or turn.author != now.author for turn in turns),
        )

    async def _earlier(self, present: TurnSteps, tokens: int) -> list[ContextMessage]:
        """What was written before the prompts of a turn, as much as there is room for; the newest first of all."""
        if present.state.context is None:
            return []
        return newest_within(await self._store.context_messages.of(present.turn.id), tokens)

    async def _uncut(self, present: TurnSteps, ended: Sequence[EndedTurn] | None) -> tuple[list[PastTurn], int]:
        """The ended turns that were not left out before, oldest first, and the place they begin at."""
        past = await self._past(present, ended)
        begun = [*(turn.history_from for turn in past), *(reply.history_from or 0 for reply in present.state.replies)]
        start = max(begun, default=0)
        return [turn for turn in past if turn.seq >= start], start

    def _room(self, fixed: int, bounds: Bounds, ratio: float) -> int:
        """Tokens the whole call may have, by our own estimate; the service counts `ratio` for one of them."""
        most = max(int(self.window / ratio), min(self.window, fixed + _FLOOR))
        if bounds.limit is not None:
            return min(bounds.limit, most)
        if bounds.window is None:
            return most
        reserve = min(1_024, bounds.window // 4)  # for the reply
        return min(max(bounds.window - reserve, fixed + _FLOOR), most)

    async def _with_images(self, turns: Sequence[PastTurn], bounds: Bounds) -> list[PastTurn]:
        """The turns with the newest images. Those that the model refused are not sent to it again."""
        shown: list[PastTurn] = []
        images, blind = Images(self._store, self._image_bytes), bounds.blind or not self._vision
        for turn in reversed(turns):
            refused = turn.blind_model is not None and turn.blind_model == bounds.model
            blind = blind or (refused and not turn.images)  # then it was an older image that was refused
            if turn.images:
                shown.append(unseen(turn) if blind or refused else await images.of(turn))
            else:
                shown.append(turn)
        return shown[::-1]

    async def _past(self, present: TurnSteps, ended: Sequence[EndedTurn] | None) -> list[PastTurn]:
        """The ended turns before the present one that may be sent, oldest first; none is read twice."""
        newest_first: list[PastTurn] = []
        before, tokens = present.turn.seq, 0
        while True:
            keys = ended if ended is not None else await self._store.turns.ended(present.turn.session_id, before, PAGE)
            page, more, ended = await self._page(keys), len(keys) == PAGE, None
            newest_first += page
            tokens += sum(min(turn.tokens, self.window // 2) for turn in page)  # longer ones are shortened
            begun = max((turn.history_from for turn in newest_first), default=0)
            if not more or not page or page[-1].seq <= begun or tokens > self.window:
                return newest_first[::-1]
            before = page[-1].seq

    async def _page(self, keys: Sequence[EndedTurn]) -> list[PastTurn]:
        """These turns, but for those whose texts were deleted."""
        unknown = {key.id: key for key in keys if key not in self._remembered}
        for turn in await self._store.turns.many([*unknown]) if unknown else ():
            self._remembered[_version(turn)] = self._seen(turn)
            if turn.turn.attempt == unknown[turn.turn.id].attempt:  # somebody may have been taken out of it since
                unknown[turn.turn.id] = _version(turn)
        keys = [unknown.get(key.id, key) for key in keys]
        page = [self._remembered[key] for key in keys if key in self._remembered]
        for key in keys:
            if key in self._remembered:
                self._remembered.move_to_end(key)
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return page

    def _seen(self, turn: TurnSteps) -> PastTurn:
        past = seen(turn)
        messages = tuple(self._redact.in_texts(message) for message in past.messages)
        return replace(past, messages=messages, prompts=tuple(map(self._redact.in_texts, past.prompts)))

    def remember(self, turn: TurnSteps) -> None:
        """Keep a turn that has ended at hand, so that it need not be read for the next one."""
        self._remembered[_version(turn)] = seen(turn)


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


def _version(turn: TurnSteps) -> EndedTurn:
    return EndedTurn(turn.turn.id, turn.turn.attempt, turn.turn.revision)


def _is_shared(past: Sequence[PastTurn], present: TurnSteps) -> bool:
    """Whether somebody else spoke in this conversation, or its messages already name their authors."""
    author = present.state.prompt.author
    if author is None:
        return False
    return any(turn.shared or turn.author not in (None, author.id) for turn in past)
