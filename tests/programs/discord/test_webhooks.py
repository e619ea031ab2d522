"""Webhook proxies such as PluralKit: what a named webhook writes is answered, and what it may not do."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from llmgine.messages.commands import Author
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    RANDOM_ID,
    Json,
    Message,
    Permission,
    Webhook,
)
from programs.playground.server import Playground
from tests.programs.discord.scene import MENTION, PLENTY, ROOMY, Scene, card_text, labels, people_said
from tests.programs.discord.test_approvals import ASK, outbox, waiting
from tests.programs.discord.test_slash import said, told

PLURALKIT = 466_378_653_216_014_359


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    """A playground that lets one webhook write as often as it likes."""
    async with Playground(rules=replace(ROOMY, webhook=PLENTY)) as running:
        yield running


class Proxy:
    """A webhook of a channel, used over HTTP as PluralKit uses its own."""

    def __init__(self, scene: Scene, channel: int = GENERAL_ID, application: int | None = PLURALKIT) -> None:
        self._scene = scene
        self.channel = channel
        self.webhook: Webhook = scene.playground.webhooks.add(channel, "Proxy", application_id=application)

    async def request(self, method: str, path: str = "", body: Json | None = None) -> Json:
        address = f"{self._scene.playground.api_base}/webhooks/{self.webhook.id}/{self.webhook.token}{path}"
        async with aiohttp.ClientSession() as session, session.request(method, address, json=body) as response:
            assert response.status < 300, await response.text()
            found: Json = {} if response.status == 204 else await response.json()
            return found

    async def say(self, text: str, *, name: str = "Alice", **more: object) -> Message:
        made = await self.request("POST", "?wait=true", {"content": text, "username": name, **more})
        return self._scene.playground.state.channels[self.channel].messages[int(made["id"])]

    async def ask(self, text: str, *, name: str = "Alice") -> Message:
        return await self.say(f"{MENTION} {text}", name=name)


async def name_webhooks(scene: Scene, value: str, *, where: str = "here", channel: int = GENERAL_ID) -> str:
    """Name the webhooks that are answered, by the command; what everybody is told of it."""
    before = len(scene.shown(channel))
    scene.command("listen", {"webhooks": value, "where": where}, channel=channel)
    return (await scene.until(lambda: [one.content for one in scene.shown(channel)[before:] if one.content]))[0]


async def silent(scene: Scene) -> None:
    """Wait until everything that was written is decided: a later question of a person is answered."""
    count = len(scene.outcomes(RANDOM_ID))
    scene.ask("the end", channel=RANDOM_ID)
    await scene.outcome(count + 1, channel=RANDOM_ID)
    await scene.bot.caught_up()


def asked_of_model(scene: Scene) -> list[str]:
    """The last text of a person in each request, without those of `silent`."""
    last = [people_said(request)[-1] for request in scene.model.requests]
    return [text for text in last if text != "the end"]


class TestNaming:
    """`/listen webhooks:`."""

    async def test_a_named_bots_webhooks_are_answered(self, scene: Scene) -> None:
        """What PluralKit posts is answered as a reply, once moderators have named it; before that it is not."""
        proxy = Proxy(scene)
        await proxy.ask("too early")
        await silent(scene)
        told = await name_webhooks(scene, f"<@{PLURALKIT}>")
        assert f"/listen webhooks here to <@{PLURALKIT}>" in told

        question = await proxy.ask("hello")
        outcome = await scene.outcome()

        assert outcome.reference is not None
        assert outcome.reference.message_id == question.id
        assert asked_of_model(scene) == ["hello"]

    async def test_a_webhook_without_a_bot_is_named_by_its_id(self, scene: Scene) -> None:
        """One that a person made has no application, so its own id is given; another's messages stay unanswered."""
        own, other = Proxy(scene, application=None), Proxy(scene, application=None)
        await name_webhooks(scene, str(own.webhook.id))

        await other.ask("not me")
        await own.ask("me")

        await scene.outcome()
        await silent(scene)
        assert asked_of_model(scene) == ["me"]

    async def test_it_is_inherited_and_taken_away(self, scene: Scene) -> None:
        """Named for the server, it is answered in every channel; where a channel names none, it is not."""
        general, random = Proxy(scene), Proxy(scene, RANDOM_ID)
        await name_webhooks(scene, f"<@{PLURALKIT}>", where="server")
        await name_webhooks(scene, "none")

        await general.ask("not here")
        await random.ask("here")

        await scene.outcome(channel=RANDOM_ID)
        await silent(scene)
        assert asked_of_model(scene) == ["here"]

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            (f"<@{BOT_ID}>", "I don't answer myself."),
            ("Nobody Known", "There is no bot or webhook"),
            (",", "Name up to 20"),
            (",".join(str(10**17 + number) for number in range(21)), "Name up to 20"),
        ],
    )
    async def test_what_is_none_is_refused(self, scene: Scene, value: str, why: str) -> None:
        """The reason is told privately, and nothing is set."""
        scene.command("listen", {"webhooks": value})

        shown = await scene.until(lambda: [one for one in scene.private(ADA_ID) if one.content])

        assert why in shown[-1].content

    async def test_only_moderators_name_webhooks(self, scene: Scene) -> None:
        """Also in one's own thread: who is answered is not for a thread's owner to decide."""
        scene.no_moderators()
        scene.command("listen", {"webhooks": str(PLURALKIT)}, by=GRACE_ID)
        shown = await scene.until(lambda: [one for one in scene.private(GRACE_ID) if one.content])
        assert "Only people with the permission" in shown[-1].content

    async def test_the_settings_show_it(self, scene: Scene) -> None:
        """/listen and /settings tell which are named."""
        await name_webhooks(scene, str(PLURALKIT))
        scene.command("listen")
        shown = await scene.until(lambda: [one for one in scene.private(ADA_ID) if one.content])
        assert f"**/listen webhooks**: <@{PLURALKIT}> (`{PLURALKIT}`)" in shown[-1].content
        scene.command("settings")
        card = await scene.until(lambda: [one for one in scene.private(ADA_ID) if one.embeds])
        assert any(str(PLURALKIT) in field["value"] for field in card[0].embeds[0]["fields"])


