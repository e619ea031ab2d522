"""What a service says instead of an answer, and the error of ours that it becomes."""

import json
from collections.abc import Mapping

import pytest

from llmgine.errors import (
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    ProviderReplyError,
    ProviderStartingError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    UnreadableCallError,
)
from llmgine.providers.quoting import redactor
from llmgine.providers.service_errors import service_error, status_of
from tests.cpu import moments

NO_HEADERS: Mapping[str, str] = {}


def error(message: object, **rest: object) -> dict[str, object]:
    return {"error": {"message": message, **rest}}


def became(
    status: int, body: object, *, images: bool = False, headers: Mapping[str, str] = NO_HEADERS
) -> ProviderError:
    return service_error(status, body, model="test-model-1", headers=headers, images=images)


class TestBusy:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (429, ""),
            (429, "<html>slow down</html>"),
            (0, error("Rate limit exceeded", code="rate_limit_exceeded")),
            (0, error("Too many requests")),
            (400, error("ThrottlingException: Too many tokens, please wait before trying again.")),
            (500, error("rate_limit_error: requests per minute")),
            (
                429,
                error("Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free requests per day"),
            ),
            (429, [error("You exceeded your current quota, please check your plan and billing details. Retry in 9s.")]),
        ],
    )
    def test_a_429_and_the_words_of_one_are_busy(self, status: int, body: object) -> None:
        """Whoever is told to wait is told so."""
        assert type(became(status, body)) is ProviderBusyError

    def test_how_long_is_in_the_error_and_a_long_wait_in_the_text(self) -> None:
        """People read when to ask again where that is not soon."""
        soon, late = (became(429, "slow down", headers={"Retry-After": after}) for after in ("5", "3700"))

        assert isinstance(soon, ProviderBusyError)
        assert isinstance(late, ProviderBusyError)
        assert (soon.retry_after, late.retry_after) == (5.0, 3700.0)
        assert "Ask again" not in str(soon)
        assert "Ask again in about an hour. It said: slow down" in str(late)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (402, error("This request requires more credits")),
            (402, ""),
            (429, error("over", code="insufficient_quota")),
            (429, error("You exceeded your current quota, please check your plan and billing details.")),
            (429, error("Your account is not active", type="exceeded_current_quota_error")),
            (400, error("Your credit balance is too low to access the API. Please go to Plans & Billing.")),
            (403, error("Your newly created team doesn't have any credits yet.")),
            (403, error("Key limit exceeded (total limit).")),
            (429, error("Quota exceeded for metric: free_tier_requests, limit: 0\nPlease retry in 34s.")),
            (0, error("Insufficient Balance")),
        ],
    )
    def test_no_quota_is_not_worth_waiting_for(self, status: int, body: object) -> None:
        """Only paying helps, and the text says so."""
        refused = became(status, body, headers={"Retry-After": "1000"})

        assert type(refused) is ProviderRefusedError
        assert "quota" in str(refused)
        assert "Ask again" not in str(refused)


class TestUnavailable:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (503, error("Loading model", code=503, type="unavailable_error")),
            (0, error("Loading model", code=503)),
            (500, error("The model is loading, please wait a moment")),
            (503, {"error": "Model mistral-7b is currently loading", "estimated_time": 20.0}),
            (503, "The service is starting up"),
            (503, ""),
            (503, error("overloaded")),
            (503, error("The model is still being loaded")),
        ],
    )
    def test_a_model_that_is_loading_is_told_from_a_failure(self, status: int, body: object) -> None:
        """It is answered in a minute."""
        assert type(became(status, body)) is ProviderStartingError

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, ""),
            (502, "<html>Bad gateway</html>"),
            (529, error("Overloaded", type="overloaded_error")),
            (409, error("conflict")),
            (425, ""),
            (500, error("llama runner process has terminated: error loading model")),
            (500, error("Failed to load the model")),
            (0, error("Overloaded")),
        ],
    )
    def test_other_failures_are_unavailable(self, status: int, body: object) -> None:
        """Asking later may help."""
        assert type(became(status, body)) is ProviderUnavailableError

    @pytest.mark.parametrize(
        ("status", "body"), [(408, ""), (504, "<html>"), (524, ""), (500, error("context deadline exceeded"))]
    )
    def test_a_time_limit_is_one(self, status: int, body: object) -> None:
        """A service or a proxy that gave up waiting is told from one that broke."""
        assert type(became(status, body)) is ProviderTimeoutError

    def test_it_may_say_how_long_to_wait(self) -> None:
        """The wait is kept whatever the failure is."""
        down = became(503, error("Loading model"), headers={"retry-after": "7"})

        assert isinstance(down, ProviderUnavailableError)
        assert down.retry_after == 7.0


