"""A store that is copied: all of it, once, in either direction, and only where nothing is lost by it."""

import re
import secrets

import pytest

from llmgine.errors import ConfigurationError, LLMgineError, StoreError, UserError
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.schema import MIGRATIONS
from programs.store import copying
from programs.store.copying import Copied, Progress, copy
from programs.store.ends import TABLES, Source, Target, next_batch
from tests.llmgine.sessions.data.old import dump, write_old
from tests.programs.store.conftest import ENGINES, New, change, file_of, read, rows, run, silent

NOW = len(MIGRATIONS)


async def test_every_table_is_copied(new: New) -> None:
    """Whatever table a migration makes is one that is copied."""
    url = new("sqlite")
    await (await open_store(url)).close()

    made = {name for (name,) in await read(url, "SELECT name FROM sqlite_master WHERE type = 'table'")}

    assert made == {*TABLES, "schema_version"}


@pytest.mark.parametrize("target", ENGINES)
@pytest.mark.parametrize("source", ENGINES, indirect=True)
async def test_every_value_is_the_same(source: str, target: str, new: New) -> None:
    """Each row of each table is in the target as it is in the source, whatever the engines, and the source stays."""
    before, url = await rows(source), new(target)

    copied = await copy(source, url, silent)

    assert all(before.values()), "there is something in each table"
    assert await rows(url) == before
    assert await rows(source) == before
    assert (copied.rows, copied.found, copied.cleaned, copied.used) == (
        {table: len(found) for table, found in before.items()},
        0,
        0,
        False,
    )


@pytest.mark.parametrize("target", ENGINES)
async def test_a_copy_is_used_like_its_source(source: str, target: str, new: New) -> None:
    """The store opens the copy, finds the conversations in it, and admits the next message at its place."""
    url = new(target)
    await copy(source, url, silent)

    before, after = await open_store(source), await open_store(url)
    try:
        for (session_id,) in await read(source, "SELECT id FROM session"):
            expected = await before.turns.history(str(session_id))
            assert await after.turns.history(str(session_id)) == expected
            assert await after.turns.unfinished(str(session_id)) == await before.turns.unfinished(str(session_id))
    finally:
        await before.close()
        await after.close()


@pytest.mark.parametrize("target", ENGINES)
async def test_a_target_that_is_not_empty_is_refused(source: str, target: str, new: New) -> None:
    """What is stored somewhere is not mixed with something else, and stays as it is."""
    url = new(target)
    store = await open_store(url)
    await store.sessions.ensure("s", 1)
    await store.close()
    before = await rows(url)

    with pytest.raises(UserError, match="is not empty: its table session has rows"):
        await copy(source, url, silent)

    assert await rows(url) == before


@pytest.mark.parametrize("source", ENGINES, indirect=True)
async def test_a_source_in_use_is_refused(source: str, new: New) -> None:
    """While a program has the source open nothing is copied; when it has ended all is."""
    url = new("sqlite")
    store = await open_store(source)
    try:
        with pytest.raises(UserError, match=r"A program is using .*: stop the bot and all terminal chats"):
            await copy(source, url, silent)
        assert not file_of(url).exists()
    finally:
        await store.close()

    await copy(source, url, silent)


