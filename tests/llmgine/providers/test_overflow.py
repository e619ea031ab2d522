"""Every wording of "too long", the numbers in it, and what only sounds like it."""

import pytest

from llmgine.errors import ContextOverflowError, ProviderBusyError, ProviderError
from llmgine.providers.service_errors import service_error


def error(message: object, **rest: object) -> dict[str, object]:
    return {"error": {"message": message, **rest}}


def became(status: int, body: object) -> ProviderError:
    return service_error(status, body, model="test-model-1")


OVERFLOWS = [
    # OpenAI and those who repeat its words
    ("Your input exceeds the context window of this model. Please adjust your input and try again.", None, None),
    ("This model's maximum context length is 8192 tokens. Please shorten the messages.", 8192, None),
    (
        (
            "This model's maximum context length is 8192 tokens. However, you requested 9200 tokens (8200 in the "
            "messages, 1000 in the completion). Please reduce the length of the messages or completion."
        ),
        8192,
        9200,
    ),
    (
        "This model's maximum context length is 8,192 tokens. However, your messages resulted in 9,200 tokens.",
        8192,
        9200,
    ),
    (
        (
            "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens. "
            "Please reduce the length of the messages."
        ),
        272000,
        300000,
    ),
    (
        (
            "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens "
            "(139000 of text input, 1000 in the output). Please reduce the length of either one."
        ),
        131072,
        140000,
    ),
    # Anthropic
    ("prompt is too long: 213462 tokens > 200000 maximum", 200000, 213462),
    ("Prompt is too long", None, None),
    (
        "input length and `max_tokens` exceed context limit: 195000 + 21333 > 200000, decrease input length",
        200000,
        216333,
    ),
    # Gemini, xAI, Groq, Cerebras, Bedrock, Cohere
    ("The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).", 1048575, 1196265),
    ("The input token count exceeds the maximum number of tokens allowed 1048576.", 1048576, None),
    ("This model's maximum prompt length is 131072 but the request contains 537812 tokens.", 131072, 537812),
    ("maximum prompt length is 131072 but the request contains 537812", 131072, 537812),
    ("Please reduce the length of the messages or completion.", None, None),
    (
        "Please reduce the length of the messages or completion. Current length is 8193 while limit is 8192",
        8192,
        8193,
    ),
    ("Input is too long for requested model.", None, None),
    (
        (
            "too many tokens: total number of tokens (prompt and prediction) cannot exceed 4096 - received 5000. "
            "Try using a shorter prompt."
        ),
        4096,
        5000,
    ),
    # Mistral, Moonshot, MiniMax, Together, Poolside, Copilot, DashScope, Cloudflare
    (
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        32768,
        40000,
    ),
    ("Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)", 131072, 140000),
    ("invalid params, context window exceeds limit (2013)", None, None),
    ("The input is longer than the model's context length.", None, None),
    (
        "`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and 512 `max_new_tokens`",
        8193,
        9512,
    ),
    ("Input length 140000 exceeds the maximum allowed input length of 131040", 131040, 140000),
    ("prompt token count of 140000 exceeds the limit of 128000", 128000, 140000),
    ("prompt token count of 140k exceeds the limit of 128k", 128000, 140000),
    ("<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]", 30720, None),
    (
        (
            "The estimated number of input and maximum output tokens (9000) exceeded this model context window limit "
            "(7968)."
        ),
        7968,
        9000,
    ),
    ("Request body too large for gpt-4o model. Max size: 8000 tokens.", 8000, None),
    # Servers on one's own machine
    ("request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it", 8192, 9000),
    ("the request exceeds the available context size. try increasing the context size", None, None),
    ("The decoder prompt (length 5000) is longer than the maximum model length of 4096.", 4096, 5000),
    (
        (
            "This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens. "
            "Please reduce the length of the input messages."
        ),
        4096,
        5000,
    ),
    (
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's maximum context length is 4096 "
            "tokens and your request has 3500 input tokens (1000 > 4096 - 3500)."
        ),
        4096,
        4500,
    ),
    ("The input (140000 tokens) is longer than the model's context length (131072 tokens).", 131072, 140000),
    (
        (
            "Requested token count exceeds the model's maximum context length of 131072 tokens. You requested a total "
            "of 140000 tokens: 130000 tokens from the input messages and 10000 tokens for the completion."
        ),
        131072,
        140000,
    ),
    (
        (
            "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with "
            "context length of only 4096 tokens, which is not enough."
        ),
        4096,
        5000,
    ),
    ("prompt too long; exceeded max context length by 100 tokens", None, None),
    ("the input length exceeds the context length", None, None),
    ("Input validation error: `inputs` must have less than 4096 tokens. Given: 5000", 4096, 5000),
    # What nobody says yet, in the same language
    ("Your messages are too long for this model's context window of 16 384 tokens.", 16384, None),
    ("The conversation is too long.", None, None),
    ("The prompt does not fit into the context window (32,768 tokens).", 32768, None),
    ("Number of prompt tokens is larger than the context size: 5000 > 4096", 4096, 5000),
    ("Sequence of 9000 tokens is longer than the maximum sequence length of 8192", 8192, 9000),
    ("The prompt is 9,000 tokens, which is more than the 8,192 this model accepts", 8192, 9000),
    ("Your prompt has 9000 tokens, but the context window only allows 8192.", 8192, 9000),
    ("Total tokens (12,345) exceed model limit (8,192)", 8192, 12345),
    ("Requested tokens (5021) exceed context window of 4096", 4096, 5021),
    ("Prompt tokens limit exceeded: 140000 > 131072.", 131072, 140000),
    ("too many input tokens. Max input tokens: 8192, request input token count: 9000", 8192, 9000),
    ("The message you submitted was too long, please submit something shorter.", None, None),
    ("ContextWindowExceededError: the request could not be processed", None, None),
]

