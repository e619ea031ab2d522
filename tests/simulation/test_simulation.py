"""The simulation repeats itself, notices what is broken, and finds nothing broken."""

import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest

from programs.playground.entities import BOT_ID
from tests.simulation.entities import Message
from tests.simulation.faults import Fault
from tests.simulation.findings import Findings
from tests.simulation.promises import (
    PROMISES,
    answers_are_in_order,
    answers_are_whole,
    broken,
    deleted_questions_are_withdrawn,
    edits_are_answered,
    effects_happen_once,
    every_message_has_its_place,
    no_error_is_left,
    no_outcome_twice,
    nothing_is_lost,
    nothing_is_owed,
    nothing_is_said_twice,
    signs_are_true,
    the_model_is_quoted,
    what_is_shown_is_final,
)
from tests.simulation.runs import run
from tests.simulation.world import Order, World, prepared

_TURNS = 300
_MANY = ("--seed", "7", "--turns", "160", "--each", "20", "--digest")


def _command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _digests(output: str) -> Sequence[str]:
    return re.findall(r"^run \d+: (.+)$", output, re.MULTILINE)


def test_the_same_seed_is_the_same_run() -> None:
    """Two processes with one seed do the same, down to each commit and request and the rows that are left."""
    first, second = (_digests(_command("--seed", "5", "--turns", "240", "--digest").stdout) for _ in range(2))
    assert len(first) == 4
    assert first == second


def test_a_run_is_the_same_without_those_before_it() -> None:
    """One run can be replayed alone."""
    together = _digests(_command("--seed", "6", "--turns", "180", "--digest").stdout)
    alone = _digests(_command("--seed", "6", "--run", "2", "--digest").stdout)
    assert alone == together[2:]


def test_runs_are_the_same_in_however_many_processes() -> None:
    """How many processes the runs are spread over changes neither what happens in them nor the order of the output."""
    one, three = (
        re.sub(
            r"[\d.,]+ (s:|turns a second|in a second of a core|a second)",
            r"\1",
            _command(*_MANY, "--jobs", jobs).stdout,
        )
        for jobs in ("1", "3")
    )
    assert len(_digests(one)) == 8
    assert one == three


def test_the_promises_are_kept() -> None:
    """Whatever is drawn, every promise is kept."""
    seed = secrets.randbelow(10**9)
    print(f"seed {seed}")  # noqa: T201  # to replay it
    done = _command("--seed", str(seed), "--turns", str(_TURNS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def world() -> World:
    """A world in which nothing went wrong."""
    with prepared():
        return run(Order(1, 1, 24, without=frozenset(Fault)))[0]


def test_without_faults_all_is_well(world: World) -> None:
    """Where nothing goes wrong, no promise is broken."""
    assert broken(world) == []


def test_a_nonce_that_discord_forgets_is_noticed() -> None:
    """Where Discord does not keep its promise about nonces, the promises that rest on it are found broken."""
    only = frozenset({Fault.ERROR_AFTER, Fault.RESET_AFTER})
    with prepared():
        found = [words for number in range(4) for words in run(Order(1, number, 40, only=only, forgetful=True))[1]]
    assert any(words.startswith(("nothing_is_said_twice", "every_message_has_its_place")) for words in found)


def _first_answer(world: World) -> Message:
    return next(message for message in world.server.shown() if "s0." in message.content)


def _lose_an_answer(world: World) -> None:
    for message in [one for one in world.server.shown() if one.channel is _first_answer(world).channel]:
        message.gone = "bot"
        del message.channel.messages[message.id]


def _double_a_message(world: World) -> None:
    first = _first_answer(world)
    double = Message(world.server.new_id(), first.channel, BOT_ID, first.content)
    first.channel.messages[double.id] = double
    world.server.posts.append(double)


def _swap_parts(world: World) -> None:
    found = Findings(world)
    turn = next(turn for turn in found.turns.values() if len(turn.messages(world)) > 1)
    one, other = [part["message_id"] for part in turn.parts if part["message_id"]][:2]
    for old, new in ((one, "0"), (other, one), ("0", other)):
        world.disk.rows("UPDATE delivery SET message_id = ? WHERE message_id = ?", new, old)


def _cut_an_answer(world: World) -> None:
    message = _first_answer(world)
    message.content = re.sub(r"r\d+s0\.", "", message.content, count=1)


def _leave_a_preview(world: World) -> None:
    _first_answer(world).content = "-# 💭 Thinking …"


def _unfinished_part(world: World) -> None:
    world.disk.rows("UPDATE delivery SET final = 0 WHERE message_id = ?", str(_first_answer(world).id))


def _owe(world: World) -> None:
    world.disk.rows("UPDATE delivery SET sent = 0 WHERE message_id = ?", str(_first_answer(world).id))


def _forget_a_deletion(world: World) -> None:
    question = world.people.questions[0]
    question.deleted_at, question.message.gone = 1.0, "person"


def _forget_an_edit(world: World) -> None:
    question = world.people.questions[0]
    question.version, question.edited_at = 1, question.asked_at + 1.0


def _pay_twice(world: World) -> None:
    world.outside.paid["once"] = 2


def _misquote(world: World) -> None:
    number = next(iter(world.outside.replies))
    world.outside.replies[number] = "something else"


def _tell_too_early(world: World) -> None:
    found = Findings(world)
    turn = next(turn for turn in found.turns.values() if turn.parts and turn.questions)
    world.early_signs.append((_first_answer(world), turn.parts[0]))


def _leave_an_error(world: World) -> None:
    world.errors.append("a task ended with an error")


BREAKS = {
    nothing_is_lost: _lose_an_answer,
    nothing_is_said_twice: _double_a_message,
    every_message_has_its_place: _double_a_message,
    no_outcome_twice: _unfinished_part,
    answers_are_in_order: _swap_parts,
    answers_are_whole: _cut_an_answer,
    what_is_shown_is_final: _leave_a_preview,
    nothing_is_owed: _owe,
    deleted_questions_are_withdrawn: _forget_a_deletion,
    edits_are_answered: _forget_an_edit,
    effects_happen_once: _pay_twice,
    the_model_is_quoted: _misquote,
    signs_are_true: _tell_too_early,
    no_error_is_left: _leave_an_error,
}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_broken_promise_is_noticed(promise: Callable[[Findings], object], world: World) -> None:
    """Each promise can be broken, and is then found to be."""
    assert promise.__name__ not in {words.partition(":")[0] for words in broken(world)}
    BREAKS[promise](world)  # type: ignore[index]  # its keys are the promises
    assert promise.__name__ in {words.partition(":")[0] for words in broken(world)}
