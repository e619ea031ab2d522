"""How a turn looks in Discord: its parts, drawn from its committed steps and the text that is streaming in.

The same function draws a turn while it runs and once it has ended, so nothing jumps at the end: first what was heard
in voice messages, then per round its text and its tool card; a notice last.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from llmgine.messages.chat_messages import Usage
from llmgine.messages.commands import Attachment
from llmgine.messages.deliveries import Delivery, DeliveryKey
from llmgine.messages.events import ModelRetryEvent
from llmgine.messages.pointed_at import files_of
from llmgine.messages.steps import Fallback, LeftOut
from llmgine.messages.translatable import Language, Text, joined, tr
from llmgine.messages.visible_text import visible_line
from llmgine.sessions.limits import RESETS_AT
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import CallState
from programs.application import LEFT_OUT
from programs.demo_model import MODEL as DEMO_MODEL
from programs.discord.components.button_layout import of_ended, of_running, with_buttons
from programs.discord.components.custom_ids import Action, button
from programs.discord.delivery.bodies import FILE_NOTE, Body, bodies_of, preview_of
from programs.discord.delivery.cards import card, has_card, used, waiting_words
from programs.discord.delivery.lengths import shortened, units
from programs.discord.delivery.result_files import files_parts, left_out
from programs.discord.delivery.safe_text import MOST_ADDED, safe_message, small_print
from programs.discord.delivery.sources import sources
from programs.discord.delivery.splitting import LIMIT
from programs.discord.delivery.transcripts import transcripts
from programs.discord.translation import language_of_turn

# A service's words and a model's name may have any length; text and footer must fit into one message.
_MAX_NOTICE = 1_500  # UTF-16 units
_MAX_REASON = 200
_MAX_MODEL = 60
_MAX_CONTENT = 2_000  # of a message
_MAX_FILE_NAME = 60

AGAIN = tr("-# ✏️ Answering again …")
REDACTED_NOTICE = tr(
    "Your message has a password or key in it. I removed it from what I store and what the model reads. "
    "Delete your message, and replace the key: others may have seen it."
)


@dataclass(frozen=True)
class Live:
    """What is not committed yet: the text of the round that is being written, or why there is none yet.

    A status that is a courtesy is shown when nothing else is to be requested of Discord.
    """

    round: int
    text: str = ""
    status: Text | str = ""
    is_courtesy: bool = False


def render(steps: TurnSteps, live: Live | None = None) -> list[tuple[DeliveryKey, Body]]:
    """The parts of a turn, in the order they are shown; the last one carries the buttons of the whole."""
    language = _language(steps)
    note = language.say(FILE_NOTE)
    heard = transcripts(steps.state.prompts, language)
    parts: list[tuple[DeliveryKey, Body]] = [(_key("transcript", 0), {"content": heard})] if heard else []
    for reply in steps.state.replies:
        parts += _texts(reply.round, bodies_of(reply.text, note))
        if has_card(steps, reply):
            parts.append((_key("card", reply.round), card(steps, reply)))
        parts += files_parts(steps, reply)
    next_round = len(steps.state.replies)
    if steps.state.outcome is not None:
        partial = _texts(next_round, bodies_of(steps.state.outcome.partial, note))
        parts = _with_outcome(steps, parts + partial, next_round)
    elif live is not None and live.round == next_round:
        parts += _texts(live.round, preview_of(live.text) or _status(live, language))
    if parts:
        key, body = parts[-1]
        parts[-1] = key, with_buttons(body, of_ended(steps) if steps.state.outcome else of_running(steps))
    return parts


def _status(live: Live, language: Language) -> list[Body]:
    """The message of a status in small print, if there is one."""
    status = small_print(language.say(live.status)) if live.status else ""
    return [{"content": status, **({"courtesy": True} if live.is_courtesy else {})}] if status else []


def thinking_status(round_: int, seconds: int) -> Live:
    """What is shown while the model has given no text for so many seconds; never what it thinks."""
    return Live(round_, status=tr("-# 💭 Thinking … {seconds} s", seconds=seconds), is_courtesy=True)


def render_deliveries(steps: TurnSteps) -> list[Delivery]:
    """The parts of an ended turn as they are stored."""
    return [
        Delivery(turn_id=steps.turn.id, attempt=steps.turn.attempt, key=key, body=body) for key, body in render(steps)
    ]


def _key(kind: Literal["transcript", "text", "card", "notice", "queue"], round_: int, part: int = 0) -> DeliveryKey:
    return DeliveryKey(kind=kind, round=round_, part=part)


def _texts(round_: int, bodies: list[Body]) -> list[tuple[DeliveryKey, Body]]:
    return [(_key("text", round_, part), body) for part, body in enumerate(bodies)]


def _with_outcome(
    steps: TurnSteps,
    parts: list[tuple[DeliveryKey, Body]],
    round_: int,
) -> list[tuple[DeliveryKey, Body]]:
    """The parts with the notice, if there is one, and the footer under the last text."""
    outcome = steps.state.outcome
    notice = (outcome.notice_text or outcome.notice) if outcome else None
    if notice is not None:
        said = safe_message(shortened(_language(steps).say(notice), _MAX_NOTICE)) + _reset(notice)
        sign = "⏹️" if outcome and outcome.state == "stopped" else "⚠️"
        parts = [
            *parts,
            (_key("notice", round_), {"content": f"{sign} {said}"}),
        ]
    small_print = "\n".join(line for line in _small_print(steps) if line)
    parts = _with_small_print(parts, small_print, _key("notice", round_, 1))
    parts = _with_small_print(parts, sources(steps.state.sources, _language(steps)), _key("notice", round_, 2))
    if not parts:  # quiet about its tools, and it said nothing
        parts = [(_key("notice", round_), {"content": ""})]
    if "content" in parts[-1][1]:
        key, body = parts[-1]
        last = footer(steps)
        tools = used(steps, _MAX_CONTENT - units(str(body["content"])) - units(last) - 2)
        content = "\n".join(line for line in (str(body["content"]), tools, last) if line)
        parts = [*parts[:-1], (key, {**body, "content": content})]
    return parts


def waiting_notice(steps: TurnSteps) -> tuple[DeliveryKey, Body] | None:
    """What those are told whose questions wait behind a call that waits for approval; None where none does."""
    state = steps.state
    for reply in state.replies:
        for part, call in enumerate(reply.tool_calls):
            known = state.calls[call.id]
            if known.state is CallState.WAITING and known.waiting is not None:
                say = _language(steps).say
                words = waiting_words(call, known.waiting, state.prompt.author)
                return _key("queue", reply.round, part), {
                    "content": small_print(
                        say(tr("-# ✋ {words} Later questions are answered after that.", words=words))
                    ),
                    "buttons": [button(Action.SKIP, say(tr("Skip")), steps.turn)],
                }
    return None


def _with_small_print(
    parts: list[tuple[DeliveryKey, Body]], lines: str, key: DeliveryKey
) -> list[tuple[DeliveryKey, Body]]:
    """The parts with lines under the last text, or below it where there is no room for them."""
    if not lines:
        return parts
    last = parts[-1][1] if parts else {}
    text = f"{last.get('content', '')}\n{lines}"
    if "content" in last and units(text) <= LIMIT + MOST_ADDED:
        return [*parts[:-1], (parts[-1][0], {**last, "content": text})]
    return [*parts, (key, {"content": lines})]


def footer(steps: TurnSteps) -> str:
    """The line in small print: model, tokens, time."""
    facts: list[Text | str] = []
    if steps.state.replies:
        model = steps.state.replies[-1].model
        facts.append(tr("offline demo model") if model == DEMO_MODEL else visible_line(model, _MAX_MODEL))
    usage = steps.state.usage
    if usage.input_tokens or usage.output_tokens:
        facts.append(_tokens(usage))
    if steps.state.outcome:
        facts.append(tr("{seconds:.1f} s", seconds=steps.state.outcome.seconds))
    return small_print(_language(steps).say(joined(" · ", *facts)))


def _tokens(usage: Usage) -> Text:
    tokens, thinking = usage.input_tokens + usage.output_tokens, usage.thinking_tokens
    if thinking:
        return tr("{tokens} tokens ({thinking} thinking)", tokens=tokens, thinking=thinking)
    return tr("{tokens} tokens", tokens=tokens)


def _redacted(steps: TurnSteps) -> str:
    """In small print: that a secret was said, and what to do."""
    return f"-# 🔑 {_language(steps).say(REDACTED_NOTICE)}" if any(one.redacted for one in steps.state.prompts) else ""


def _unread(steps: TurnSteps) -> str:
    """In small print: what the model did not see of the files that came with the question."""
    told: list[Text | str] = [
        _noted(one) for prompt in steps.state.prompts for one in files_of(prompt) if one.note is not None
    ]
    told += left_out(steps)
    if "images" in _left_out(steps):
        told.append(Text(id=LEFT_OUT["images"]))
    said = _language(steps).say(joined(" · ", *told))
    return small_print(f"📎 {shortened(said, _MAX_NOTICE)}") if told else ""


def _noted(file: Attachment) -> Text:
    """What became of a file, with its name; of earlier versions, as they stored it for the model."""
    name = visible_line(file.name, _MAX_FILE_NAME).replace("`", "ˋ")
    return tr("`{name}` {note}", name=name, note=file.note_text or f"({file.note})")


def _went_without(steps: TurnSteps) -> str:
    """In small print: what else the model was not given, each once, however many rounds the turn had."""
    told = [Text(id=words) for name, words in LEFT_OUT.items() if name in _left_out(steps) - {"images"}]
    return f"-# ℹ️ {_language(steps).say(joined(' · ', *told))}" if told else ""


def _fallback(steps: TurnSteps) -> str:
    """In small print: which model answered in place of another, and why."""
    of_outcome = steps.state.outcome.fallback if steps.state.outcome else None
    found = (*(reply.fallback for reply in steps.state.replies), of_outcome)
    words = next((one.words for one in found if one is not None), None)
    return "" if words is None else small_print(f"🔀 {shortened(_language(steps).say(words), _MAX_NOTICE)}")


def _small_print(steps: TurnSteps) -> Iterator[str]:
    """What stands under the last text, each in a line; empty where there is nothing to say."""
    yield from (_redacted(steps), _unread(steps), _went_without(steps), _fallback(steps))
    for warning in steps.state.outcome.warnings if steps.state.outcome else ():
        yield small_print(f"📊 {_language(steps).say(warning)}") + _reset(warning)


def _reset(words: Text | str) -> str:
    """When a limit resets that a text is about, as Discord shows it to everybody in their own time; else nothing."""
    at = words.values.get(RESETS_AT) if isinstance(words, Text) else None
    return f" (<t:{at}:R>)" if isinstance(at, int) else ""


def _language(steps: TurnSteps) -> Language:
    """The language of a turn, which is kept with it, so that it never changes for it."""
    return language_of_turn(steps.turn)


def _left_out(steps: TurnSteps) -> set[LeftOut]:
    return {one for reply in steps.state.replies for one in reply.left_out}


def falling_back(fallback: Fallback, round_: int) -> Live:
    """What is shown while a model is asked in place of another, in small print."""
    named = {"model": visible_line(fallback.model, _MAX_MODEL), "first": visible_line(fallback.first, _MAX_MODEL)}
    return Live(round_, status=tr("-# 🔀 {first} failed, asking {model} …", **named))


def retrying(event: ModelRetryEvent) -> Live:
    """What is shown while the model is waited for, in small print."""
    seconds = math.ceil(event.wait_seconds)
    wait = tr("retrying in {seconds} s", seconds=seconds)
    if event.tries is not None:
        wait = tr(
            "retrying in {seconds} s, try {number} of {tries}",
            seconds=seconds,
            number=event.next_try,
            tries=event.tries,
        )
    return Live(
        event.round,
        status=tr(
            "-# ⏳ {reason} ({wait})",
            reason=event.reason_text or visible_line(event.reason, _MAX_REASON),
            wait=wait,
        ),
    )
