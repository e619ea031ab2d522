"""What services say to a request that is too long, and what only sounds like it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.services.groq import limit_body

Json = dict[str, Any]
Body = Callable[[int, int], object]


class Wording(NamedTuple):
    """How a service refuses what is too long.

    Attributes:
        service: Whose words they are.
        status: The HTTP status; 200 means that the body comes as an event of a stream.
        body: The body, from the window and the tokens of the request.
        names_window: Whether the window is in the words.
    """

    service: str
    status: int
    body: Body
    names_window: bool = True


class Lookalike(NamedTuple):
    """A refusal that has nothing to do with the window.

    Attributes:
        name: What it is.
        status: The HTTP status.
        body: The body.
    """

    name: str
    status: int
    body: object


def said(text: str, **facts: object) -> Json:
    """An error's body in the form most services use."""
    return {"error": {"message": text, "type": "invalid_request_error", **facts}}


def _openai(window: int, requested: int) -> object:
    text = (
        f"This model's maximum context length is {window} tokens. However, your messages resulted in {requested} "
        "tokens (9000 in the messages, 120 in the functions). Please reduce the length of the messages or functions."
    )
    return said(text, param="messages", code="context_length_exceeded")


def _openai_window(_window: int, _requested: int) -> object:
    text = "Your input exceeds the context window of this model. Please adjust your input and try again."
    return said(text, param="input", code="context_length_exceeded")


def _openai_limit(window: int, requested: int) -> object:
    text = f"Input tokens exceed the configured limit of {window} tokens. Your messages resulted in {requested} tokens."
    return said(text, param="messages", code="context_length_exceeded")


def _anthropic(window: int, requested: int) -> object:
    text = f"prompt is too long: {requested} tokens > {window} maximum"
    return {"type": "error", "error": {"type": "invalid_request_error", "message": text}}


def _anthropic_size(_window: int, _requested: int) -> object:
    text = "Request exceeds the maximum size"
    return {"type": "error", "error": {"type": "request_too_large", "message": text}}


