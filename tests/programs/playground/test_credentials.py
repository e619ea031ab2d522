"""The bot's token."""

import base64
import re

from llmgine.observability.redaction import REDACTED, Redactor
from programs.playground.entities import BOT_ID
from programs.playground.server import Playground


def test_the_default_token_has_the_form_of_discords() -> None:
    """Three parts, of which the first is the bot's id in base64: libraries read it, and logs know what to hide."""
    first, second = Playground().token, Playground().token

    bot, _, _ = first.split(".")
    assert base64.urlsafe_b64decode(bot + "=" * (-len(bot) % 4)).decode() == str(BOT_ID)
    assert re.fullmatch(r"[\w-]{24}\.[\w-]{6}\.[\w-]{38}", first)
    assert Redactor()(f"Bot {first}") == f"Bot {REDACTED}"
    assert first != second