class TestIdentity:
    """The identity is the webhook and its name."""

    async def test_names_are_told_apart(self, scene: Scene) -> None:
        """Two names of a webhook are two people to the model, and neither is the account that stands behind them."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))

        await proxy.ask("first", name="Alice")
        await scene.outcome()
        await proxy.ask("second", name="Bob")
        await scene.outcome(2)

        found = await authors(scene)
        assert [author.name for author in found] == ["Alice", "Bob"]
        ids = [author.id for author in found]
        assert len(set(ids)) == 2
        assert all(one.startswith(f"webhook-{proxy.webhook.id}-{PLURALKIT}-") for one in ids)

    async def test_everybody_alone_is_every_name_alone(self, scene: Scene) -> None:
        """Where each person has a conversation of their own, so has each name."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        scene.command("people", {"value": "each"})
        await said(scene, "/people")

        await proxy.ask("first", name="Alice")
        await scene.outcome()
        await proxy.ask("second", name="Bob")
        await scene.outcome(2)
        await proxy.ask("third", name="Alice")
        await scene.outcome(3)

        assert [people_said(one) for one in scene.model.requests] == [["first"], ["second"], ["first", "third"]]

    async def test_where_not_everybody_reads_it_reads_nothing_either(self, scene: Scene) -> None:
        """In a channel that @everyone cannot read, it is not told what people said there before."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        scene.playground.admin.overwrite(GENERAL_ID, GUILD_ID, deny=Permission.READ_MESSAGE_HISTORY)
        for one in (BOT_ID, ADA_ID):
            scene.playground.admin.overwrite(GENERAL_ID, one, allow=Permission.READ_MESSAGE_HISTORY)
        scene.ask("a secret")
        await scene.outcome()

        await proxy.ask("what was said?")
        await scene.outcome(2)

        assert people_said(scene.model.requests[-1]) == ["what was said?"]


async def edited_to(scene: Scene, text: str) -> None:
    """Wait until an outcome has this text."""
    await scene.until(lambda: [one for one in scene.outcomes() if text in one.content])


async def authors(scene: Scene) -> list[Author]:
    """Who wrote the questions of #general, oldest first."""
    turns = await scene.app.store.turns.history(f"discord:{GENERAL_ID}")
    return [author for turn in turns if (author := turn.state.prompt.author) is not None]


