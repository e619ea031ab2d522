"""What has to be true after every run: each promise is a function that gives what is wrong, in words.

It is looked up in the simulated Discord, the model's memory and the database, never asked of the bot.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator

from llmgine.sessions.database import Row
from programs.discord.delivery.bodies import plain_form
from programs.discord.delivery.notices import MISSED, is_notice
from tests.simulation.bodies import is_replaced, is_shown_as, words_of
from tests.simulation.entities import Message
from tests.simulation.findings import Findings, Turn
from tests.simulation.model import QUESTION, SENTENCE
from tests.simulation.people import Question
from tests.simulation.world import World

_REFUSED = "⚠️ I couldn't process this: "
_SEEN_SECONDS = 3_500.0  # how old a question is at most when the bot looks whether it was changed
_LOOKED_SECONDS = 400.0  # in which a bot has looked at every place, though Discord may be away meanwhile
_ENDED = ("done", "failed", "stopped")
_UNFINISHED = ("-# 💭", "-# ✏️", "-# ⏳")  # how texts begin that stand only while something is under way


def _said(message: Message) -> list[str]:
    """The sentences of the model in a message; a file has all of an answer once more, so it does not count."""
    return [found[0] for found in SENTENCE.finditer(message.content)]


def nothing_is_lost(found: Findings) -> Iterator[str]:
    """Every question that can still be seen has an outcome that can be seen, or its asker was told why not."""
    for question in found.world.people.questions:
        if question.message.gone is None and not _is_answered(found, question) and not _was_for_what_is_gone(question):
            turn = found.by_question.get(question.message.id)
            yield f"q{question.number} has no outcome: {'no turn' if turn is None else f'{turn.id} is {turn.state}'}"


def _was_for_what_is_gone(question: Question) -> bool:
    """Whether only a reply said that it is for the bot, and what it replies to is gone: nobody can tell any more."""
    replied_to = question.message.replies_to
    return replied_to is not None and replied_to.gone is not None


def _is_answered(found: Findings, question: Question) -> bool:
    world, turn = found.world, found.by_question.get(question.message.id)
    channel = question.message.channel
    # What a person deleted was told all the same.
    ours = [one for one in world.server.posts if one.channel is channel and one.replies_to and one.gone != "bot"]
    if any(one.replies_to is question.message and one.content.startswith(_REFUSED) for one in ours):
        return True
    if any(one.content == str(MISSED) and one.replies_to and one.replies_to.id >= question.message.id for one in ours):
        return True
    if turn is None and any(
        one.id >= question.message.id and "❌" in one.reactions for one in channel.messages.values()
    ):
        return True  # it was missed where the bot may not write
    if turn is not None and turn.state == "forgotten" and turn.id in world.people.presses.undone:
        return True
    if turn is None or turn.state not in _ENDED:
        return False
    posted = [one for one in world.server.posts if turn.id in found.of_message[one.id] or _is_deleted(one, turn)]
    return bool(turn.messages(world)) or any(one.gone == "person" for one in posted)


def _is_deleted(message: Message, turn: Turn) -> bool:
    """Whether it is a message that a person deleted where the turn is answered: it may have been the turn's."""
    return message.gone == "person" and message.channel.id == turn.channel_id


def nothing_is_said_twice(found: Findings) -> Iterator[str]:
    """No sentence of the model can be seen twice."""
    shown = Counter(sentence for message in found.world.server.shown() for sentence in _said(message))
    for sentence, count in shown.items():
        if count > 1:
            yield f"{sentence!r} is shown {count} times"


def every_message_has_its_place(found: Findings) -> Iterator[str]:
    """Every message of the bot's is a part of one outcome, or a notice; none was left behind."""
    for message in found.world.server.shown():
        owners = set(found.of_message[message.id])
        if len(owners) > 1:
            yield f"{message.id} is a part of {sorted(owners)}"
        if not owners and not _is_notice(found, message):
            yield f"{message.id} is left behind: {message.content[:60]!r}"


def _is_notice(found: Findings, message: Message) -> bool:
    """Whether it is no part of an answer: a notice, or what the channel is told of a press."""
    about_a_press = message.nonce in found.world.people.presses.ids
    return about_a_press or is_notice(message.content) or message.content.startswith(_REFUSED)


