"""The true reason of an error in the service's words, without keys."""

import base64
import json
from urllib.parse import quote as percent_encoded

import pytest

from llmgine.providers.quoting import quote, redactor, said

# Made up, in the forms that services give theirs.
KEYS = [
    "a-key-for-tests",
    "sk-proj-Ab3dEf9hIjKlMn0pQrStUvWxYz",
    "gsk_x9Y8z7W6v5U4t3S2r1Q0pOnMlKjIhGfEd",
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "k/e+y=with&odd%chars12345",
]


def error(message: object, **rest: object) -> dict[str, object]:
    return {"error": {"message": message, **rest}}


class TestQuote:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (error("tools are\n not   supported"), "tools are not supported"),
            ({"error": "tools are not supported"}, "tools are not supported"),
            ({"message": "tools are not supported"}, "tools are not supported"),
            ({"Message": "tools are not supported"}, "tools are not supported"),
            ("tools are not supported", "tools are not supported"),
            ('{"error": {"message": "tools are not supported"}}', "tools are not supported"),
            (
                [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}],
                "API key not valid.",
            ),
            ([error("one"), error("two"), error("one")], "one; two"),
            ({"object": "error", "message": "boom", "code": 400}, "boom"),
            ({"errors": [{"message": "AiError: bad input", "code": 5006}], "success": False}, "AiError: bad input"),
            ({"title": "Bad Request", "detail": "no such field"}, "no such field"),
            ({"error": "invalid_request", "error_description": "no such field"}, "no such field"),
            ({"error": {"code": "model_not_found"}}, "model_not_found"),
            ({"detail": "Not Found"}, "Not Found"),
        ],
    )
    def test_the_reason_is_found_wherever_it_is(self, body: object, words: str) -> None:
        """Objects, arrays, plain text and JSON in text, on one line."""
        assert quote(body) == words

    @pytest.mark.parametrize(
        ("detail", "words"),
        [
            ([{"loc": ["body", "foo"], "msg": "Field required", "type": "missing"}], "foo: Field required"),
            (
                [{"loc": ["body", "messages", 0, "content"], "msg": "bad"}, {"loc": ["body", "n"], "msg": "worse"}],
                "messages.0.content: bad; n: worse",
            ),
            ([{"loc": ["body"], "msg": "Field required"}], "Field required"),
            ([{"msg": "Field required"}], "Field required"),
            ([{"loc": "body", "msg": "Field required"}], "Field required"),
            (["one", "two"], "one; two"),
            ({"message": "bad"}, "bad"),
        ],
    )
    def test_a_list_of_details_says_what_is_wrong_where(self, detail: object, words: str) -> None:
        """The place without "body", then the message; several one after another."""
        assert quote({"detail": detail}) == quote({"object": "error", "message": {"detail": detail}}) == words

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            ('{"error":{"message":"max images is 4"}}', "max images is 4"),
            ('[{"error":{"message":"max images is 4"}}]', "max images is 4"),
            ({"error": {"message": "max images is 4"}}, "max images is 4"),
            ("max images is 4", "max images is 4"),
            ('{"detail": [{"loc": ["body", "x"], "msg": "bad"}]}', "x: bad"),
            (json.dumps(error("p", metadata={"raw": json.dumps(error("deeper"))})), "deeper"),
            ("<html>502</html>", "Provider returned error"),
            ("", "Provider returned error"),
            (None, "Provider returned error"),
            ('{"foo": 1}', "Provider returned error"),
        ],
    )
    def test_a_gateway_is_not_quoted_where_the_provider_said_more(self, raw: object, words: str) -> None:
        """The provider's own words are the reason; without any the gateway's are better than none."""
        assert quote(error("Provider returned error", metadata={"raw": raw})) == words

    def test_the_reasons_of_a_moderation_are_quoted(self) -> None:
        """They tell people what to rephrase."""
        body = error("Input flagged by moderation.", metadata={"reasons": ["harassment", "violence"]})

        assert quote(body) == "Input flagged by moderation. (harassment; violence)"

    @pytest.mark.parametrize(
        "body",
        [
            "<html><h1>Not found</h1></html>",
            "\ufeff \n<!DOCTYPE html>",
            "502 Bad Gateway <html>",
            '<?xml version="1.0"?><Error/>',
            error("<html>upstream</html>"),
            "",
            None,
            {},
            [],
            7,
            {"error": []},
            error(7),
            {"message": {"a": "b"}},
        ],
    )
    def test_nothing_is_quoted_where_nothing_is_said(self, body: object) -> None:
        """A web page is no sentence."""
        assert quote(body) == ""

    def test_what_starts_with_a_bracket_but_is_no_page_is_quoted(self) -> None:
        """Some services put the status in front so."""
        assert quote(error("<400> Bad parameter")) == "<400> Bad parameter"

    def test_what_does_not_print_is_left_out(self) -> None:
        """An invisible character could hide a key from the redaction."""
        assert quote("a\u200bb\u202ec\0d\ud800e") == "abcde"

    def test_a_long_reason_is_cut(self) -> None:
        """Nobody reads ten megabytes."""
        assert len(quote("word " * 2_000_000)) == 2000


