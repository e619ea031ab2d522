"""Taking one person out of what other people said and did: their id, their name, and what was quoted of them."""

import re

from pydantic import JsonValue

NOBODY = "0"  # in place of an id; Discord has no such person
_NAME = "forgotten"  # in place of a name
QUOTES = ("quoted", "first")  # the fields that quote a whole message: what is replied to, and what a thread began with
_DENIED = "This call was denied. Do not try it again unless asked."


class Person:
    """A person who is taken out, by the id that the front end knows them by.

    Args:
        person_id: The id.

    Raises:
        ValueError: It is no id: letters, digits and hyphens.
    """

    def __init__(self, person_id: str) -> None:
        if not re.fullmatch(r"[0-9A-Za-z-]+", person_id):
            raise ValueError("this is not a person's id")
        self.id = person_id
        self._id = re.compile(rf"(?<![0-9A-Za-z]){re.escape(person_id)}(?![0-9A-Za-z])")

    def is_in(self, text: str) -> bool:
        """Whether the text has their id."""
        return self._id.search(text) is not None

    def is_author(self, value: JsonValue) -> bool:
        """Whether a message, as JSON, is of this person."""
        return isinstance(value, dict) and _id_of(value.get("author")) == self.id

    def has_decided(self, value: JsonValue) -> bool:
        """Whether a decision on a tool call, as JSON, is of this person, or of one who was taken out before."""
        return isinstance(value, dict) and _id_of(value.get("decided_by")) in (self.id, NOBODY)

    def taken_out(self, value: JsonValue) -> JsonValue:
        """A value without the person.

        What was quoted of them is gone, with what they are called where they are mentioned and the reasons they gave
        for decisions. Their id is replaced.
        """
        if isinstance(value, str):
            return self._id.sub(NOBODY, value)
        if isinstance(value, list):
            return [self.taken_out(one) for one in value if not (_is_forwarded(one) and self.is_author(one))]
        if not isinstance(value, dict):
            return value
        if _id_of(value) == self.id:
            return {**value, "id": NOBODY, "name": _NAME}
        theirs = {key for key in QUOTES if self.is_author(value.get(key))}
        theirs |= {"reason"} if self.has_decided(value) else set()
        return {
            key: None if key in theirs else self.taken_out(one) for key, one in value.items() if not self.is_in(key)
        }


def without_denial(result: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The result of a denied tool call, as JSON, without who denied it and why."""
    shown: JsonValue = {"id": "{name} denied this.", "plural": None, "values": {"name": _NAME}}
    return {**result, "content": _DENIED, "shown": shown}


def without_quotes_of_bot(prompt: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """A prompt, as JSON, without what it quotes of the bot: quotes and forwarded messages that have no author."""
    new = _without_forwards_of_bot(prompt)
    if not isinstance(new, dict):
        return prompt
    thread = new.get("thread")
    if isinstance(thread, dict) and _is_of_bot(thread.get("first")):
        new["thread"] = {**thread, "first": None}
    return {**new, "quoted": None} if _is_of_bot(new.get("quoted")) else new


def _without_forwards_of_bot(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_without_forwards_of_bot(one) for one in value if not (_is_forwarded(one) and _is_of_bot(one))]
    if isinstance(value, dict):
        return {key: _without_forwards_of_bot(one) for key, one in value.items()}
    return value


def _is_forwarded(value: JsonValue) -> bool:
    return isinstance(value, dict) and value.get("kind") == "forwarded"


def _is_of_bot(quote: JsonValue) -> bool:
    return isinstance(quote, dict) and quote.get("author") is None


def _id_of(value: JsonValue) -> JsonValue:
    """The id of a person, as JSON has them."""
    return value.get("id") if isinstance(value, dict) and "name" in value else None