def no_outcome_twice(found: Findings) -> Iterator[str]:
    """No two parts of an outcome stand in one message, and no old part is left; a file in messages is no old part."""
    for turn in found.turns.values():
        ids = [part["message_id"] for part in turn.parts if part["message_id"]]
        if len(ids) != len(set(ids)):
            yield f"{turn.id} has two parts in one message"
        for part in turn.parts:
            channel = found.world.server.channels[turn.channel_id]
            message = channel.messages.get(int(part["message_id"] or 0))
            if message is not None and not part["final"] and not _continues_a_file(turn, part, message):
                yield f"{turn.id} still shows a part that is none: {part['kind']} {part['round']}.{part['part']}"


def _continues_a_file(turn: Turn, part: Row, message: Message) -> bool:
    """Whether it shows what a file of the outcome would hold, where no file could be sent: that may take several."""
    for one in turn.parts:
        forms = plain_form(json.loads(one["body"])) if one["final"] else []
        further = part["part"] - one["part"]
        same_round = (one["kind"], one["round"]) == (part["kind"], part["round"])
        if same_round and 0 < further < len(forms) and message.content.strip() == words_of(forms[further]):
            return True
    return False


def answers_are_in_order(found: Findings) -> Iterator[str]:
    """The messages of an outcome stand in the order of its parts."""
    for turn in found.turns.values():
        ids = [message.id for message in turn.messages(found.world)]
        if ids != sorted(ids):
            yield f"{turn.id} is out of order: {ids}"


def answers_are_whole(found: Findings) -> Iterator[str]:
    """What can be seen of an answer is all that the model said, in its order, unless a person or a rule took a part."""
    for turn in found.turns.values():
        if turn.state not in _ENDED or not turn.parts:
            continue
        messages = turn.messages(found.world)
        shown = _read(messages)
        said = _found(turn.text)
        if shown == said or (turn.unsure and shown == _found(turn.text.removesuffix(turn.unsure))):
            continue
        is_cut = any(is_replaced(one.content) for one in messages)
        rest = iter(said)
        in_order = all(sentence in rest for sentence in shown)
        if in_order and (is_cut or _lost_a_message(found, turn)):
            continue
        yield f"{turn.id} ({turn.state}) shows {_ends(shown)} of {_ends(said)}"


def _read(messages: list[Message]) -> list[str]:
    """The sentences that somebody reads in these messages; a file has all that the messages before it show."""
    shown: list[str] = []
    for message in messages:
        shown += _said(message)
        for _, text in message.files:
            whole = _found(text)
            begin = next((place for place, one in enumerate(shown) if one in whole), len(shown))
            rest = iter(whole)
            if all(one in rest for one in shown[begin:]):  # a message of them may be missing
                shown[begin:] = whole
    return shown


def _found(text: str) -> list[str]:
    return [one[0] for one in SENTENCE.finditer(text)]


def _ends(sentences: list[str]) -> str:
    return f"{len(sentences)}: {' … '.join(sentences[:1] + sentences[-1:])}"


def _lost_a_message(found: Findings, turn: Turn) -> bool:
    """Whether a person deleted a message of the turn's, or the channel that it was in."""
    if found.world.server.channels[turn.channel_id].gone:
        return True
    return any(_is_deleted(message, turn) for message in found.world.server.posts)


def what_is_shown_is_final(found: Findings) -> Iterator[str]:
    """Every part shows what is stored as its last body, and no preview is left."""
    for turn in found.turns.values():
        channel = found.world.server.channels[turn.channel_id]
        for part in turn.parts:
            message = channel.messages.get(int(part["message_id"] or 0))
            if message is None or not part["final"]:
                continue
            body = json.loads(part["body"])
            content = body.get("content")
            if message.content.startswith(_UNFINISHED) and not str(content).startswith(_UNFINISHED):
                yield f"{turn.id} still shows {message.content[:40]!r}"
            elif content is not None and not is_shown_as(message.content, body):
                yield f"{turn.id} shows {message.content[:60]!r}… in place of {str(content)[:60]!r}…"


def nothing_is_owed(found: Findings) -> Iterator[str]:
    """Every turn has ended, and all that was to be shown is shown, or was given up for good."""
    for turn in found.turns.values():
        if turn.state not in (*_ENDED, "forgotten"):
            yield f"{turn.id} is still {turn.state}"
    for row in found.world.disk.rows("SELECT * FROM delivery WHERE sent = 0"):
        turn = found.turns[row["turn_id"]]
        gone = " of a channel that is gone" if found.world.server.channels[turn.channel_id].gone else ""
        yield f"{turn.id} owes {row['kind']} {row['round']}.{row['part']}{gone}"