class TestSaid:
    def test_everything_counts_for_matching(self) -> None:
        """Message, code, type, parameter, nested JSON and details are all in it."""
        body = error(
            "m1", code="c1", type="t1", param="p1", metadata={"raw": '{"error": {"message": "m2"}}', "reasons": ["r1"]}
        )

        assert (
            said([body, {"detail": [{"loc": ["body", "l1"], "msg": "d1"}]}]) == "m1 c1 t1 p1 m2 reasons: r1 body l1 d1"
        )

    @pytest.mark.parametrize("name", ["input", "flagged_input", "failed_generation", "messages", "prompt"])
    def test_what_is_only_repeated_does_not(self, name: str) -> None:
        """People could write what changes the meaning of an error."""
        for echo in ("secret plan", {"message": "secret plan"}, [{"message": "secret plan"}]):
            assert "secret" not in said(error("no", **{name: echo}))

    @pytest.mark.parametrize("body", ["<html>context length</html>", error("<!doctype html>"), None, 0.5j, object()])
    def test_a_web_page_says_nothing(self, body: object) -> None:
        """Its words are not about the request."""
        assert said(body) == ""

    def test_it_is_bounded(self) -> None:
        """Whoever searches it needs no bound of their own."""
        assert len(said({"message": "word " * 1_000_000, "detail": ["word " * 100_000] * 1000})) <= 20_000


SENTENCE = "Incorrect API key provided: {} is wrong. You can find it at https://example.org/keys."


