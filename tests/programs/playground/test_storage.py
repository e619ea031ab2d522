"""The data file: what survives a restart, and what else may be there."""

import asyncio
import json
import re
import stat
from pathlib import Path

import pytest

from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    TEXT_CHANNELS_ID,
    ChannelType,
    Flag,
    Message,
    Permission,
)
from programs.playground.forms import ThreadChanges
from programs.playground.posting import Upload
from programs.playground.server import Playground
from programs.playground.storage import InUseError, Saved
from tests.waiting import patience


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Messages with all that hangs on them, threads, DMs, people, roles, overwrites and commands are as they were."""
    path = tmp_path / "data" / "playground.json"
    async with Playground(data=path, people=["Linus"]) as first:
        sent = first.people.send(
            GENERAL_ID, ADA_ID, f"<@{BOT_ID}> ▌\ud7ff 🎈", uploads=(Upload(0, "a.bin", b"\x00\xff"),)
        )
        first.people.react(GENERAL_ID, sent.id, GRACE_ID, "👍")
        thread = first.people.create_thread(GENERAL_ID, ADA_ID, "topic", message_id=sent.id)
        first.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True))
        first.people.send(first.people.open_dm(GRACE_ID).id, GRACE_ID, "psst")
        first.admin.give_roles(
            GRACE_ID, first.admin.add_role("Helpers", Permission.KICK_MEMBERS | Permission.MANAGE_GUILD)
        )
        first.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.EMBED_LINKS | Permission.ATTACH_FILES)
        first.admin.add_channel("questions", ChannelType.FORUM, category_id=first.admin.add_category("Help").id)
        first.admin.leave(first.admin.join("Margaret"))
        first.state.commands[7] = {"id": "7", "name": "c", "type": 1, "options": [{"min_value": 0.5}]}

    async with Playground(data=path, people=["Linus"]) as second:
        for name in ("guild", "users", "members", "roles", "channels", "commands", "attachments"):
            assert getattr(second.state, name) == getattr(first.state, name), name
        assert second.people.send(GENERAL_ID, ADA_ID, "on we go").id > max(first.state.channels[GENERAL_ID].messages)


async def test_a_file_from_before_categories_is_read(tmp_path: Path) -> None:
    """Where a file has no category its channels are in none, and they can be put into a new one."""
    path = tmp_path / "playground.json"
    async with Playground(data=path) as first:
        first.people.send(GENERAL_ID, ADA_ID, "long ago")
    saved = json.loads(path.read_text())
    del saved["channels"][str(TEXT_CHANNELS_ID)]
    for channel in saved["channels"].values():
        channel["parent_id"] = None
    path.write_text(json.dumps(saved))

    async with Playground(data=path) as second:
        general = second.state.channels[GENERAL_ID]
        assert [message.content for message in general.messages.values()] == ["long ago"]
        assert (general.parent_id, TEXT_CHANNELS_ID in second.state.channels) == (None, False)
        second.admin.move_channel(GENERAL_ID, second.admin.add_category("New").id)


async def test_changes_are_written_while_it_runs(tmp_path: Path) -> None:
    """Whoever kills the playground finds what was said a moment before."""
    path = tmp_path / "playground.json"
    async with Playground(data=path) as playground:
        playground.people.send(GENERAL_ID, ADA_ID, "remember me")
        async with patience("the file"):
            while not path.exists():
                await asyncio.to_thread(path.exists)

        saved = Saved.model_validate_json(path.read_bytes())
        assert [one.content for one in saved.channels[GENERAL_ID].messages.values()] == ["remember me"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert sorted(names(tmp_path)) == [path.name, f"{path.name}.lock"]


async def test_nothing_is_written_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a data file the playground leaves no trace."""
    monkeypatch.chdir(tmp_path)
    async with Playground() as playground:
        playground.people.send(GENERAL_ID, ADA_ID, "x", uploads=(Upload(0, "a.txt", b"a"),))

    assert names(tmp_path) == []


async def test_a_promised_answer_is_not_kept(tmp_path: Path) -> None:
    """Who was to fill in "thinking" can no longer do so after a restart."""
    path = tmp_path / "playground.json"
    async with Playground(data=path) as first:
        first.state.add_message(Message(first.state.ids.next(), GENERAL_ID, BOT_ID, flags=int(Flag.LOADING)))

    assert Playground(data=path).state.channels[GENERAL_ID].messages == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b"\xff"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no playground is told by name and left alone."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"notes\.txt"):
        Playground(data=path)
    assert path.read_bytes() == content


async def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A file of a later version is not read half."""
    path = tmp_path / "playground.json"
    async with Playground(data=path) as playground:
        playground.people.send(GENERAL_ID, ADA_ID, "something to keep")
    path.write_text(path.read_text().replace('"version":1', '"version":2'))

    with pytest.raises(ValueError, match="newer"):
        Playground(data=path)


async def test_one_playground_per_file(tmp_path: Path) -> None:
    """A second one on the same file is refused as long as the first one runs, also where the file is not there yet."""
    path = tmp_path / "data" / "playground.json"
    async with Playground(data=path):
        with pytest.raises(InUseError, match=re.escape(str(path))):
            Playground(data=path)
        Playground(data=tmp_path / "other.json")

    async with Playground(data=path):
        pass


async def test_a_start_that_fails_lets_others_use_the_file(tmp_path: Path) -> None:
    """Neither a port that is taken nor a file of another kind keeps the file of who could not start."""
    path = tmp_path / "playground.json"
    async with Playground() as other:
        refused = Playground(data=path, port=other.port)
        with pytest.raises(OSError, match="in use"):
            await refused.start()
    path.write_text("{}")
    with pytest.raises(ValueError, match="not a playground's file") as caught:
        Playground(data=path)
    path.unlink()

    async with Playground(data=path):
        pass
    assert caught.value
