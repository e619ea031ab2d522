"""Cursors: up to where a place was looked at."""

from llmgine.sessions import SessionStore
from llmgine.sessions.records import Cursor


async def test_a_cursor_only_moves_forward(store: SessionStore) -> None:
    """Two readers at once cannot take a cursor back; each place and each front end has its own."""
    both = ["general", "random"]
    assert await store.cursors.at("discord", both) == {}
    assert await store.cursors.newest("discord") is None

    await store.cursors.move("discord", [Cursor("general", 2**60), Cursor("random", 7)])
    await store.cursors.move("discord", [Cursor("general", 5)])
    await store.cursors.move("other", [Cursor("general", 9)])

    assert await store.cursors.at("discord", both) == {"general": 2**60, "random": 7}
    assert await store.cursors.at("other", both) == {"general": 9}
    assert await store.cursors.newest("discord") == 2**60


async def test_many_cursors_are_one_transaction(store: SessionStore) -> None:
    """Thousands of places are stored at once, and looked up at once."""
    cursors = [Cursor(str(number), number, kind="channel") for number in range(1_234)]

    await store.cursors.move("discord", cursors)

    assert await store.cursors.at("discord", [one.place for one in cursors]) == {
        one.place: one.position for one in cursors
    }


async def test_places_of_a_kind_come_newest_first(store: SessionStore) -> None:
    """A front end finds the places that its service does not list, with what is known of them."""
    thread = Cursor("thread", 3, "thread", "general", 7)
    older, newer = Cursor("grace", 1, "dm"), Cursor("ada", 2, "dm")
    await store.cursors.move("discord", [older, Cursor("general", 9, "channel", None, 7), newer, thread])

    assert await store.cursors.page("discord", "dm", most=5) == [newer, older]
    assert await store.cursors.page("discord", "thread", 7, most=5) == [thread]


async def test_places_come_page_by_page(store: SessionStore) -> None:
    """Each of them once, also of those with one position, as many places have that were seen first at one start."""
    cursors = [Cursor(f"dm{number}", number // 4, "dm") for number in range(10)]
    await store.cursors.move("discord", cursors)
    found: list[Cursor] = []

    while page := await store.cursors.page("discord", "dm", after=found[-1] if found else None, most=3):
        found += page

    assert found == sorted(cursors, key=lambda one: (one.position, one.place), reverse=True)


async def test_a_cursor_of_a_place_that_is_gone_is_deleted(store: SessionStore) -> None:
    """Only that one, and only of its front end."""
    await store.cursors.move("discord", [Cursor("general", 1), Cursor("random", 2)])
    await store.cursors.move("other", [Cursor("general", 3)])

    await store.cursors.forget("discord", "general")

    assert await store.cursors.at("discord", ["general", "random"]) == {"random": 2}
    assert await store.cursors.at("other", ["general"]) == {"general": 3}


async def test_what_becomes_known_of_a_place_is_stored(store: SessionStore) -> None:
    """A cursor that stays where it is takes over what kind of place it is of."""
    await store.cursors.move("discord", [Cursor("ada", 2)])

    await store.cursors.move("discord", [Cursor("ada", 2, "dm")])

    assert await store.cursors.page("discord", "dm", most=5) == [Cursor("ada", 2, "dm")]


async def test_with_a_channel_its_threads_are_gone(store: SessionStore) -> None:
    """Nobody looks for them after the next start, however many there were."""
    threads = [Cursor(f"thread {number}", 1, "thread", "general", 7) for number in range(3)]
    await store.cursors.move("discord", [*threads, Cursor("general", 1, "channel", None, 7)])
    await store.cursors.move("discord", [Cursor("elsewhere", 1, "thread", "random", 7)])

    await store.cursors.forget("discord", "general")

    assert [one.place for one in await store.cursors.page("discord", "thread", 7, most=5)] == ["elsewhere"]
    assert await store.cursors.at("discord", ["general"]) == {}
