"""The three questions of the README, through the bot with the offline demo model."""

import discord
import pytest

from tests.programs.discord.scene import Scene, body_of, card_text, labels

EMAIL = "Send an email to test@example.com with subject 'Hello' and body 'Testing the function calling capability'"


@pytest.mark.parametrize(
    ("question", "tool", "answer"),
    [
        ("What's the weather like in San Francisco?", "get_weather", "**Weather:**"),
        ("Can you calculate 24*7 for me?", "calculate", "168"),
        (EMAIL, "send_email", "**E-mail:**"),
    ],
    ids=["weather", "calculate", "email"],
)
async def test_a_question_of_the_readme(unstarted: Scene, question: str, tool: str, answer: str) -> None:
    """Each is answered by a real tool call through the whole engine, shown on a card, and labelled."""
    scene = await unstarted.start(demo=True)
    scene.ask(question)
    card = await scene.card()
    if tool == "send_email":
        await scene.until(lambda: "Approve" in labels(card))
        scene.click(card, "Approve")

    outcome = await scene.outcome()

    sign = "⚠️" if tool == "send_email" else "✅"  # without a mail server nothing was sent
    assert card_text(card).startswith(f"{sign} **{discord.utils.escape_markdown(tool)}** ")
    assert answer in body_of(outcome.content)
    assert "-# offline demo model · " in outcome.content
