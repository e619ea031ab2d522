"""The registry of what people press: it is whole, every entry has its gates, and nothing is made beside it."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from programs.discord.components.button_press import ButtonPress
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.registry import REGISTRY, Gate, table
from programs.discord.components.router import ComponentRouter
from programs.discord.permissions.rates import Rates
from tests.programs.discord.scene import Scene

ROOT = Path(__file__).parents[3]
BOT = ROOT / "programs" / "discord"
MAKERS = {"components/views.py", "components/router.py"}  # who may make what people press
_ASKS = {Gate.ASKER, Gate.WRITING, Gate.LISTENING, Gate.ROLE, Gate.RATE}
GATES: Mapping[Action, set[Gate]] = {
    Action.STOP: {Gate.ASKER},
    Action.SKIP: {Gate.ASKER},
    Action.REGENERATE: _ASKS,
    Action.RETRY: _ASKS,
    Action.CONTINUE: _ASKS,
    Action.UNDO: {Gate.ASKER},
    Action.DETAILS: {Gate.ASKER, Gate.HISTORY},
    Action.APPROVE: {Gate.ASKER},
    Action.ALWAYS: {Gate.ASKER},
    Action.DENY: {Gate.ASKER},
    Action.REASON: {Gate.ASKER},
    Action.BECAUSE: {Gate.ASKER},
    Action.AGAIN: _ASKS,
    Action.ASK: _ASKS - {Gate.ASKER} | {Gate.HISTORY},
    Action.CLEAR: {Gate.MODERATOR},
    Action.KEEP: {Gate.ANYONE},
    Action.SYSTEM: {Gate.SETTER},
    Action.LESSONS_FORGET: {Gate.SERVER_MODERATOR},
    Action.FORGET_ME: {Gate.ANYONE},
    Action.FORGET_NOT: {Gate.ANYONE},
    Action.SESSION_OPEN: {Gate.READER},
    Action.SESSION_PAGE: {Gate.ANYONE},
    Action.SESSION_OLDER: {Gate.ANYONE},
    Action.SESSION_NEWER: {Gate.ANYONE},
    Action.SESSION_RESUME: {Gate.MODERATOR, Gate.READER},
    Action.SESSION_MARKDOWN: {Gate.READER},
    Action.SESSION_JSON: {Gate.READER},
    Action.SESSION_RENAME: {Gate.RENAMER},
    Action.SESSION_TITLE: {Gate.RENAMER},
}
# As messages have them that were posted long ago: they never change.
OLD_IDS = (
    "lg:stop:0123456789abcdef:1",
    "lg:skip:0123456789abcdef:1",
    "lg:regenerate:0123456789abcdef",
    "lg:retry:0123456789abcdef:2",
    "lg:continue:0123456789abcdef:1",
    "lg:undo:0123456789abcdef:1",
    "lg:details:0123456789abcdef:1:0.0",
    "lg:approve:0123456789abcdef:1:0.2",
    "lg:always:0123456789abcdef:1:0.2",
    "lg:deny:0123456789abcdef:1:0.2",
    "lg:reason:0123456789abcdef:1:0.2",
    "lg:because:0123456789abcdef:1:0.2",
    "lg:again:0123456789abcdef:1:0.2",
    "lg:form:ask:1234567890123456789",
    "lg:clear:yes",
    "lg:clear:no",
    "lg:form:system:here",
    "lg:press:lessons:forget",
    "lg:press:forget:me",
    "lg:press:forget:no",
    "lg:press:session:open",
    "lg:press:session:page:-1",
    "lg:press:session:resume:discord:1234567890123456789",
    "lg:press:session:markdown:discord:1234567890123456789:1234567890123456789",
    "lg:press:session:json:discord:1234567890123456789/0a1b2c3d",
    "lg:press:session:rename:discord:1234567890123456789",
    "lg:form:rename:discord:1234567890123456789",
    "lg:press:session:older:1732860000000000.1234567890123456789:1234567890123456789/0a1b2c3d",
    "lg:press:session:newer:1732860000000000.",
)


def test_every_entry_has_its_gates() -> None:
    """All that can be pressed, and who may: a change of it is a change of this table too."""
    assert {action: set(entry.gates) for action, entry in REGISTRY.items()} == GATES
    assert set(REGISTRY) == set(Action)


def test_what_asks_the_model_is_let_through_as_a_message_is() -> None:
    """Whatever is about /listen is about /roles and the right to write too, and the other way round."""
    answered = {Gate.WRITING, Gate.LISTENING, Gate.ROLE}

    assert [action for action, entry in REGISTRY.items() if answered & set(entry.gates) not in (set(), answered)] == []


def test_the_table_shows_every_entry() -> None:
    """The documents' table has a row for each, with what it does and who may."""
    _head, _line, *rows = table().splitlines()

    assert len(rows) == len(REGISTRY)
    for row, entry in zip(rows, REGISTRY.values(), strict=True):
        assert all(words in row for words in (entry.name, entry.does, *(gate.value for gate in entry.gates)))


@pytest.mark.parametrize("old", OLD_IDS)
def test_ids_of_older_versions_keep_their_meaning(old: str) -> None:
    """What was posted once is understood for ever, and written in the same way."""
    found = ComponentId.read(old)

    assert found is not None
    assert str(found) == old
    assert OLD_IDS.index(old) == list(Action).index(found.action)


async def test_every_entry_has_its_handler(scene: Scene) -> None:
    """A router that would leave a press unanswered cannot be made."""

    async def handle(_press: ButtonPress) -> None:
        return

    with pytest.raises(ValueError, match="stop"):
        ComponentRouter(
            scene.app.store, {action: handle for action in REGISTRY if action is not Action.STOP}, Rates(0, tuple)
        )


def makings(path: Path) -> Iterator[str]:
    """Where a module makes a component, a view or a form: by a call, a decorator, or a class of its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        made: list[ast.expr] = []
        if isinstance(node, ast.Call):
            made = [node.func]
        elif isinstance(node, ast.ClassDef):
            made = node.bases
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            made = [ast.Name(f"{node.module}.{alias.name}") for alias in node.names]
        for one in made:
            words = ast.unparse(one)
            if words.startswith("discord.ui") and not words.startswith("discord.ui.View.from_message"):
                yield f"{path.relative_to(BOT).as_posix()}:{getattr(node, 'lineno', 0)} {words}"


def test_nothing_is_made_beside_the_registry() -> None:
    """Components, views and forms are made in one module only, which takes an action for each."""
    found = [made for path in sorted(BOT.rglob("*.py")) for made in makings(path)]

    assert [made for made in found if made.split(":")[0] in MAKERS] != []
    assert [made for made in found if made.split(":")[0] not in MAKERS] == []


def test_no_custom_id_is_written_beside_the_registry() -> None:
    """The prefix of our custom ids is in one module, so that each id is made of an action."""
    holding = [path.name for path in sorted(BOT.rglob("*.py")) if '"lg:' in path.read_text(encoding="utf-8")]

    assert holding == ["custom_ids.py"]