def deleted_questions_are_withdrawn(found: Findings) -> Iterator[str]:
    """Where all questions of a turn were deleted, nothing is left of it."""
    asked = found.world.people.questions
    deleted = {one.message.id for one in asked if one.deleted_at and not _is_out_of_sight(found, one, one.deleted_at)}
    for turn in found.turns.values():
        if turn.questions and deleted.issuperset(turn.questions) and turn.state != "forgotten":
            gone = found.world.server.channels[turn.channel_id].gone
            if not gone:
                yield f"{turn.id} is {turn.state}, though its question was deleted"
        elif turn.state == "forgotten" and turn.messages(found.world):
            yield f"{turn.id} is forgotten and still shown"


def _is_out_of_sight(found: Findings, question: Question, changed_at: float) -> bool:
    """Whether no life was long enough to look for the change while the question was young: only such are looked at."""
    world = found.world
    for began in world.gateway.began_at:
        ended = next(death for death in world.deaths if death > began)
        since = max(began, changed_at)
        if ended - since >= _LOOKED_SECONDS:
            return since + _LOOKED_SECONDS - question.asked_at > _SEEN_SECONDS
    return True


def edits_are_answered(found: Findings) -> Iterator[str]:
    """An answer is to what the question said in the end."""
    for question in found.world.people.questions:
        turn = found.by_question.get(question.message.id)
        if question.message.gone is not None or turn is None or turn.state not in _ENDED or not question.version:
            continue
        if question.message.channel.gone or _is_out_of_sight(found, question, question.edited_at or 0.0):
            continue
        steps = found.world.disk.rows("SELECT body FROM step WHERE turn_id = ? AND attempt = ?", turn.id, turn.attempt)
        prompts = "".join(row["body"] for row in steps if json.loads(row["body"])["kind"] == "prompt")
        versions = {int(one[2]) for one in QUESTION.finditer(prompts) if int(one[1]) == question.number}
        if versions != {question.version}:
            yield f"q{question.number}v{question.version} is answered as {versions} in {turn.id}"


def effects_happen_once(found: Findings) -> Iterator[str]:
    """A tool that must not be repeated took effect once for each call at most."""
    for key, count in found.world.outside.paid.items():
        if count > 1:
            yield f"{key} was paid {count} times"


def the_model_is_quoted(found: Findings) -> Iterator[str]:
    """What is stored as the model's reply is what it gave."""
    given = found.world.outside.replies
    for row in found.world.disk.rows("SELECT body FROM step"):
        body = json.loads(row["body"])
        number = re.search(r"r(\d+)s", body["text"]) if body["kind"] == "reply" else None
        if number is not None and given.get(int(number[1])) != body["text"].strip():
            yield f"r{number[1]} is stored as {body['text'][:40]!r}"


def signs_are_true(found: Findings) -> Iterator[str]:
    """A question gets its ✅ once all parts of the answer can be seen, unless a person or a rule took one."""
    for message, part in found.world.early_signs:
        lost = any(_is_deleted(one, found.turns[part["turn_id"]]) for one in found.world.server.posts)
        posted = [one for one in found.world.server.posts if str(one.id) == part["message_id"]]
        refused = any(is_replaced(one.content) for one in posted)
        if not lost and not refused:
            yield f"{message.id} had ✅ before its {part['kind']} {part['round']}.{part['part']} was shown"


def no_error_is_left(found: Findings) -> Iterator[str]:
    """No task ended with an error nobody retrieved, and nothing was logged that nobody foresaw."""
    yield from dict.fromkeys(found.world.errors)


PROMISES: tuple[Callable[[Findings], Iterator[str]], ...] = (
    nothing_is_lost,
    nothing_is_said_twice,
    every_message_has_its_place,
    no_outcome_twice,
    answers_are_in_order,
    answers_are_whole,
    what_is_shown_is_final,
    nothing_is_owed,
    deleted_questions_are_withdrawn,
    edits_are_answered,
    effects_happen_once,
    the_model_is_quoted,
    signs_are_true,
    no_error_is_left,
)


def broken(world: World) -> list[str]:
    """The promises that are broken, in words."""
    found = Findings(world)
    return [f"{promise.__name__}: {words}" for promise in PROMISES for words in promise(found)]
