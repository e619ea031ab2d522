"""Refusals in the words of many services, each with the change that it asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmgine.messages.chat_messages import ChatMessage, OpaqueParts, ToolCall, ToolSchema
from llmgine.providers.base import Change, ChatRequest
from llmgine.providers.openai import Api

Body = dict[str, Any]
PIXEL = "data:image/png;base64,iVBORw0KGgo="
ROLL = ToolSchema(name="roll", description="Roll a die.", parameters={"type": "object", "properties": {}})
CALL = ToolCall(id="abcdefghi", name="roll", arguments='{"sides": 6}')


def full(service: str, *changes: Change, with_parts: bool = True) -> ChatRequest:
    """A request with all that a service may refuse: images, tools and their history, limits, earlier replies' parts."""
    data: dict[str, Any] = {
        "reasoning_details": [{"text": "t"}],
        "calls": {"0": {"google": {"thought_signature": "s"}}},
    }
    data["output"] = [{"type": "reasoning", "id": "rs_1", "encrypted_content": "e"}, "call"]
    parts = OpaqueParts(service=service, model="gpt-test", data=data)
    return ChatRequest(
        messages=(
            ChatMessage(role="system", content="Be brief."),
            ChatMessage(role="user", content="Look", images=(PIXEL,)),
            ChatMessage(role="assistant", tool_calls=(CALL,), parts=parts if with_parts else None),
            ChatMessage(role="tool", content="4", tool_call_id=CALL.id),
        ),
        tools=(ROLL,),
        max_output_tokens=99,
        effort="low",
        temperature=0.5,
        changes=frozenset(changes),
    )


def error(text: str, **rest: object) -> Body:
    return {"error": {"message": text, **rest}}


def extra(*loc: str) -> Body:
    """A field that a strict service refuses, as its checks of a request say it."""
    return {"detail": [{"type": "extra_forbidden", "loc": ["body", *loc], "msg": "Extra inputs are not permitted"}]}


@dataclass(frozen=True)
class Case:
    """A refusal, the change that it asks for, and how a body shows that it was made.

    Attributes:
        change: What is changed.
        shows: Whether a body of a request has the change.
        said: The status and the body of each refusal; all ask for the same.
        lasts: Whether the words speak of the model or the service.
        given: The changes that were made before.
        api: The API that is spoken.
        with_parts: Whether the history has what the service sent beside its replies.
    """

    change: Change
    shows: Callable[[Body], bool]
    said: tuple[tuple[int, object], ...]
    lasts: bool = True
    given: tuple[Change, ...] = ()
    api: Api = "auto"
    with_parts: bool = True


def has_no_images(body: Body) -> bool:
    return "image_url" not in str(body) and "cannot be shown to you" in str(body)


def _no_tools(body: Body) -> bool:
    roles = [one["role"] for one in body["messages"]]
    told = str(body["messages"])
    return (
        "tools" not in body and roles == ["system", "user", "assistant"] and "roll" in told and "tool_call" not in told
    )


def _system_in_user(body: Body) -> bool:
    first = body["messages"][0]
    return first["role"] == "user" and str(first["content"][0]["text"]) == "Be brief.\n\nLook"


def _no_parts(body: Body) -> bool:
    return not any(name in str(body) for name in ("reasoning_details", "thought_signature", "encrypted_content': 'e"))


