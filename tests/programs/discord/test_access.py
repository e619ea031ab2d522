"""Who may use the bot: the operator's lists of servers, channels, roles and people, and direct messages."""

import asyncio
from typing import Any

import pytest

from llmgine.messages.events import ToolCallWaitingEvent
from programs.discord.permissions import authorize, members
from programs.discord.permissions.authorize import Standing
from programs.playground.entities import (
    ADA_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    RANDOM_ID,
    Message,
    Permission,
)
from tests.programs.discord.scene import Scene, card_text, people_said
from tests.programs.discord.test_approval_buttons import PAY, Payments, paid, script, start, with_button
from tests.programs.discord.test_bounds import MEMBER
from tests.programs.discord.test_doctor import lines
from tests.programs.discord.test_settings import set_here
from tests.programs.discord.test_slash import told
from tests.programs.discord.test_why import why_menu

__all__ = ["paid"]

ELSEWHERE = 999
MESSAGES = "/channels/{channel_id}/messages"


async def settled(scene: Scene) -> None:
    """Wait until everything that was heard is dealt with."""
    await scene.bot.caught_up()
    await scene.app.bus.wait_until_idle()


def asked(scene: Scene) -> list[str]:
    """What the model was asked."""
    return [people_said(request)[-1] for request in scene.model.requests]


async def only(scene: Scene, answered: Message, *silent: Message) -> None:
    """Check that of some questions one is answered, and nobody else hears anything."""
    await scene.outcome(channel=answered.channel_id)
    await settled(scene)
    assert len(asked(scene)) == 1
    for message in silent:
        assert [one for one in scene.shown(message.channel_id) if one.id > message.id] == []


class TestPlaces:
    """Servers, categories, channels and threads."""

    @pytest.mark.parametrize("blocks", [True, False])
    async def test_a_channel_covers_its_threads(self, unstarted: Scene, *, blocks: bool) -> None:
        """What is blocked, or not on the list, is silent with its threads; the other channel is answered."""
        lists: dict[str, Any] = {"blocked_channels": (RANDOM_ID,)} if blocks else {"allowed_channels": (GENERAL_ID,)}
        scene = await unstarted.start(**lists)
        thread = scene.playground.people.create_thread(RANDOM_ID, ADA_ID, "inside").id

        silent = [scene.ask("no", channel=RANDOM_ID), scene.ask("no", channel=thread)]

        await only(scene, scene.ask("yes"), *silent)
        assert str(Standing.CHANNEL.sentence) in await why_menu(scene, silent[0])

    async def test_a_category_covers_its_channels(self, unstarted: Scene) -> None:
        """The id of a category stands for all channels in it, and their threads; a block beats it."""
        admin = unstarted.playground.admin
        category = admin.add_category("team").id
        inside, blocked = (admin.add_channel(name, category_id=category).id for name in ("inside", "blocked"))
        scene = await unstarted.start(allowed_channels=(category,), blocked_channels=(blocked,))
        thread = scene.playground.people.create_thread(inside, ADA_ID, "deeper").id

        silent = [scene.ask("no"), scene.ask("no", channel=blocked)]

        await only(scene, scene.ask("yes", channel=thread), *silent)

    async def test_what_is_not_served_is_not_read(self, unstarted: Scene) -> None:
        """What was missed there is not read, nor what is written live; where it is served it is."""
        scene = await unstarted.start()
        for channel in (GENERAL_ID, RANDOM_ID):
            scene.ask("hello", channel=channel)
            await scene.outcome(channel=channel)
        await scene.stop()
        missed = scene.ask("missed", channel=RANDOM_ID)
        scene.ask("missed too")
        before = len(scene.playground.requests)
        await scene.start(blocked_channels=(RANDOM_ID,))
        await scene.outcome(2)
        scene.ask("live", channel=RANDOM_ID)
        await settled(scene)

        reads = [
            one for one in list(scene.playground.requests)[before:] if (one.method, one.route) == ("GET", MESSAGES)
        ]
        assert {str(GENERAL_ID) in one.path for one in reads} == {True}
        assert [one for one in scene.shown(RANDOM_ID) if one.id > missed.id] == []

    async def test_a_server_that_is_not_listed(self, unstarted: Scene) -> None:
        """It gets one line in its system channel, once ever; then nothing is written, read or answered there."""
        unstarted.playground.state.guild.system_channel_id = RANDOM_ID
        unstarted.playground.gateway.add_bot()
        scene = await unstarted.start(allowed_servers=(ELSEWHERE,))
        await scene.until(lambda: scene.shown(RANDOM_ID))
        await scene.restart(allowed_servers=(ELSEWHERE,))
        scene.playground.gateway.add_bot()
        question = scene.ask("hello")
        await settled(scene)

        [line] = scene.shown(RANDOM_ID)
        assert line.content == "My operator hasn't enabled me in this server, so I don't answer here."
        assert (scene.shown(), question.reactions, scene.model.requests) == ([], {}, [])
        assert scene.sends("GET") == []
        assert scene.sends("POST", "/channels/{channel_id}/typing") == []

    async def test_without_a_system_channel_there_is_silence(self, unstarted: Scene) -> None:
        """Nor is anything written where the bot may not write."""
        admin, state = unstarted.playground.admin, unstarted.playground.state
        scene = await unstarted.start(blocked_servers=(GUILD_ID,))
        await settled(scene)
        state.guild.system_channel_id = RANDOM_ID
        admin.overwrite(RANDOM_ID, MEMBERS_ROLE_ID, deny=Permission.SEND_MESSAGES)
        admin.overwrite(RANDOM_ID, GUILD_ID, deny=Permission.SEND_MESSAGES)
        await scene.restart(blocked_servers=(GUILD_ID,))
        await settled(scene)

        assert (scene.shown(), scene.sends()) == ([], [])

    async def test_the_operator_is_told_of_such_servers(self, unstarted: Scene) -> None:
        """/doctor names them for the operator, who is not locked out; a moderator there is."""
        scene = await unstarted.start(allowed_servers=(ELSEWHERE,))
        found = await lines(scene)
        assert f"`Playground` ({GUILD_ID})" in found["Servers"]

        scene.command("doctor", by=GRACE_ID)

        await told(scene, str(Standing.SERVER.sentence), GRACE_ID)


