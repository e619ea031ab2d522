"""What stands behind an answer: model, tokens, time, and each tool call with all that went in and came out."""

import json

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.steps import ReplyStep
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import Call
from programs.discord.delivery.bodies import TextFile

_MAX_CONTENT = 2_000  # of a message
FILE_NAME = "details.md"


def details(steps: TurnSteps, round_: int | None = None) -> tuple[str, TextFile | None]:
    """The details of a turn or of one of its rounds: as a message, or as one with a file when they are long."""
    replies = [reply for reply in steps.state.replies if round_ in (None, reply.round)]
    calls = [_call(call, steps.state.calls[call.id]) for reply in replies for call in reply.tool_calls]
    summary = "\n".join([_summary(steps), *(_round(reply) for reply in replies)])
    text = "\n".join([summary, *calls])
    if len(text) <= _MAX_CONTENT:
        return text, None
    note = "\nThe tool calls are in the file, with all arguments and results."
    return shorten(summary, _MAX_CONTENT - len(note)) + note, TextFile(FILE_NAME, text)


def _summary(steps: TurnSteps) -> str:
    usage = steps.state.usage
    facts = [f"**{steps.turn.state}**"]
    if steps.state.outcome is not None:
        facts.append(f"{steps.state.outcome.seconds:.1f} s")
    facts.append(f"{usage.input_tokens:,} tokens in ({usage.cached_tokens:,} cached), {usage.output_tokens:,} out")
    count = len(steps.state.replies)
    facts.append(f"{count} {'round' if count == 1 else 'rounds'}")
    if steps.turn.attempt > 1:
        facts.append(f"attempt {steps.turn.attempt}")
    return " · ".join(facts)


def _round(reply: ReplyStep) -> str:
    usage = reply.usage
    tokens = f"{usage.input_tokens:,} + {usage.output_tokens:,} tokens" if usage else "tokens not told"
    model = collapse_spaces(reply.model).replace("`", "ˋ")
    return f"-# Round {reply.round + 1}: `{shorten(model, 60)}`, {tokens}, {reply.seconds:.1f} s, {reply.finish}"


def _call(call: ToolCall, known: Call) -> str:
    result = known.result
    name = collapse_spaces(call.name).replace("`", "ˋ")
    took = f" · {known.seconds:.1f} s" if known.seconds is not None else ""
    state = "no result yet" if result is None else "done" if result.ok else "failed"
    parsed = call.parsed()
    arguments = call.arguments if parsed is None else json.dumps(parsed, indent=1, ensure_ascii=False)
    lines = [f"**`{shorten(name, 100)}`** · {state}{took}", _block(arguments, "json")]
    if result is not None:
        lines.append(_block(result.content))
    return "\n".join(lines)


def _block(text: str, language: str = "") -> str:
    """Foreign text as a code block that it cannot end."""
    return f"```{language}\n{text.replace('```', 'ˋˋˋ')}\n```"