LOOK_ALIKES = [
    (429, "Rate limit reached for gpt-4 on tokens per min (TPM): Limit 10000, Used 9500, Requested 1200."),
    (429, "Too many requests. Please reduce the length of your prompt or try again later."),
    (429, "Too many tokens, please wait before trying again."),
    (400, "Too many tokens, please wait before trying again."),
    (429, "Too many tokens per day"),
    (429, "This request would exceed your rate limit of 30,000 input tokens per minute. Reduce the prompt length."),
    (429, "The daily token limit is reached."),
    (429, "You exceeded your current quota of input tokens. Please retry in 34s."),
    (400, "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64."),
    (400, "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40."),
    (400, "max_tokens is too large: 100000. This model supports at most 16384 completion tokens."),
    (400, "max_tokens: 8193 > 8192, which is the maximum allowed number of output tokens for this model"),
    (400, "`max_completion_tokens` exceeds the limit of 4096 output tokens"),
    (400, "messages.0.content.1: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes"),
    (400, "The input image is too large."),
    (400, "Image dimensions exceed max allowed size: 8000 pixels"),
    (400, "Invalid 'tools': array too long. Expected an array with maximum length 128, but got one with length 200."),
    (400, "Too many tools in the request: the maximum is 128"),
    (500, "context deadline exceeded"),
    (504, "The request exceeded the time limit of 600 seconds"),
    (400, "Unknown parameter: 'context_length'."),
    (400, "Request header is too large"),
    (402, "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens."),
    (400, "Messages with more than one tool call are not supported by this model"),
    (400, "`max_tokens` must be at most 8192, which is less than the `context_window` of this model"),
    (400, "messages.4.tool_calls.0.function.name: String should have at most 64 characters"),
    (429, "Number of request tokens has exceeded your per-minute rate limit"),
    (400, "stop: too many stop sequences, at most 4 are allowed"),
]


class TestTooLong:
    @pytest.mark.parametrize("status", [400, 413, 422, 500, 0, 429])
    @pytest.mark.parametrize(("words", "window", "requested"), OVERFLOWS)
    def test_every_wording_is_an_overflow(
        self, words: str, window: int | None, requested: int | None, status: int
    ) -> None:
        """Whatever a service calls it and whatever status it gives, the error is one, with the numbers of the words."""
        overflow = became(status, error(words))

        assert isinstance(overflow, ContextOverflowError)
        assert (overflow.window, overflow.requested) == (window, requested)
        assert overflow.lasting
        assert "too long for the model test-model-1" in str(overflow)

    @pytest.mark.parametrize(("status", "words"), LOOK_ALIKES)
    def test_what_only_sounds_like_it_is_none(self, status: int, words: str) -> None:
        """Sending less does not help against these."""
        assert not isinstance(became(status, error(words)), ContextOverflowError)

    @pytest.mark.parametrize(
        "code", ["context_length_exceeded", "model_max_prompt_tokens_exceeded", "request_too_large"]
    )
    @pytest.mark.parametrize("name", ["code", "type"])
    def test_a_code_needs_no_words(self, code: str, name: str) -> None:
        """The code alone says it."""
        assert isinstance(became(400, error("no", **{name: code})), ContextOverflowError)

    def test_the_numbers_may_have_fields_of_their_own(self) -> None:
        """llama.cpp gives them beside the message, too."""
        body = error("the request exceeds the available context size", n_prompt_tokens=9000, n_ctx=8192)

        overflow = became(400, body)

        assert isinstance(overflow, ContextOverflowError)
        assert (overflow.window, overflow.requested) == (8192, 9000)

    @pytest.mark.parametrize("body", ["", None, {}, "<html>413 Request Entity Too Large</html>", "Payload Too Large"])
    def test_a_413_that_does_not_speak_of_tokens_teaches_no_window(self, body: object) -> None:
        """It may be a proxy's limit on bytes."""
        overflow = became(413, body)

        assert isinstance(overflow, ContextOverflowError)
        assert not overflow.lasting

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (
                413,
                "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 6812, please reduce",
            ),
            (429, "Request too large for m in organization o on tokens per min (TPM): Limit 6000, Requested 6,812."),
            (429, "Rate limit: tokens per day (TPD): Limit 6000, Used 10, Requested 6812"),
        ],
    )
    def test_a_request_above_the_limit_per_minute_is_too_long_this_time(self, status: int, words: str) -> None:
        """Waiting cannot help, and the model's window is another one."""
        overflow = became(status, error(words, type="tokens", code="rate_limit_exceeded"))

        assert isinstance(overflow, ContextOverflowError)
        assert (overflow.window, overflow.requested, overflow.lasting) == (6000, 6812, False)

    def test_one_that_only_has_to_wait_is_not(self) -> None:
        """A request below the limit per minute is answered later as it is."""
        busy = became(429, error("tokens per minute (TPM): Limit 6000, Used 5000, Requested 1812. Try again in 8.1s."))

        assert isinstance(busy, ProviderBusyError)
        assert busy.retry_after == 8.1
