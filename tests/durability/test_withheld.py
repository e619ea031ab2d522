"""What a model's service will not say is said to be withheld, whichever way the service says so."""

from collections.abc import Callable

import pytest

from tests.chat_completions import Json
from tests.programs.discord.scene import Scene

_REFUSAL = "I cannot help with that."


def _chunk(delta: Json, finish: str | None = None) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _filtered(scene: Scene) -> None:
    scene.model.chunks([_chunk({"role": "assistant", "content": "Continued "}), _chunk({}, "content_filter")])


def _refused(scene: Scene) -> None:
    pieces = [
        _chunk({"role": "assistant", "content": None, "refusal": piece}) for piece in ("I cannot ", "help with that.")
    ]
    scene.model.chunks([*pieces, _chunk({}, "stop")])


def _refused_in_one(scene: Scene) -> None:
    message = {"role": "assistant", "content": None, "refusal": _REFUSAL}
    scene.model.json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


@pytest.mark.parametrize(
    ("service", "words"),
    [(_filtered, "Continued"), (_refused, _REFUSAL), (_refused_in_one, _REFUSAL)],
    ids=["content filter", "refusal streamed", "refusal whole"],
)
async def test_an_answer_that_is_withheld_says_so(scene: Scene, service: Callable[[Scene], None], words: str) -> None:
    """What there is of it is shown, a notice says that it was withheld, and the next question is answered."""
    service(scene)
    scene.ask("how does it go?")
    await scene.outcome()

    shown = " ".join(message.content for message in scene.shown())
    assert words in shown
    assert "withheld this answer" in shown
    scene.ask("and now?")
    assert "You said" in (await scene.outcome(2)).content
