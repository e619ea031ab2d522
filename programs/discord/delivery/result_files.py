"""The files that tools gave, as they are posted: below the card of their round, and never more than a message takes."""

from collections.abc import Iterator
from dataclasses import dataclass

from llmgine.messages.chat_messages import ResultFile
from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import ReplyStep
from llmgine.messages.translatable import Text, joined, tr
from llmgine.messages.visible_text import visible_line
from llmgine.sessions.records import TurnSteps
from programs.discord.delivery.bodies import Body, StoredFile
from programs.discord.delivery.safe_text import small_print
from programs.discord.translation import language_of_turn

MOST_FILES = 10  # of a message
_TOGETHER = 8 * 2**20  # bytes of several files in a message: what every server takes; a larger one comes by itself
_MAX_NAME = 80


@dataclass(frozen=True)
class _Given:
    """A file that a call gave."""

    stored: StoredFile
    file: ResultFile


def files_parts(steps: TurnSteps, reply: ReplyStep) -> Iterator[tuple[DeliveryKey, Body]]:
    """The messages with the files of a round; none where its calls gave none."""
    say = language_of_turn(steps.turn).say
    for part, group in enumerate(_groups(_given(steps, reply))):
        names = " · ".join(shown_name(one.file) for one in group)
        yield (
            DeliveryKey(kind="files", round=reply.round, part=part),
            {
                "content": small_print(f"-# 📎 {names}"),
                "files": [one.stored.as_json() for one in group],
                "without_files": small_print(
                    say(
                        tr(
                            "-# ⚠️ Not attached: Discord did not take it. Check that I have Attach Files here, and that "
                            "it is within the server's upload limit."
                        )
                    )
                ),
            },
        )


def left_out(steps: TurnSteps) -> list[Text | str]:
    """What is said of files that tools gave and nobody gets."""
    return [
        joined(" ", shown_name(file), file.note)
        for call in steps.state.calls.values()
        for file in (call.result.files if call.result is not None else ())
        if file.note is not None
    ]


def shown_name(file: ResultFile) -> str:
    """A file's name in code, with its size."""
    name = visible_line(file.name, _MAX_NAME).replace("`", "ˋ")
    return f"`{name}` ({size_of(file.size)})"


def size_of(size: int) -> str:
    """A number of bytes as people read it."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB" if size >= 1e3 else f"{size} B"


def _given(steps: TurnSteps, reply: ReplyStep) -> Iterator[_Given]:
    for call in reply.tool_calls:
        result = steps.state.calls[call.id].result
        for number, file in enumerate(result.files if result is not None else ()):
            if file.note is None:
                yield _Given(StoredFile(call.id, number, file.name, file.size), file)


def _groups(given: Iterator[_Given]) -> Iterator[list[_Given]]:
    """The files in their order, as many in a message as it takes."""
    group: list[_Given] = []
    for one in given:
        size = sum(other.file.size for other in group) + one.file.size
        if group and (len(group) == MOST_FILES or size > _TOGETHER):
            yield group
            group = []
        group.append(one)
    if group:
        yield group
