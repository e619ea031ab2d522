"""The bench of the bot measures a real one on the playground."""

from programs.bench import discord
from programs.bench.tables import busy_table


async def test_every_channel_is_answered_and_measured() -> None:
    """All that the table tells was seen, and no request was over Discord's limits."""
    busy = await discord.measure(channels=3, seconds=3.0, ramp=0.3)

    assert busy.channels == 3
    assert busy.limited == {}
    assert busy.longest_wait > 0
    assert busy.shares > 0
    assert all(middle <= worst for middle, worst in (busy.first_text, busy.final, busy.acknowledged, busy.loop_lag))
    assert busy_table([busy]).row_count == 7
