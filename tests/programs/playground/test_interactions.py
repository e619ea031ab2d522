"""Commands, buttons, selects, modals and their deadlines, through the real discord.py."""

import asyncio
from typing import Any

import discord
import pytest
from discord import app_commands

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, MEMBERS_ROLE_ID, Flag, Message
from programs.playground.errors import ApiError
from programs.playground.posting import Upload
from programs.playground.rules import Rules
from programs.playground.server import Playground
from programs.playground.state import Dispatch
from tests.programs.playground.conftest import Bot, Clock, Connect, Raw, within

Interaction = discord.Interaction[Any]


async def listen(bot: Bot) -> None:
    """Register one command that answers nothing: the test answers what it heard."""

    @bot.tree.command(name="ask", description="Ask")
    async def ask(interaction: Interaction, text: str, times: int = 1, who: discord.Member | None = None) -> None:
        interaction.extras["given"] = (text, times, who)

    await bot.tree.sync()


def said(playground: Playground, content: str) -> Message | None:
    found = (one for one in playground.state.channels[GENERAL_ID].messages.values() if one.content == content)
    return next(found, None)


async def ask(playground: Playground, bot: Bot) -> Interaction:
    playground.people.command(GENERAL_ID, ADA_ID, "ask", [{"name": "text", "value": "?"}])
    interaction: Interaction = await bot.heard("interaction")
    return interaction


async def test_a_commands_options_arrive_typed(playground: Playground, bot: Bot) -> None:
    """Strings, integers and members reach the command as the client declared them."""
    await listen(bot)
    options: list[dict[str, Any]] = [
        {"name": "text", "value": "hi"},
        {"name": "times", "value": 3},
        {"name": "who", "value": str(GRACE_ID)},
    ]
    playground.people.command(GENERAL_ID, ADA_ID, "ask", options)

    interaction = await bot.heard("interaction")
    completed = await bot.heard("app_command_completion")
    text, times, who = completed[0].extras["given"]
    assert (text, times, who.id) == ("hi", 3, GRACE_ID)
    assert (interaction.user.id, interaction.channel_id) == (ADA_ID, GENERAL_ID)
    assert interaction.permissions.manage_messages


async def test_an_answer_is_a_message_of_the_command(playground: Playground, bot: Bot) -> None:
    """The first answer is a message of type 20 that tells who asked; it can be fetched, edited and deleted."""
    await listen(bot)
    interaction = await ask(playground, bot)

    await interaction.response.send_message("answer")

    message = await interaction.original_response()
    assert message.type is discord.MessageType.chat_input_command
    assert message.interaction_metadata is not None
    assert message.interaction_metadata.user.id == ADA_ID
    await message.edit(content="better")
    assert said(playground, "better")
    await interaction.delete_original_response()
    assert not playground.state.channels[GENERAL_ID].messages


async def test_an_ephemeral_answer_is_for_one(playground: Playground, bot: Bot, raw: Raw) -> None:
    """Only the person who asked sees it, and the bot's history does not hold it."""
    await listen(bot)
    interaction = await ask(playground, bot)

    await interaction.response.send_message("psst", ephemeral=True)

    path = f"/channels/{GENERAL_ID}/messages?as="
    assert [one["content"] for one in (await raw.page("GET", path + str(ADA_ID)))[1]] == ["psst"]
    assert (await raw.page("GET", path + str(GRACE_ID)))[1] == []
    assert [one async for one in bot.general.history()] == []
    message = said(playground, "psst")
    assert message is not None
    assert message.flags & Flag.EPHEMERAL


async def test_a_deferred_answer_is_filled_once(playground: Playground, bot: Bot) -> None:
    """Thinking is a message of its own, which the first follow-up takes the place of."""
    await listen(bot)
    interaction = await ask(playground, bot)

    await interaction.response.defer(thinking=True)
    thinking = await interaction.original_response()
    first = await interaction.followup.send("first", wait=True)
    second = await interaction.followup.send("second", wait=True)

    assert thinking.flags.loading
    assert first.id == thinking.id
    assert second.id != first.id
    assert not first.flags.loading


async def test_a_follow_up_outlives_a_deleted_deferral(playground: Playground, bot: Bot) -> None:
    """After "thinking" was deleted a follow-up is a new message, as ephemeral as it asks to be."""
    await listen(bot)
    interaction = await ask(playground, bot)

    await interaction.response.defer(thinking=True)
    await interaction.delete_original_response()
    await interaction.followup.send("no", ephemeral=True)

    refusal = said(playground, "no")
    assert refusal is not None
    assert refusal.ephemeral_to == ADA_ID
    with pytest.raises(discord.NotFound):
        await interaction.edit_original_response(content="x")


async def test_a_second_answer_is_refused(playground: Playground, bot: Bot) -> None:
    """One interaction has one first answer: 40060."""
    await listen(bot)
    interaction = await ask(playground, bot)
    await interaction.response.send_message("one")

    interaction.response._response_type = None
    with pytest.raises(discord.HTTPException) as refused:
        await interaction.response.send_message("two")
    assert refused.value.code == 40060


