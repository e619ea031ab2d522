"""The model check of /doctor: a real question with the channel's settings, once a minute, counted in the budgets."""

import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from llmgine.engine.lessons import WINDOW
from llmgine.providers.base import Change
from programs.discord.slash import lessons, model_check
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, GUILD_ID, RANDOM_ID, Message, Permission
from tests.programs.discord.scene import Scene, labels
from tests.programs.discord.test_doctor import lines
from tests.programs.discord.test_settings import change, offered, set_here
from tests.programs.discord.test_slash import told
from tests.programs.model_list import ListingServer, in_days

SERVER = f"discord:server:{GUILD_ID}"
NO_TOOLS = {"error": {"message": "test-model does not support tools"}}


@pytest.fixture
async def model() -> AsyncIterator[ListingServer]:
    async with ListingServer() as server:
        yield server


async def visit(scene: Scene, *, by: int = ADA_ID) -> Message:
    """What /doctor shows."""
    before = len(scene.private(by))
    scene.command("doctor", by=by)
    return (await scene.until(lambda: [m for m in scene.private(by)[before:] if m.embeds or m.content]))[0]


async def used(scene: Scene, scope: str) -> int:
    """The tokens that were used in a scope which has a budget."""
    [allowance, *_] = await scene.app.store.allowances.of([scope], scene.app.store.today)
    return allowance.used


async def test_the_model_is_asked_with_what_holds_here(unstarted: Scene) -> None:
    """The channel's model and tools are what the question goes out with, and the line names them."""
    scene = await unstarted.start(allowed_models=("other-model",))
    await set_here(scene, "model", "other-model", "name")
    await set_here(scene, "tools", "calculate, get_weather", "names")

    line = (await lines(scene))["Model"]

    [request] = scene.model.requests
    assert request["model"] == "other-model"
    assert sorted(offered(request)) == ["calculate", "get_weather"]
    assert line.startswith("✅")
    assert "other-model answers in" in line
    assert line.endswith("with 2 tools offered")


async def test_where_no_tools_are_offered_none_are_tried(scene: Scene) -> None:
    """What no question here would have is not in the doctor's either."""
    await set_here(scene, "tools", "none", "names")

    line = (await lines(scene))["Model"]

    assert offered(scene.model.requests[0]) == []
    assert line.endswith("with no tools offered")