def _gemini(window: int, requested: int) -> object:
    text = f"The input token count ({requested}) exceeds the maximum number of tokens allowed ({window})."
    return [{"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}}]


def _xai(window: int, requested: int) -> object:
    text = f"This model's maximum prompt length is {window} but the request contains {requested} tokens."
    return {"code": "Client specified an invalid argument", "error": text}


def _groq(_window: int, _requested: int) -> object:
    text = "Please reduce the length of the messages or completion."
    return said(text, param="messages", code="context_length_exceeded")


def _bedrock(_window: int, _requested: int) -> object:
    return {"message": "Input is too long for requested model."}


def _mistral(window: int, requested: int) -> object:
    text = f"Prompt contains {requested} tokens, too large for model with {window} maximum context length"
    return {"object": "error", "message": text, "type": "invalid_request_prompt", "code": "3051"}


def _vllm(window: int, requested: int) -> object:
    text = (
        f"This model's maximum context length is {window} tokens. However, you requested {requested + 512} tokens "
        f"({requested} in the messages, 512 in the completion). Please reduce the length of the messages or completion."
    )
    return {"object": "error", "message": text, "type": "BadRequestError", "param": None, "code": 400}


def _llama_cpp(window: int, requested: int) -> object:
    text = f"request ({requested} tokens) exceeds the available context size ({window} tokens), try increasing it"
    error: Json = {"code": 400, "message": text, "type": "exceed_context_size_error"}
    return {"error": {**error, "n_prompt_tokens": requested, "n_ctx": window}}


def _llama_cpp_old(_window: int, _requested: int) -> object:
    text = "the request exceeds the available context size, try increasing it"
    return {"error": {"code": 400, "message": text, "type": "invalid_request_error"}}


def _lm_studio(window: int, requested: int) -> object:
    text = (
        f"Trying to keep the first {requested} tokens when context the overflows. However, the model is loaded with "
        f"context length of only {window} tokens, which is not enough. Try to load the model with a larger context "
        "length, or provide a shorter input"
    )
    return {"error": {"message": text}}


def _lm_studio_keep(_window: int, _requested: int) -> object:
    return {"error": "The number of tokens to keep from the initial prompt is greater than the context length"}


def _kimi(window: int, requested: int) -> object:
    return said(f"Invalid request: Your request exceeded model token limit: {window} (requested: {requested})")


def _minimax(_window: int, _requested: int) -> object:
    return {"type": "error", "error": {"type": "bad_request_error", "message": "context window exceeds limit (2013)"}}


def _together(window: int, requested: int) -> object:
    return said(f"The input ({requested} tokens) is longer than the model's context length ({window} tokens).")


def _poolside(window: int, requested: int) -> object:
    text = f"Input length {requested} exceeds the maximum allowed input length of {window} tokens."
    raw = '{"error":{"message":"' + text + '"}}'
    return {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}}


def _copilot(window: int, requested: int) -> object:
    text = f"prompt token count of {requested} exceeds the limit of {window}"
    return {"error": {"message": text, "code": "model_max_prompt_tokens_exceeded"}}


def _openrouter(window: int, requested: int) -> object:
    text = (
        f"This endpoint's maximum context length is {window} tokens. However, you requested about {requested} tokens "
        "(8000 of text input, 1000 of tool input). Please reduce the length of either one."
    )
    return {"error": {"message": text, "code": 400}}


def _sglang(window: int, requested: int) -> object:
    text = (
        f"Requested token count exceeds the model's maximum context length of {window} tokens. You requested a total "
        f"of {requested} tokens."
    )
    return {"object": "error", "message": text, "type": "BadRequestError", "code": 400}


def _with_commas(window: int, requested: int) -> object:
    return {"error": f"Prompt has {requested:,} tokens, but the configured context size is {window:,} tokens"}


def _ollama_cloud(window: int, requested: int) -> object:
    return {"error": f"prompt too long; exceeded max context length by {requested - window} tokens"}


def _zai(_window: int, _requested: int) -> object:
    return {"error": {"code": "1261", "message": "Prompt exceeds max length"}}


def _tgi(window: int, requested: int) -> object:
    text = (
        f"Input validation error: `inputs` tokens + `max_new_tokens` must be <= {window}. Given: {requested} `inputs` "
        "tokens and 100 `max_new_tokens`"
    )
    return {"error": text, "error_type": "validation"}


def _qwen(window: int, _requested: int) -> object:
    return said(f"Range of input length should be [1, {window}]", code="invalid_parameter_error")


WORDINGS = (
    Wording("OpenAI", 400, _openai),
    Wording("OpenAI, by Responses", 400, _openai_window, names_window=False),
    Wording("OpenAI, a configured limit", 400, _openai_limit),
    Wording("Anthropic", 400, _anthropic),
    Wording("Anthropic, the size", 413, _anthropic_size, names_window=False),
    Wording("Gemini", 400, _gemini),
    Wording("xAI", 400, _xai),
    Wording("Groq", 400, _groq, names_window=False),
    Wording("Groq, one request over the limit of a minute", 413, limit_body),
    Wording("Bedrock", 400, _bedrock, names_window=False),
    Wording("Mistral", 400, _mistral),
    Wording("vLLM", 400, _vllm),
    Wording("vLLM, in the stream", 200, _vllm),
    Wording("llama.cpp", 400, _llama_cpp),
    Wording("llama.cpp, older", 400, _llama_cpp_old, names_window=False),
    Wording("LM Studio", 200, _lm_studio),
    Wording("LM Studio, tokens to keep", 400, _lm_studio_keep, names_window=False),
    Wording("Kimi", 400, _kimi),
    Wording("MiniMax", 400, _minimax, names_window=False),
    Wording("Together", 400, _together),
    Wording("Poolside", 400, _poolside),
    Wording("Copilot", 400, _copilot),
    Wording("OpenRouter", 400, _openrouter),
    Wording("SGLang", 400, _sglang),
    Wording("numbers with commas", 400, _with_commas),
    Wording("Ollama's cloud, only the excess", 400, _ollama_cloud, names_window=False),
    Wording("Z.ai", 400, _zai, names_window=False),
    Wording("TGI", 422, _tgi),
    Wording("Qwen", 400, _qwen),
)

_BUSY_MINUTE = (
    "Rate limit reached for model `m` in organization `org_1` on tokens per minute (TPM): Limit 6000, Used 5800, "
    "Requested 900. Please try again in 0.01s."
)
_LONG_NAME = (
    "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64, but got a string "
    "with length 70 instead."
)
_OUTPUT_LIMIT = "max_tokens is too large: 100000. This model supports at most 16384 completion tokens."
_IMAGE_SIZE = "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 5838912 bytes > 5242880 bytes"

LOOKALIKES = (
    Lookalike("rate limit", 429, said("Rate limit reached for requests. Limit: 3 / min.", code="rate_limit_exceeded")),
    Lookalike("too many requests", 429, {"message": "Too many requests"}),
    Lookalike("a busy minute", 429, said(_BUSY_MINUTE, code="rate_limit_exceeded")),
    Lookalike("tokens a day", 429, said("Limit reached on tokens per day (TPD): Limit 100000, Used 99990.")),
    Lookalike("Bedrock is busy", 429, {"message": "Too many tokens, please wait before trying again."}),
    Lookalike(
        "Bedrock is busy, as a bad request", 400, {"message": "Too many tokens, please wait before trying again."}
    ),
    Lookalike("the name of a tool", 400, said(_LONG_NAME, code="string_above_max_length")),
    Lookalike("the number of tools", 400, said("Invalid 'tools': array too long. Expected at most 128, but got 130.")),
    Lookalike("the number of images", 400, said("max images is 4")),
    Lookalike("the size of an image", 400, said(_IMAGE_SIZE)),
    Lookalike("the answer's own limit", 400, said(_OUTPUT_LIMIT, param="max_tokens")),
    Lookalike("a timeout", 504, {"message": "The request took too long and timed out."}),
    Lookalike("a timeout of the server", 408, said("Request timed out. Please try again later.")),
    Lookalike("a busy server", 503, said("The server is overloaded: the queue length exceeds its limit.")),
    Lookalike("quota", 429, said("You exceeded your current quota.", code="insufficient_quota")),
    Lookalike("credits", 402, said("This request requires more credits, or fewer max_tokens.")),
    Lookalike("a parameter", 400, said("Invalid 'temperature': expected a value of at most 2.")),
)
