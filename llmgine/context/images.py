"""Which images a request has: the newest of the last turns, within a size; the text names the others.

Each call sends its images again. So they are sent with the turn they came with, or in which their message was replied
to, and with the next three. Then the message they stood in says so, which changes it once: the prefix that services
cache stays the same up to the oldest turn whose images leave, and beyond that only the last turns are read again.
"""

from collections.abc import Mapping
from dataclasses import replace

from llmgine.context.envelope import ImageKey, content_of
from llmgine.context.past_turns import PastTurn, estimated_tokens
from llmgine.sessions import SessionStore

MOST_IMAGES = 4  # of a request
IMAGE_TURNS = 3  # after the one they came with
IMAGE_TOKENS = 1_000  # about what services count for one


def with_image_tokens(turn: PastTurn) -> PastTurn:
    """The turn with the size that it has while its images are sent with it."""
    return replace(turn, tokens=turn.tokens + min(len(turn.images), MOST_IMAGES) * IMAGE_TOKENS)


def without_images(turn: PastTurn) -> PastTurn:
    """The turn as it is sent once its images are not: its text says so."""
    return replace(with_images(turn, {}), images=(), prompts=()) if turn.images else turn


def unseen(turn: PastTurn) -> PastTurn:
    """A turn that has images as it is sent to a model that takes none."""
    messages = (turn.messages[0].without_images(), *turn.messages[1:])
    return replace(turn, messages=messages, tokens=estimated_tokens(messages))


def with_images(turn: PastTurn, images: Mapping[ImageKey, str]) -> PastTurn:
    """A turn that has images, with these of them, as data URLs; its text names the others."""
    old, unsent = turn.messages[0], [key for key in turn.images if key not in images]
    content = content_of(turn.prompts, enveloped=turn.enveloped, unsent=unsent) if unsent else old.content
    sent = tuple(images[key] for key in turn.images if key in images)
    new = old.model_copy(update={"content": content, "images": sent})
    tokens = estimated_tokens([new, *turn.messages[1:]]) + len(sent) * IMAGE_TOKENS
    return replace(turn, messages=(new, *turn.messages[1:]), tokens=tokens)


class Images:
    """Picks the images of a request, from its newest turn to its oldest; each is sent once, where it was shown last.

    Args:
        store: Where they are.
        size: How many characters of data URLs a request may have.
    """

    def __init__(self, store: SessionStore, size: int) -> None:
        self._store = store
        self._left = size
        self._sent: set[ImageKey] = set()
        self._is_full = False

    async def of(self, turn: PastTurn) -> PastTurn:
        """The turn, older than those before, with its images: the newest of them for which there is room."""
        found: dict[ImageKey, str] = {}
        for turn_id, number in reversed(turn.images):
            stored_as = (turn_id or turn.turn_id, number)
            self._is_full = self._is_full or len(self._sent) == MOST_IMAGES
            if self._is_full or stored_as in self._sent:
                continue
            for image in await self._store.turns.images(stored_as[0], [number]):  # none, where it was deleted
                self._is_full = len(image) > self._left
                if not self._is_full:
                    found[turn_id, number] = image
                    self._left -= len(image)
                    self._sent.add(stored_as)
        return with_images(turn, found)
