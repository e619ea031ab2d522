"""The bench of drawing measures every kind of text, and all of them stay under the bound."""

from programs.bench.draws import draws
from programs.bench.tables import draws_table


def test_every_text_is_drawn_in_time() -> None:
    """64,000 characters of anything: less than 20 ms of CPU a draw."""
    drawn = draws()

    assert [draw.name for draw in drawn] == ["brackets", "prose", "fences", "emoji", "lines"]
    assert all(0 < draw.growing < 20 and 0 < draw.whole < 20 for draw in drawn)
    assert draws_table(drawn).row_count == len(drawn)
