"""Cursors: up to where a place was looked at."""

from llmgine.sessions import SessionStore


async def test_a_cursor_only_moves_forward(store: SessionStore) -> None:
    """Two readers at once cannot take a cursor back; each place and each front end has its own."""
    assert await store.cursors("discord") == {}

    await store.move_cursor("discord", "general", 2**60)
    await store.move_cursor("discord", "general", 5)
    await store.move_cursor("discord", "random", 7)
    await store.move_cursor("other", "general", 9)

    assert await store.cursors("discord") == {"general": 2**60, "random": 7}
    assert await store.cursors("other") == {"general": 9}
