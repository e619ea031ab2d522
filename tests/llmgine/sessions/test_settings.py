"""Settings of sessions and of the scopes they inherit from."""

import pytest

from llmgine.messages.commands import PromptCommand, RegenerateTurnCommand
from llmgine.sessions import SessionStore
from llmgine.sessions.records import SessionSettings
from tests.llmgine.sessions.examples import admit, change, claimed, finish

SCOPES = ("channel", "category", "server")


async def inheriting(store: SessionStore) -> None:
    """A session that inherits from the scopes."""
    await admit(store, PromptCommand(session_id="s", text="hello", source="test", source_id="1", scopes=SCOPES))


async def test_without_any_the_defaults_hold(store: SessionStore) -> None:
    """Also for a session that is not there yet."""
    assert await store.settings.of_session("nobody") == SessionSettings()


@pytest.mark.parametrize("place", range(4))
async def test_the_nearest_holds(store: SessionStore, place: int) -> None:
    """The session's own goes before the channel's, that before the category's, and the server's comes last."""
    await inheriting(store)
    order = ("s", *SCOPES)
    for scope in order[place:]:
        await change(store, scope, "system_prompt", f"of {scope}")

    assert (await store.settings.of_session("s")).system_prompt == f"of {order[place]}"


async def test_what_is_answered_anew_is_told_where_it_is_by_now(store: SessionStore) -> None:
    """With new scopes a session inherits from those; without any, from the ones it had."""
    await inheriting(store)
    await change(store, "category", "style", "brief")
    await change(store, "elsewhere", "style", "detailed")
    for scopes, style in ((), "brief"), (("channel", "elsewhere"), "detailed"):
        turn = await claimed(store)
        await finish(store, turn)
        await store.turns.regenerate(RegenerateTurnCommand(session_id="s", turn_id=turn.id, scopes=scopes))

        assert (await store.settings.of_session("s")).style == style


async def test_taken_away_the_wider_one_holds_again(store: SessionStore) -> None:
    """A setting that is taken away leaves nothing behind."""
    await inheriting(store)
    await change(store, "server", "style", "detailed")
    await change(store, "s", "style", "brief")

    await change(store, "s", "style", None)

    assert (await store.settings.of_session("s")).style == "detailed"


async def test_a_value_of_another_version_does_not_count(store: SessionStore) -> None:
    """What the program does not understand is passed over, and takes no other setting with it."""
    await inheriting(store)
    await change(store, "s", "style", "operatic")
    await change(store, "s", "unheard_of", "yes")
    await change(store, "server", "style", "brief")
    await change(store, "s", "model", "m")

    found = await store.settings.of_session("s")

    assert (found.style, found.model) == ("brief", "m")


@pytest.mark.parametrize(
    ("stored", "tools"), [("all", None), ("", ()), ("a", ("a",)), (" a, b ,,", ("a", "b"))], ids=repr
)
async def test_tools_are_names_in_one_text(store: SessionStore, stored: str, tools: tuple[str, ...] | None) -> None:
    """All, none, or those named; "all" may take back what a wider scope leaves out."""
    await inheriting(store)
    await change(store, "server", "tools", "x")

    await change(store, "s", "tools", stored)

    assert (await store.settings.of_session("s")).tools == tools
