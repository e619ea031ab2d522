"""Whether what can be seen is what is stored: a body may be shown in its plain form, or in place of it why not."""

from typing import Any

from programs.discord.delivery.bodies import plain_form
from programs.discord.delivery.notices import AGAINST_THE_RULES, NOT_TAKEN, WITHOUT_WORDS


def words_of(body: Any) -> str:
    """The text of a stored body."""
    return str(body.get("content") or "").strip()


def is_replaced(shown: str) -> bool:
    """Whether it is what is shown in place of what Discord or a server's rules do not take."""
    return str(AGAINST_THE_RULES) in shown or str(NOT_TAKEN) in shown or shown == WITHOUT_WORDS


def is_shown_as(shown: str, body: Any) -> bool:
    """Whether it shows a body; where no file can be sent, its text is in messages, the first of them here."""
    return is_replaced(shown) or shown.strip() in (words_of(body), words_of(plain_form(body)[0]))
