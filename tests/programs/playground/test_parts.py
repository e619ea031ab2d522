"""The small parts: ids, waiting, mentions, nonces by an injected clock."""

import asyncio

import pytest

from programs.playground.changes import Changes
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, GUILD_ID
from programs.playground.errors import ApiError
from programs.playground.forms import AllowedMentions, MessageForm
from programs.playground.mentions import Mentions, find_mentions
from programs.playground.posting import Posting, safe_filename
from programs.playground.snowflakes import Snowflakes, moment
from programs.playground.state import State
from tests.programs.playground.conftest import within

KNOWN = {ADA_ID, GRACE_ID, BOT_ID}


def test_ids_grow_though_the_clock_jumps_back() -> None:
    """Every id is greater than any before, at whatever the clock says."""
    times = iter([1_800_000_000.0, 1_800_000_000.0, 1_700_000_000.0, 1_900_000_000.0])
    ids = Snowflakes(lambda: next(times))

    made = [ids.next() for _ in range(4)]

    assert made == sorted(set(made))
    assert moment(made[0]).timestamp() == 1_800_000_000
    assert made[0] > max(KNOWN) > GENERAL_ID > GUILD_ID


async def test_waiting_ends_at_the_change_that_fits() -> None:
    """A waiter looks again at each change, and goes on at the first that fits."""
    changes = Changes()
    values: list[int] = []
    waiting = asyncio.create_task(changes.wait_for(lambda: len(values) >= 2))

    for value in range(2):
        await asyncio.sleep(0)
        assert not waiting.done()
        values.append(value)
        changes.note()

    assert await within(waiting)


@pytest.mark.parametrize(
    ("text", "allowed", "expected"),
    [
        (f"<@{ADA_ID}> <@!{GRACE_ID}> <@{ADA_ID}>", None, Mentions([ADA_ID, GRACE_ID])),
        (f"`<@{ADA_ID}>` ```\n<@{GRACE_ID}> @everyone```", None, Mentions()),
        ("<@123456789012345678> <@5>", None, Mentions()),
        ("@here", None, Mentions(everyone=True)),
        ("@everyone", AllowedMentions(parse=["users"]), Mentions()),
        (f"<@{ADA_ID}> <@{GRACE_ID}>", AllowedMentions(users=[GRACE_ID]), Mentions([GRACE_ID])),
        (f"<@&{GUILD_ID}>", AllowedMentions(parse=["roles"]), Mentions(roles=[GUILD_ID])),
    ],
)
def test_mentions_are_found_as_discord_finds_them(
    text: str, allowed: AllowedMentions | None, expected: Mentions
) -> None:
    """Known users and roles outside code count, as far as they are allowed."""
    assert find_mentions(text, allowed, known=KNOWN, may_ping_everyone=True) == expected


def test_a_nonce_is_forgotten_after_its_time() -> None:
    """Inside the window a nonce gives back the message, or 10008 when that was deleted; after it, a new one."""
    now = [0.0]
    state = State(Snowflakes())
    posting = Posting(state, 60, lambda: now[0])
    general = state.channels[GENERAL_ID]
    form = MessageForm(content="x", nonce="n", enforce_nonce=True)

    first = posting.create(general, BOT_ID, form)
    assert posting.create(general, BOT_ID, form) is first
    assert posting.create(general, ADA_ID, form) is not first
    state.delete_message(first)
    with pytest.raises(ApiError) as gone:
        posting.create(general, BOT_ID, form)
    assert gone.value.code == 10008
    now[0] = 61
    assert posting.create(general, BOT_ID, form) is not first


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a b.png", "a_b.png"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ('"\r\n.txt', "_.txt"),
        ("…", "_"),
        ("...", "file"),
    ],
)
def test_file_names_are_made_safe(name: str, safe: str) -> None:
    """No name leaves its folder, ends a header or is empty."""
    assert safe_filename(name) == safe
