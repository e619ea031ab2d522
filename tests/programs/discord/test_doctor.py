"""/doctor: each thing that may be wrong is found, and said with what to do."""

import shutil
from types import SimpleNamespace

import pytest

from programs.discord.slash import doctor
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, Permission
from programs.playground.errors import ApiError
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene


async def lines(scene: Scene, *, by: int = ADA_ID, channel: int = GENERAL_ID) -> dict[str, str]:
    """What /doctor shows, by what it is about."""
    before = len(scene.private(by, channel))
    scene.command("doctor", by=by, channel=channel)
    [shown] = await scene.until(lambda: [m for m in scene.private(by, channel)[before:] if m.embeds or m.content])
    told = shown.embeds[0]["description"] if shown.embeds else shown.content.split("\n", 1)[1]
    return {line.split("**")[1]: line for line in told.splitlines()}


async def test_a_healthy_bot(scene: Scene) -> None:
    """Where all is well every line says so: of the connection, of commands, model, store, disk and version."""
    found = await lines(scene)

    assert list(found) == [
        "Discord",
        "Message Content intent",
        "Permissions here",
        "Slash commands",
        "Model",
        "Cost",
        "Store",
        "Database",
        "Log and disk",
        "Requests",
        "Pauses",
        "Erasing",
        "Version",
    ]
    assert all(line.startswith("✅") for line in found.values()), found
    assert "test-model answers in" in found["Model"]
    assert str(scene.folder) not in str(found), "people of a server need not know the machine's folders"


async def test_the_demo_model_says_so(unstarted: Scene) -> None:
    """The offline demo model is no real one."""
    found = await lines(await unstarted.start(demo=True))

    assert found["Model"].startswith("⚠️")
    assert "OPENAI_API_KEY" in found["Model"]


@pytest.mark.parametrize(("status", "sign"), [(401, "❌"), (429, "⚠️"), (503, "❌")])
async def test_a_model_that_does_not_answer(scene: Scene, model: ChatCompletionsServer, status: int, sign: str) -> None:
    """A wrong key, a busy service and one that is down are told apart."""
    model.fail(status, {"error": {"message": "no @everyone"}})

    found = await lines(scene)

    assert found["Model"].startswith(sign)


async def test_each_missing_permission_is_named(scene: Scene) -> None:
    """Each permission that is missing is named, with what does not work without it."""
    lacking = Permission.EMBED_LINKS | Permission.ADD_REACTIONS
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=lacking)

    line = (await lines(scene))["Permissions here"]

    assert line.startswith("⚠️")
    assert "**Embed Links** is missing" in line
    assert "**Add Reactions** is missing" in line
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.SEND_MESSAGES)
    assert (await lines(scene))["Permissions here"].startswith("❌")


async def test_in_a_thread_its_own_permission_counts(scene: Scene) -> None:
    """In a thread the bot needs Send Messages in Threads, and not to open threads."""
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.CREATE_PUBLIC_THREADS)
    assert (await lines(scene, channel=thread.id))["Permissions here"].startswith("✅")

    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.SEND_MESSAGES_IN_THREADS)

    assert (await lines(scene, channel=thread.id))["Permissions here"].startswith("❌")


async def test_the_intent(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application without the Message Content intent hears where it is switched on."""
    monkeypatch.setattr("programs.playground.payloads.APPLICATION_FLAGS", 0)

    line = (await lines(scene))["Message Content intent"]

    assert line.startswith("❌")
    assert "https://discord.com/developers/applications" in line


async def test_a_full_disk(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little room, and a store that takes nothing, are said."""
    await scene.bot.caught_up()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    Gate(scene, "cursors.move").failures = 1

    found = await lines(scene)

    assert found["Log and disk"].startswith("❌")
    assert found["Store"].startswith("❌")


async def test_a_check_that_fails_spoils_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that cannot be made is one line, not the end of the visit."""
    scene.playground.faults.plan("error", "GET", "/oauth2/applications/@me", status=403, times=2)
    monkeypatch.setattr(doctor, "PATIENCE", 5.0)

    found = await lines(scene)

    assert "could not be checked" in found["Message Content intent"]
    assert found["Model"].startswith("✅")


async def test_requests_over_the_rate_are_counted(scene: Scene) -> None:
    """Requests that were over one of Discord's limits are told."""
    scene.playground.faults.plan("rate_limit", "POST", "/channels/{channel_id}/messages", retry_after=0.01)
    scene.ask("hello")
    await scene.outcome()

    assert "1 went over Discord's limits" in (await lines(scene))["Requests"]


async def test_it_is_for_moderators(scene: Scene) -> None:
    """Others are refused, in a sentence only they see; in a DM there is no such command."""
    scene.no_moderators()
    scene.command("doctor", by=GRACE_ID)

    [told] = await scene.until(lambda: scene.private(GRACE_ID))

    assert "Manage Messages" in told.content
    assert not scene.model.requests
    dm = scene.playground.people.open_dm(GRACE_ID)
    with pytest.raises(ApiError):
        scene.command("doctor", by=GRACE_ID, channel=dm.id)
