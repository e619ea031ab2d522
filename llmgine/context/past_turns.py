"""Turns as the model sees them: their messages, their size, and how they were sent before."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from llmgine.context.envelope import ImageKey, content_of, needs_envelope
from llmgine.messages.chat_messages import ChatMessage, ResultFile, ToolSchema
from llmgine.messages.steps import PromptStep, ReplyStep
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import Call

_MOST_RATIO = 2.0  # a service that reports more counts something else
_SHORTEST_RESULT = 400  # characters of a tool result that is shortened to fit
_CUT = "\n[… cut: this result is too long for the model's window …]\n"
_LEFT_OUT = "[Left out: the model's service refused it.]"


@dataclass(frozen=True)
class PastTurn:
    """An ended turn as the model sees it, but for its images, of which these are the keys; `prompts` are its own then.

    `messages` is empty for a turn that is not sent again. `shared`: its prompt names its author because several people
    spoke. `outside`: text of others came with it, or may have been in what the model answered. `history_from` and
    `ratio` are what its last reply told: where its history began, and how many tokens the service counted for one of
    ours. `blind_model` is a model that refused images in it; `refused`: the service would not take what was said.
    """

    seq: int
    messages: tuple[ChatMessage, ...]
    tokens: int
    author: str | None = None
    shared: bool = False
    enveloped: bool = False
    history_from: int = 0
    ratio: float | None = None
    turn_id: str = ""
    images: tuple[ImageKey, ...] = ()
    prompts: tuple[PromptStep, ...] = ()
    blind_model: str | None = None
    refused: bool = False
    outside: bool = False


def seen(turn: TurnSteps, *, shared: bool = False) -> PastTurn:
    """A turn as the model sees it, and its size; `shared` is for one that was not sent yet."""
    state = turn.state
    author = state.prompt.author
    pinned = next((reply.enveloped for reply in state.replies if reply.enveloped is not None), None)
    if pinned is None and state.outcome is not None:
        # What was stored before this was noted was sent with its author.
        pinned = state.outcome.enveloped if state.outcome.enveloped is not None else author is not None
    by_itself = state.context is not None or needs_envelope(state.prompts)
    enveloped = by_itself or (shared if pinned is None else pinned)
    messages = tuple(messages_of(turn, enveloped=enveloped))
    images = (
        *((one.turn_id, one.number) for one in state.images_shown_again),
        *(("", number) for number in state.images),
    )
    last = next((reply for reply in reversed(state.replies) if reply.history_from is not None), None)
    return PastTurn(
        seq=turn.turn.seq,
        messages=messages,
        tokens=estimated_tokens(messages),
        author=author.id if author else None,
        shared=enveloped and not by_itself,
        enveloped=enveloped and bool(messages),
        history_from=max((step.history_from or 0 for step in (last, state.outcome) if step is not None), default=0),
        ratio=_ratio(last) if last else None,
        turn_id=turn.turn.id,
        images=images if messages else (),
        prompts=state.prompts if messages and images else (),
        blind_model=next((reply.model for reply in state.replies if "images" in reply.left_out), None),
        refused=state.outcome is not None and state.outcome.refused,
        outside=state.read_outside or any(reply.outside is not False for reply in state.replies),
    )


def estimated_tokens(messages: Sequence[ChatMessage]) -> int:
    """About how many tokens the texts of messages are: a third of the bytes of their JSON, opaque parts included."""
    size = sum(len(message.model_dump_json(exclude={"images"}).encode()) for message in messages)
    return (size + sum(len(json.dumps(message.parts.data)) for message in messages if message.parts)) // 3


def tokens_of_tools(tools: Iterable[ToolSchema]) -> int:
    """About how many tokens the descriptions of tools are."""
    return sum(len(tool.model_dump_json().encode()) for tool in tools) // 3


def messages_of(turn: TurnSteps, *, enveloped: bool | None = None) -> list[ChatMessage]:
    """A turn as the model sees it: always valid, each tool call followed by exactly one result.

    A turn that has ended ends with a message of the assistant. One whose prompt was refused is not sent again; where
    tools ran before, what they gave is left out.
    """
    state = turn.state
    refused = state.outcome is not None and state.outcome.refused
    if refused and not state.replies:
        return []
    if enveloped is None:
        enveloped = state.context is not None or state.prompt.author is not None or needs_envelope(state.prompts)
    messages = [ChatMessage(role="user", content=content_of(state.prompts, enveloped=enveloped))]
    for reply in state.replies:
        text = "" if reply.finish == "filtered" else reply.text  # what was withheld is refused as history, too
        if text or reply.tool_calls:
            messages.append(ChatMessage(role="assistant", content=text, tool_calls=reply.tool_calls, parts=reply.parts))
        for call in reply.tool_calls:
            content = _result_of(state.calls[call.id])
            messages.append(ChatMessage(role="tool", content=_LEFT_OUT if refused else content, tool_call_id=call.id))
    if state.outcome and state.outcome.partial:
        messages.append(ChatMessage(role="assistant", content=state.outcome.partial))
    if state.outcome and (messages[-1].role != "assistant" or messages[-1].tool_calls):
        ended = "I was stopped before I answered" if state.outcome.state == "stopped" else "No answer was given"
        messages.append(ChatMessage(role="assistant", content=f"[{ended}.]"))
    return messages


def _ratio(reply: ReplyStep) -> float | None:
    """How many tokens the service counted for one of ours in the request of a reply; within reason."""
    if reply.usage is None or not reply.usage.input_tokens or not reply.sent_tokens:
        return None
    return min(_MOST_RATIO, max(1.0, reply.usage.input_tokens / reply.sent_tokens))


def fitting(turn: PastTurn, window: int) -> PastTurn:
    """A turn with its longest tool results shortened as far as it takes; what people said stays whole."""
    messages, tokens = list(turn.messages), turn.tokens
    while tokens > window:
        results = [(len(one.content), place) for place, one in enumerate(messages) if one.role == "tool"]
        length, place = max(results, default=(0, 0))
        if length <= _SHORTEST_RESULT + len(_CUT):
            break
        old = messages[place]
        left = max(_SHORTEST_RESULT, min(length // 2, length - 3 * (tokens - window))) // 2
        new = old.model_copy(update={"content": f"{old.content[:left]}{_CUT}{old.content[-left:]}"})
        messages[place] = new
        tokens += estimated_tokens([new]) - estimated_tokens([old])
    return turn if tokens == turn.tokens else replace(turn, messages=tuple(messages), tokens=tokens)


def _files_of(files: Iterable[ResultFile]) -> str:
    """For the model: which files people are given, and which not."""
    kept = [file.name for file in files if file.note is None]
    lost = [file.name for file in files if file.note is not None]
    told = [f"People are given these files with your answer: {', '.join(kept)}."] if kept else []
    told += [f"These files were left out, they are too many or too large: {', '.join(lost)}."] if lost else []
    return f"[{' '.join(told)}]"


def _result_of(call: Call) -> str:
    if call.result is not None:
        files = call.result.files
        return f"{call.result.content}\n{_files_of(files)}" if files else call.result.content
    return "Interrupted: whether this took effect is unknown." if call.started else "Not run: the turn ended first."
