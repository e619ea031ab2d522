"""Which images a call has: for how long they are sent, within what size, and how rarely the prefix changes."""

import base64
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmgine.context import ContextManager, Conversation
from llmgine.context.images import IMAGE_TOKENS
from llmgine.messages.chat_messages import ChatMessage
from llmgine.messages.commands import Attachment, PromptCommand, Quote
from llmgine.messages.steps import OutcomeStep, ReplyStep, Step
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.records import Claimed

DONE = OutcomeStep(state="done", seconds=0)
NOTE = "not sent this time; to show it again, somebody replies to its message or attaches it again"


class Talk:
    """A conversation in which images are sent."""

    def __init__(self, store: SessionStore, image_bytes: int = 18_000_000) -> None:
        self.store = store
        self.context = ContextManager(store, system_prompt="Be brief.", window=32_000, image_bytes=image_bytes)
        self._asked = 0

    async def ask(self, *images: str, replies_to: int | None = None) -> tuple[Conversation, Claimed]:
        """A turn with these images, answered; gives the conversation that its call had, and the turn."""
        self._asked += 1
        number = self._asked
        files = [
            Attachment(name=f"{name}.png", media_type="image/png", size=1, image=at) for at, name in enumerate(images)
        ]
        quoted = Quote(author=None, text="look", source_id=str(replies_to)) if replies_to else None
        prompt = PromptCommand(
            session_id="s",
            text=f"question {number}",
            source="test",
            source_id=str(number),
            attachments=tuple(files),
            images=tuple(map(url, images)),
            quoted=quoted,
        )
        await self.store.turns.admit(prompt, f"t{number}", number)
        claimed = await self.store.turns.claim("s")
        assert isinstance(claimed, Claimed)
        conversation = await self.context.build(claimed.turn)
        reply = ReplyStep(round=0, text="ok", finish="stop", model="m", usage=None, seconds=0)
        steps: list[tuple[int, Step]] = [(claimed.next_step, reply), (claimed.next_step + 1, DONE)]
        await self.store.runs.finish(claimed.turn.turn, "done", steps, (), None)
        return conversation, claimed


def url(name: str) -> str:
    """An image as it is sent: so many bytes as its name says, or few."""
    size = int(name.partition("-")[2] or 3)
    return f"data:image/png;base64,{base64.b64encode(name.encode().ljust(size, b'.')).decode()}"


def sent(conversation: Conversation) -> list[str]:
    """The names of the images in a call, in their order."""
    urls = [image for message in conversation.messages for image in message.images]
    return [base64.b64decode(one.partition(",")[2]).rstrip(b".").decode() for one in urls]


def files(message: ChatMessage) -> list[dict[str, str]]:
    """What a message says of its files."""
    told = json.loads(message.content)
    return [*told.get("files", ()), *told.get("reply_to", {}).get("files", ())]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SessionStore]:
    store = await open_store(f"sqlite:///{tmp_path}/images.db")
    yield store
    await store.close()


async def test_images_are_sent_in_three_turns_after_theirs(store: SessionStore) -> None:
    """With the turn they came with and the next three; then the text names them, and how they are shown again."""
    talk = Talk(store)

    calls = [(await talk.ask("a", "b"))[0], *[(await talk.ask())[0] for _ in range(4)]]

    assert [sent(one) for one in calls] == [["a", "b"]] * 4 + [[]]
    assert files(calls[3].messages[1]) == [{"name": f"{name}.png", "type": "image/png"} for name in "ab"]
    assert files(calls[4].messages[1]) == [{"name": f"{name}.png", "type": "image/png", "note": NOTE} for name in "ab"]


async def test_a_reply_shows_an_image_again(store: SessionStore) -> None:
    """With the reply, not in its old place, and with the three turns after it; tools get it too."""
    talk = Talk(store)
    await talk.ask("a")
    for _ in range(4):
        await talk.ask()

    calls = [(await talk.ask(replies_to=1))[0], *[(await talk.ask())[0] for _ in range(4)]]

    assert [sent(one) for one in calls] == [["a"]] * 4 + [[]]
    assert calls[0].messages[-1].images
    assert json.loads(calls[0].messages[-1].content)["reply_to"]["files"] == [{"name": "a.png", "type": "image/png"}]
    assert [one.get("note") for one in files(calls[4].messages[11])] == [NOTE]


async def test_an_image_is_in_a_call_once(store: SessionStore) -> None:
    """A reply to an image that is still sent has it come with the reply, not twice."""
    talk = Talk(store)
    await talk.ask("a")
    await talk.ask()

    calls = [(await talk.ask(replies_to=1))[0], *[(await talk.ask())[0] for _ in range(4)]]

    assert [sent(one) for one in calls] == [["a"]] * 4 + [[]]
    assert calls[0].messages[-1].images
    assert [one.get("note") for one in files(calls[0].messages[1])] == [NOTE]


async def test_an_image_that_was_deleted_is_not_shown_again(store: SessionStore) -> None:
    """A reply to a message whose turn was forgotten, before or after it, is answered without the image."""
    talk = Talk(store)
    await talk.ask("a")
    await talk.ask(replies_to=1)
    await store.turns.forget("s", "t1")

    later, _ = await talk.ask(replies_to=1)

    assert sent(later) == []


async def test_the_newest_images_that_fit_are_sent(store: SessionStore) -> None:
    """Within the bytes of a call, as they are sent, the newest go first; an older one does not slip past them."""
    talk = Talk(store, image_bytes=len(url("x-3000")) * 2 + 100)
    await talk.ask("small", "old-3000")
    await talk.ask("middle-3000")

    last, _ = await talk.ask("new-3000")

    assert sent(last) == ["middle-3000", "new-3000"]
    assert [one.get("note") for one in files(last.messages[1])] == [NOTE, NOTE]


async def test_a_call_has_four_images(store: SessionStore) -> None:
    """However small they are."""
    talk = Talk(store)
    await talk.ask("a", "b")
    last, _ = await talk.ask("c", "d", "e")

    assert sent(last) == ["b", "c", "d", "e"]


async def test_the_size_counts_what_is_sent(store: SessionStore) -> None:
    """An image counts in the estimate as long as it is in the request, and not in any call after that."""
    talk = Talk(store)
    calls = [(await talk.ask("a", "b"))[0], *[(await talk.ask())[0] for _ in range(4)]]

    assert [one.image_tokens for one in calls] == [2 * IMAGE_TOKENS] * 4 + [0]
    assert calls[3].tokens - calls[4].tokens > 2 * IMAGE_TOKENS - 200


async def test_images_leave_at_once_and_change_the_prefix_once(store: SessionStore) -> None:
    """From one call to the next all messages stay, but from the oldest turn on whose images leave."""
    talk = Talk(store)
    calls = [(await talk.ask(*images))[0] for images in ([], ["a", "b"], [], ["c"], [], [], [], [], [], [])]

    changed = []
    for before, after in itertools.pairwise(calls):
        same = 0
        while same < len(before.messages) and before.messages[same] == after.messages[same]:
            same += 1
        changed.append(len(before.messages) - same)

    # The system text changes when the first message is sent as JSON. Then only where turn 2 and turn 4 lose theirs.
    assert changed[1:] == [0, 0, 0, 7, 0, 7, 0, 0]
