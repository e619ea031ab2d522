"""What the Responses API asks of the `input` of a request that it keeps nothing of."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.services.conversation import is_json_object

Json = dict[str, Any]

_FIELDS: Mapping[str, frozenset[str]] = {
    "message": frozenset({"type", "id", "role", "content", "status", "phase"}),
    "function_call": frozenset({"type", "id", "call_id", "name", "arguments", "status", "namespace"}),
    "function_call_output": frozenset({"type", "id", "call_id", "output", "status"}),
    "reasoning": frozenset({"type", "id", "summary", "content", "encrypted_content", "status"}),
}
_PREFIXES = {"message": "msg", "function_call": "fc", "reasoning": "rs"}
_PART_FIELDS = {
    "input_text": {"type", "text"},
    "input_image": {"type", "image_url", "detail", "file_id"},
    "output_text": {"type", "text", "annotations", "logprobs"},
    "refusal": {"type", "refusal"},
}


class InputProblem(Exception):  # noqa: N818  # what is said of a request, not an error of ours
    """A rule that the input breaks."""

    def __init__(self, rule: str, said: str, *, param: str = "input", code: str | None = None) -> None:
        super().__init__(said)
        self.rule, self.said, self.param, self.code = rule, said, param, code
        self.status = 404 if rule == "not kept" else 400


def check_input(items: object, encrypted: Mapping[str, str]) -> None:
    """Hold the input of a request against the rules.

    Args:
        items: The request's `input`.
        encrypted: The encrypted content of the reasoning items that the service wrote, by id.

    Raises:
        InputProblem: A rule is broken.
    """
    if isinstance(items, str):
        return
    if not isinstance(items, list) or not items:
        raise InputProblem("form", "Invalid type for 'input': expected a string or an array of items.")
    for index, item in enumerate(items):
        _check_fields(index, item)
    _check_calls(items)
    _check_reasoning(items, encrypted)
    last = items[-1]
    if kind_of(last) != "function_call_output" and last.get("role") != "user":
        raise InputProblem("last role", "The last item must be a user message or the output of a function call.")


def kind_of(item: Json) -> str:
    """The type of an item; a message may leave it out."""
    return str(item.get("type") or ("message" if "role" in item else ""))


def _check_fields(index: int, item: Json) -> None:
    kind, where = kind_of(item), f"input[{index}]"
    if kind not in _FIELDS:
        supported = ", ".join(f"'{name}'" for name in _FIELDS)
        raise InputProblem("form", f"Invalid value: '{kind}'. Supported values are: {supported}.", param=where)
    for name in item:
        if name not in _FIELDS[kind]:
            said = f"Unknown parameter: '{where}.{name}'."
            raise InputProblem("unknown field", said, param=f"{where}.{name}", code="unknown_parameter")
    prefix = _PREFIXES.get(kind)
    if prefix and item.get("id") is not None and not str(item["id"]).startswith(prefix):
        said = f"Invalid '{where}.id': '{item['id']}'. Expected an ID that begins with '{prefix}'."
        raise InputProblem("id", said, param=f"{where}.id", code="invalid_value")
    if kind == "message":
        _check_message(where, item)
    if kind == "function_call" and not (item.get("call_id") and item.get("name")):
        raise InputProblem("form", f"Missing required parameter: '{where}.call_id'.", param=where)
    if kind == "function_call" and not is_json_object(item.get("arguments")):
        raise InputProblem("arguments", f"Invalid '{where}.arguments': expected the JSON of an object.", param=where)
    if kind == "function_call_output" and not isinstance(item.get("output"), str | list):
        raise InputProblem("form", f"Missing required parameter: '{where}.output'.", param=where)
    if kind == "reasoning" and not isinstance(item.get("summary"), list):
        raise InputProblem("form", f"Missing required parameter: '{where}.summary'.", param=where)


def _check_message(where: str, item: Json) -> None:
    role, content = item.get("role"), item.get("content")
    if role not in {"user", "assistant", "system", "developer"}:
        raise InputProblem("unknown role", f"Invalid value: '{role}'.", param=f"{where}.role")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise InputProblem("form", f"Missing required parameter: '{where}.content'.", param=where)
    allowed = {"output_text", "refusal"} if role == "assistant" else {"input_text", "input_image"}
    for number, part in enumerate(content):
        kind, place = part.get("type"), f"{where}.content[{number}]"
        if kind not in allowed:
            supported = " and ".join(f"'{name}'" for name in sorted(allowed))
            raise InputProblem("part", f"Invalid value: '{kind}'. Supported values are: {supported}.", param=place)
        for name in part:
            if name not in _PART_FIELDS[kind]:
                raise InputProblem("unknown field", f"Unknown parameter: '{place}.{name}'.", param=place)
        if kind == "input_image" and not isinstance(part.get("image_url"), str):
            said = f"Invalid type for '{place}.image_url': expected an image URL, but got an object instead."
            raise InputProblem("part", said, param=place)


def _check_calls(items: Sequence[Json]) -> None:
    """Each output has its call before it, and each call one output before somebody speaks again."""
    waiting: list[str] = []
    for item in items:
        kind = kind_of(item)
        if kind == "function_call":
            waiting.append(item["call_id"])
        elif kind == "function_call_output":
            if item["call_id"] not in waiting:
                said = f"No tool call found for function call output with call_id {item['call_id']}."
                raise InputProblem("orphan result", said)
            waiting.remove(item["call_id"])
        elif kind == "message" and waiting:
            break
    if waiting:
        raise InputProblem("unanswered call", f"No tool output found for function call {waiting[0]}.")


def _check_reasoning(items: Sequence[Json], encrypted: Mapping[str, str]) -> None:
    """Reasoning comes back as it was, with what follows it; in the present turn each round of calls has it."""
    users = [index for index, item in enumerate(items) if item.get("role") == "user"]
    present = users[-1] if users else 0
    has_reasoning = False
    for index, item in enumerate(items):
        kind = kind_of(item)
        if kind == "reasoning":
            _check_encrypted(item, encrypted)
            following = items[index + 1] if index + 1 < len(items) else {}
            if kind_of(following) not in {"function_call", "reasoning"} and following.get("role") != "assistant":
                said = f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following item."
                raise InputProblem("reasoning alone", said)
            has_reasoning = True
        elif kind == "function_call" and index > present and not has_reasoning:
            said = (
                f"Item '{item.get('id')}' of type 'function_call' was provided without its required 'reasoning' item: "
                f"'{str(item.get('id')).replace('fc_', 'rs_')}'."
            )
            raise InputProblem("reasoning missing", said)
        elif kind == "function_call_output" or item.get("role") == "user":
            has_reasoning = False


def _check_encrypted(item: Json, encrypted: Mapping[str, str]) -> None:
    sent, name = item.get("encrypted_content"), item.get("id")
    if sent is None:
        said = (
            f"Item with id '{name}' not found. Items are not persisted when `store` is set to false. Try again with "
            "`store` set to true, or remove this item from your input."
        )
        raise InputProblem("not kept", said)
    known = encrypted.values() if name is None else (encrypted.get(name),)
    if sent not in known:
        said = (
            f"The encrypted content for item {name} could not be verified. Reason: Encrypted content could not be "
            "decrypted or parsed."
        )
        raise InputProblem("encrypted", said, code="invalid_encrypted_content")


def said_in(items: object) -> list[str]:
    """The texts of people in an input, the latest last."""
    if not isinstance(items, list):
        return [str(items)]
    return [_text(item.get("content")) for item in items if item.get("role") == "user"] or [""]


def _text(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text") or "" for part in content)
    return str(content or "")


def rounds_in(items: object) -> int:
    """How often the model has called tools since somebody last said something."""
    rounds, before = 0, ""
    for item in items if isinstance(items, list) else ():
        kind = kind_of(item)
        if item.get("role") == "user":
            rounds = 0
        elif kind == "function_call" and before != "function_call":
            rounds += 1
        before = kind
    return rounds
