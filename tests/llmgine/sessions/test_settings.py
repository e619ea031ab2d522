"""Settings of sessions and of the scopes they inherit from."""

import pytest

from llmgine.messages.commands import PromptCommand, RegenerateTurnCommand
from llmgine.sessions import SessionStore
from llmgine.sessions.records import SessionSettings
from tests.llmgine.sessions.examples import DONE

SCOPES = ("channel", "category", "server")


async def inheriting(store: SessionStore) -> None:
    """A session that inherits from the scopes."""
    await store.admit(PromptCommand(session_id="s", text="hello", source="test", source_id="1", scopes=SCOPES))


async def test_without_any_the_defaults_hold(store: SessionStore) -> None:
    """Also for a session that is not there yet."""
    assert await store.session_settings("nobody") == SessionSettings()


@pytest.mark.parametrize("place", range(4))
async def test_the_nearest_holds(store: SessionStore, place: int) -> None:
    """The session's own goes before the channel's, that before the category's, and the server's comes last."""
    await inheriting(store)
    order = ("s", *SCOPES)
    for scope in order[place:]:
        await store.change_setting(scope, "system_prompt", f"of {scope}", None)

    assert (await store.session_settings("s")).system_prompt == f"of {order[place]}"


async def test_what_is_answered_anew_is_told_where_it_is_by_now(store: SessionStore) -> None:
    """With new scopes a session inherits from those; without any, from the ones it had."""
    admitted = await store.admit(
        PromptCommand(session_id="s", text="hello", source="test", source_id="1", scopes=SCOPES)
    )
    await store.change_setting("category", "style", "brief", None)
    await store.change_setting("elsewhere", "style", "detailed", None)
    for scopes, style in ((), "brief"), (("channel", "elsewhere"), "detailed"):
        await store.finish((await store.turn(admitted.turn_id)).turn, "done", [DONE], [])
        await store.regenerate(RegenerateTurnCommand(session_id="s", turn_id=admitted.turn_id, scopes=scopes))

        assert (await store.session_settings("s")).style == style


async def test_taken_away_the_wider_one_holds_again(store: SessionStore) -> None:
    """A setting that is taken away leaves nothing behind."""
    await inheriting(store)
    await store.change_setting("server", "style", "detailed", None)
    await store.change_setting("s", "style", "brief", None)

    await store.change_setting("s", "style", None, None)

    assert (await store.session_settings("s")).style == "detailed"


async def test_a_value_of_another_version_does_not_count(store: SessionStore) -> None:
    """What the program does not understand is passed over, and takes no other setting with it."""
    await inheriting(store)
    await store.change_setting("s", "style", "operatic", None)
    await store.change_setting("s", "unheard_of", "yes", None)
    await store.change_setting("server", "style", "brief", None)
    await store.change_setting("s", "model", "m", None)

    found = await store.session_settings("s")

    assert (found.style, found.model) == ("brief", "m")


@pytest.mark.parametrize(
    ("stored", "tools"), [("all", None), ("", ()), ("a", ("a",)), (" a, b ,,", ("a", "b"))], ids=repr
)
async def test_tools_are_names_in_one_text(store: SessionStore, stored: str, tools: tuple[str, ...] | None) -> None:
    """All, none, or those named; "all" may take back what a wider scope leaves out."""
    await inheriting(store)
    await store.change_setting("server", "tools", "x", None)

    await store.change_setting("s", "tools", stored, None)

    assert (await store.session_settings("s")).tools == tools
