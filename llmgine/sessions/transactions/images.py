"""The images of turns, which stand beside their steps because of their size."""

from collections.abc import Sequence

from llmgine.messages.commands import Attachment
from llmgine.messages.steps import PromptStep
from llmgine.sessions.database import Transaction


def add_images(
    turn_id: str, attachments: Sequence[Attachment], images: Sequence[str]
) -> Transaction[tuple[Attachment, ...]]:
    """Store a prompt's images; returns its attachments with the numbers these have in the turn."""
    if not images:
        return tuple(attachments)
    rows = yield "SELECT COALESCE(MAX(number), -1) + 1 AS next FROM image WHERE turn_id = $1", (turn_id,)
    first = rows[0]["next"]
    for number, data in enumerate(images, first):
        yield "INSERT INTO image (turn_id, number, data) VALUES ($1, $2, $3)", (turn_id, number, data)
    return tuple(
        one if one.image is None else one.model_copy(update={"image": first + one.image}) for one in attachments
    )


def images(turn_id: str, numbers: Sequence[int]) -> Transaction[list[str]]:
    """Images of a turn as data URLs, those that are there."""
    found = []
    for number in numbers:
        rows = yield "SELECT data FROM image WHERE turn_id = $1 AND number = $2", (turn_id, number)
        found += [str(row["data"]) for row in rows]
    return found


def keep_images(turn_id: str, prompts: Sequence[PromptStep]) -> Transaction[None]:
    """Delete the images of a turn that none of its prompts has any more."""
    kept = {one.image for prompt in prompts for one in prompt.attachments}
    rows = yield "SELECT number FROM image WHERE turn_id = $1", (turn_id,)
    for row in rows:
        if row["number"] not in kept:
            yield "DELETE FROM image WHERE turn_id = $1 AND number = $2", (turn_id, row["number"])
