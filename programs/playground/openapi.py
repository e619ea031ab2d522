"""Discord's own OpenAPI document, against which all traffic is checked. Needs the package `jsonschema-rs`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs

from programs.playground.api_table import shape
from programs.playground.contract import UNKNOWN_ROUTE
from programs.playground.entities import Json
from programs.playground.errors import ApiError, FormFault, invalid_form
from programs.playground.forms import FORWARD
from programs.playground.log import NO_ANSWER, DispatchRecord, RequestRecord, Violation
from programs.playground.snowflakes import read_id
from programs.playground.wire import Call

_METHODS = ("get", "put", "post", "patch", "delete")
# Documented by Discord, though not in the document.
_BESIDES = {("GET", "/gateway")}
_CODES = {
    "required": "BASE_TYPE_REQUIRED",
    "maxLength": "BASE_TYPE_MAX_LENGTH",
    "minLength": "BASE_TYPE_MIN_LENGTH",
    "maxItems": "BASE_TYPE_MAX_LENGTH",
    "minItems": "BASE_TYPE_BAD_LENGTH",
    "enum": "BASE_TYPE_CHOICES",
    "const": "BASE_TYPE_CHOICES",
    "oneOf": "UNION_TYPE_CHOICES",
    "anyOf": "UNION_TYPE_CHOICES",
}
# The gateway is not in the document, but the objects its events carry are.
_EVENTS = {
    "CHANNEL_CREATE": "GuildChannelResponse",
    "CHANNEL_DELETE": "GuildChannelResponse",
    "CHANNEL_UPDATE": "GuildChannelResponse",
    "GUILD_MEMBER_ADD": "GuildMemberResponse",
    "MESSAGE_CREATE": "MessageResponse",
    "MESSAGE_UPDATE": "MessageResponse",
    "THREAD_CREATE": "ThreadResponse",
    "THREAD_UPDATE": "ThreadResponse",
}


class Document:
    """Implements `Contract`. One may serve many playgrounds: it compiles a schema on first use and keeps it."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, and ValueError for what is no OpenAPI document."""
        try:
            self._document: Json = json.loads(path.read_text(encoding="utf-8"))
            self._schemas: Json = self._document["components"]["schemas"]
            self._mend()
            self._operations = {
                (method.upper(), shape(template)): operation
                for template, item in self._document["paths"].items()
                for method, operation in item.items()
                if method in _METHODS
            }
        except (KeyError, TypeError, AttributeError) as other:
            raise ValueError(f"{path} is not Discord's OpenAPI document") from other
        self._validators: dict[tuple[str, ...], jsonschema_rs.Validator | None] = {}

    def _mend(self) -> None:
        """Where the document is narrower than the API."""
        # It asks for strings; the API takes numbers too, and discord.py sends them.
        self._schemas["SnowflakeType"] = {"type": ["string", "integer"], "pattern": "^(0|[1-9][0-9]*)$"}
        # It has numbers for the codes of a form's faults; the API answers words ("BASE_TYPE_REQUIRED").
        self._schemas["Error"]["properties"]["code"] = {"type": ["integer", "string"]}
        # It has numbers for a command's permissions; the API takes the digits too, as its documentation says.
        for schema in self._schemas.values():
            if "integer" in schema.get("properties", {}).get("default_member_permissions", {}).get("type", ()):
                schema["properties"]["default_member_permissions"] = {"type": ["integer", "string", "null"]}
        # It knows only replies; the API, and its documentation, know forwarded messages too.
        self._schemas["MessageReferenceType"]["oneOf"].append({"title": "FORWARD", "const": FORWARD})
        # It wants a code in every 429; Discord's documentation, and the API, have it as optional.
        self._schemas["RatelimitedResponse"]["allOf"][0] = {
            "type": "object",
            "properties": self._schemas["Error"]["properties"],
            "required": ["message"],
        }

    def operation_ids(self) -> dict[tuple[str, str], str]:
        """The name of every operation, by method and `shape` of its path."""
        return {key: operation["operationId"] for key, operation in self._operations.items()}

    def refusal(self, method: str, route: str, call: Call) -> ApiError | None:
        """The error that Discord would answer a request with, by its document; None where it fits."""
        if route == UNKNOWN_ROUTE or (method, route) in _BESIDES:
            return None
        faults = [*self._request_faults(method, route, call.body), *self._query_faults(method, route, call.query)]
        return invalid_form(*faults) if faults else None

    def violations(self, record: RequestRecord) -> Iterator[Violation]:
        """What of an exchange does not fit the document, by the bot or by the playground."""
        if record.route == UNKNOWN_ROUTE or (record.method, record.route) in _BESIDES:
            return
        what = f"{record.method} {record.path}"
        if (record.method, shape(record.route)) not in self._operations:
            yield Violation("bot", f"{what}: Discord's document has no such route")
            return
        for path, _, words in self._request_faults(record.method, record.route, record.request):
            yield Violation("bot", f"{what}: request{list(path)}: {words}")
        if record.status != NO_ANSWER and record.status < 500 and not isinstance(record.response, str):
            for text in self._answer_faults(record):
                yield Violation("playground", f"{what} {record.status}: {text}")

    def event_violations(self, record: DispatchRecord) -> Iterator[Violation]:
        """What of an event does not fit the document."""
        name = _EVENTS.get(record.name)
        if name is None or (name == "GuildChannelResponse" and "guild_id" not in record.data):
            return
        validator = self._validator(("event", name), {"$ref": f"#/components/schemas/{name}"})
        for error in validator.iter_errors(record.data) if validator else ():
            yield Violation("playground", f"{record.name}{list(error.instance_path)}: {error.message[:300]}")

    def _request_faults(self, method: str, route: str, body: Any) -> Iterator[FormFault]:
        content = self._operations.get((method, shape(route)), {}).get("requestBody", {}).get("content", {})
        schema = content.get("application/json", content.get("multipart/form-data", {})).get("schema")
        validator = self._validator(("request", method, shape(route)), schema)
        if validator is None or body is None:
            return  # the document says which bodies are required; here none that is left out matters
        for error in validator.iter_errors(body):
            keyword = str(error.schema_path[-1]) if error.schema_path else ""
            yield error.instance_path, _CODES.get(keyword, "BASE_TYPE_BAD_VALUE"), error.message[:300]

    def _query_faults(self, method: str, route: str, query: Any) -> Iterator[FormFault]:
        operation = self._operations.get((method, shape(route)), {})
        for parameter in operation.get("parameters", ()):
            name = parameter.get("name")
            if parameter.get("in") != "query" or name not in query:
                continue
            validator = self._validator(("query", method, shape(route), name), parameter["schema"])
            number = read_id(query[name])
            if parameter["schema"].get("type") == "integer" and number is not None:
                faults = validator.iter_errors(number) if validator else ()
                for error in faults:
                    yield (name,), "NUMBER_TYPE_COERCE", error.message[:300]

    def _answer_faults(self, record: RequestRecord) -> Iterator[str]:
        answers = self._operations[record.method, shape(record.route)]["responses"]
        answer = answers.get(str(record.status), answers.get(f"{record.status // 100}XX"))
        if answer is None:
            yield "the document has no such status"
            return
        if "$ref" in answer:
            answer = self._document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        validator = self._validator(("answer", record.method, shape(record.route), str(record.status)), schema)
        if validator is None:
            if record.response is not None:
                yield "the answer has a body"
            return
        for error in validator.iter_errors(record.response):
            yield f"answer{list(error.instance_path)}: {error.message[:300]}"

    def _validator(self, key: tuple[str, ...], schema: Any) -> jsonschema_rs.Validator | None:
        if key not in self._validators:
            whole = None if schema is None else {**schema, "components": self._document["components"]}
            self._validators[key] = None if whole is None else jsonschema_rs.validator_for(whole)
        return self._validators[key]
