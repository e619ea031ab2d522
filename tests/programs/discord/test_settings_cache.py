"""The settings of channels are read once, and read again when somebody has changed one."""

import ast
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from llmgine.messages.commands import Author
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions import operations as operations_of_the_store
from llmgine.sessions.clock import now
from llmgine.sessions.database import Operation
from programs.discord.channel_settings import Channels
from programs.discord.ids import Kind, Place
from programs.playground.entities import GENERAL_ID, RANDOM_ID
from tests.programs.discord.scene import Scene
from tests.programs.discord.test_settings import set_here
from tests.waiting import eventually

PLACE = Place(Kind.CHANNEL, 1, category_id=2, guild_id=3)


class Channel:
    """As much of a channel as a place is made of."""

    def __init__(self, place: Place) -> None:
        self.id, self.category_id, self.guild_id = place.channel_id, place.category_id, place.guild_id


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[tuple[SessionStore, SessionStore]]:
    """The same database, opened by two processes as it were."""
    async with contextlib.AsyncExitStack() as stack:
        found = [await open_store(f"sqlite:///{tmp_path}/test.db") for _ in range(2)]
        for store in found:
            stack.push_async_callback(store.close)
        yield found[0], found[1]


@contextlib.contextmanager
def operations(store: SessionStore) -> Iterator[list[str]]:
    """The names of the operations that a store runs inside the block."""
    names: list[str] = []

    @contextlib.asynccontextmanager
    async def note(operation: Operation) -> AsyncIterator[None]:
        names.append(operation.name)
        yield

    end = store.observe(note)
    yield names
    end()


async def test_settings_are_read_once(stores: tuple[SessionStore, SessionStore]) -> None:
    """What is known of a place is not read again, and each place has settings of its own."""
    channels = Channels(stores[0])
    with operations(stores[0]) as names:
        for _ in range(3):
            assert (await channels.settings(Channel(PLACE))).listen == "mention"
        assert names == ["settings.of"]
        await channels.settings(Channel(Place(Kind.CHANNEL, 9, guild_id=3)))
        assert names == ["settings.of", "settings.of"]


@pytest.mark.parametrize("scope", ["discord:1", "discord:category:2", "discord:server:3"])
@pytest.mark.parametrize("writer", [0, 1], ids=["this process", "another process"])
async def test_a_change_is_seen(stores: tuple[SessionStore, SessionStore], scope: str, writer: int) -> None:
    """A setting that is made or taken away in any scope holds at once, and within half a second of another process."""
    channels = Channels(stores[0])
    await channels.settings(Channel(PLACE))

    for value, listen in (("off", "off"), (None, "mention")):
        await stores[writer].settings.change(scope, "listen", value, Author(id="1", name="Ada"), now())
        if writer:
            await stores[0].version()  # as it is asked four times a second, while anything runs
        assert (await channels.settings(Channel(PLACE))).listen == listen


async def test_without_a_look_at_others_nothing_is_known(
    stores: tuple[SessionStore, SessionStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When for half a second nobody looked at what other processes wrote, nothing is taken as known."""
    channels = Channels(stores[0])
    await channels.settings(Channel(PLACE))
    place = Place.of(Channel(PLACE))
    assert channels.known(place) is not None

    monkeypatch.setattr("llmgine.sessions.store._FRESH", 0.0)

    assert channels.known(place) is None


async def test_every_operation_that_writes_settings_is_announced() -> None:
    """Whoever knows settings drops what it knows when an operation is announced, of this process or another."""
    folder = Path(operations_of_the_store.__file__).parent
    functions = [
        (path.stem, node)
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and _writes_settings(ast.unparse(node))
    ]

    marks = {f"{stem}.{node.name}": [ast.unparse(one) for one in node.decorator_list] for stem, node in functions}
    assert {name: marked for name, marked in marks.items() if marked not in ([], ["announced"])} == {}
    assert sum(marked == ["announced"] for marked in marks.values()) >= 5, marks


def _writes_settings(source: str) -> bool:
    return any(
        words in source for words in ("INTO setting", "DELETE FROM setting", "change_setting(", "_approve_always(")
    )


async def test_talk_costs_no_transaction_and_no_event(scene: Scene) -> None:
    """In a channel that is known, what people say to each other reaches neither the store nor the bus."""
    await scene.bot.caught_up()
    scene.say("hello Grace")
    scene.ask("and you?")
    await scene.outcome()
    await scene.bot.all_delivered()
    events: list[object] = []
    scene.app.bus.register_event_handler(object, events.append)  # type: ignore[type-var]  # whatever there is
    with operations(scene.app.store) as names:
        for number in range(20):
            heard = scene.bot.wait_for("message")
            scene.say(f"talk {number}")
            await heard
        assert names == []


async def test_a_setting_from_the_terminal_holds_for_the_next_message(scene: Scene) -> None:
    """What another process sets is obeyed by the bot a moment later, for talk that it had known to be none of its."""
    await scene.bot.caught_up()
    scene.say("hello Grace")
    scene.ask("and you?")
    await scene.outcome()
    other = await open_store(scene.app.config.settings.database_url)
    await other.settings.change(f"discord:{GENERAL_ID}", "listen", "always", None, now())
    await other.close()
    version = scene.app.store.settings_version
    await eventually(lambda: scene.app.store.settings_version != version)

    scene.say("and all of you?")

    await scene.outcome(2)


async def test_talk_elsewhere_is_not_mixed_up(scene: Scene) -> None:
    """A channel that answers everything and one that answers nothing, side by side."""
    await scene.bot.caught_up()
    await set_here(scene, "listen", "always")
    await set_here(scene, "listen", "off", channel=RANDOM_ID)

    scene.ask("not here", channel=RANDOM_ID)
    scene.say("here")

    await scene.outcome()
    await scene.bot.all_delivered()
    assert scene.outcomes(RANDOM_ID) == []