async def test_an_answer_after_the_deadline_is_refused(start: Connect) -> None:
    """Three seconds on, an interaction is unknown, and the person was told that nobody answered; none is waited for."""
    clock = Clock()
    async with Playground(monotonic=clock) as playground:
        told: list[Dispatch] = []
        playground.state.subscribe(told.append)
        bot = await start(playground)
        await listen(bot)
        interaction = await ask(playground, bot)

        clock.now += 2.9
        playground.tick()
        assert "INTERACTION_FAILED" not in [one.name for one in told]
        clock.now += 0.1
        playground.tick()

        assert "INTERACTION_FAILED" in [one.name for one in told]
        with pytest.raises(discord.NotFound) as refused:
            await interaction.response.send_message("late")
        assert refused.value.code == 10062
        await bot.close()


async def test_a_late_answer_finds_the_deadline_by_itself(start: Connect) -> None:
    """Once the clock is past it an answer is refused, though nobody told the playground to look at the clock."""
    clock = Clock()
    async with Playground(monotonic=clock) as playground:
        bot = await start(playground)
        await listen(bot)
        interaction = await ask(playground, bot)
        clock.now += 3

        with pytest.raises(discord.NotFound) as refused:
            await interaction.response.send_message("late")
        assert refused.value.code == 10062
        await bot.close()


async def test_a_deadline_passes_by_itself(start: Connect) -> None:
    """Under the real clock nobody has to look: who asked is told when the time is over."""
    async with Playground(rules=Rules(first_answer_seconds=0.01)) as playground:
        told: list[Dispatch] = []
        playground.state.subscribe(told.append)
        bot = await start(playground)
        await listen(bot)
        await ask(playground, bot)

        await within(playground.wait_for(lambda _: [one for one in told if one.name == "INTERACTION_FAILED"]))
        await bot.close()


async def test_an_answer_in_a_deleted_thread_is_refused(playground: Playground, bot: Bot) -> None:
    """When the thread went while the bot was thinking, its answer meets 10003."""
    await listen(bot)
    thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "t")
    playground.people.command(thread.id, ADA_ID, "ask", [{"name": "text", "value": "?"}])
    interaction = await bot.heard("interaction")
    await interaction.response.defer(thinking=True)
    playground.people.delete_thread(thread.id, ADA_ID)

    with pytest.raises(discord.NotFound) as refused:
        await interaction.edit_original_response(content="late")
    assert refused.value.code == 10003


async def test_a_token_ends(start: Connect) -> None:
    """After its quarter of an hour a token is invalid, and a promised answer has failed."""
    clock = Clock()
    async with Playground(monotonic=clock) as playground:
        bot = await start(playground)
        await listen(bot)
        interaction = await ask(playground, bot)
        await interaction.response.defer(thinking=True)
        clock.now += 899
        await interaction.followup.send("in time", ephemeral=True)
        await interaction.followup.send("more", ephemeral=True)
        clock.now += 1

        with pytest.raises(discord.HTTPException) as refused:
            await interaction.edit_original_response(content="late")
        assert refused.value.code == 50027
        await bot.close()


async def test_a_promise_that_was_not_kept_is_taken_back(start: Connect) -> None:
    """What still says "thinking" when the token ends goes, and the person is told."""
    clock = Clock()
    async with Playground(monotonic=clock) as playground:
        told: list[Dispatch] = []
        playground.state.subscribe(told.append)
        bot = await start(playground)
        await listen(bot)
        interaction = await ask(playground, bot)
        await interaction.response.defer(thinking=True)
        assert playground.state.channels[GENERAL_ID].messages

        clock.now += 900
        playground.tick()

        assert not playground.state.channels[GENERAL_ID].messages
        assert told[-1].name == "INTERACTION_FAILED"
        await bot.close()


class Form(discord.ui.Modal, title="System prompt"):
    prompt: discord.ui.TextInput["Form"] = discord.ui.TextInput(label="Prompt", min_length=2, max_length=10)

    async def on_submit(self, interaction: Interaction, /) -> None:
        await interaction.response.send_message(f"Now {self.prompt.value}")


async def test_a_modal_is_filled_in(playground: Playground, bot: Bot) -> None:
    """A modal opens for the person who asked, and what they type comes back."""
    await listen(bot)
    told: list[Dispatch] = []
    playground.state.subscribe(told.append)
    interaction = await ask(playground, bot)
    form = Form()

    await interaction.response.send_modal(form)

    opened = next(one for one in told if one.name == "MODAL_OPEN")
    assert opened.audience == frozenset({ADA_ID})
    shown = opened.render(ADA_ID)
    assert shown["title"] == "System prompt"
    for bad in ({}, {form.prompt.custom_id: "x"}, {form.prompt.custom_id: "x" * 11}):
        with pytest.raises(ApiError):
            playground.people.submit_modal(ADA_ID, int(shown["modal_id"]), bad)
    with pytest.raises(ApiError):
        playground.people.submit_modal(GRACE_ID, int(shown["modal_id"]), {form.prompt.custom_id: "kind"})
    playground.people.submit_modal(ADA_ID, int(shown["modal_id"]), {form.prompt.custom_id: "kind"})
    assert await within(playground.wait_for(lambda _: said(playground, "Now kind")))