class TestPeople:
    """People and roles, by id."""

    @pytest.mark.parametrize(
        ("lists", "is_answered"),
        [
            ({"blocked_people": (GRACE_ID,)}, False),
            ({"allowed_people": (ADA_ID,)}, False),
            ({"allowed_people": (GRACE_ID,)}, True),
            ({"allowed_people": (GRACE_ID,), "blocked_people": (GRACE_ID,)}, False),
            ({"allowed_roles": (ELSEWHERE,)}, False),
            ({"allowed_roles": (MEMBERS_ROLE_ID,)}, True),
            ({"allowed_roles": (MEMBERS_ROLE_ID,), "allowed_people": (ADA_ID,)}, True),
            ({"allowed_roles": (ELSEWHERE,), "allowed_people": (GRACE_ID,)}, True),
            ({"blocked_roles": (MEMBERS_ROLE_ID,), "allowed_people": (GRACE_ID,)}, False),
        ],
    )
    async def test_lists(self, unstarted: Scene, lists: dict[str, Any], *, is_answered: bool) -> None:
        """What is blocked is never allowed; of two lists that allow, one is enough. So too for what was missed."""
        scene = await unstarted.start(**lists)
        scene.ask("live", by=GRACE_ID)
        await (scene.outcome() if is_answered else settled(scene))
        assert asked(scene) == (["live"] if is_answered else [])
        await scene.stop()
        scene.ask("missed", by=GRACE_ID)

        await scene.start(**lists)

        await (scene.outcome(2) if is_answered else settled(scene))
        assert asked(scene) == (["live", "missed"] if is_answered else [])

    async def test_an_edit_is_asked_too(self, unstarted: Scene) -> None:
        """A question that was answered stays so when its author was blocked since and edits it."""
        scene = await unstarted.start()
        question = scene.ask("one", by=GRACE_ID)
        await scene.outcome()
        await scene.restart(blocked_people=(GRACE_ID,))

        scene.playground.people.edit(GENERAL_ID, question.id, GRACE_ID, question.content.replace("one", "two"))

        await settled(scene)
        assert asked(scene) == ["one"]

    async def test_a_name_changes_nothing(self, unstarted: Scene) -> None:
        """Somebody with the name of a person or role that is allowed is refused: ids are what counts."""
        scene = await unstarted.start(allowed_people=(ADA_ID,))
        scene.playground.state.users[GRACE_ID].global_name = "Ada"
        scene.ask("hello", by=GRACE_ID)

        await settled(scene)

        assert scene.model.requests == []

    async def test_the_operator_has_their_commands(self, unstarted: Scene) -> None:
        """Whatever lists an operator is on: /pause everywhere works, and nothing else does."""
        scene = await unstarted.start(blocked_people=(ADA_ID,), operators=(ADA_ID,))
        scene.command("stop")
        await told(scene, str(Standing.PERSON_BLOCKED.sentence))

        scene.command("pause", {"what": "everywhere"})

        await scene.until(lambda: [one for one in scene.shown() if "paused" in one.content])