async def test_it_asks_at_most_once_a_minute(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes within a minute sees what was found, and how long ago; after that it is asked again."""
    first = (await lines(scene))["Model"]
    again = (await lines(scene, by=GRACE_ID, channel=RANDOM_ID))["Model"]
    assert len(scene.model.requests) == 1
    assert again == f"{first} (asked 0 s ago)"

    monkeypatch.setattr(model_check, "_INTERVAL", 0.0)

    assert "asked" not in (await lines(scene))["Model"]
    assert len(scene.model.requests) == 2


async def test_two_at_once_ask_once(scene: Scene) -> None:
    """Who comes while the model is asked waits for that answer."""
    scene.command("doctor")
    scene.command("doctor", by=GRACE_ID)

    for person in (ADA_ID, GRACE_ID):
        await scene.until(lambda person=person: [m for m in scene.private(person) if m.embeds])  # type: ignore[misc]  # a default, not an argument
    assert len(scene.model.requests) == 1


async def test_it_counts_in_the_budgets(scene: Scene) -> None:
    """What the question used counts in the channel's budget and in the server's, also where nobody spoke yet."""
    await change(scene, "budget", {"tokens": "1000", "where": "server"})
    await set_here(scene, "budget", "500", "tokens")

    await lines(scene)

    assert await used(scene, f"discord:{GENERAL_ID}") == 15
    assert await used(scene, SERVER) == 15


@pytest.mark.parametrize("where", ["here", "server"])
async def test_a_budget_that_is_used_up_is_said(scene: Scene, where: str) -> None:
    """Then nothing is asked, and the line says why."""
    await change(scene, "budget", {"tokens": "1", "where": where})
    scene.ask("hello")
    await scene.outcome()

    line = (await lines(scene))["Model"]

    assert line.startswith("⚠️")
    assert "The daily limit of 1 tokens is used up" in line
    assert len(scene.model.requests) == 1


async def test_a_thinking_model_works(scene: Scene) -> None:
    """An answer that is cut while the model still thinks, or that is nothing but thinking, is an answer."""
    scene.model.chunks([{"choices": [{"delta": {"reasoning_content": "Hm"}, "finish_reason": "stop"}]}])

    assert (await lines(scene))["Model"].startswith("✅")


async def test_an_answer_that_was_cut_is_an_answer(scene: Scene) -> None:
    """The model has little room for it, which a long answer or long thinking may use up."""
    scene.model.reply("", finish="length")

    assert (await lines(scene))["Model"].startswith("✅")


async def test_an_empty_answer_is_none(scene: Scene) -> None:
    """A model that says nothing at all does not work."""
    scene.model.reply("")

    line = (await lines(scene))["Model"]

    assert line.startswith("❌")
    assert "empty answer" in line


async def test_a_model_that_calls_a_tool_works(scene: Scene) -> None:
    """The tool is not run."""
    scene.model.reply(tool_calls=[("send_email", json.dumps({"to": "a@example.com", "subject": "s", "body": "b"}))])

    assert (await lines(scene))["Model"].startswith("✅")
    assert not (scene.folder / "outbox").exists()


async def test_a_model_without_tools_is_a_warning(scene: Scene) -> None:
    """A service that refuses the tools is asked without them, the line says so in its words, and nothing is learnt."""
    scene.model.fail(400, NO_TOOLS)

    shown = await visit(scene)

    assert shown.embeds[0]["title"] == "Working, with one warning"
    assert "but only without tools. The service said: `test-model does not support tools`" in str(shown.embeds)
    assert scene.app.engine.model.lessons.all() == []


async def test_what_was_learnt_is_applied(scene: Scene) -> None:
    """After a refusal of tools taught that there are none, the doctor's question has none, and the line says so."""
    scene.model.fail(400, NO_TOOLS)
    scene.ask("hello")
    await scene.outcome()

    line = (await lines(scene))["Model"]

    assert [bool(offered(request)) for request in scene.model.requests] == [True, False, False]
    assert line.startswith("⚠️")
    assert "does not support tools" in line


async def test_the_wait_for_a_turn_is_within_its_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """While turns need the model the doctor waits for it, not for ever."""
    monkeypatch.setattr(model_check, "PATIENCE", 0.1)
    async with contextlib.AsyncExitStack() as stack:
        while scene.app.engine.model.slots.is_idle:
            await stack.enter_async_context(scene.app.engine.model.slots.slot("somebody"))

        line = (await lines(scene))["Model"]

    assert line.startswith("❌")
    assert "test-model gave no answer" in line
    assert scene.model.requests == []


async def test_a_model_that_was_chosen_is_said_to_be(unstarted: Scene, model: ListingServer) -> None:
    """Where OPENAI_MODEL is not set, the line names the model and says that it was chosen."""
    model.models = ["some-model"]
    scene = await unstarted.start(openai_model=None)

    line = (await lines(scene))["Model"]

    assert "some-model (chosen, because OPENAI_MODEL is not set) answers in" in line


async def test_the_service_of_another_provider_is_named(unstarted: Scene, model: ListingServer) -> None:
    """A model of Anthropic's is asked there, and the line says where that is."""
    scene = await unstarted.start(openai_model="anthropic:claude-a", anthropic_base_url=model.base_url)

    line = (await lines(scene))["Model"]

    [request] = scene.model.requests
    assert (request["model"], "max_tokens" in request) == ("claude-a", True)
    assert line.startswith("✅")
    assert f"claude-a at `{model.base_url.removeprefix('http://').removesuffix('/v1')}` answers in" in line


async def test_a_model_that_cannot_be_chosen(unstarted: Scene, model: ListingServer) -> None:
    """Among several models that are none of the usual, the line lists them."""
    model.models = ["one", "two"]
    scene = await unstarted.start(openai_model=None)

    line = (await lines(scene))["Model"]

    assert line.startswith("❌")
    assert "no model chosen yet: Set OPENAI_MODEL to one of the service's models: one, two" in line


@pytest.mark.parametrize(("days", "sign"), [(59, "⚠️"), (-1, "⚠️"), (62, "✅")])
async def test_a_shutdown_within_sixty_days_is_a_warning(
    unstarted: Scene, model: ListingServer, days: int, sign: str
) -> None:
    """A model that its service takes away soon still works, and the line says until when."""
    model.models, model.shutdowns = ["test-model"], {"test-model": in_days(days)}
    scene = await unstarted.start()

    line = (await lines(scene))["Model"]

    assert line.startswith(sign)
    assert (in_days(days) in line) is (sign == "⚠️")


async def test_a_shutdown_is_logged_at_the_start(
    unstarted: Scene, model: ListingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The list is looked at once, in the background, and a warning names the day."""
    model.models, model.shutdowns = ["test-model"], {"test-model": in_days(30)}

    scene = await unstarted.start()

    assert scene.app._look is not None
    await scene.app._look
    assert f"shuts down the model test-model on {in_days(30)}" in caplog.text
    assert model.listings == 1


async def test_a_list_that_does_not_come_delays_nothing(unstarted: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Where the service has no list, the start goes on without a warning."""
    scene = await unstarted.start()
    scene.ask("hello")
    await scene.outcome()
    assert scene.app._look is not None
    await scene.app._look

    assert not [one for one in caplog.records if one.levelname == "WARNING" and "list" in one.getMessage()]


class TestLessons:
    """What was learnt from refusals, and the button that forgets it."""

    async def test_they_are_listed_with_their_age(self, scene: Scene) -> None:
        """Each in plain words, the newest first, with what the service said; none of it formats or pings."""
        learn = scene.app.engine.model.lessons.learn
        await learn("host", "test-model", Change.NO_IMAGES, said="no `@everyone` [images](https://evil.example)")
        await learn("host", "test-model", WINDOW, value=8_000)

        shown = await visit(scene)

        [field] = shown.embeds[0]["fields"]
        window, images = field["value"].splitlines()
        assert field["name"] == str(lessons.TITLE)
        assert window.startswith("`test-model`: takes about 8,000 tokens at once · <t:")
        assert images.startswith("`test-model`: images are left out · <t:")
        assert images.endswith("It said: `no ˋ@everyoneˋ [images](https://evil.example)`")

    async def test_many_fit(self, scene: Scene) -> None:
        """Of many some are listed, within Discord's limits, and the rest is counted."""
        for number, one in enumerate(Change):
            await scene.app.engine.model.lessons.learn("host", f"{number} " + "m" * 300, one, said="s" * 900)

        field = (await visit(scene)).embeds[0]["fields"][0]

        assert len(field["value"]) <= 1_024
        assert field["value"].endswith(f"and {len(Change) - 5} more")

    async def test_without_any_there_is_no_button(self, scene: Scene) -> None:
        """There is nothing to forget."""
        shown = await visit(scene)

        assert labels(shown) == []
        assert not shown.embeds[0].get("fields")

    async def test_forget_works_after_a_restart(self, scene: Scene) -> None:
        """The button forgets all, also in the store; requests then go out as if nothing had been learnt."""
        scene.model.fail(400, NO_TOOLS)
        scene.ask("hello")
        await scene.outcome()
        shown = await visit(scene)
        await scene.restart()
        assert scene.app.engine.model.lessons.all()

        scene.click(shown, "Forget")

        await told(scene, "forgotten what I learned")
        assert scene.app.engine.model.lessons.all() == []
        assert await scene.app.store.lessons.all() == []
        scene.ask("hello")
        await scene.outcome(2)
        assert offered(scene.model.requests[-1])

    async def test_forget_is_for_moderators(self, scene: Scene) -> None:
        """Who is none any more is refused, and nothing is forgotten."""
        await scene.app.engine.model.lessons.learn("host", "test-model", Change.NO_IMAGES)
        shown = await visit(scene, by=GRACE_ID)
        scene.no_moderators()

        scene.click(shown, "Forget", by=GRACE_ID)

        await scene.until(lambda: [m for m in scene.private(GRACE_ID) if "Manage Messages" in m.content])
        assert scene.app.engine.model.lessons.all()

    async def test_they_are_shown_where_cards_are_not(self, scene: Scene) -> None:
        """Without Embed Links the same stands in plain text, with the button."""
        await scene.app.engine.model.lessons.learn("host", "test-model", Change.NO_IMAGES)
        scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.EMBED_LINKS)

        shown = await visit(scene)

        assert "`test-model`: images are left out" in shown.content
        assert labels(shown) == ["Forget"]

    def test_every_change_has_its_words(self) -> None:
        """A new change of requests is put into words here."""
        assert set(lessons.WORDS) == set(Change)


async def test_a_service_that_starts_is_said(scene: Scene) -> None:
    """A service that is not up is asked once; the line says what is the matter."""
    scene.model.fail(503, {"error": {"message": "Loading model", "code": 503}})

    line = (await lines(scene))["Model"]

    assert line.startswith("❌")
    assert len(scene.model.requests) == 1
