"""Places, origins and nonces: what they are made of, and that they are read as they were written."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgine.messages.steps import Turn
from programs.discord.ids import (
    MAX_NONCE,
    SOURCE,
    Kind,
    Origin,
    Place,
    is_in_a_server,
    missed_nonce,
    nonce,
    notice_nonce,
    paused_nonce,
    rate_nonce,
    refusal_nonce,
    scopes_now,
    welcome_nonce,
)
from programs.playground.entities import ADA_ID, GENERAL_ID, GUILD_ID
from tests.programs.discord.scene import Scene

_GUILD, _CATEGORY, _CHANNEL, _THREAD, _GONE = 1, 2, 3, 4, 5
_LONGEST = 2**64 - 1  # the largest id that Discord can give: 20 digits

_ids = st.integers(0, _LONGEST)
_maybe = st.none() | _ids
_places = st.builds(
    Place, kind=st.sampled_from(Kind), channel_id=_ids, parent_id=_maybe, category_id=_maybe, guild_id=_maybe
)
_origins = st.builds(
    Origin.at,
    _places,
    _maybe,
    cards=st.sampled_from(["quiet", "normal", "verbose"]),
    thread_id=_maybe,
)


class Server:
    """Channels as discord.py makes them of what the gateway sends, in one server."""

    def __init__(self) -> None:
        self.client = discord.Client(intents=discord.Intents(guilds=True))
        self.state: Any = self.client._connection
        self.guild = discord.Guild(state=self.state, data={"id": str(_GUILD), "unavailable": True})  # type: ignore[typeddict-item]
        self.state._add_guild(self.guild)

    def channel(self, made: Callable[..., Any], kind: discord.ChannelType, **data: Any) -> Any:
        about = {"id": str(_CHANNEL), "name": "c", "position": 0, "parent_id": str(_CATEGORY), "type": kind.value}
        found = made(state=self.state, guild=self.guild, data=about | data)
        self.guild._add_channel(found)
        return found

    def thread(self, kind: discord.ChannelType, parent_id: int) -> discord.Thread:
        metadata = {"archived": False, "auto_archive_duration": 60, "archive_timestamp": "2026-11-01T00:00:00+00:00"}
        about: Any = {"id": str(_THREAD), "parent_id": str(parent_id), "owner_id": "9", "name": "t"}
        about |= {"type": kind.value, "thread_metadata": metadata, "message_count": 0, "member_count": 0}
        return discord.Thread(guild=self.guild, state=self.state, data=about)

    def of_people(self, made: Callable[..., Any], kind: discord.ChannelType) -> Any:
        return made(
            me=discord.Object(9), state=self.state, data={"id": str(_CHANNEL), "type": kind.value, "recipients": []}
        )


def turn(origin: dict[str, Any]) -> Turn:
    return Turn(
        id="0123456789abcdef",
        session_id="discord:3",
        seq=1,
        attempt=1,
        claim=1,
        resumes=0,
        state="done",
        owner="me",
        source="discord",
        origin=origin,
        created_at=datetime.now(UTC),
    )


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (discord.TextChannel, discord.ChannelType.text),
        (discord.TextChannel, discord.ChannelType.news),
        (discord.VoiceChannel, discord.ChannelType.voice),
        (discord.StageChannel, discord.ChannelType.stage_voice),
        (discord.ForumChannel, discord.ChannelType.forum),
        (discord.ForumChannel, discord.ChannelType.media),
    ],
)
async def test_a_channel_of_a_server(made: Callable[..., Any], kind: discord.ChannelType) -> None:
    """The place of each kind of channel names its category and its server, and their settings hold there."""
    voice = {"bitrate": 64_000, "user_limit": 0} if "voice" in kind.name else {}

    place = Place.of(Server().channel(made, kind, **voice))

    assert place == Place(Kind.CHANNEL, _CHANNEL, None, _CATEGORY, _GUILD)
    assert place.scopes == ("discord:3", "discord:category:2", "discord:server:1")


async def test_a_category() -> None:
    """A category is a place in its server, and lies in no category."""
    place = Place.of(Server().channel(discord.CategoryChannel, discord.ChannelType.category, parent_id=None))

    assert place == Place(Kind.CHANNEL, _CHANNEL, None, None, _GUILD)


@pytest.mark.parametrize(
    "kind",
    [discord.ChannelType.public_thread, discord.ChannelType.private_thread, discord.ChannelType.news_thread],
)
async def test_a_thread(kind: discord.ChannelType) -> None:
    """The place of a thread names its channel, and its channel's category."""
    server = Server()
    server.channel(discord.TextChannel, discord.ChannelType.text)
    thread = server.thread(kind, _CHANNEL)

    assert Place.of(thread) == Place(Kind.THREAD, _THREAD, _CHANNEL, _CATEGORY, _GUILD)
    assert Place.of(thread).scopes == ("discord:4", "discord:3", "discord:category:2", "discord:server:1")
    assert scopes_now(thread) == Place.of(thread).scopes


async def test_a_thread_whose_channel_is_not_known() -> None:
    """Its category is left open, and so its session keeps the scopes that it was told of before."""
    thread = Server().thread(discord.ChannelType.public_thread, _GONE)

    assert Place.of(thread) == Place(Kind.THREAD, _THREAD, _GONE, None, _GUILD)
    assert scopes_now(thread) == ()


async def test_a_dm() -> None:
    """A DM is in no server, also one that discord.py knows from a message only; a group of people is no DM."""
    server = Server()
    dm = server.of_people(discord.DMChannel, discord.ChannelType.private)
    group = server.of_people(discord.GroupChannel, discord.ChannelType.group)

    assert Place.of(dm) == Place.of(discord.DMChannel._from_message(server.state, _CHANNEL)) == Place(Kind.DM, _CHANNEL)
    assert Place.of(dm).scopes == ("discord:3",)
    assert Place.of(group) == Place(Kind.CHANNEL, _CHANNEL)


