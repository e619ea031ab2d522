"""Thinking that a service sends inside the text of its answer, `<think>…</think>` first, is told apart from it."""

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkingFilter:
    """Takes a text piece by piece and gives back what of it is answer; tags may be split over pieces.

    Only what stands before the answer is thinking: later on the same words are part of what is said. What is never
    closed is thinking to its end.
    """

    def __init__(self) -> None:
        self._held = ""  # what may yet turn out to be a tag, or the blank before one
        self._thinking = self._thought = self._answering = False

    def add(self, piece: str) -> str:
        """Take the next piece and return the answer that is new with it."""
        if self._answering:
            return piece
        self._held += piece
        while not self._answering:
            if self._thinking:
                _, closed, rest = self._held.partition(_CLOSE)
                if not closed:
                    self._held = self._held[1 - len(_CLOSE) :]
                    return ""
                self._thinking, self._held = False, rest
            begun = self._held.lstrip()
            if self._thought:
                self._held = begun  # the blank lines between the two belong to neither
            if begun.startswith(_OPEN):
                self._thinking = self._thought = True
                self._held = begun.removeprefix(_OPEN)
            elif _OPEN.startswith(begun):
                return ""
            else:
                self._answering = True
        return self.rest()

    def rest(self) -> str:
        """What is held back and no thinking, once nothing more comes."""
        held, self._held = "" if self._thinking else self._held, ""
        return held