CASES = (
    Case(
        Change.NO_STREAM_OPTIONS,
        lambda body: "stream_options" not in body,
        (
            (400, error("Unrecognized request argument supplied: stream_options")),
            (422, extra("stream_options")),
            (400, error("stream_options is not supported")),
            (400, "Unknown field: stream_options"),
            (400, error("Unknown parameter: 'stream_options'.", param="stream_options", code="unknown_parameter")),
            (422, {"object": "error", "message": extra("stream_options"), "type": "invalid_request_error"}),
        ),
    ),
    Case(
        Change.MAX_COMPLETION_TOKENS,
        lambda body: body.get("max_completion_tokens") == 99 and "max_tokens" not in body,
        (
            (
                400,
                error(
                    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
                    "instead.",
                    param="max_tokens",
                    code="unsupported_parameter",
                ),
            ),
            (400, error("Unrecognized request argument supplied: max_tokens")),
        ),
    ),
    Case(
        Change.MAX_TOKENS,
        lambda body: body.get("max_tokens") == 99 and "max_completion_tokens" not in body,
        (
            (422, extra("max_completion_tokens")),
            (400, error("Unrecognized request argument supplied: max_completion_tokens")),
            (400, error("property 'max_completion_tokens' is unsupported")),
        ),
        given=(Change.MAX_COMPLETION_TOKENS,),
    ),
    Case(
        Change.NO_LIMIT,
        lambda body: "max_output_tokens" not in body,
        (
            (400, error("Unsupported parameter: max_output_tokens", param="max_output_tokens")),
            (400, {"detail": "Unsupported parameter: max_output_tokens"}),
        ),
        api="responses",
    ),
    Case(
        Change.NO_TEMPERATURE,
        lambda body: "temperature" not in body,
        (
            (400, error("`temperature` is deprecated for this model")),
            (400, error("invalid temperature: only 1 is allowed for this model")),
            (400, error("`temperature` cannot be used with this model")),
            (
                400,
                error(
                    "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value "
                    "is supported.",
                    param="temperature",
                    code="unsupported_value",
                ),
            ),
            (400, error("Unsupported parameter: 'temperature' is not supported with this model.")),
            (422, extra("temperature")),
        ),
    ),
    Case(
        Change.NO_INCLUDE,
        lambda body: "include" not in body,
        (
            (400, error("Encrypted content is not supported with this model.", param="include")),
            (400, error("Unrecognized request argument supplied: include")),
            (422, extra("include")),
        ),
        api="responses",
    ),
    Case(
        Change.NO_REASONING,
        lambda body: body.get("reasoning_effort") == "none" and "tools" in body,
        (
            (
                400,
                error(
                    "Function tools with reasoning_effort are not supported for gpt-5.6 in /v1/chat/completions. To "
                    "use function tools, set reasoning_effort to 'none'.",
                    param="reasoning_effort",
                ),
            ),
            (400, error("Tool calling is not supported while reasoning is enabled for this model")),
            (400, error("To use tools with this model, set reasoning_effort to 'none'.")),
        ),
    ),
    Case(
        Change.NO_EFFORT,
        lambda body: "reasoning_effort" not in body,
        (
            (
                400,
                error(
                    "Unsupported value: 'reasoning_effort' does not support 'low' with this model. Supported values "
                    "are: 'medium' and 'high'.",
                    param="reasoning_effort",
                    code="unsupported_value",
                ),
            ),
            (400, error("'reasoning_effort' : value must be one of `none` or `default`")),
        ),
        lasts=False,
    ),
    Case(
        Change.NO_EFFORT,
        lambda body: "reasoning_effort" not in body,
        (
            (400, error("Unrecognized request argument supplied: reasoning_effort")),
            (422, extra("reasoning_effort")),
            (400, error("`reasoning_effort` is not supported with this model")),
            (400, error('"test-model" does not support thinking')),
            (400, error("Argument not supported on this model: reasoningEffort")),
            (400, error("Reasoning is mandatory for this endpoint and cannot be disabled.")),
        ),
    ),
    Case(
        Change.NO_PARTS,
        _no_parts,
        (
            (422, extra("messages", "2", "assistant", "reasoning_details")),
            (
                400,
                error(
                    "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property "
                    "'reasoning_details' is unsupported)]"
                ),
            ),
            (400, error("Unknown parameter: 'messages[2].reasoning_details'.")),
        ),
    ),
    Case(
        Change.EMPTY_REASONING,
        lambda body: body["messages"][2].get("reasoning_content") == "",
        (
            (400, error("Missing `reasoning_content` field in the assistant message at message index 2.")),
            (
                400,
                error("thinking is enabled but reasoning_content is missing in assistant tool call message at index 2"),
            ),
            (400, error("The `reasoning_content` in the thinking mode must be passed back to the API.")),
        ),
    ),
    Case(
        Change.SKIP_SIGNATURE,
        lambda body: "skip_thought_signature_validator" in str(body["messages"][2]["tool_calls"][0]),
        (
            (400, [error("Function call is missing a thought_signature in functionCall parts.", code=400)]),
            (400, error("Function call `roll` in the 2. content block is missing a `thought_signature`.")),
            (400, error("Tool calls without a thoughtSignature are not accepted.")),
        ),
        with_parts=False,
    ),
    Case(
        Change.NO_PARTS,
        _no_parts,
        (
            (400, error("Corrupted thought signature.", status="INVALID_ARGUMENT")),
            (400, [error("Thought signature is not valid.", code=400)]),
            (400, error("Invalid `signature` in `thinking` block")),
        ),
        lasts=False,
    ),
    Case(
        Change.NO_PARTS,
        _no_parts,
        (
            (404, error("Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.")),
            (400, error("Item 'rs_1' of type 'reasoning' was provided without its required following item.")),
            (
                400,
                error("The encrypted content for item rs_1 could not be verified.", code="invalid_encrypted_content"),
            ),
            (
                400,
                error(
                    "Item 'fc_1' of type 'function_call' was provided without its required 'reasoning' item: 'rs_1'."
                ),
            ),
        ),
        lasts=False,
        api="responses",
    ),
    Case(
        Change.NO_IMAGES,
        has_no_images,
        (
            (
                500,
                error("image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
            ),
            (404, error("No endpoints found that support image input")),
            (400, error("'messages.1' : the content must be a string")),
            (400, error("Only text content is supported")),
            (422, error("messages[1].content: invalid type: sequence, expected a string")),
            (400, error("this model does not support images")),
            (422, error("unknown variant `image_url`, expected `text` at line 1 column 99")),
            (
                400,
                error("Failed to deserialize the JSON body: messages[1]: unknown variant `image_url`, expected `text`"),
            ),
            (500, error("missing data required for image input")),
            (400, error("Invalid content type. image_url is only supported by certain models.", param="messages.[1]")),
            (400, error("At most 0 image(s) may be provided in one request.")),
            (400, error("test-model is not a multimodal model")),
            (400, error("This model does not have vision capabilities: images are not supported.")),
            (413, error("images are not supported by this model")),
            (415, error("Images not accepted: this model cannot see images")),
        ),
    ),
    Case(
        Change.NO_IMAGES,
        has_no_images,
        (
            (
                400,
                error("You uploaded an unsupported image. Please make sure your image is valid.", code="invalid_image"),
            ),
            (400, error("Invalid image data", code="invalid_image_format")),
            (413, error("The image is too large: at most 5 MB per image")),
            (415, "Unsupported media type: image/tiff"),
            (422, error("Could not process image")),
            (500, error("failed to decode image")),
            (404, error("The image could not be downloaded")),
        ),
        lasts=False,
    ),
    Case(
        Change.NO_TOOLS,
        _no_tools,
        (
            (400, error("Invalid schema for function 'roll': 'x' is not valid", code="invalid_function_parameters")),
            (400, [error("GenerateContentRequest.tools[0].function_declarations[0].parameters: should be non-empty")]),
        ),
        lasts=False,
    ),
    Case(
        Change.NO_TOOLS,
        _no_tools,
        (
            (404, error('No endpoints found that support tool use. Try disabling "roll".')),
            (400, error("registry.example/library/test-model does not support tools")),
            (400, error("Unknown parameter: 'tools'.", param="tools", code="unknown_parameter")),
            (400, error("Tool calls are disabled for this model.")),
            (
                400,
                error('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
            ),
            (400, error("tools is not supported with this model", param="tools", code="unsupported_parameter")),
            (422, extra("tools")),
            (400, error("Function calling is not enabled for this model")),
            (400, error("This model does not support function calling")),
            (500, error("tools param requires --jinja flag")),
            (400, error("`tool calling` is not supported with this model")),
        ),
    ),
    Case(
        Change.SYSTEM_IN_USER,
        _system_in_user,
        (
            (400, error("System role not supported")),
            (400, error("Invalid role: system")),
            (400, error("messages[0]: role 'system' is not allowed")),
            (422, error("messages[0].role: unknown variant `system`, expected `user` or `assistant`")),
            (
                400,
                error(
                    "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                    param="messages[0].role",
                    code="unsupported_value",
                ),
            ),
            (400, error("Developer instruction is not enabled for this model")),
            (500, error("Conversation roles must alternate user/assistant/user/assistant/...")),
            (400, error("Only user and assistant roles are supported!")),
        ),
    ),
)
