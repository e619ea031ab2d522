"""The bench of quiet channels measures a real bot: they have no tasks, and few reads."""

from programs.bench import quiet
from programs.bench.tables import READS_A_SECOND, one_busy_table


async def test_an_idle_feed_has_no_task() -> None:
    """A bot in many quiet channels has as many tasks as one in a single channel."""
    idle = await quiet.measure_idle(30)

    assert idle.tasks == 0
    assert idle.megabytes > 0


async def test_the_busy_channel_is_measured_and_the_quiet_ones_are_rarely_read() -> None:
    """All questions are answered; one read each is of what was written before it, the others are the rotation's."""
    busy = await quiet.measure_one_busy(quiet=5, seconds=2.0, pause=0.5, talk=3)

    assert (busy.questions, busy.talk) == (4, 12)
    rotation = 1 + busy.seconds * READS_A_SECOND  # one more as the seconds may begin between two looks
    assert busy.reads <= 1 + busy.questions + rotation
    assert busy.limited == 0
    assert 0 < busy.first_text[0] <= busy.first_text[1]
    assert one_busy_table(busy).row_count == 4