class TestDirectMessages:
    """DIRECT_MESSAGES: off, on, or members of servers that are served."""

    @pytest.mark.parametrize(
        ("setting", "is_member", "is_answered"),
        [("on", False, True), ("off", True, False), ("members", True, True), ("members", False, False)],
    )
    async def test_who_is_answered(self, unstarted: Scene, setting: str, *, is_member: bool, is_answered: bool) -> None:
        """Who is not is told why, once and not for each message."""
        dm = unstarted.playground.people.open_dm(GRACE_ID).id
        scene = await unstarted.start(direct_messages=setting)
        if not is_member:
            scene.playground.admin.leave(GRACE_ID)

        scene.say("one", by=GRACE_ID, channel=dm)
        scene.say("two", by=GRACE_ID, channel=dm)
        await settled(scene)

        if is_answered:
            await scene.outcome(2, channel=dm)
            return
        await scene.until(lambda: scene.shown(dm))
        reason = Standing.DMS_OFF if setting == "off" else Standing.NOT_A_MEMBER
        assert [one.content for one in scene.shown(dm)] == [str(reason.sentence)]
        assert scene.model.requests == []

    async def test_members_of_what_is_not_served_are_nobody(self, unstarted: Scene) -> None:
        """A server that is not served makes nobody a member."""
        dm = unstarted.playground.people.open_dm(GRACE_ID).id
        scene = await unstarted.start(blocked_servers=(GUILD_ID,))

        scene.say("hello", by=GRACE_ID, channel=dm)

        await scene.until(lambda: scene.shown(dm))
        assert scene.sends("GET", MEMBER) == []

    async def test_discord_is_asked_once_for_a_while(self, unstarted: Scene) -> None:
        """Many messages of a person, or of a stranger, cost one request."""
        stranger = unstarted.playground.admin.join("Mallory")
        dms = {who: unstarted.playground.people.open_dm(who).id for who in (GRACE_ID, stranger)}
        scene = await unstarted.start()
        scene.playground.admin.leave(stranger)

        for number in range(3):
            for who, dm in dms.items():
                scene.say(f"{number}", by=who, channel=dm)
        await settled(scene)

        await scene.outcome(3, channel=dms[GRACE_ID])
        assert len(scene.sends("GET", MEMBER)) == 2

    async def test_a_role_counts_in_a_dm(self, unstarted: Scene) -> None:
        """Roles that somebody has in a server that is served count in their DM."""
        dm = unstarted.playground.people.open_dm(GRACE_ID).id
        scene = await unstarted.start(blocked_roles=(MEMBERS_ROLE_ID,), direct_messages="on")

        scene.say("hello", by=GRACE_ID, channel=dm)

        await scene.until(lambda: scene.shown(dm))
        assert [one.content for one in scene.shown(dm)] == [str(Standing.ROLE_BLOCKED.sentence)]