class TestRefused:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (401, ""),
            (403, ""),
            (403, error("Incorrect API key provided")),
            (400, [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]),
            (400, error("Incorrect API key provided: ab***yz.")),
            (0, error("no", code="invalid_api_key")),
        ],
    )
    def test_a_wrong_key_names_its_setting(self, status: int, body: object) -> None:
        """People read where to look."""
        refused = became(status, body)

        assert type(refused) is ProviderRefusedError
        assert "Check OPENAI_API_KEY." in str(refused)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (403, error("Country, region, or territory not supported", code="unsupported_country_region_territory")),
            (403, error("This service is not available in your region")),
            (400, error("User location is not supported for the API use.", status="FAILED_PRECONDITION")),
        ],
    )
    def test_a_region_that_is_not_served_is_said(self, status: int, body: object) -> None:
        """No key helps there, so none is mentioned."""
        refused = became(status, body)

        assert type(refused) is ProviderRefusedError
        assert "country or region" in str(refused)
        assert "key" not in str(refused).lower()

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (404, ""),
            (404, "<html>"),
            (404, error("no", code="model_not_found")),
            (404, error('model "test-model-1" not found, try pulling it first')),
            (404, error("models/test-model-1 is not found for API version v1beta")),
            (404, error("model: test-model-1", type="not_found_error")),
            (400, error("Model Not Exist")),
            (400, error("test-model-1 is not a valid model ID")),
            (400, error("The model `test-model-1` has been decommissioned and is no longer supported.")),
            (403, error("Project p does not have access to model `test-model-1`", code="model_not_found")),
        ],
    )
    def test_an_unknown_model_names_both_settings(self, status: int, body: object) -> None:
        """The name may be wrong, or the address of the service that should know it."""
        text = str(became(status, body))

        assert "does not know the model test-model-1" in text
        assert "OPENAI_MODEL" in text
        assert "OPENAI_BASE_URL" in text

    @pytest.mark.parametrize(
        "body",
        [
            error("No endpoints found that support tool use."),
            error("No endpoints found that support image input"),
            error("No endpoints found matching your data policy"),
            error("Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."),
            error("File Not Found", code=404, type="not_found_error"),
            {"detail": "Not Found"},
            "404 page not found",
        ],
    )
    def test_a_404_about_something_else_does_not_blame_the_model(self, body: object) -> None:
        """The model is only unknown where the service says so."""
        refused = became(404, body)

        assert type(refused) is ProviderRefusedError
        assert "refused the request (404)" in str(refused)
        assert "OPENAI_MODEL" not in str(refused)

    @pytest.mark.parametrize("status", [400, 405, 422])
    def test_any_other_refusal_gives_its_status_and_words(self, status: int) -> None:
        """What nobody foresaw is passed on."""
        refused = became(status, error("Unknown name foo"))

        assert type(refused) is ProviderRefusedError
        assert str(refused) == f"The model service refused the request ({status}). It said: Unknown name foo"

    @pytest.mark.parametrize("status", [400, 0])
    @pytest.mark.parametrize(
        "rest", [{"code": "tool_use_failed", "failed_generation": "<function=calculate"}, {"failed_generation": "x"}]
    )
    def test_a_tool_call_the_service_could_not_read_is_asked_for_again(self, status: int, rest: dict[str, str]) -> None:
        """It is the model's slip, so that asking again helps, and what the model wrote is not shown."""
        failed = became(status, error("Failed to call a function.", **rest))

        assert type(failed) is UnreadableCallError
        assert "tool call" in str(failed)
        assert "<function" not in str(failed)

    def test_an_error_without_status_or_meaning_is_one(self) -> None:
        """Inside a stream there may be nothing but a word."""
        failed = became(0, "boom")

        assert type(failed) is ProviderReplyError
        assert str(failed) == "The model service answered with an error. It said: boom"


