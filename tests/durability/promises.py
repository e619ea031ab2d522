"""What must hold after every run, however often the bot was killed: looked up in the playground, the model's requests
and the database, never asked of the bot.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from programs.playground.entities import Json, Message
from tests.durability.world import ANSWER, HELLO, World

_CALLS = 2  # model calls of an unharmed run
_WORDS_OF_DOUBT = "unknown"


def broken(world: World, *, kills: int) -> list[str]:
    """The promises that do not hold, in words; `kills` is how often the bot was killed."""
    return [
        *_one_outcome(world),
        *_every_part_once(world),
        *_effects(world),
        *_valid_requests(world),
        *_few_calls(world, kills),
        *(f"Discord would refuse: {violation.text}" for violation in world.playground.violations),
    ]


def broken_in_place(world: World, first: Message, *, kills: int) -> list[str]:
    """The same of an answer that was given anew: one word in place of a card and three parts, in their `first` one."""
    shown = [(message.id, message.content.split("\n")[0]) for message in world.shown()]
    return [
        *_one_outcome(world),
        *([] if shown == [(first.id, HELLO)] else [f"shown are {shown}, not {HELLO!r} in {first.id}"]),
        *([] if world.effects("pay") == 1 else ["it was paid again"]),
        *_valid_requests(world),
        *_few_calls(world, kills + 1),
        *(f"Discord would refuse: {violation.text}" for violation in world.playground.violations),
    ]


def _one_outcome(world: World) -> Iterator[str]:
    """I1: every admitted message ends in one outcome."""
    states = world.rows("SELECT state FROM turn")
    if states != [("done",)]:
        yield f"the message's turns are {states}, not one that is done"
    outcomes = [row for row in world.rows("SELECT body FROM step") if json.loads(row[0])["kind"] == "outcome"]
    if len(outcomes) != 1:
        yield f"{len(outcomes)} outcomes are stored"
    if len(world.rows("SELECT * FROM inbox")) != 1:
        yield "the message was not admitted once"


def _every_part_once(world: World) -> Iterator[str]:
    """I2 and I10: every part of the outcome is one message that shows its final body, and there is no other message."""
    parts = world.rows("SELECT kind, round, part, body, message_id FROM delivery WHERE final = 1")
    shown = {str(message.id): message for message in world.shown()}
    for kind, round_, part, body, message_id in parts:
        message = shown.pop(message_id, None)
        wanted = json.loads(body)
        if message is None:
            yield f"{kind}{round_}.{part} is not shown"
        elif "content" in wanted and message.content != wanted["content"].strip():
            yield f"{kind}{round_}.{part} shows {message.content[-40:]!r}, not {wanted['content'][-40:]!r}"
        elif "embed" in wanted and not _shows(message.embeds, wanted["embed"]):
            yield f"{kind}{round_}.{part} shows an old card"
    for message in shown.values():
        yield f"a message too many: {message.content[:40]!r} {message.embeds}"
    text = " ".join(message.content for message in world.shown() if not message.embeds)
    sentences = Counter(re.findall(r"Sentence \S+ says", text))
    if sentences != Counter(re.findall(r"Sentence \S+ says", ANSWER)):
        yield f"the answer is not shown once: {sentences.most_common(3)}"
    order = [int(row[4]) for row in sorted(parts, key=lambda row: (row[1], row[0] != "text", row[2])) if row[4]]
    if order != sorted(order):
        yield "the parts are out of order"


def _shows(embeds: list[Json], wanted: Json) -> bool:
    shown = ("fields", "description", "color")
    return len(embeds) == 1 and all(embeds[0].get(name) == wanted.get(name) for name in shown)


def _effects(world: World) -> Iterator[str]:
    """I3: what must not be repeated takes effect at most once, and what is not known is said."""
    paid = world.effects("pay")
    if paid > 1:
        yield f"it was paid {paid} times"
    if world.effects("look_up") < 1:
        yield "nothing was looked up"
    last = [message["content"] for message in world.model.requests[-1]["messages"] if message["role"] == "tool"]
    told = len(last) == 2 and ("Paid 5." in last[1] or _WORDS_OF_DOUBT in last[1])
    if not told:
        yield f"the model was told {last}"
    if paid == 0 and told and _WORDS_OF_DOUBT not in last[1]:
        yield "it was not paid, and the model was told that it was"
    card = str([message.embeds for message in world.shown() if message.embeds])
    if told and (_WORDS_OF_DOUBT in last[1]) != (_WORDS_OF_DOUBT in card):
        yield "people were not told what the model was told"


def _valid_requests(world: World) -> Iterator[str]:
    """I4: in every request each tool call has exactly one result, and each result its call."""
    for number, request in enumerate(world.model.requests):
        yield from (f"request {number}: {words}" for words in invalid(request["messages"]))


def invalid(messages: list[Json]) -> Iterator[str]:
    """What is wrong with the order of tool calls and their results in a conversation."""
    open_calls: list[Any] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                yield f"a result without a call: {message['tool_call_id']}"
            else:
                open_calls.remove(message["tool_call_id"])
        else:
            if open_calls:
                yield f"calls without a result: {open_calls}"
            open_calls = [call["id"] for call in message.get("tool_calls") or ()]
    if open_calls:
        yield f"calls without a result at the end: {open_calls}"


def _few_calls(world: World, kills: int) -> Iterator[str]:
    """A kill costs at most one more model call."""
    calls = len(world.model.requests)
    if calls > _CALLS + kills:
        yield f"the model was asked {calls} times"
