"""Answers too long for messages: five messages, and all of it in a file; the text is shown whatever becomes of that."""

import asyncio
from typing import Any

import discord
import pytest

from programs.discord.delivery.bodies import FILE_NAME, MOST_MESSAGES
from programs.discord.delivery.splitting import split
from programs.playground.entities import BOT_ID, GENERAL_ID, Message, Permission
from programs.playground.errors import missing_permissions
from tests.durability.waiting import eventually
from tests.programs.discord.scene import Scene, body_of, is_outcome
from tests.waiting import patience

CREATE = ("POST", "/channels/{channel_id}/messages")
LONG = "\n\n".join(
    f"Paragraph {part}. " + " ".join(f"Sentence {part}.{number}." for number in range(60)) for part in range(18)
)
PARTS = split(LONG)


def files(message: Message) -> list[tuple[str, str]]:
    return [(attachment.filename, attachment.content.decode()) for attachment in message.attachments]


def assert_in_messages(shown: list[Message]) -> None:
    """The whole answer is there in messages, once and in order."""
    assert [body_of(message.content) for message in shown] == PARTS
    assert [is_outcome(message.content) for message in shown] == [False] * (len(PARTS) - 1) + [True]
    assert all(files(message) == [] for message in shown)


def assert_with_file(shown: list[Message]) -> None:
    """The first five parts are there in messages, and the whole answer in a file below them."""
    assert [message.content for message in shown[:-1]] == PARTS[:MOST_MESSAGES]
    assert files(shown[-1]) == [(FILE_NAME, LONG)]
    assert is_outcome(shown[-1].content)
    assert [files(message) for message in shown[:-1]] == [[]] * MOST_MESSAGES


async def test_what_five_messages_do_not_hold_is_a_file(scene: Scene) -> None:
    """Five messages stand above a file with the whole answer; the footer stands with it."""
    assert len(PARTS) > MOST_MESSAGES + 2
    scene.model.reply(LONG)
    scene.ask("tell me all")

    await scene.outcome()

    assert_with_file(scene.shown())


@pytest.mark.parametrize("why", ["not allowed", "too large", "refused"])
async def test_where_no_file_can_be_sent_all_is_in_messages(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Without the permission, past the limit of uploads, or when Discord does not take it: more messages."""
    if why == "not allowed":
        unstarted.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.ATTACH_FILES)
    elif why == "too large":
        monkeypatch.setattr(discord.Guild, "filesize_limit", 1_000)
    else:
        require = unstarted.playground._posting._admission.require

        def refuse(*args: Any, with_files: bool) -> None:
            if with_files:
                raise missing_permissions()
            require(*args, with_files=with_files)

        monkeypatch.setattr(unstarted.playground._posting._admission, "require", refuse)
    scene = await unstarted.start()
    scene.model.reply(LONG)
    scene.ask("tell me all")
    scene.ask("and now?")

    await scene.outcome(2)

    assert_in_messages(scene.shown()[:-1])
    assert sum(record.status >= 400 for record in scene.playground.requests) == (why == "refused")


@pytest.mark.parametrize("effect", ["reset", "error"])
@pytest.mark.parametrize("committed", [True, False], ids=["arrived", "not arrived"])
async def test_a_file_whose_post_fails_is_there_once(scene: Scene, effect: Any, *, committed: bool) -> None:
    """Whether the request with the file arrived or not, the file is shown once."""
    planned = scene.playground.faults.plan(
        effect, *CREATE, nth=MOST_MESSAGES + 1, committed=committed, status=503 if effect == "error" else 500
    )
    scene.model.reply(LONG)
    scene.ask("tell me all")

    await scene.outcome()

    assert planned.spent
    assert_with_file(scene.shown())


@pytest.mark.parametrize(
    ("part", "with_file"),
    [(MOST_MESSAGES - 1, True), (MOST_MESSAGES, True)]
    + [(part, False) for part in range(MOST_MESSAGES - 1, MOST_MESSAGES + 3)],
)
async def test_a_long_answer_is_whole_after_a_restart(unstarted: Scene, part: int, *, with_file: bool) -> None:
    """Ended while any of its parts is on its way, it is shown whole after the restart: nothing lost, nothing twice."""
    if not with_file:
        unstarted.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.ATTACH_FILES)
    scene = await unstarted.start()
    held = scene.playground.faults.plan("hang", *CREATE, nth=part + 1)
    scene.model.reply(LONG)
    scene.ask("tell me all")
    await held.reached()
    scene.playground._posting._nonces.clear()  # the channel has to be read back
    stopping = asyncio.create_task(scene.stop())
    async with patience("the bot to leave, which it does once it has waited for its request", seconds=20.0):
        await scene.playground.wait_for(lambda state: not state.bot_online)
    held.release()
    await stopping

    await scene.start()

    await scene.outcome()
    await eventually(lambda: scene.app.store.undelivered("discord"), empty=True)
    (assert_with_file if with_file else assert_in_messages)(scene.shown())


async def test_a_permission_that_comes_back_changes_nothing_half_way(unstarted: Scene) -> None:
    """An answer that was begun in messages goes on in messages."""
    unstarted.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.ATTACH_FILES)
    scene = await unstarted.start()
    failed = scene.playground.faults.plan("error", *CREATE, nth=MOST_MESSAGES + 3, status=503, times=1_000)
    scene.model.reply(LONG)
    scene.ask("tell me all")
    await failed.reached()
    assert len(scene.shown()) == MOST_MESSAGES + 2
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID)
    await eventually(lambda: scene.bot.get_channel(GENERAL_ID).permissions_for(scene.bot.guilds[0].me).attach_files)  # type: ignore[union-attr]  # it is a text channel
    scene.playground.faults.clear()

    await scene.outcome()

    await eventually(lambda: scene.app.store.undelivered("discord"), empty=True)
    assert_in_messages(scene.shown())
