"""Thinking that a model writes into the text of its answer, told apart from the answer piece by piece."""

from enum import Enum, auto

from llmgine.providers import thinking_tags as tags


class _Phase(Enum):
    BEGINNING = auto()  # before the answer: what comes next decides
    HEADER = auto()  # in channel markup, before its message
    THINKING = auto()  # in a block of thinking, until its closing tag
    SUSPECTED = auto()  # perhaps in thinking that the prompt opened: held until a closing tag or the end
    ANSWERING = auto()  # in the answer, which is given out


class ThinkingFilter:
    """Takes a reply piece by piece and gives back what of it is answer; tags may be split over pieces.

    Thinking comes before the answer: in tags, in the channels of gpt-oss or, when the prompt opened it, up to a
    closing tag. An opening tag later on is part of the answer. What is never closed is thinking to its end.

    Attributes:
        thought: Whether any thinking was found.
        closed_unopened: Whether a closing tag came without an opening one.
    """

    def __init__(self, *, opened: bool = False, trusted: bool = False) -> None:
        """Begin a reply.

        Args:
            opened: The model is known to begin in its thinking: nothing is given out before a closing tag or the end.
            trusted: An earlier reply of this model had no unopened thinking: only what surely is thinking is held.
        """
        self.thought = self.closed_unopened = False
        self._opened, self._suspicious = opened, True
        self._is_suspect = tags.surely_thinking if trusted else tags.looks_like_thinking
        self._tagged = False  # whether an opening tag was found
        self._phase = _Phase.BEGINNING
        self._streaming = False  # whether a piece without a tag can be given out as it is
        self._held = ""  # what may be part of a tag, or decides about one
        self._blanks: list[str] = []  # at the beginning, before it is known whether they are part of the answer
        self._text: list[str] = []  # the answer, or what is suspected to be none
        self._given = 0  # how many pieces of it had been given out before this one
        self._block_end, self._text_end = tags.MESSAGE_END, tags.UNOPENED
        self._position, self._moved = tags.MarkdownPosition(), 0  # the position behind so many pieces of the text

    @property
    def suspected(self) -> bool:
        """Whether what is held back may be thinking that the prompt opened, and did not end yet."""
        return self._phase is _Phase.SUSPECTED

    @property
    def answer(self) -> str:
        """The answer so far; when a closing tag shows that what was given out is thinking, only what follows it."""
        return "" if self._phase is _Phase.SUSPECTED else "".join(self._text)

    def add(self, piece: str) -> str:
        """Take the next piece and return the answer that is new with it."""
        if self._streaming and "<" not in piece and "[" not in piece:
            self._text.append(piece)
            return piece
        self._given = 0 if self._phase is _Phase.SUSPECTED else len(self._text)
        self._held += piece
        while self._step():
            pass
        self._streaming = self._phase is _Phase.ANSWERING and not self._held
        return "" if self._phase is _Phase.SUSPECTED else "".join(self._text[self._given :])

    def rest(self) -> str:
        """What was held back and is answer, once nothing more comes."""
        self._given = 0 if self._phase is _Phase.SUSPECTED else len(self._text)
        more = self._phase in {_Phase.SUSPECTED, _Phase.ANSWERING} and self._read_text(last=True)
        while more:
            more = self._step()
        if self._phase is _Phase.BEGINNING:
            self._text += self._blanks
        if self._phase not in {_Phase.HEADER, _Phase.THINKING}:
            self._keep(len(self._held))
            self._phase = _Phase.ANSWERING
        self._held = ""
        return "".join(self._text[self._given :])

    def _step(self) -> bool:
        """Read on in what is held; whether there may be more to read."""
        match self._phase:
            case _Phase.BEGINNING:
                return self._begin()
            case _Phase.HEADER:
                return self._read_header()
            case _Phase.THINKING:
                return self._skip_thinking()
            case _Phase.SUSPECTED | _Phase.ANSWERING:
                return self._read_text()

    def _begin(self) -> bool:
        begun = self._held.lstrip(tags.BLANKS)
        if not self.thought and not self._tagged:  # blanks behind thinking belong to neither
            self._blanks.append(self._held.removesuffix(begun))
        self._held = begun
        if found := tags.OPENINGS.pattern.match(begun):
            self._open(found[0].lower())
            return True
        if found := tags.STRAYS.pattern.match(begun):
            self._held = begun[found.end() :]
            if not self._tagged:
                self._end_unopened()
            return True
        if not begun or not tags.OPENINGS.unfinished(begun) or not tags.STRAYS.unfinished(begun):
            return False
        suspected = self._suspicious and (self._opened or self._is_suspect(begun))
        if suspected is None:
            return False
        self._text += self._blanks
        self._phase = _Phase.SUSPECTED if suspected else _Phase.ANSWERING
        return True

    def _open(self, tag: str) -> None:
        self._tagged, self._suspicious = True, False
        self._blanks.clear()
        if tag in tags.STARTS:
            self._phase = _Phase.HEADER
        else:
            self._phase, self._held = _Phase.THINKING, self._held[len(tag) :]
            self.thought, self._block_end = True, tags.CLOSINGS[tag]

    def _read_header(self) -> bool:
        found = tags.MESSAGE.search(self._held, 0, tags.LONGEST_HEADER)
        if found is None:
            if len(self._held) < tags.LONGEST_HEADER:
                return False
            self._keep(tags.LONGEST_HEADER)
            self._phase = _Phase.ANSWERING
            return True
        if tags.ANSWER_HEADER.fullmatch(self._held, 0, found.start()):
            self._phase, self._text_end = _Phase.ANSWERING, tags.MESSAGE_END
        else:
            self._phase, self._block_end, self.thought = _Phase.THINKING, tags.MESSAGE_END, True
        self._held = self._held[found.end() :]
        return True

    def _skip_thinking(self) -> bool:
        found = self._block_end.pattern.search(self._held)
        if found is None:
            self._held = self._held[self._block_end.unfinished(self._held) :]
            return False
        self._held = self._held[found.start() :]
        self._pass(found[0])
        self._phase = _Phase.BEGINNING
        return True

    def _read_text(self, *, last: bool = False) -> bool:
        found = self._text_end.pattern.search(self._held)
        self._keep(found.start() if found else self._text_end.unfinished(self._held))
        if found is None:
            return False
        ends = self._ends_here(found[0].lower(), last=last)
        if ends:
            self._end_text(found[0])
        elif ends is not None:
            self._keep(len(found[0]))
        return ends is not None

    def _ends_here(self, tag: str, *, last: bool) -> bool | None:
        """Whether the tag that is held ends the text before it; None when that depends on what follows."""
        here, suspected = self._position, self._phase is _Phase.SUSPECTED
        here.move("".join(self._text[self._moved :]))
        self._moved = len(self._text)
        if here.span or (here.fence and not (suspected and self._opened)):
            return False
        if suspected or tag.startswith("<|"):
            return True
        if tag in here.mentioned:
            here.mentioned.remove(tag)
            return False
        if here.line_begins:
            return True
        line_end = tags.LINE_END.match(self._held[: len(tag) + tags.LONGEST_HEADER], len(tag))
        if line_end is None:
            return False
        undecided = not last and len(self._held) < len(tag) + tags.LONGEST_HEADER
        return None if undecided and not line_end[1] else True

    def _end_text(self, tag: str) -> None:
        """Continue behind the tag that is held; unless it ended a message, the text before it was thinking."""
        if self._text_end is not tags.MESSAGE_END:
            self._text, self._given = [], 0
            self._end_unopened()
        self._phase, self._text_end = _Phase.BEGINNING, tags.UNOPENED
        self._position, self._moved = tags.MarkdownPosition(), len(self._text)
        self._pass(tag)

    def _end_unopened(self) -> None:
        self.thought, self._suspicious = True, False
        self._blanks.clear()
        self.closed_unopened = self.closed_unopened or not self._tagged

    def _pass(self, tag: str) -> None:
        """Go behind the tag that is held, unless it also opens what follows."""
        if not tags.OPENINGS.pattern.match(self._held):
            self._held = self._held[len(tag) :]

    def _keep(self, length: int) -> None:
        """Take so much of what is held as text."""
        if length:
            self._text.append(self._held[:length])
            self._held = self._held[length:]
