"""Many messages at once; `python -m tests.durability.load` takes the full ten thousand."""

from pathlib import Path

from tests.durability.load import run

_PER_MESSAGE = 40_000  # bytes; measured about half of that


async def test_a_thousand_messages_queued_all_end_in_order(tmp_path: Path) -> None:
    """Written over 200 sessions while the model is silent, all are answered, in order and in bounded memory."""
    load = await run(tmp_path, 1_000, 200)

    assert load.ended == 1_000
    assert load.in_order
    assert load.peak_bytes < 1_000 * _PER_MESSAGE