async def test_suggestions_are_waited_for(playground: Playground, bot: Bot) -> None:
    """Autocompletion gives what the bot offers for the text so far."""

    @bot.tree.command(description="Pick a city")
    async def city(interaction: Interaction, name: str) -> None:
        await interaction.response.send_message(name)

    @city.autocomplete("name")
    async def names(_: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=current.upper(), value=current)]

    await bot.tree.sync()

    choices = await within(
        playground.people.autocomplete(GENERAL_ID, ADA_ID, "city", [{"name": "name", "value": "par"}], "name")
    )

    assert choices == [{"name": "PAR", "value": "par"}]


async def test_nobody_answers_with_suggestions() -> None:
    """An autocompletion without an answer ends empty, not hanging."""
    clock = Clock()
    async with Playground(monotonic=clock) as lonely:
        lonely.state.commands[7] = {
            "id": "7",
            "name": "c",
            "type": 1,
            "options": [{"name": "o", "type": 3, "autocomplete": True}],
        }
        asking = asyncio.create_task(lonely.people.autocomplete(GENERAL_ID, ADA_ID, 7, [], "o"))
        await asyncio.sleep(0)  # it is asked
        clock.now += 3
        lonely.tick()

        assert await within(asking) == []


@pytest.mark.parametrize(
    "options",
    [
        [],
        [{"name": "text", "value": 5}],
        [{"name": "text", "value": "a"}, {"name": "times", "value": "x"}],
        [{"name": "text", "value": "a"}, {"name": "times", "value": True}],
        [{"name": "text", "value": "a"}, {"name": "unknown", "value": 1}],
        [{"name": "text", "value": "a"}, {"name": "who", "value": "Ada"}],
    ],
)
async def test_a_command_is_checked_before_it_is_sent(
    playground: Playground, bot: Bot, options: list[dict[str, Any]]
) -> None:
    """Missing, unknown and ill-typed options are refused, as Discord's clients do."""
    await listen(bot)

    with pytest.raises(ApiError) as refused:
        playground.people.command(GENERAL_ID, ADA_ID, "ask", options)
    assert refused.value.code == 50035


async def test_interactions_work_in_a_dm(playground: Playground, bot: Bot) -> None:
    """A command used in a DM comes with a user, and its answer stands there."""
    await listen(bot)
    dm = playground.people.open_dm(ADA_ID)
    playground.people.command(dm.id, ADA_ID, "ask", [{"name": "text", "value": "?"}])

    interaction = await bot.heard("interaction")
    await interaction.response.send_message("here")

    assert interaction.guild_id is None
    assert [one.content for one in dm.messages.values()] == ["here"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/interactions/1/x/callback", 404, 10062),
        ("/webhooks/100000000000000031/x", 401, 50027),
        ("/webhooks/1/x", 404, 10015),
    ],
)
async def test_made_up_tokens_open_nothing(raw: Raw, path: str, status: int, code: int) -> None:
    """Unknown interactions and webhooks have their codes."""
    answer = await raw.api("POST", path, {"type": 4, "data": {"content": "x"}, "content": "x"})

    assert (answer[0], answer[1]["code"]) == (status, code)


async def test_a_role_option_brings_the_role(playground: Playground, bot: Bot) -> None:
    """Options of roles and mentionables arrive as the things they name."""
    given: list[Any] = []

    @bot.tree.command(description="Greet a role")
    async def greet(interaction: Interaction, role: discord.Role, whom: discord.Member | discord.Role) -> None:
        given.extend([role, whom])
        await interaction.response.send_message("hi")

    await bot.tree.sync()
    options = [{"name": "role", "value": str(MEMBERS_ROLE_ID)}, {"name": "whom", "value": str(GRACE_ID)}]
    playground.people.command(GENERAL_ID, ADA_ID, "greet", options)

    await within(playground.wait_for(lambda _: given))
    assert [one.id for one in given] == [MEMBERS_ROLE_ID, GRACE_ID]


async def test_a_file_option_brings_the_file(playground: Playground, bot: Bot) -> None:
    """An upload becomes an attachment that the command reads, also within a subcommand; a missing one is refused."""
    read: list[tuple[str, bytes]] = []
    group = app_commands.Group(name="library", description="Books")

    @group.command(description="Take a book")
    async def take(interaction: Interaction, book: discord.Attachment) -> None:
        read.append((book.filename, await book.read()))
        await interaction.response.send_message("thanks")

    bot.tree.add_command(group)
    await bot.tree.sync()
    options: list[dict[str, Any]] = [{"name": "take", "options": [{"name": "book", "upload": 0}]}]
    with pytest.raises(ApiError) as refused:
        playground.people.command(GENERAL_ID, ADA_ID, "library", options)
    assert refused.value.code == 50035
    playground.people.command(GENERAL_ID, ADA_ID, "library", options, uploads=(Upload(0, "a b.txt", b"Call me"),))

    await within(playground.wait_for(lambda _: said(playground, "thanks")))
    assert read == [("a_b.txt", b"Call me")]
