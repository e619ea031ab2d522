"""What stands behind an answer: model, tokens, time, and each tool call with all that went in and came out."""

import json
from collections.abc import Mapping

from llmgine.messages.chat_messages import ToolCall, ToolResult, Usage
from llmgine.messages.steps import ReplyStep, TurnStatus
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Language, Text, joined, tr, tr_many
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import Call
from programs.discord.delivery.bodies import TextFile
from programs.discord.delivery.safe_text import code_block, inline_code, small_print

_MAX_CONTENT = 2_000  # of a message
FILE_NAME = "details.md"
_STATES: Mapping[TurnStatus, Text] = {
    "queued": tr("queued"),
    "running": tr("running"),
    "waiting": tr("waiting"),
    "done": tr("done"),
    "failed": tr("failed"),
    "stopped": tr("stopped"),
    "forgotten": tr("forgotten"),
}
_ENDS: Mapping[str, Text] = {  # how a round of the model ended
    "stop": tr("finished"),
    "tool_calls": tr("called tools"),
    "length": tr("cut at the length limit"),
    "filtered": tr("withheld by the service"),
}


def details(steps: TurnSteps, language: Language) -> tuple[str, TextFile | None]:
    """The details of a turn: as a message, or as one with a file when they are long."""
    say = language.say
    replies = steps.state.replies
    calls = [_call(call, steps.state.calls[call.id], language) for reply in replies for call in reply.tool_calls]
    fallback = [small_print(f"🔀 {say(one.fallback.words)}") for one in replies[:1] if one.fallback]
    summary = "\n".join([say(_summary(steps)), *(say(_round(reply)) for reply in replies), *fallback])
    text = "\n".join([summary, *calls])
    if len(text) <= _MAX_CONTENT:
        return text, None
    note = say(tr("The tool calls are in the file, with all arguments and results."))
    return f"{shorten(summary, _MAX_CONTENT - len(note) - 1)}\n{note}", TextFile(FILE_NAME, text)


def _summary(steps: TurnSteps) -> Text:
    usage = steps.state.usage
    facts = [tr("**{state}**", state=_STATES[steps.turn.state])]
    if steps.state.outcome is not None:
        facts.append(tr("{seconds:.1f} s", seconds=steps.state.outcome.seconds))
    facts.append(
        tr(
            "{input} tokens in ({cached} cached), {output} out",
            input=usage.input_tokens,
            cached=usage.cached_tokens,
            output=usage.output_tokens,
        )
    )
    if usage.thinking_tokens:
        facts.append(tr("{tokens} of them thinking", tokens=usage.thinking_tokens))
    facts.append(tr_many("{count} round", "{count} rounds", len(steps.state.replies)))
    if steps.turn.attempt > 1:
        facts.append(tr("attempt {number}", number=steps.turn.attempt))
    return joined(" · ", *facts)


def _round(reply: ReplyStep) -> Text:
    tokens = tr("tokens not known")
    if reply.usage is not None:
        tokens = _tokens(reply.usage)
    return tr(
        "-# Round {number}: {model}, {tokens}, {seconds:.1f} s, {end}",
        number=reply.round + 1,
        model=inline_code(reply.model, 62),
        tokens=tokens,
        seconds=reply.seconds,
        end=_ENDS[reply.finish],
    )


def _tokens(usage: Usage) -> Text:
    sizes = {"input": usage.input_tokens, "output": usage.output_tokens}
    if usage.thinking_tokens:
        return tr("{input} + {output} tokens ({thinking} thinking)", thinking=usage.thinking_tokens, **sizes)
    return tr("{input} + {output} tokens", **sizes)


def _call(call: ToolCall, known: Call, language: Language) -> str:
    result = known.result
    took = language.say(tr(" · {seconds:.1f} s", seconds=known.seconds)) if known.seconds is not None else ""
    state = language.say(tr("no result yet") if result is None else _outcome(result))
    parsed = call.parsed()
    arguments = call.arguments if parsed is None else json.dumps(parsed, indent=1, ensure_ascii=False)
    lines = [f"**{inline_code(call.name, 102)}** · {state}{took}", code_block(arguments, "json")]
    if result is not None:
        lines.append(code_block(result.content if result.shown is None else language.say(result.shown)))
    return "\n".join(lines)


def _outcome(result: ToolResult) -> Text:
    if not result.ok:
        return tr("failed")
    return tr("done") if result.done else tr("not done")
