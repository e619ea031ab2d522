"""The languages that the bot speaks. Texts stand in the code in English; `locales` has a catalogue for each other one.

To add a language, copy `locales/de.po` to its code, such as `fr.po` or `pt-BR.po`, and translate what is in it.
"""

import functools
import gettext
import io
import re
import string
from collections.abc import Mapping
from pathlib import Path

import discord
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol, get_group_symbol
from discord import app_commands
from discord.app_commands import TranslationContextLocation

from llmgine.messages.steps import Turn
from llmgine.messages.translatable import ENGLISH, Language, Text

LOCALES = Path(__file__).parent / "locales"


class Translated(Language):
    """A language with a catalogue; what is not in that is said in English."""

    def __init__(self, code: str, catalog: Catalog) -> None:
        locale = Locale.parse(code, sep="-")
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        compiled.seek(0)
        self.code = code
        self.name = (locale.get_display_name() or code).capitalize()
        self._catalog = gettext.GNUTranslations(compiled)
        self._symbols = str.maketrans({",": get_group_symbol(locale), ".": get_decimal_symbol(locale)})

    def template(self, text: Text) -> str:
        """The template of a text."""
        if not text.id:  # the name of the catalogue's own head
            return ""
        if text.plural is None:
            return self._catalog.gettext(text.id)
        count = text.values.get("count")
        return self._catalog.ngettext(text.id, text.plural, count if isinstance(count, int) else 2)

    def number(self, digits: str) -> str:
        """A number that is written as in English."""
        return digits.translate(self._symbols)


@functools.cache
def languages() -> Mapping[str, Language]:
    """All languages, by their codes; the catalogues are read at the first use, which is the start of the bot.

    Raises:
        ValueError: The name of a catalogue is no code of a language.
    """
    return {ENGLISH.code: ENGLISH, **{path.stem: _read(path) for path in sorted(LOCALES.glob("*.po"))}}


def _read(path: Path) -> Language:
    with path.open("rb") as file:
        return Translated(path.stem, read_po(file, locale=path.stem.replace("-", "_")))


def language_of(locale: discord.Locale | str | None) -> Language:
    """The language of a locale of Discord's, or of a code; English where it is none of those that the bot speaks."""
    code = str(locale or "")
    return languages().get(code) or languages().get(code.partition("-")[0]) or ENGLISH


def language_of_turn(turn: Turn) -> Language:
    """The language in which a turn is answered, as its origin says; English for turns of earlier versions."""
    return language_of(str(turn.origin.get("language") or ""))


class Translations(app_commands.Translator):
    """Gives Discord the descriptions of commands and options, and the names of menus, in all languages.

    What people type, the names of commands and options, is the same in all of them: it is what texts refer to.
    """

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """One string in the language of a locale; None where it is the English one."""
        if is_typed(context):
            return None
        found = language_of(locale).say(string.extras.get("text") or Text(id=string.message))
        return None if found == string.message else found


def described(words: Text) -> app_commands.locale_str:
    """A text as discord.py takes it for the description of a command, and has it translated."""
    return app_commands.locale_str(str(words), text=words)


def is_typed(context: app_commands.TranslationContextTypes) -> bool:
    """Whether the string is one that people type."""
    if context.location is TranslationContextLocation.command_name:
        return not isinstance(context.data, app_commands.ContextMenu)
    return context.location in (TranslationContextLocation.group_name, TranslationContextLocation.parameter_name)


def pattern(template: str) -> str:
    """A regular expression for what may be made of a template."""
    pieces = string.Formatter().parse(template)
    return "".join(re.escape(literal) + ("" if name is None else "(?s:.+?)") for literal, name, _, _ in pieces)
