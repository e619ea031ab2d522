"""docs/how-a-message-travels.md tells the truth: its tables are made from the code, and its tests exist."""

import inspect
import re
from enum import Enum
from pathlib import Path
from typing import get_args

from programs.discord.components import registry
from programs.discord.delivery.answer import ChannelState, Phase, SlotState
from programs.discord.delivery.request_results import Result
from programs.discord.incoming.feed_items import Item
from programs.discord.incoming.feed_state import FeedState
from tests.documents import check_table

ROOT = Path(__file__).parents[3]
STATES: tuple[type[Enum], ...] = (FeedState, Phase, SlotState, ChannelState)
PAGE = ROOT / "docs" / "how-a-message-travels.md"
SHOWN_BY = re.compile(r"`(tests/[\w/]+\.py)::(?:(\w+)::)?(\w+)`")


def sentences(states: type[Enum]) -> dict[str, str]:
    """The members of an enum, each with the sentence that is written beside it."""
    return dict(re.findall(r"^    ([A-Z_]+) = auto\(\)  # (.+)$", inspect.getsource(states), re.MULTILINE))


def table(head: tuple[str, str], rows: dict[str, str]) -> str:
    return "\n".join(
        [f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in rows.items())]
    )


def tables() -> dict[str, str]:
    """The tables of the page, made from the code."""
    items = {item.__name__: str(item.__doc__).replace("\n", " ") for item in get_args(Item)}
    results = {one.__name__: str(one.__doc__).replace("\n   ", "") for one in get_args(Result)}
    return {
        "feed-states": table(("state", "what the feed is at"), sentences(FeedState)),
        "feed-items": table(("item", "what it says"), items),
        "answer-states": table(("state", "what an answer is at"), sentences(Phase)),
        "slot-states": table(("state", "what a message is at"), sentences(SlotState)),
        "channel-states": table(("state", "what the delivery of a channel is at"), sentences(ChannelState)),
        "results": table(("result", "what it says"), results),
        "presses": registry.table(),
    }


def test_its_tables_are_made_from_the_code() -> None:
    """Every state has its sentence and every item its description."""
    for states in STATES:
        assert set(sentences(states)) == {state.name for state in states}
    for name, made in tables().items():
        check_table("docs/how-a-message-travels.md", name, made)


def test_its_pictures_show_every_state() -> None:
    """Each state is in its diagram, and nothing else is."""
    diagrams = re.findall(r"stateDiagram-v2\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    shown = [set(re.findall(r"\b[A-Z_]{4,}\b", diagram)) for diagram in diagrams]
    assert shown == [{state.name for state in states} for states in (FeedState, Phase)]


def test_the_tests_it_names_exist() -> None:
    """Every promise names a test, and that test is there."""
    page = PAGE.read_text(encoding="utf-8")
    for name in ("promises", "promises-out"):
        promises = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", page, re.DOTALL)
        assert promises is not None
        rows = promises[1].splitlines()[2:]
        assert len(rows) >= 10
        assert [row for row in rows if not SHOWN_BY.search(row)] == []
    for file, group, name in SHOWN_BY.findall(page):
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^ *(?:async )?def {name}\(", source, re.MULTILINE) or re.search(
            rf"^ *class {name}\b|^{name} = ", source, re.MULTILINE
        ), f"{file}::{name}"
        assert not group or re.search(rf"^class {group}\b", source, re.MULTILINE), f"{file}::{group}"


def test_the_files_it_names_exist() -> None:
    """Every path and every file of the incoming side that it names is there."""
    page = PAGE.read_text(encoding="utf-8")
    bot = ROOT / "programs" / "discord"
    folders = [bot, bot / "incoming", bot / "delivery", bot / "components"]
    for name in set(re.findall(r"\b(\w+\.py)\b", re.sub(r"`tests/[^`]*`", "", page))) - {"discord.py"}:
        assert any((folder / name).is_file() for folder in folders), name
    for path in set(re.findall(r"`(programs/[\w/]+)`", page)):
        assert (ROOT / path).exists(), path
