"""Forgetting a person: what they said, what was answered, and what others have of them, wherever it is stored."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.engine.ask import ask
from llmgine.engine.erasing import TAKEN_AWAY
from llmgine.errors import StoreError
from llmgine.messages.commands import (
    Attachment,
    Author,
    ChangeSettingCommand,
    Material,
    PromptCommand,
    Quote,
    RenameSessionCommand,
    ThreadStart,
)
from llmgine.messages.erasing_commands import ForgetPersonCommand, ForgottenPerson
from llmgine.messages.events import TurnForgottenEvent
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.database import Operation
from llmgine.sessions.personal_data import COLUMNS, Data
from llmgine.settings import Settings
from tests.llmgine.sessions.contents import rows

ADA = Author(id="111111111111111111", name="Ada Lovelace")
AGAIN = ADA.model_copy(update={"name": "Ada"})  # what she is called after she was forgotten
GRACE = Author(id="222222222222222222", name="Grace Hopper")
WORDS = ("engine-of-brass", "Lovelace", "aW1hZ2Ugb2YgYWRh", "title-of-brass", "file-of-brass")  # what is Ada's
OTHERS = "compiler-of-grace"


async def reply(request: ChatRequest, _on_text: Callable[[str], None]) -> ChatReply:
    """Repeat what Ada says; answer others with words of their own."""
    last = request.messages[-1].content
    said = "You said engine-of-brass" if "engine-of-brass" in last and OTHERS not in last else "Yes"
    return ChatReply(text=said, model="m")


@contextlib.asynccontextmanager
async def running(folder: Path, **settings: Any) -> AsyncIterator[ApplicationBootstrap]:
    """An application on the database in a folder, with its log there."""
    given = {"database_url": f"sqlite:///{folder / 'data' / 'test.db'}", "log_dir": folder / "logs", **settings}
    config = ApplicationConfig(settings=Settings(_env_file=None, **given))
    async with ApplicationBootstrap(config, provider=ScriptedProvider(reply)) as app:
        yield app


def prompt(text: str, number: int, author: Author = ADA, session: str = "front:1", **more: Any) -> PromptCommand:
    return PromptCommand(
        **{
            "session_id": session,
            "text": text,
            "source": "front",
            "source_id": f"{session} {number}",
            "author": author,
            "place": "1",
            "guild": 7,
            "session_name": "title-of-brass",
            **more,
        }
    )


async def live_through(app: ApplicationBootstrap, turns: int = 3) -> None:
    """All that is stored of a person: questions, files, images, quotes, mentions, settings, a title, a session."""
    file = Attachment(name="file-of-brass", media_type="text/plain", size=1, text="engine-of-brass")
    image = Attachment(name="x.png", media_type="image/png", size=1, image=0)
    for number in range(turns):
        await ask(app.bus, prompt(f"engine-of-brass {number}", number))
    await ask(
        app.bus,
        prompt("engine-of-brass", 100, attachments=(file, image), images=("data:image/png;base64,aW1hZ2Ugb2YgYWRh",)),
    )
    await ask(app.bus, prompt("engine-of-brass", 0, session=f"front:1:{ADA.id}"))
    mark = f"<@{ADA.id}>"
    quotes = (Quote(author=ADA, text="engine-of-brass"), Quote(author=None, text="You said engine-of-brass"))
    for number, quoted in enumerate(quotes, 200):
        said = prompt(f"{OTHERS} {mark}", number, GRACE, quoted=quoted, mentions={mark: ADA.name})
        await ask(app.bus, said)
    for name, value in (("system_prompt", f"Be kind to {mark}."), (f"approved:roll:{ADA.id}", "always")):
        command = ChangeSettingCommand(scope="front:1", name=name, value=value, changed_by=ADA)
        (await app.bus.execute(command)).unwrap()
    (await app.bus.execute(RenameSessionCommand(session_id="front:1", title="title-of-brass"))).unwrap()


async def point_at_them(app: ApplicationBootstrap, quotes: Sequence[Quote]) -> None:
    """What threads began with and what was forwarded of them, or may be what they were answered, with an image."""
    image = Attachment(name="file-of-brass", media_type="image/png", size=1, image=0)
    data = "data:image/png;base64,aW1hZ2Ugb2YgYWRh"
    for number, quoted in enumerate(quotes, 300):
        forwarded = Material(kind="forwarded", author=quoted.author, text="engine-of-brass", attachments=(image,))
        start = ThreadStart(title="plans", first=quoted.model_copy(update={"material": (forwarded,)}))
        said = prompt(OTHERS, number, GRACE, thread=start, material=(forwarded,), images=(data,))
        await ask(app.bus, said)


async def forget(app: ApplicationBootstrap, person: str = ADA.id) -> ForgottenPerson:
    found: ForgottenPerson = (await app.bus.execute(ForgetPersonCommand(person=person))).unwrap()
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_words(folder: Path, *words: str) -> set[tuple[str, str]]:
    """The files that have one of these words anywhere in their bytes."""
    return {(name, word) for name, data in files(folder).items() for word in words if word.encode() in data}


async def test_none_of_the_words_is_left_in_any_byte(tmp_path: Path) -> None:
    """Neither in the database's file nor in its log, while it runs; nor in the log of events; others' words stay."""
    async with running(tmp_path) as app:
        await live_through(app)
        app.bus.flush_log()
        before = {name for name, _ in with_words(tmp_path, *WORDS[:2])}
        assert {"test.db-wal", "events.jsonl"} <= before

        found = await forget(app)

        # A title is renamed by no author: who did it is not known.
        assert with_words(tmp_path, *WORDS) - {("events.jsonl", "title-of-brass")} == set()
        assert {name for name, _ in with_words(tmp_path, OTHERS)} >= {"test.db", "events.jsonl"}
        assert found == ForgottenPerson(turns=5, files=2, mentions=2)


async def test_what_others_pointed_at_is_erased(tmp_path: Path) -> None:
    """What was forwarded of them and what a thread began with, with images; and what may be of their answers."""
    async with running(tmp_path) as app:
        await ask(app.bus, prompt("engine-of-brass", 0))
        quotes = (Quote(author=ADA, text="engine-of-brass"), Quote(author=None, text="You said engine-of-brass"))
        await point_at_them(app, quotes)
        app.bus.flush_log()

        await forget(app)

        assert with_words(tmp_path, *WORDS) - {("events.jsonl", "title-of-brass")} == set()
        assert {name for name, _ in with_words(tmp_path, OTHERS)} >= {"test.db", "events.jsonl"}


async def test_the_id_is_kept_only_where_it_is_needed(tmp_path: Path) -> None:
    """It is in the list of who was forgotten, also beside the backups, and in what counts for today's limits."""
    async with running(tmp_path) as app:
        await live_through(app)

        await forget(app)

        found = rows(app.config.settings.database_url)
        assert {name for name, table in found.items() if ADA.id in str(table)} == {"forgotten", "spent"}
        log = (tmp_path / "logs" / "events.jsonl").read_text()
        assert ADA.id not in log
        listed = json.loads((tmp_path / "data" / "backups" / "forgotten.json").read_text())
        assert list(listed) == [ADA.id]