class TestLikePeople:
    """Deletions, edits, outages and triggers are those of people's messages."""

    async def test_the_original_is_withdrawn_and_the_copy_answered(self, scene: Scene) -> None:
        """PluralKit deletes what the person wrote and posts it again: in the end there is one answer, to the copy."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        original = scene.ask("A: hello")
        copy = await proxy.ask("hello")
        scene.playground.people.delete(GENERAL_ID, original.id, ADA_ID)

        await scene.until(lambda: [one.reference and one.reference.message_id for one in scene.outcomes()] == [copy.id])
        await scene.delivered()
        assert [author.name for author in await authors(scene)] == ["Alice"]

    async def test_an_edit_is_answered_again_and_a_deletion_withdraws(self, scene: Scene) -> None:
        """`pk;edit` edits the webhook's message; and who deletes it takes the answer back."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        question = await proxy.ask("one")
        await scene.outcome()

        await proxy.request("PATCH", f"/messages/{question.id}", {"content": f"{MENTION} two"})
        await scene.until(lambda: [one for one in scene.outcomes() if "two" in one.content])
        await proxy.request("DELETE", f"/messages/{question.id}")

        await scene.until(lambda: scene.outcomes() == [])
        assert asked_of_model(scene) == ["one", "two"]

    async def test_what_was_missed_is_answered(self, scene: Scene) -> None:
        """What a named webhook wrote while the bot was away is answered when it is back, and once."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        scene.ask("before")
        await scene.outcome()
        await scene.stop()
        await proxy.ask("meanwhile")

        await scene.start()

        await scene.outcome(2)
        await silent(scene)
        assert asked_of_model(scene) == ["before", "meanwhile"]

    async def test_where_it_listens_always_no_mention_is_needed(self, scene: Scene) -> None:
        """The triggers are those of people: in a channel without mentions, only what is said to it."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        await proxy.say("to nobody")
        await silent(scene)
        scene.command("listen", {"value": "always"})
        await said(scene, "/listen here to")
        await proxy.say("to everybody")

        await scene.outcome()
        assert asked_of_model(scene) == ["to everybody"]

    async def test_in_a_thread_it_is_answered_there(self, scene: Scene) -> None:
        """A webhook writes in the threads of its channel, too."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")

        body = {"content": f"{MENTION} in here", "username": "Alice"}
        await proxy.request("POST", f"?thread_id={thread.id}", body)

        assert "in here" in (await scene.outcome(channel=thread.id)).content


class TestNotAnswered:
    """What no setting makes it answer."""

    async def test_its_own_webhooks_are_not(self, scene: Scene) -> None:
        """Neither by its application, nor under its name, nor with its words: a bridge copies those, too."""
        own, bridge = Proxy(scene, application=BOT_ID), Proxy(scene, application=None)
        await name_webhooks(scene, f"{own.webhook.id}, {bridge.webhook.id}")
        scene.command("listen", {"value": "always"})
        await said(scene, "/listen here to")
        scene.model.reply("a long answer that a bridge copies to another channel")
        scene.ask("hello")
        answer = await scene.outcome()

        await own.say("from my application")
        await bridge.say("under my name", name="LLMGINE")
        await bridge.say(answer.content)
        await bridge.say("a long answer that a bridge copies to")
        await bridge.say("something else")

        await scene.outcome(2)
        await silent(scene)
        assert asked_of_model(scene) == ["hello", "something else"]

    async def test_another_bots_answer_to_a_command_is_not(self, scene: Scene) -> None:
        """Discord sends it through a webhook that has the id of the bot's application; that is no proxy's message."""
        await name_webhooks(scene, str(PLURALKIT))
        state = scene.playground.state
        made = Message(state.ids.next(), GENERAL_ID, ADA_ID, f"{MENTION} done", mentions=[BOT_ID])
        of_an_application = {"webhook_id": str(PLURALKIT), "application_id": str(PLURALKIT), "guild_id": str(GUILD_ID)}
        drawn = state.message_payload(made, BOT_ID) | of_an_application

        state.emit("MESSAGE_CREATE", lambda _: drawn)

        await silent(scene)
        assert asked_of_model(scene) == []

    async def test_where_only_some_roles_are_answered_no_webhook_is(self, scene: Scene) -> None:
        """A webhook has no roles, and who is behind it is not known."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        scene.command("roles", {"names": "Members"})
        await said(scene, "/roles")

        await proxy.ask("hello")

        await silent(scene)
        assert asked_of_model(scene) == []

    @pytest.mark.parametrize(
        ("lists", "answered"),
        [
            ({"allowed_people": (ADA_ID,)}, False),
            ({"allowed_people": (ADA_ID, PLURALKIT)}, True),
            ({"allowed_roles": (MEMBERS_ROLE_ID,)}, False),
            ({"blocked_people": (PLURALKIT,)}, False),
            ({"blocked_channels": (GENERAL_ID,)}, False),
        ],
    )
    async def test_the_operators_lists_hold(self, unstarted: Scene, lists: Json, *, answered: bool) -> None:
        """A webhook that no list of people has is not allowed where only some are."""
        scene = await unstarted.start()
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        await scene.restart(**lists)

        await proxy.ask("hello")

        await silent(scene)
        assert asked_of_model(scene) == (["hello"] if answered else [])

    async def test_why_tells_how_to_name_it(self, scene: Scene) -> None:
        """Who asks why a webhook's message got no answer is told what its webhook is named by."""
        proxy, other = Proxy(scene), Proxy(scene, application=None)
        for one, named in ((proxy, f"<@{PLURALKIT}>"), (other, str(other.webhook.id))):
            question = await one.ask("hello")
            scene.command("why", {"message": str(question.id)})
            await told(scene, f"`/listen webhooks:`{named}")


