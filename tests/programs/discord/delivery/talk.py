"""Turns as the engine runs them: what each shows while it runs, what it shows in the end, and what is seen of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from pydantic import JsonValue

from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import Turn
from programs.discord.components.custom_ids import Action, button
from programs.discord.delivery.answer import Part
from programs.discord.delivery.bodies import MOST_MESSAGES, Body, plain_form
from programs.discord.delivery.notices import AGAINST_THE_RULES, NOT_TAKEN, WITHOUT_WORDS

# What a turn shows: T a text, C a card, A a card that asks for a decision, F a text with a file.
SHAPES = ("", "T", "T", "TT", "TT", "TTT", "TTTT", "C", "TC", "TCT", "CT", "TTC", "CC")
RUNNING = (*SHAPES, "A", "TA", "TTA")
FINAL = (*SHAPES[1:], "TF", "F", "TCF")  # an outcome always says something
_LONG = "\n\n".join(f"{number} {'word ' * 370}" for number in range(MOST_MESSAGES + 2))


@dataclass(eq=False)
class Talk:
    """One turn, as far as it got.

    Attributes:
        turn: The turn in its present attempt.
        question: The id of the question's message.
        final: The parts of its outcome, once it has one.
        shown: What it shows while it runs.
        taken: How many of its messages people deleted.
    """

    turn: Turn
    question: int
    admitted_at: float
    final: list[Part] | None = None
    shown: list[Part] = field(default_factory=list)
    taken: int = 0

    @property
    def is_forgotten(self) -> bool:
        """Whether nothing of it is to be seen any more."""
        return self.turn.state == "forgotten"


def drawn(turn: Turn, shape: str, version: int, before: list[Part], *, final: bool) -> list[Part]:
    """The parts of a shape; texts that were there before stay as they are, the last one aside."""
    old = dict(before)
    parts: list[Part] = []
    round_, part = 1, 0
    for place, letter in enumerate(shape):
        is_last = place == len(shape) - 1
        number = {"C": 0, "A": 0, "F": MOST_MESSAGES}.get(letter, part)
        key = DeliveryKey(kind="card" if letter in "CA" else "text", round=round_, part=number)
        body = _body(turn, letter, f"{turn.id[-2:]}.{turn.attempt}.{key.kind}.{round_}.{key.part}.{version}")
        kept = old.get(key)
        if kept is not None and not is_last and letter == "T" and "buttons" not in kept:
            body = kept
        if is_last:
            action, label = (Action.REGENERATE, "Regenerate") if final else (Action.STOP, "Stop")
            body = {**body, "buttons": [*_buttons(body), button(action, label, turn)]}
        parts.append(Part(key, body))
        round_, part = (round_ + 1, 0) if letter in "CA" else (round_, part + 1)
    return parts


def is_shown(bodies: list[Body], parts: list[Part], refused: set[DeliveryKey], missing: int) -> bool:
    """Whether messages show the parts in their order.

    Args:
        bodies: The messages from top to bottom.
        parts: The parts.
        refused: Parts that Discord did not take in some form.
        missing: How many messages may be missing because people deleted them.
    """
    return any(_match(bodies, wanted, missing) for wanted in _forms(parts, refused))


def _forms(parts: list[Part], refused: set[DeliveryKey]) -> Iterator[list[tuple[Body, bool]]]:
    """All lists of messages that show the parts, each with whether Discord may have refused it."""
    forms = []
    for key, body in parts:
        is_refused = any(_is_of(key, one) for one in refused)
        plain = plain_form_of(body) if is_refused or "file" in body else [body]
        forms.append([[(one, is_refused) for one in form] for form in ([body], plain)[: 1 + (plain != [body])]])
    for chosen in product(*forms):
        yield [one for form in chosen for one in form]


def _match(bodies: list[Body], wanted: list[tuple[Body, bool]], missing: int) -> bool:
    if not wanted:
        return not bodies
    body, is_refused = wanted[0]
    if (
        bodies
        and (bodies[0] == body or (is_refused and _is_replaced(bodies[0])))
        and _match(bodies[1:], wanted[1:], missing)
    ):
        return True
    return (is_refused and _match(bodies, wanted[1:], missing)) or (
        missing > 0 and _match(bodies, wanted[1:], missing - 1)
    )


def plain_form_of(body: Body) -> list[Body]:
    """The plain form of a body, cut once for each text."""
    if "file" not in body:
        return plain_form(body)
    middle = _cut_file(str(body["content"]))
    rest = {key: value for key, value in body.items() if key != "file"}
    return [*middle[:-1], {**rest, "content": middle[-1]["content"]}]


@cache
def _cut_file(content: str) -> list[Body]:
    return plain_form({"content": content, "file": {"name": "answer.md", "text": _LONG}})


def _is_of(key: DeliveryKey, other: DeliveryKey) -> bool:
    """Whether a key is of a part, or of one of the messages in its plain form."""
    return (key.kind, key.round) == (other.kind, other.round) and other.part >= key.part


def _is_replaced(body: Body) -> bool:
    return str(body.get("content", "")).startswith((str(NOT_TAKEN), str(AGAINST_THE_RULES), WITHOUT_WORDS))


def _buttons(body: Body) -> list[JsonValue]:
    buttons = body.get("buttons")
    return list(buttons) if isinstance(buttons, list) else []


def _body(turn: Turn, letter: str, words: str) -> Body:
    if letter == "T":
        return {"content": words}
    if letter == "F":
        return {"content": words, "file": {"name": "answer.md", "text": _LONG}}
    card: Body = {"embed": {"fields": [{"name": "tool", "value": words}]}}
    return {**card, "buttons": [button(Action.APPROVE, "Approve", turn, place=(1, 0))]} if letter == "A" else card
