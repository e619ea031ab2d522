"""Texts for people, kept so that they can be shown in another language than English.

A text is an English template, which is also its id in the catalogues of translations, and the values for its
placeholders. It becomes a sentence only where it is shown:

    refusal = tr("Only {name} or a moderator can do this.", name="Ada")
    str(refusal)          # in English, for logs
    language.say(refusal)  # in the language of whoever reads it
"""

import logging
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from llmgine.messages.text import clean_text

_log = logging.getLogger(__name__)


def _clean(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


Value = Annotated["int | float | str | Text", BeforeValidator(_clean)]


class Text(BaseModel):
    """A text for people. `str()` is the English sentence.

    Attributes:
        id: The English template, with a name in braces for each value. Of a text with a number, that for one.
        plural: The English template for any other number than one, which is the value `count`.
        values: What comes in place of the names: texts as they are, numbers as the language writes them.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    plural: str | None = None
    values: dict[str, Value] = {}

    def filled(self, **values: "int | float | str | Text") -> "Text":
        """The same text with these values."""
        return self.model_copy(update={"values": {**self.values, **values}})

    def __hash__(self) -> int:
        return hash((self.id, self.plural))  # the values are a dict

    def __str__(self) -> str:
        return ENGLISH.say(self)

    def __format__(self, _spec: str, /) -> str:
        raise TypeError(f"a text is made part of another by `tr` or `joined`, or shown by a language: {self.id!r}")


class _Number:
    """A number in a template: with its own format there, or with its thousands apart."""

    def __init__(self, value: float, language: "Language") -> None:
        self._value = value
        self._language = language

    def __format__(self, spec: str, /) -> str:
        return self._language.number(format(self._value, spec or ","))


class Language:
    """A language that people read; this class is English.

    Attributes:
        code: Its code by ISO 639, such as "en".
        name: What it is called in itself.
    """

    code = "en"
    name = "English"

    def template(self, text: Text) -> str:
        """The template of a text."""
        return text.id if text.plural is None or text.values.get("count") == 1 else text.plural

    def number(self, digits: str) -> str:
        """A number that is written as in English."""
        return digits

    def say(self, words: "Text | str") -> str:
        """A text in this language; one whose translation does not fit it, in English. A `str` stays as it is."""
        if isinstance(words, str):
            return words
        values = {name: self._value(value) for name, value in words.values.items()}
        try:
            return self.template(words).format_map(values)
        except (LookupError, ValueError):
            if self.code == Language.code:
                raise
            _log.exception("A translation does not fit its text: %r", words.id)
            return ENGLISH.say(words)

    def _value(self, value: "int | float | str | Text") -> object:
        if isinstance(value, Text):
            return self.say(value)
        return value if isinstance(value, str) else _Number(value, self)


ENGLISH = Language()


def tr(template: str, /, **values: "int | float | str | Text") -> Text:
    """A text that can be translated. The test of the catalogues finds it by the name of this function.

    Args:
        template: The text in English, written here as one literal.
        values: What comes in place of the names in braces.
    """
    return Text(id=template, values=values)


def tr_many(one: str, many: str, /, count: int, **values: "int | float | str | Text") -> Text:
    """A text that depends on a number, `{count}` in it, which can be translated; see `tr`.

    Args:
        one: The text in English for the number 1, written here as one literal.
        many: That for all other numbers.
        count: The number.
        values: What comes in place of the other names in braces.
    """
    return Text(id=one, plural=many, values={"count": count, **values})


def joined(separator: Text | str, *parts: Text | str) -> Text:
    """Texts one after the other, with a separator between; empty ones are left out."""
    shown = [part for part in parts if part != ""]
    values: Mapping[str, Text | str] = {f"part{number}": part for number, part in enumerate(shown)}
    between = "{between}" if len(shown) > 1 else ""
    return Text(id=between.join(f"{{{name}}}" for name in values), values={"between": separator, **values})


def words_of(error: BaseException) -> Text | str:
    """What an error says to people: as a text, where it was raised with one."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Text) else str(error)


Text.model_rebuild()