async def test_the_id_is_not_logged_while_it_is_erased(tmp_path: Path) -> None:
    """What is logged of the forgetting itself has no id of the person either."""
    async with running(tmp_path) as app:
        await live_through(app)
        await app.store.run(_posted_everywhere, Operation("test.posted"))

        await forget(app)

        await app.bus.wait_until_idle()
        app.bus.flush_log()
        log = (tmp_path / "logs" / "events.jsonl").read_text()
        assert "TurnForgottenEvent" in log
        assert ADA.id not in log


@pytest.mark.parametrize(("scopes", "is_kept"), [(("front:1", "front:server:7"), True), (("front:1",), False)])
async def test_a_turn_that_says_no_server(tmp_path: Path, scopes: tuple[str, ...], is_kept: bool) -> None:
    """Whether others may have spoken is known by the session: in a server their lines stay in the log."""
    async with running(tmp_path) as app:
        await ask(app.bus, prompt("engine-of-brass", 1, guild=None, scopes=scopes))
        await ask(app.bus, prompt(OTHERS, 2, GRACE, guild=None, scopes=scopes))

        await forget(app)

        log = (tmp_path / "logs" / "events.jsonl").read_text()
        assert (OTHERS in log) is is_kept


async def test_other_files_beside_the_log_stay(tmp_path: Path) -> None:
    """A file that the program did not write is left as it is."""
    other = tmp_path / "logs" / "dataset.jsonl"
    async with running(tmp_path) as app:
        await live_through(app, turns=1)
        other.write_text(f'{{"v":1,"author":{{"id":"{ADA.id}"}}}}\n')

        await forget(app)

    assert ADA.id in other.read_text()


async def test_what_is_said_afterwards_stays(tmp_path: Path) -> None:
    """A person who comes back is answered as anybody, and a restart erases nothing of it."""
    async with running(tmp_path) as app:
        await live_through(app)
        await forget(app)
        await ask(app.bus, prompt("hello again", 300, AGAIN, session_name="back"))
    async with running(tmp_path) as app:
        assert not await app.store.people.unfinished()
        turns = await app.store.turns.history("front:1")
        assert [turn.state.prompt.text for turn in turns][-1] == "hello again"
        app.bus.flush_log()
        assert "hello again" in (tmp_path / "logs" / "events.jsonl").read_text()


async def test_a_running_turn_is_stopped_first(tmp_path: Path) -> None:
    """What is being answered ends, and is erased with the rest."""
    asked, never = asyncio.Event(), asyncio.Event()

    async def held(_request: ChatRequest, on_text: Callable[[str], None]) -> ChatReply:
        on_text("You said engine-of-brass")
        asked.set()
        await never.wait()
        raise AssertionError

    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/test.db", log_dir=tmp_path / "logs")
    async with ApplicationBootstrap(ApplicationConfig(settings=settings), provider=ScriptedProvider(held)) as app:
        (await app.bus.execute(prompt("engine-of-brass", 1))).unwrap()
        await asked.wait()

        assert (await forget(app)).turns == 1

        assert await app.store.turns.unfinished("front:1") == []
        assert with_words(tmp_path, *WORDS) == set()


