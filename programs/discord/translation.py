"""The bot's fixed texts in the languages of Discord that it knows: English, and German.

A text stands in the code in English, and is its own key. To add a language, write a file as `german.py` and name it
here.
"""

from collections.abc import Mapping

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation

from programs.discord.german import GERMAN

LANGUAGES: Mapping[discord.Locale, Mapping[str, str]] = {discord.Locale.german: GERMAN}


def translated(text: str, locale: discord.Locale) -> str:
    """The text in the language of a locale; in English where it is not known in that."""
    return LANGUAGES.get(locale, {}).get(text, text)


class Translations(app_commands.Translator):
    """Gives Discord the descriptions of commands and options, and the names of menus, in all languages.

    What people type, the names of commands and options, is the same in all of them: it is what texts refer to.
    """

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """One string in the language of a locale, or None."""
        if is_typed(context):
            return None
        return LANGUAGES.get(locale, {}).get(string.message)


def is_typed(context: app_commands.TranslationContextTypes) -> bool:
    """Whether the string is one that people type."""
    if context.location is TranslationContextLocation.command_name:
        return not isinstance(context.data, app_commands.ContextMenu)
    return context.location in (TranslationContextLocation.group_name, TranslationContextLocation.parameter_name)