class TestRedactor:
    @pytest.mark.parametrize("key", KEYS)
    def test_the_key_itself_is_named_as_such(self, key: str) -> None:
        """People see that it was the key."""
        assert redactor(key)(SENTENCE.format(key)) == SENTENCE.format("[key]")

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize("separator", [" ", "-", " - ", "\u2009", ".", "_", "\n", "\u200b"])
    def test_separators_do_not_hide_it(self, key: str, separator: str) -> None:
        """Blanks, dashes or anything else between its characters."""
        assert redactor(key)(SENTENCE.format(separator.join(key))) == SENTENCE.format("[redacted]")

    @pytest.mark.parametrize("key", KEYS)
    def test_encodings_do_not_hide_it(self, key: str) -> None:
        """Base64 in both alphabets and at any place of a longer text, hex, percent signs, and capitals."""
        raw = key.encode()
        forms = [
            base64.b64encode(raw).decode().rstrip("="),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            raw.hex(),
            raw.hex().upper(),
            raw.hex(":"),
            "".join(f"%{byte:02X}" for byte in raw),
        ]
        for form in forms:
            assert redactor(key)(SENTENCE.format(form)).replace("%", "") == SENTENCE.format("[redacted]")
        for before in (b"user:", b"Bearer ", b"u:"):
            text = redactor(key)(SENTENCE.format(base64.b64encode(before + raw).decode()))
            assert "[redacted]" in text
            assert not any(base64.b64encode(raw).decode()[n : n + 8] in text for n in range(8))
        for form in (percent_encoded(key, safe=""), key.upper()):
            assert key.lower()[4:] not in redactor(key)(SENTENCE.format(form)).lower()

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize("mask", ["***", "**********", "…", "...", "•••", "[...]"])
    @pytest.mark.parametrize(("first", "last"), [(3, 0), (0, 3), (8, 0), (0, 8), (3, 4), (8, 8)])
    def test_what_a_mask_leaves_of_it_is_taken_out(self, key: str, mask: str, first: int, last: int) -> None:
        """A shortened key is still a part of it."""
        shown = key[:first] + mask + (key[-last:] if last else "")

        text = redactor(key)(SENTENCE.format(shown))

        assert text == SENTENCE.format("[redacted]")

    @pytest.mark.parametrize(
        ("words", "redacted"),
        [
            ("The key starts with 'sk-proj'", "The key starts with '[redacted]'"),
            ("The key ends in WxYz.", "The key ends in [redacted]."),
            ("The key sk-proj-Ab3d is unknown", "The key [redacted] is unknown"),
            ("Please wait... it is loading", "Please wait... it is loading"),
        ],
    )
    def test_a_part_that_is_called_one_is_taken_out(self, words: str, redacted: str) -> None:
        """A key may be shortened without a mask, too."""
        assert redactor(KEYS[1])(words) == redacted

    @pytest.mark.parametrize(
        "secret",
        [
            "sk-abc123",
            "sk-proj-abcdefghij",
            "sk-...wxyz",
            "sk-abc…",
            "ab****yz",
            "****wxyz",
            "•••wxyz",
            "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
            "9f86d081884c7d659a2feaa0c55ad015",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "xai-ab12CD34ef56GH78ij90",
            "hf_AbCdEfGhIjKlMnOpQrStUvWxYz123456",
        ],
    )
    @pytest.mark.parametrize("sentence", [SENTENCE, "key={}", "({})", '"{}"', "https://example.org/v1?key={}&x=y"])
    def test_other_keys_are_known_by_their_shape(self, secret: str, sentence: str) -> None:
        """A gateway may repeat its own key, which nobody here knows."""
        assert redactor("")(sentence.format(secret)) == sentence.format("[redacted]")

    def test_what_follows_bearer_is_a_secret_unless_it_is_a_word(self) -> None:
        """The scheme's name is used in sentences, too."""
        redact = redactor("")

        assert redact("Authorization: Bearer abc123def456") == "Authorization: Bearer [redacted]"
        assert redact("bearer letmein") == "bearer [redacted]"
        for words in ("Send a Bearer token in the header.", "Bearer authentication is required."):
            assert redact(words) == words

    @pytest.mark.parametrize(
        "words",
        [
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "registry.ollama.ai/library/gemma:2b does not support tools",
            "unsupported_country_region_territory",
            "accounts/fireworks/models/llama-v3p1-405b-instruct",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "unsloth/DeepSeek-R1-0528-Qwen3-8B-GGUF",
            "mistralai/Mixtral-8x22B-Instruct-v0.1",
            "mlabonne/NeuralBeagle14-7B",
            "llama3.2-vision:11b-instruct-q4_K_M",
            "nvidia/Llama-3_3-Nemotron-Super-49B-v1_5",
            "Llama-4-Maverick-17B-128E-Instruct-FP8",
            "Qwen/Qwen3-235B-A22B-Instruct-2507",
            "gpt-4o-mini-2024-07-18",
            "2026-11-05T12:34:56.789Z",
            "2026-11-05T12:34:56+00:00",
            "https://platform.example.org/account/api-keys?utm_source=error",
            "http://192.168.100.200:11434/v1/chat/completions",
            "/home/user/models/llama-2-7b-chat.Q4_K_M.gguf",
            "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "projects/123456789012/locations/us-central1/publishers/google/models/gemini-2.5-flash",
            "you requested 9200 tokens (8200 in the messages, 1000 in the completion)",
            "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum",
            "it is **not** valid; use 2**10",
            "ResponsibleAIPolicyViolation",
        ],
    )
    def test_names_addresses_dates_and_words_stay(self, words: str) -> None:
        """What people need to understand the error is not taken for a key."""
        assert redactor(KEYS[1])(words) == words

    @pytest.mark.parametrize("key", ["", "none", "no-key", "lm-studio", "not-needed"])
    def test_a_placeholder_is_no_secret_in_other_words(self, key: str) -> None:
        """Who needs no key puts a word there, and that word is used in sentences."""
        words = "LM Studio: no key was sent, none is not needed."

        assert redactor(key)(words) == words

    def test_a_long_text_is_cut(self) -> None:
        """The redaction takes as long as the text."""
        assert len(redactor("a-key-for-tests")("word " * 2_000_000)) == 20_000