async def test_the_newest_answers_are_taken_away(tmp_path: Path) -> None:
    """As many as is bounded, told by their events; how many stay is said."""
    async with running(tmp_path) as app:
        told: list[TurnForgottenEvent] = []
        app.bus.register_event_handler(TurnForgottenEvent, told.append)
        for number in range(TAKEN_AWAY + 2):
            await ask(app.bus, prompt("engine-of-brass", number))
        await app.store.run(_all_posted, Operation("test.posted"))

        found = await forget(app)

        await app.bus.wait_until_idle()
        assert found.left == 2
        assert len(told) == TAKEN_AWAY
        newest = sorted(event.turn.seq for event in told if event.turn)
        assert newest == list(range(3, TAKEN_AWAY + 3))


def _posted_everywhere() -> Any:
    """Also in a session whose id has the person's in it."""
    yield "UPDATE turn SET posts = 1", ()


def _all_posted() -> Any:
    yield "UPDATE turn SET posts = 1 WHERE session_id = 'front:1'", ()


@pytest.mark.parametrize("failing", ["people.theirs", "turns.forget", "people.erase", "people.erase_elsewhere"])
async def test_what_was_interrupted_is_finished_by_the_next_start(tmp_path: Path, failing: str) -> None:
    """Wherever the store fails or the process ends, the next start continues, and erases nothing said since."""

    @contextlib.asynccontextmanager
    async def fail(operation: Operation) -> AsyncIterator[None]:
        if operation.name == failing:
            raise StoreError("gone")
        yield

    async with running(tmp_path) as app:
        await live_through(app)
        await app.store.run(_all_posted, Operation("test.posted"))
        stop = app.store.observe(fail)
        with pytest.raises(StoreError):
            await forget(app)
        stop()
        await ask(app.bus, prompt("hello again", 300, AGAIN, session_name="back"))
    async with running(tmp_path) as app:
        await finished(app.store)
        app.bus.flush_log()
        assert with_words(tmp_path, *WORDS) - {("events.jsonl", "title-of-brass")} == set()
        last = (await app.store.turns.history("front:1"))[-1]
        assert last.state.prompt.text == "hello again"


async def finished(store: SessionStore) -> None:
    """Wait until nobody is being forgotten."""
    while await store.people.unfinished():  # noqa: ASYNC110  another task does it
        await asyncio.sleep(0.01)


async def test_every_column_is_classified(tmp_path: Path) -> None:
    """A new table or column has to be entered in the registry of personal data before it can be released."""
    async with running(tmp_path) as app:
        found = {}
        for table in await app.store.run(_tables, Operation("test.tables", writes=False)):
            columns = await app.store.run(partial(_columns, table), Operation("test.columns", writes=False))
            found[table] = set(columns)

    assert found == {table: set(columns) for table, columns in COLUMNS.items()}


def _tables() -> Any:
    found = yield "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'", ()
    return [row["name"] for row in found]


def _columns(table: str) -> Any:
    return [row["name"] for row in (yield f"PRAGMA table_info({table})", ())]


async def test_an_id_that_is_no_id_is_refused(tmp_path: Path) -> None:
    """What would be a pattern of everything erases nothing."""
    async with running(tmp_path) as app:
        await live_through(app)

        with pytest.raises(ValueError, match="not a person's id"):
            await forget(app, "%")

        assert len(await app.store.turns.history("front:1")) == 6


async def test_others_are_answered_meanwhile(tmp_path: Path) -> None:
    """No transaction erases more than a portion, so whoever asks in between waits for one of them at most."""
    async with running(tmp_path) as app:
        for number in range(60):
            await ask(app.bus, prompt("engine-of-brass", number))
        portions: list[int] = []

        @contextlib.asynccontextmanager
        async def note(operation: Operation) -> AsyncIterator[None]:
            yield
            if operation.name == "people.erase":
                portions.append(len(operation.about[1]))  # type: ignore[arg-type]  # the ids of turns

        app.store.observe(note)
        await forget(app)

    assert sum(portions) == 60
    assert max(portions) == 20


def test_the_kinds_of_data_are_all_used() -> None:
    """Each kind of the registry is of some column: what no column has needs no rule."""
    assert {kind for columns in COLUMNS.values() for kind in columns.values()} == set(Data)


async def test_twice_at_once(tmp_path: Path) -> None:
    """Asked for twice at once, both get the same answer, and nothing is left."""
    async with running(tmp_path) as app:
        await live_through(app)

        first, second = await asyncio.gather(forget(app), forget(app))

        assert first == second
        assert first.turns == 5
        assert not await app.store.people.unfinished()
        assert (await app.store.people.forgotten())[0].forgotten_at <= now()
