"""A secret that people say or the model writes is in nothing that is stored, told, sent or shown."""

import asyncio
import json
from pathlib import Path

import pytest

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import (
    Attachment,
    ChangeSettingCommand,
    EditPromptCommand,
    Quote,
    RenameSessionCommand,
    SetSystemPromptCommand,
    StopTurnCommand,
)
from llmgine.messages.events import AnswerProgressEvent
from llmgine.observability.redaction import REDACTED
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import ScriptedProvider
from tests.llmgine.engine.chat import ADA, Chat, OnText, prompt
from tests.llmgine.engine.conftest import StartChat

KEY = "sk" + "-proj-" + "aB3d5F" * 8


async def note(text: str) -> str:
    """Note something.

    Args:
        text: What.
    """
    return f"noted {text}"


async def seen(chat: Chat, path: Path) -> str:
    """All that was told and is stored."""
    told = "".join(event.model_dump_json() for event in chat.events)
    return told + await asyncio.to_thread(_stored, path)


def _stored(path: Path) -> str:
    return "".join(file.read_bytes().decode(errors="replace") for file in path.iterdir() if file.is_file())


async def test_what_people_say(tmp_path: Path, start_chat: StartChat) -> None:
    """Texts, quotes, files and names go to the model without it; the prompt says that it was removed."""
    provider = ScriptedProvider(["ok", "ok"])
    chat = await start_chat(provider)
    file = Attachment(name=f"{KEY}.txt", media_type="text/plain", size=1, text=f"key={KEY}")
    said = prompt(f"is {KEY} good?", author=ADA).model_copy(
        update={"quoted": Quote(author=None, text=KEY), "attachments": (file,), "mentions": {"<@1>": f"Eve {KEY}"}}
    )
    turn_id = (await chat.bus.execute(said)).unwrap().turn_id
    await chat.outcome(turn_id)
    other = await chat.say("and now?", author=ADA)

    assert (await chat.store.turns.get(turn_id)).state.prompt.redacted
    assert not (await chat.store.turns.get(other.turn_id)).state.prompt.redacted
    sent = provider.requests[0].messages[-1].content
    assert sent.count(REDACTED) == 5
    assert KEY not in await seen(chat, tmp_path)


async def test_what_people_edit_and_set(tmp_path: Path, start_chat: StartChat) -> None:
    """An edited message, a title, a system prompt, a setting."""
    chat = await start_chat(["ok", "ok"])
    first = prompt("hello", author=ADA)
    turn_id = (await chat.bus.execute(first)).unwrap().turn_id
    await chat.outcome(turn_id)
    for command in (
        EditPromptCommand(session_id="s", turn_id=turn_id, source_id=first.source_id, version=1, text=f"use {KEY}"),
        RenameSessionCommand(session_id="s", title=KEY),
        SetSystemPromptCommand(session_id="s", system_prompt=f"The key is {KEY}"),
        ChangeSettingCommand(scope="s", name="note", value=KEY),
    ):
        answered = (await chat.bus.execute(command)).unwrap()
    assert answered == REDACTED  # what a front end tells of a setting
    await chat.told(type(await chat.outcome(turn_id)), turn_id, times=2)

    assert (await chat.store.turns.get(turn_id)).state.prompt.redacted
    assert (await chat.store.sessions.get("s")).title == REDACTED
    assert KEY not in await seen(chat, tmp_path)


async def test_what_the_model_writes(tmp_path: Path, start_chat: StartChat) -> None:
    """Its text, the arguments of its calls and its titles; a tool gets what people were shown."""
    calls = ChatReply(
        text=f"I use {KEY}.",
        tool_calls=(ToolCall(name="note", arguments=json.dumps({"text": KEY})),),
        finish="tool_calls",
        model="m",
    )
    provider = ScriptedProvider([calls, f"It is {KEY}.", f"About {KEY}"])
    chat = await start_chat(provider, titles=True)
    await chat.engine.register_tool(note)
    finished = await chat.say()
    while (await chat.store.sessions.get("s")).title is None:
        await chat._told.wait()
        chat._told.clear()

    assert finished.text == f"It is {REDACTED}."
    assert chat.results() == [(True, f"noted {REDACTED}")]
    assert KEY not in str(provider.requests)
    assert KEY not in await seen(chat, tmp_path)


@pytest.mark.parametrize("size", [1, 5, 17])
async def test_a_streamed_secret_is_never_told(tmp_path: Path, start_chat: StartChat, size: int) -> None:
    """However it is cut into pieces, and also where the answer is stopped in the middle of it."""
    pieces = [KEY[at : at + size] for at in range(0, len(KEY), size)]
    told: list[str] = []

    async def stream(request: ChatRequest, on_text: OnText) -> ChatReply:
        on_text("It is ")
        for piece in pieces[:-1]:
            on_text(piece)
            await chat.told(AnswerProgressEvent, times=len(told) + 1)
            told.append(piece)
        await chat.bus.execute(StopTurnCommand(session_id="s"))
        raise AssertionError("it was stopped")

    chat = await start_chat(stream)
    finished = await chat.say()

    assert finished.state == "stopped"
    assert KEY[:14] not in await seen(chat, tmp_path)