@pytest.mark.parametrize("source", ENGINES, indirect=True)
async def test_a_program_that_starts_meanwhile_is_told_of(
    source: str, new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is copied is the source as it was at first; that a program was started on it since is said."""
    url, before = new("sqlite"), await rows(source)
    stores: list[SessionStore] = []
    copy_tables = copying._copy_tables

    async def while_a_program_writes(source_end: Source, target: Target, progress: Progress) -> Copied:
        stores.append(await open_store(source))
        await stores[0].sessions.ensure("later", 1)
        return await copy_tables(source_end, target, progress)

    monkeypatch.setattr(copying, "_copy_tables", while_a_program_writes)
    try:
        copied = await copy(source, url, silent)
    finally:
        await stores[0].close()

    assert copied.used
    assert await rows(url) == before


async def test_an_older_source_is_refused(new: New) -> None:
    """A source of an older schema is not changed by a copy: a sentence says how it is updated."""
    source, url = new("sqlite"), new("postgres")
    write_old(file_of(source))
    before = dump(file_of(source))

    with pytest.raises(
        UserError,
        match=rf"older version \(schema {NOW - 1}, this program has {NOW}\): start the bot or the terminal",
    ):
        await copy(source, url, silent)

    assert dump(file_of(source)) == before
    assert await read(url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE schema_version SET version = 999", "newer version"),
        ("UPDATE schema_version SET version = -version", "is itself an unfinished copy"),
        ("DROP TABLE schema_version", "There is no store in"),
    ],
)
async def test_what_is_no_store_of_this_version_is_refused(source: str, new: New, statement: str, said: str) -> None:
    """A newer store, an unfinished copy and any other database are not copied."""
    await change(source, statement)

    with pytest.raises(UserError, match=said):
        await copy(source, new("sqlite"), silent)


async def test_a_store_is_not_copied_to_itself(source: str) -> None:
    """Two ways to write one address are one database."""
    same = f"sqlite:///{file_of(source).parent / '..' / file_of(source).parent.name / file_of(source).name}"

    with pytest.raises(UserError, match="are the same database"):
        await copy(source, same, silent)


async def test_a_source_that_is_not_there_is_not_made(new: New) -> None:
    """A mistyped address makes no empty database."""
    url = new("sqlite")

    with pytest.raises(ConfigurationError, match="There is no database at"):
        await copy(url, new("postgres"), silent)

    assert not file_of(url).exists()


@pytest.mark.parametrize("where", [0, 3 * 4096])
async def test_a_damaged_source_is_a_sentence(source: str, new: New, where: int) -> None:
    """A file that is damaged, at its beginning or in a table, ends the copy with one line and exit code 1."""
    file = file_of(source)
    data = bytearray(file.read_bytes())
    data[where : where + 8192] = secrets.token_bytes(8192)
    file.write_bytes(data)

    code, _, err = await run("copy", source, new("postgres"))

    assert code == 1
    assert re.fullmatch(rf"error: sqlite:///{file}: [^\n]+", err.strip().splitlines()[-1])
    assert "Traceback" not in err


async def test_a_target_that_is_no_database_is_a_sentence(source: str, new: New) -> None:
    """A file that is something else is refused, and left as it is."""
    url = new("sqlite")
    file_of(url).parent.mkdir()
    file_of(url).write_text("Dear diary, " * 1_000)

    with pytest.raises(ConfigurationError, match="is not a usable SQLite database: file is not a database"):
        await copy(source, url, silent)

    assert file_of(url).read_text().startswith("Dear diary")


async def test_what_no_database_stores_is_left_out(source: str, new: New) -> None:
    """NUL characters, which old versions stored in SQLite, are left out, and it is said in how many texts."""
    await change(source, "UPDATE setting SET value = 'a' || char(0) || 'b' || char(0)")
    url = new("postgres")

    copied = await copy(source, url, silent)

    assert copied.cleaned == len(await read(source, "SELECT 1 FROM setting"))
    assert {value for (value,) in await read(url, "SELECT value FROM setting")} == {"ab"}


async def test_a_password_is_not_said(source: str, new: New) -> None:
    """Neither in what is reported nor in what is stored of a copy is a user's password."""
    url = new("postgres").replace("postgres@", "postgres:hunter2@")
    outputs = [await run("copy", source, url), await run("copy", url, new("sqlite")), await run("copy", source, url)]

    assert [code for code, *_ in outputs] == [0, 0, 1]
    assert "hunter2" not in str(outputs)
    with pytest.raises(LLMgineError) as refused:
        await copy(url.replace("/test_", "/nowhere_"), new("sqlite"), silent)
    assert "hunter2" not in str(refused.value)


async def test_the_report(source: str, new: New) -> None:
    """The counts of all tables and what was done are said in words, the progress apart from them."""
    found = await rows(source)
    total = sum(map(len, found.values()))

    code, out, err = await run("copy", source, new("postgres"))

    assert code == 0
    lines = out.splitlines()
    assert [line.split() for line in lines[:-1]] == [[table, f"{len(found[table]):,}"] for table in TABLES]
    assert re.fullmatch(rf"Copied and compared: {total:,} rows in \d+ s\.", lines[-1])
    assert "copying turn" in err
    assert "comparing turn" in err


async def test_help_says_how() -> None:
    """Both levels of --help say what a copy needs."""
    assert "copy one store to another" in (await run("--help"))[1]
    code, out, _ = await run("copy", "--help")
    assert code == 0
    assert "run the same command again to continue it" in " ".join(out.split())


def test_large_rows_are_read_few_at_a_time() -> None:
    """Rows are read in more and more at a time, but a few where each has millions of characters."""
    small, large = ("id", 1, "x" * 100), ("id", 1, "x" * 3_000_000)

    assert next_batch([small] * 100) == 200
    assert next_batch([small] * 5_000) == 5_000
    assert next_batch([small] * 99 + [large]) == 2
    assert next_batch([("x" * 90_000_000,)]) == 1


async def test_an_unfinished_copy_is_not_opened(source: str, new: New) -> None:
    """No program works on half a store: it says that the copy is to be finished."""
    url = new("sqlite")
    await copy(source, url, silent)
    await change(url, "UPDATE schema_version SET version = -version")

    with pytest.raises(StoreError, match="unfinished copy of another one: finish it with"):
        await open_store(url)