class TestText:
    def test_the_quote_is_redacted_before_it_is_cut(self) -> None:
        """No half of a key is left at the cut."""
        key = "made-up-key-0123456789"
        text = str(service_error(400, "x " * 145 + key + " y" * 100, model="m", redact=redactor(key)))

        assert "made-up" not in text
        assert len(text.partition("It said: ")[2]) <= 300

    def test_it_names_the_service_as_the_caller_does(self) -> None:
        """The address helps people who use several."""
        text = str(service_error(500, "", model="m", host="llm.example.org"))

        assert text == "The model service at llm.example.org failed (500)."

    def test_what_the_service_repeats_of_the_request_is_not_its_reason(self) -> None:
        """Nobody can write themselves another error by what they ask."""
        repeated = {"type": "missing", "loc": ["body", "foo"], "msg": "Field required"}
        body = {"detail": [{**repeated, "input": [{"role": "user", "content": "context_length_exceeded"}]}]}

        assert type(became(422, body)) is ProviderRefusedError

    @pytest.mark.parametrize("status", [0, 400, 404, 429, 500])
    @pytest.mark.parametrize(
        "make",
        [
            lambda: "a" * 10_000_000,
            lambda: "context length " * 700_000,
            lambda: "maximum " * 1_000_000,
            lambda: "1 > " * 2_000_000,
            lambda: "9," * 5_000_000,
            lambda: "sk-" * 3_000_000,
            lambda: "*" * 10_000_000,
            lambda: "[" * 10_000_000,
            lambda: error("image " * 2_000_000),
            lambda: error({str(n): {"message": "token exceed"} for n in range(200_000)}),
            lambda: json.loads("[" * 900 + "]" * 900),
            lambda: json.loads('{"error":' * 400 + "1" + "}" * 400),
            lambda: [[[{"message": "the prompt"}] * 1000] * 1000] * 1000,
            lambda: error("[" * 40_000),
        ],
    )
    def test_no_body_is_slow_to_read(self, make: object, status: int) -> None:
        """A hostile body of ten megabytes or a thousand brackets costs no more than another."""
        assert callable(make)
        body = make()
        redact = redactor("made-up-key-0123456789")

        def read_it() -> None:
            service_error(status, body, model="a", redact=redact, images=True)

        assert moments(read_it, 2.5) <= 2.5


class TestStatusOf:
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"code": 429}, 429),
            ({"code": "502"}, 502),
            ({"type": "overloaded_error"}, 529),
            ({"code": "rate_limit_exceeded", "type": "invalid_request_error"}, 429),
            ({"object": "error", "code": 400, "message": "x"}, 400),
            ([{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}], 400),
            ([{"error": {"status": "RESOURCE_EXHAUSTED"}}], 429),
            ({"error": {"type": "authentication_error"}}, 401),
            ({"type": "error", "error": {"type": "overloaded_error"}}, 529),
            ('{"error": {"code": 404}}', 404),
            ({"code": 200}, 0),
            ({"code": 20015}, 0),
            ({"code": None}, 0),
            ("boom", 0),
            (None, 0),
            ([], 0),
            (7, 0),
        ],
    )
    def test_an_error_object_means_a_status(self, body: object, status: int) -> None:
        """Codes, types and statuses count, wherever the service puts them."""
        assert status_of(body) == status
