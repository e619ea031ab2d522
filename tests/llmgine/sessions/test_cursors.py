"""Cursors: up to where a place was looked at."""

from llmgine.sessions import SessionStore


async def test_a_cursor_only_moves_forward(store: SessionStore) -> None:
    """Two readers at once cannot take a cursor back; each place and each front end has its own."""
    assert await store.cursors.of("discord") == {}

    await store.cursors.move("discord", "general", 2**60)
    await store.cursors.move("discord", "general", 5)
    await store.cursors.move("discord", "random", 7)
    await store.cursors.move("other", "general", 9)

    assert await store.cursors.of("discord") == {"general": 2**60, "random": 7}
    assert await store.cursors.of("other") == {"general": 9}
