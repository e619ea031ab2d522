"""A channel with one of everything that the page draws."""

from typing import Any

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID, ChannelType
from programs.playground.forms import ThreadChanges
from programs.playground.server import Playground
from tests.programs.playground.page.raw_bot import RawBot

COLOURS = [{"label": "Red", "value": "red", "description": "warm"}, {"label": "Blue", "value": "blue"}]
COMMANDS: list[dict[str, Any]] = [
    {
        "name": "play",
        "description": "Play a song",
        "options": [
            {"type": 3, "name": "song", "description": "Which song", "required": True},
            {"type": 6, "name": "person", "description": "For whom"},
        ],
    },
    {"name": "clear", "description": "Forget the conversation"},
    {"name": "Explain this", "type": 3},
    {"name": "Greet", "type": 2},
]


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


BUTTONS = row(
    *({"type": 2, "style": style, "label": f"Style {style}", "custom_id": f"b{style}"} for style in (1, 2, 3, 4)),
    {"type": 2, "style": 5, "label": "Manual", "url": "https://a.test/"},
)
ONE_OF = row({"type": 3, "custom_id": "one", "placeholder": "Pick a colour", "options": COLOURS})
SOME_OF = row({"type": 3, "custom_id": "some", "placeholder": "Pick some", "max_values": 2, "options": COLOURS})
ENTITIES = [row({"type": kind, "custom_id": f"kind{kind}", "placeholder": f"Kind {kind}"}) for kind in (5, 8)]
LAYOUT = {
    "type": 17,
    "accent_color": 0xCC7700,
    "components": [
        {"type": 10, "content": "## In a box"},
        {"type": 14},
        {
            "type": 9,
            "components": [{"type": 10, "content": "A section"}],
            "accessory": {"type": 2, "style": 1, "label": "Go", "custom_id": "go"},
        },
    ],
}
EMBED = {
    "author": {"name": "Tools"},
    "title": "get_weather",
    "url": "https://a.test/",
    "color": 0x2B9348,
    "description": "Weather in `San Francisco`",
    "fields": [{"name": name, "value": "21 °C", "inline": True} for name in ("Now", "High", "Low")],
    "footer": {"text": "sample data"},
    "timestamp": "2026-01-02T10:00:00Z",
}
TEXT = (
    f"# Title\n**bold** *it* <@{ADA_ID}> <#{RANDOM_ID}> https://a.test/x ||secret|| `code` <t:1700000000:R>\n"
    "> quote\n- one\n  - two\n```python\ndef f(x): return 'text' + str(42)  # why\n```\n-# small print"
)


async def furnish(playground: Playground, bot: RawBot) -> None:
    """Fill the general channel."""
    people = playground.people
    people.send(GENERAL_ID, GRACE_ID, TEXT)
    question = people.send(GENERAL_ID, ADA_ID, "May I?")
    people.edit(GENERAL_ID, question.id, ADA_ID, "May I ask?")
    for emoji, who in (("👍", GRACE_ID), ("🎉", ADA_ID)):
        people.react(GENERAL_ID, question.id, who, emoji)
    answers = {"message_reference": {"message_id": str(question.id)}, "embeds": [EMBED, {"title": "failed"}]}
    await bot.send(GENERAL_ID, content="Yes.", **answers)
    await bot.send(GENERAL_ID, content="Choose:", components=[BUTTONS, ONE_OF, SOME_OF, *ENTITIES])
    await bot.send(GENERAL_ID, flags=1 << 15, components=[LAYOUT])
    people.create_thread(GENERAL_ID, ADA_ID, "Plans", message_id=question.id)
    old = people.create_thread(GENERAL_ID, ADA_ID, "Old plans")
    people.change_thread(old.id, ADA_ID, ThreadChanges(archived=True))
    playground.admin.add_channel("ideas", ChannelType.FORUM)
    await bot.register(*COMMANDS)