@pytest.mark.parametrize("guild_id", [None, _GUILD, _GONE])
async def test_a_channel_of_which_only_the_id_is_known(guild_id: int | None) -> None:
    """It is never a DM, and is in the server that is told with it, whether that is available or not."""
    place = Place.of(Server().client.get_partial_messageable(_CHANNEL, guild_id=guild_id))

    assert place == Place(Kind.UNKNOWN, _CHANNEL, guild_id=guild_id)
    assert not place.is_dm
    assert is_in_a_server(place.scopes) is (guild_id is not None)


@given(place=_places)
def test_a_place_is_asked_of_discord_as_what_it_is(place: Place) -> None:
    """What is read from a channel that discord.py does not know has the kind and the server that were stored."""
    client = discord.Client(intents=discord.Intents(guilds=True))

    found = Place.of(place.partial(client))

    assert (found.kind, found.channel_id, found.guild_id) == (place.kind, place.channel_id, place.guild_id)


def test_no_channel_at_all() -> None:
    """What is no channel is no place that anything is stored for, and no DM."""
    assert Place.of(None) == Place(Kind.UNKNOWN, 0)


@given(origin=_origins)
def test_an_origin_is_read_as_it_was_written(origin: Origin) -> None:
    """Whatever is known of a turn's place comes back from the store, where ids are texts."""
    stored = origin.as_json()

    assert Origin.read(stored) == Origin.of(turn(stored)) == origin
    assert all(isinstance(value, str) for value in stored.values())


@given(place=_places, message_id=_ids)
def test_an_answer_in_place(place: Place, message_id: int) -> None:
    """What is answered where it was asked replies to its question."""
    origin = Origin.read(Origin.at(place, message_id).as_json())

    assert origin.asked == origin.answered == place
    assert origin.reply_to == message_id
    assert origin.question == (place.channel_id, message_id)


@given(place=_places, message_id=_ids, thread_id=_ids)
def test_an_answer_in_a_thread_of_its_own(place: Place, message_id: int, thread_id: int) -> None:
    """It is asked in the channel, and answered in a thread of it that replies to nothing."""
    origin = Origin.read(Origin.at(place, message_id, thread_id=thread_id).as_json())

    assert origin.asked == place
    assert origin.answered == place.thread(thread_id)
    assert origin.answered.scopes[:2] == (f"discord:{thread_id}", f"discord:{place.channel_id}")
    assert origin.reply_to is None
    assert origin.question == (place.channel_id, message_id)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"channel_id": "3"}, Origin(channel_id=3)),
        ({"channel_id": "3", "message_id": "7"}, Origin(channel_id=3, message_id=7)),
        (
            {"channel_id": "7", "message_id": "7", "cards": "quiet", "asked_in": "3"},
            Origin(channel_id=7, message_id=7, cards="quiet", asked_in=3),
        ),
    ],
)
def test_an_origin_of_an_older_version(stored: dict[str, Any], expected: Origin) -> None:
    """It is read without what a channel lies in, is never taken for a DM, and its keys are still written."""
    origin = Origin.read(stored)

    assert origin == expected
    assert origin.asked == Place(Kind.UNKNOWN, 3)
    assert not origin.answered.is_dm
    assert origin.as_json().items() >= stored.items()


def test_a_turn_that_no_message_asked_for() -> None:
    """There is nothing to reply to, and nothing to put a sign on."""
    origin = Origin.at(Place(Kind.CHANNEL, 3), None)

    assert origin.question is None
    assert origin.reply_to is None
    assert "message_id" not in origin.as_json()


@given(message_id=_ids)
def test_nonces_of_notices_fit(message_id: int) -> None:
    """Discord takes each, however long the id, and none is another's."""
    found = [
        refusal_nonce(message_id),
        missed_nonce(message_id),
        paused_nonce(message_id),
        rate_nonce(message_id),
        welcome_nonce(message_id),
        *(notice_nonce("0123456789abcdef", kind) for kind in "?/~+"),
    ]

    assert max(map(len, found)) <= MAX_NONCE
    assert len(set(found)) == len(found)


@given(numbers=st.tuples(st.integers(0, 10_000_000), st.integers(0, 10_000_000)))
def test_a_nonce_is_a_messages_own(numbers: tuple[int, int]) -> None:
    """Two messages of a turn have different nonces, and all of them fit."""
    one, other = (nonce("0123456789abcdef", number) for number in numbers)

    assert (one == other) is (numbers[0] == numbers[1])
    assert len(one) <= MAX_NONCE


def test_a_nonce_that_does_not_fit_is_refused() -> None:
    """It is no nonce that Discord would cut, and so take for another's."""
    with pytest.raises(ValueError, match="longer than the 25 characters"):
        nonce("0123456789abcdef", 10**9)


async def test_turns_name_their_place_and_server(scene: Scene) -> None:
    """What is said in a channel, a thread and a DM is stored with the channel and, but for the DM, with the server."""
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "talk").id
    dm = scene.playground.people.open_dm(ADA_ID).id
    asked = [scene.ask("one"), scene.ask("two", channel=thread), scene.say("three", channel=dm)]
    for channel in (GENERAL_ID, thread, dm):
        await scene.outcome(channel=channel)

    known = await scene.app.store.turns.known(SOURCE, [str(message.id) for message in asked])
    turns = [known.get(str(message.id)) for message in asked]

    assert [(turn.place, turn.guild) for turn in turns if turn] == [
        (str(GENERAL_ID), GUILD_ID),
        (str(thread), GUILD_ID),
        (str(dm), None),
    ]
