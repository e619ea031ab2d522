"""A request on its way: changed by what a service says of it, one change after another, until it is answered."""

from collections.abc import Callable, Iterable, Iterator

from llmgine.errors import ContextOverflowError, PromptRefusedError, ProviderError
from llmgine.messages.chat import ChatMessage
from llmgine.providers.base import Change, ChatRequest, Learnt
from llmgine.providers.quoting import quote, said
from llmgine.providers.repairs import Repair, repairs

_MOST_CHANGES = 8  # that are tried for one request
_SHORTEST_ECHO = 16  # characters that a refusal has in common with a message by more than chance
_MOST_COMPARED = 50_000  # characters of the newest messages
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
        if self.learnt and words == self._words:
            self._take_back()
        self._words = words
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


def without_echo(text: str, messages: Iterable[ChatMessage]) -> str:
    """A service's words without what they repeat of people's messages and tools' results."""
    heard = "\n".join(one.content for one in messages if one.role in ("user", "tool"))[-_MOST_COMPARED:]
    length = _SHORTEST_ECHO
    runs = {heard[at : at + length] for at in range(len(heard) - length + 1)}
    echoed = [at for at in range(len(text) - length + 1) if text[at : at + length] in runs]
    kept, end = [], 0
    for at in echoed:
        kept.append(text[end:at])
        end = max(end, at + length)
    return "".join([*kept, text[end:]])
