"""What every kind of tool can rely on, and what the chat can rely on whatever a tool does.

A new kind of tool is a line in `KINDS`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmgine.messages.commands import Attachment, StopTurnCommand
from llmgine.messages.events import ToolCallFinishedEvent, ToolCallStartedEvent
from llmgine.tools.isolation import Isolation
from llmgine.tools.tool import Tool
from tests.llmgine.engine import contract_tools
from tests.llmgine.engine.chat import Chat, call, prompt
from tests.llmgine.engine.conftest import StartChat
from tests.waiting import eventually, patience

IMAGE = "data:image/png;base64,iVBORw0KGgo="
FILES = tuple(Attachment(name="a.png", media_type="image/png", size=8, image=number) for number in (0, 1))
Make = Callable[..., Tool]


def _async(name: str, **options: Any) -> Tool:
    return Tool.from_function(getattr(contract_tools, f"{name}_async"), name=name, **options)


def _thread(name: str, **options: Any) -> Tool:
    return Tool.from_function(getattr(contract_tools, name), name=name, **options)


def _process(name: str, **options: Any) -> Tool:
    return _thread(name, isolation=Isolation(cpu=20), **options)


KINDS = {"async": _async, "thread": _thread, "process": _process}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a tool of one kind."""
    return KINDS[str(request.param)]


async def called(start_chat: StartChat, tool: Tool) -> tuple[Chat, str]:
    """A chat in which the tool was called, and its result; the model has the last word."""
    chat = await start_chat([call(tool.name), "The end."])
    await chat.engine.register_tool(tool)
    async with patience("the turn to end"):
        outcome = await chat.say()
    assert (outcome.state, outcome.text) == ("done", "The end.")
    return chat, chat.results()[0][1]


async def test_one_that_hangs_ends_at_its_limit(start_chat: StartChat, make: Make) -> None:
    """The model is told, and goes on without it."""
    _, result = await called(start_chat, make("hang", timeout=0.5))

    assert "No result within 0.5 seconds." in result


async def test_a_huge_result_is_cut(start_chat: StartChat, make: Make) -> None:
    """The model gets its beginning and its end, and is told how much is missing."""
    _, result = await called(start_chat, make("huge"))

    assert len(result) <= 16_000
    assert result.startswith("begin")
    assert result.endswith("end")
    assert "are left out here" in result


async def test_binary_data_become_text(start_chat: StartChat, make: Make) -> None:
    """What is no text is replaced, and no service refuses the rest."""
    _, result = await called(start_chat, make("binary"))

    assert result.startswith("\ufffdPNG")
    assert result.endswith(" and text")
    assert "\0" not in result


async def test_hostile_text_is_cleaned(start_chat: StartChat, make: Make) -> None:
    """It can be stored and sent."""
    _, result = await called(start_chat, make("hostile"))

    assert result.encode()
    assert "\0" not in result
    assert "red" in result


async def test_one_that_crashes_is_an_error_for_the_model(start_chat: StartChat, make: Make) -> None:
    """The turn goes on, and so does the program."""
    chat, result = await called(start_chat, make("crash"))

    assert result.startswith("Error in crash: ")
    assert not chat.of(ToolCallFinishedEvent)[0].result.ok


async def test_its_files_are_for_people(start_chat: StartChat, make: Make) -> None:
    """They have safe names, and the model reads the text."""
    chat, result = await called(start_chat, make("picture"))

    assert result == "A picture."
    [file] = chat.of(ToolCallFinishedEvent)[0].result.files
    assert (file.name, file.media_type, file.size) == ("picture.png", "image/png", 4)


async def test_a_stop_cancels_it(start_chat: StartChat, make: Make, tmp_path: Path) -> None:
    """The turn ends at once, however long the tool would take."""
    note = tmp_path / "note"
    chat = await start_chat([call("hang", arguments=json.dumps({"note": str(note)})), "never"])
    await chat.engine.register_tool(make("hang"))
    turn_id = (await chat.admit()).turn_id
    await eventually(note.exists)

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=turn_id))

    async with patience("the turn to end"):
        assert (await chat.outcome(turn_id)).state == "stopped"


@pytest.mark.parametrize("idempotent", [False, True])
async def test_after_a_restart_in_doubt(start_chat: StartChat, make: Make, tmp_path: Path, *, idempotent: bool) -> None:
    """A call that was begun is begun again only where that does no harm; else its outcome is said to be unknown."""
    note = tmp_path / "note"
    before = await start_chat([call("hang", arguments=json.dumps({"note": str(note)}))])
    await before.engine.register_tool(make("hang"))
    turn_id = (await before.admit()).turn_id
    await eventually(note.exists)
    await before.close()

    after = await start_chat(["The end."])
    await after.engine.register_tool(make("hang", idempotent=idempotent))
    await after.engine.recover({"test"})

    async with patience("the turn to end"):
        await after.outcome(turn_id)
    assert note.read_text(encoding="utf-8").count("begun") == 1 + idempotent
    [(_, result)] = after.results(turn_id)
    assert ("again" if idempotent else "Interrupted: whether this took effect is unknown") in result
    assert len(after.of(ToolCallStartedEvent)) == int(idempotent)


@pytest.mark.parametrize("isolation", [None, Isolation(cpu=20)], ids=["here", "process"])
async def test_it_can_have_the_images(start_chat: StartChat, isolation: Isolation | None) -> None:
    """Those that came with the question, wherever the tool runs."""
    chat = await start_chat([call("images"), "Done."])
    await chat.engine.register_tool(contract_tools.images, isolation=isolation)
    command = prompt().model_copy(update={"images": (IMAGE, IMAGE), "attachments": FILES})

    async with patience("the turn to end"):
        await chat.outcome((await chat.bus.execute(command)).unwrap().turn_id)

    assert chat.results() == [(True, "2 images")]