class TestMembers:
    """How members are found, without a list of them."""

    async def test_no_more_servers_are_asked_than_that(self) -> None:
        """A bot in 1,000 servers asks the largest 50; where somebody was met is asked first."""
        asking: list[int] = []
        found = members.Members(client=None, ask=self._nobody(asking))  # type: ignore[arg-type]
        guilds = [Server(number) for number in range(1, 1_001)]

        assert not await found.is_in_any(Server(7), guilds, age=members.FRESH)  # type: ignore[arg-type]
        assert not await found.is_in_any(Server(7), guilds, age=members.FRESH)  # type: ignore[arg-type]

        assert asking == list(range(1_000, 950, -1))

    async def test_a_stranger_delays_nobody(self) -> None:
        """While one person is searched for, others are found; two messages of the one search once."""
        asking: list[int] = []
        asked_for, found_nowhere = asyncio.Event(), asyncio.Event()

        async def ask(_: Any, user_id: int) -> Any:
            asking.append(user_id)
            if user_id == 1:
                asked_for.set()
                await found_nowhere.wait()
                return None
            return Server(user_id)

        found = members.Members(client=None, ask=ask)  # type: ignore[arg-type]
        guilds: Any = [Server(5)]
        strangers = [asyncio.create_task(found.is_in_any(Server(1), guilds, age=members.FRESH)) for _ in range(2)]
        await asked_for.wait()

        for _ in range(2):
            assert await found.is_in_any(Server(2), guilds, age=members.FRESH)

        found_nowhere.set()
        assert await asyncio.gather(*strangers) == [False, False]
        assert asking == [1, 2]

    async def test_nothing_is_asked_after_the_end(self) -> None:
        """What Discord is still being asked when the bot ends leaves no task behind."""
        asked_for = asyncio.Event()

        async def ask(_: Any, _user_id: int) -> Any:
            asked_for.set()
            await asyncio.Event().wait()

        found = members.Members(client=None, ask=ask)  # type: ignore[arg-type]
        before = asyncio.all_tasks()
        waiting = asyncio.create_task(found.is_in_any(Server(1), [Server(5)], age=members.FRESH))  # type: ignore[list-item]
        await asked_for.wait()

        await found.close()

        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)
        assert asyncio.all_tasks() <= before

    async def test_a_command_does_not_wait_for_long(self, unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where Discord does not say in time who a person is, they are told so and try again."""
        dm = unstarted.playground.people.open_dm(GRACE_ID).id
        scene = await unstarted.start()

        async def ask(*_: Any) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(scene.bot.access.members, "_ask", ask)
        monkeypatch.setattr(authorize, "PATIENCE", 0.05)

        scene.command("stop", by=GRACE_ID, channel=dm)

        await told(scene, "I can't check right now whether you may use me.", GRACE_ID, dm)

    @staticmethod
    def _nobody(asking: list[int]) -> Any:
        async def ask(guild: Any, _: int) -> None:
            asking.append(guild.id)

        return ask


class Server:
    """As much of a server as is looked at: the larger its id, the larger it is."""

    def __init__(self, number: int) -> None:
        self.id = self.member_count = number

    def get_member(self, _: int) -> None:
        """Nobody is known."""


class TestTools:
    """Before each call it is asked again whether the one who asked may still use the bot."""

    async def waiting(self, scene: Scene, *, by: int = GRACE_ID) -> Message:
        """A call of somebody's that waits for approval."""
        scene.ask("pay", by=by)
        return await with_button(scene, "Approve")

    async def refused(self, scene: Scene, card: Message, standing: Standing, paid: Payments) -> None:
        """Approve it, and check that it does not run and that people see why."""
        scene.click(card, "Approve")
        await scene.outcome()
        assert str(standing.sentence) in card_text(card).replace("\\", "")
        assert paid == []

    async def test_who_has_left(self, unstarted: Scene, paid: Payments) -> None:
        """A moderator's approval does not run what somebody asked for who has left the server."""
        scene = await start(unstarted, paid, script(PAY, "done"))
        card = await self.waiting(scene)
        scene.playground.admin.leave(GRACE_ID)

        await self.refused(scene, card, Standing.LEFT, paid)

    async def test_who_has_lost_the_role(self, unstarted: Scene, paid: Payments) -> None:
        """Nor for somebody who has lost the role that is allowed."""
        role = unstarted.playground.admin.add_role("Payers")
        unstarted.playground.admin.give_roles(GRACE_ID, MEMBERS_ROLE_ID, role)
        lists = {"allowed_roles": (role,), "allowed_people": (ADA_ID,)}
        scene = await start(unstarted, paid, script(PAY, "done"), **lists)
        card = await self.waiting(scene)
        scene.playground.admin.give_roles(GRACE_ID, MEMBERS_ROLE_ID)

        await self.refused(scene, card, Standing.NOT_ALLOWED, paid)

    async def test_who_has_lost_the_role_of_the_channel(self, unstarted: Scene, paid: Payments) -> None:
        """Nor for somebody who has lost the role that /roles answers."""
        scene = await start(unstarted, paid, script(PAY, "done"))
        role = scene.playground.admin.add_role("Helpers")
        scene.playground.admin.give_roles(GRACE_ID, MEMBERS_ROLE_ID, role)
        await set_here(scene, "roles", "@helpers", "names")
        card = await self.waiting(scene)
        scene.playground.admin.give_roles(GRACE_ID, MEMBERS_ROLE_ID)

        await self.refused(scene, card, Standing.ROLE_MISSING, paid)

    @pytest.mark.parametrize(
        ("lists", "standing"),
        [
            ({"blocked_people": (GRACE_ID,)}, Standing.PERSON_BLOCKED),
            ({"blocked_channels": (GENERAL_ID,)}, Standing.CHANNEL),
        ],
    )
    async def test_lists_that_changed(
        self, unstarted: Scene, paid: Payments, lists: dict[str, Any], standing: Standing
    ) -> None:
        """A call that was approved while no process ran it does not run in one with other lists."""
        provider = script(PAY, "done")
        scene = await start(unstarted, paid, provider)
        await self.waiting(scene)
        turn = (await scene.app.store.turns.unfinished(f"discord:{GENERAL_ID}"))[0]
        await scene.stop()

        scene = await start(scene, paid, provider, **lists)

        await scene.app.bus.wait_until_idle()
        await scene.until(lambda: provider.requests[1:])
        steps = await scene.app.store.turns.get(turn.id)
        [call] = steps.state.calls.values()
        assert call.result is not None
        assert str(standing.sentence) in call.result.content
        assert paid == []

    async def test_when_discord_cannot_be_asked(self, unstarted: Scene, paid: Payments) -> None:
        """A tool with effects does not run while nobody can tell whether its asker is still there."""
        scene = await start(unstarted, paid, script(PAY, "done"))
        card = await self.waiting(scene)
        scene.playground.faults.plan("error", "GET", MEMBER, status=503, times=20)

        scene.click(card, "Approve")

        await scene.outcome()
        assert "I can't check right now" in card_text(card)
        assert paid == []

    async def test_one_that_only_reads_runs(
        self, unstarted: Scene, paid: Payments, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Then a tool that only reads runs all the same."""

        def look() -> str:
            """Look."""
            paid.append(1)
            return "seen"

        call = PAY.model_copy(update={"name": "look", "arguments": "{}"})
        options = {"idempotent": True}
        scene = await unstarted.start(provider=script(call, "done"), tools=(look,), tool_options=options)
        monkeypatch.setattr(scene.bot.access.members, "saw", lambda _: None)
        scene.playground.faults.plan("error", "GET", MEMBER, status=503, times=20)

        scene.ask("look", by=GRACE_ID)

        await scene.outcome()
        assert paid == [1]

    async def test_nobody_is_asked_for_who_may_not(
        self, unstarted: Scene, paid: Payments, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No approval is asked for a call that would not run anyway."""
        scene = await start(unstarted, paid, script(PAY, "done"))
        asked_for: list[ToolCallWaitingEvent] = []
        scene.app.bus.register_event_handler(ToolCallWaitingEvent, asked_for.append)
        monkeypatch.setattr(scene.bot.access.members, "saw", lambda _: None)
        scene.playground.faults.plan("error", "GET", MEMBER, status=404)

        scene.ask("pay", by=GRACE_ID)

        await scene.outcome()
        assert (asked_for, paid) == ([], [])
