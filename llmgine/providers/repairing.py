"""A request on its way: changed by what a service says of it, one change after another, until it is answered."""

import re
from collections.abc import Callable, Iterator, Sequence

from llmgine.errors import ContextOverflowError, PromptRefusedError, ProviderError
from llmgine.messages.chat_messages import ChatMessage
from llmgine.providers.base import Change, ChatRequest, Learnt
from llmgine.providers.quoting import quote, said
from llmgine.providers.repairs import Repair, repairs

_MOST_CHANGES = 8  # that are tried for one request
_SHORTEST_ECHO = 16  # characters that a refusal has in common with a message by more than chance
_SHORTEST_MESSAGE = 6  # characters of a message that is looked for as a whole
_MOST_COMPARED = 300_000  # characters of the newest messages
_NUMBERS = re.compile(r"[0-9a-f-]*\d[0-9a-f-]*", re.IGNORECASE)
# A body that is too large for a server's limit is mostly an image's fault.
_TOO_LARGE = Repair("", Change.NO_IMAGES, "once")


class Repairing:
    """One request and the changes that are tried for it.

    Attributes:
        request: The request as it is sent next.
        learnt: The changes it needed so far, beyond those it came with.
    """

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        self.learnt: list[Learnt] = []
        self._tried: set[Change] = set()
        self._words = ""

    def change(
        self,
        status: int,
        body: object,
        error: ProviderError,
        *,
        differs: Callable[[ChatRequest, ChatRequest], bool],
        redact: Callable[[str], str],
    ) -> bool:
        """Change the request by what was said of it; whether there was anything to change.

        A change after which the service says the same again did not help, and is taken back.

        Args:
            status: The HTTP status, 0 for none.
            body: What the service said.
            error: What it means.
            differs: Whether two requests are sent differently.
            redact: Takes keys out of what is quoted.
        """
        words = said(body)
        told = _NUMBERS.sub("", words)  # a refusal may have a number of its own
        if self.learnt and told == self._words:
            self._take_back()
        self._words = told
        if len(self._tried) >= _MOST_CHANGES:
            return False
        for repair in self._candidates(status, words, error):
            changed = self._with(repair.change)
            if repair.change not in self._tried | self.request.changes and differs(self.request, changed):
                quoted = redact(without_echo(quote(body), self.request.messages))
                self.learnt.append(Learnt(repair.change, quoted, repair.lasts == "a day"))
                self._tried.add(repair.change)
                self.request = changed
                return True
        return False

    def _candidates(self, status: int, words: str, error: ProviderError) -> Iterator[Repair]:
        if isinstance(error, ContextOverflowError):
            if status == 413 and not words:
                yield _TOO_LARGE
            return
        found = repairs(status, words)
        if found:
            # What a service quotes of a message is no word of its own, and must teach nothing.
            found = repairs(status, without_echo(words, self.request.messages))
        for repair in found:
            if repair.change is Change.NO_IMAGES or not isinstance(error, PromptRefusedError):
                yield repair

    def _with(self, change: Change) -> ChatRequest:
        return self.request.model_copy(update={"changes": self.request.changes | {change}})

    def _take_back(self) -> None:
        last = self.learnt.pop()
        self.request = self.request.model_copy(update={"changes": self.request.changes - {last.change}})


def without_echo(text: str, messages: Sequence[ChatMessage]) -> str:
    """A service's words without what they repeat of the conversation, in whatever case and with whatever blanks."""
    text = " ".join(text.split())
    plain, length = text.casefold(), _SHORTEST_ECHO
    if len(plain) != len(text):  # a character whose small form is longer
        text = plain
    said = [one for message in messages if message.role != "system" for one in _texts(message)]
    runs = {plain[at : at + length] for at in range(len(plain) - length + 1)}
    heard = "\n".join(said)[-_MOST_COMPARED:]
    repeated = {run for at in range(len(heard) - length + 1) if (run := heard[at : at + length]) in runs}
    repeated.update(one for one in said if _SHORTEST_MESSAGE <= len(one) < length and one in plain)
    sizes = sorted(set(map(len, repeated)), reverse=True)
    kept, end = [], 0
    for at in range(len(plain) if repeated else 0):
        found = next((size for size in sizes if plain[at : at + size] in repeated), 0)
        if found:
            kept.append(text[end:at] if at > end else "")
            end = max(end, at + found)
    return "".join([*kept, text[end:]])


def _texts(message: ChatMessage) -> Iterator[str]:
    yield " ".join(message.content.split()).casefold()
    for call in message.tool_calls:
        yield " ".join(call.arguments.split()).casefold()