class TestBounds:
    """Two programs that answer each other end; and a webhook has no more rights and no more money than its channel."""

    async def test_in_a_row_without_a_person_it_ends(self, scene: Scene) -> None:
        """After five answers one notice is posted, and the rest is marked; a person who writes lets it go on."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        for number in range(1, 6):
            await proxy.ask(str(number), name=f"Bot {number}")
            await scene.outcome(number)
        marked = [await proxy.ask(text) for text in ("six", "seven")]
        await scene.until(lambda: all("🚦" in one.reactions for one in marked))
        assert len([one for one in scene.shown() if one.content.startswith("🚦 I've answered 5")]) == 1

        scene.say("what do they talk about?", by=GRACE_ID)
        await proxy.ask("eight")

        await scene.outcome(6)
        assert asked_of_model(scene) == ["1", "2", "3", "4", "5", "eight"]

    async def test_an_edit_counts_in_the_row(self, scene: Scene) -> None:
        """A program that edits its message after each answer ends, too."""
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        question = await proxy.ask("version 0")
        await scene.outcome()
        for number in range(1, 7):
            body = {"content": f"{MENTION} version {number}"}
            await proxy.request("PATCH", f"/messages/{question.id}", body)
            if number < 5:
                await edited_to(scene, f"version {number}")
        await scene.until(lambda: "🚦" in question.reactions)
        await silent(scene)
        assert asked_of_model(scene) == [f"version {number}" for number in range(5)]

    @pytest.mark.parametrize("names", [["Alice"] * 3, ["Alice", "Bob", "Cora"]])
    async def test_a_minute_is_bounded_by_name_and_by_channel(self, unstarted: Scene, names: list[str]) -> None:
        """Another name each time is no way around MESSAGES_PER_MINUTE."""
        scene = await unstarted.start(messages_per_minute=2)
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        for number, name in enumerate(names[:2]):
            await proxy.ask(f"{number}", name=name)
            await scene.outcome(number + 1)

        last = await proxy.ask("2", name=names[2])

        await scene.until(lambda: "🚦" in last.reactions)
        assert asked_of_model(scene) == ["0", "1"]

    async def test_its_cost_is_the_channels(self, unstarted: Scene) -> None:
        """What each person may use does not bound it, and no person's use grows; the channel's limit does."""
        scene = await unstarted.start(daily_tokens_per_person=1)
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        await proxy.ask("one")
        await scene.outcome()

        scene.command("budget", {"tokens": "1"})
        await said(scene, "/budget")
        await proxy.ask("two")
        refused = await scene.until(lambda: [one for one in scene.shown() if "daily limit of 1 tokens" in one.content])

        assert not refused[0].content.startswith("Your")
        assert asked_of_model(scene) == ["one"]
        [author] = {author.id for author in await authors(scene)}
        used = scene.app.store.allowances.used
        assert await used(f"discord:person:{author}", 0) == []
        assert len(await used(f"discord:{GENERAL_ID}", 0)) == 1

    async def test_only_a_moderator_approves_its_calls(self, unstarted: Scene) -> None:
        """Nobody else may press, not even who wrote the original; and "Always" is not offered."""
        scene = await unstarted.start(demo=True)
        scene.no_moderators()
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        await proxy.ask(ASK)
        card = await waiting(scene)
        assert "by a moderator · expires" in card_text(card)
        assert "Always" not in labels(card)

        scene.click(card, "Approve", by=GRACE_ID)
        await told(scene, "Only a moderator can do this", GRACE_ID)
        assert outbox(scene) == 0
        scene.click(card, "Approve", by=ADA_ID)

        await scene.outcome()
        assert outbox(scene) == 1

    async def test_a_tool_with_always_asks_each_time(self, unstarted: Scene) -> None:
        """What a person may have approved for good is asked again for a webhook, whose name anybody may use."""

        def remind(text: str) -> str:
            """Remind somebody.

            Args:
                text: Of what.
            """
            return text

        options = {"requires_approval": True, "allows_always": True}
        scene = await unstarted.start(tools=(remind,), tool_options=options)
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        scene.model.reply(tool_calls=[("remind", '{"text": "tea"}')])
        await proxy.ask("remind me")
        assert "Always" not in labels(await waiting(scene))

    async def test_a_call_does_not_run_once_it_is_no_longer_named(self, unstarted: Scene) -> None:
        """Who may use the bot is asked at the moment of each call."""
        scene = await unstarted.start(demo=True)
        proxy = Proxy(scene)
        await name_webhooks(scene, str(PLURALKIT))
        await proxy.ask(ASK)
        card = await waiting(scene)
        await name_webhooks(scene, "none")

        scene.click(card, "Approve")

        await scene.outcome()
        assert outbox(scene) == 0
        assert "Moderators have not named this webhook" in card_text(card)
