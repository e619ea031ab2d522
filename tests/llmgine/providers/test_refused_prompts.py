"""When it is the prompt that a service refuses, for what it says or for an image, and when it is not."""

import pytest

from llmgine.errors import ContextOverflowError, PromptRefusedError, ProviderError
from llmgine.providers.service_errors import service_error


def error(message: object, **rest: object) -> dict[str, object]:
    return {"error": {"message": message, **rest}}


def became(status: int, body: object, *, images: bool = False) -> ProviderError:
    return service_error(status, body, model="test-model-1", images=images)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error("The prompt was filtered.", code="content_filter")),
        (400, error("no", code="content_policy_violation")),
        (400, error("Invalid prompt: it may violate our usage policy.", code="invalid_prompt")),
        (403, error("Input flagged by moderation.", metadata={"reasons": ["harassment"]})),
        (403, error('Your chosen model requires moderation and your input was flagged for "violence".')),
        (
            400,
            error(
                "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
                innererror={"code": "ResponsibleAIPolicyViolation"},
            ),
        ),
        (400, error("Your request was rejected as a result of our safety system.")),
        (400, error("Input data may contain inappropriate content.", code="data_inspection_failed")),
        (400, error("Content Exists Risk")),
        (403, error("Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO")),
        (0, error("The prompt was blocked by the safety filter")),
        (400, error("The request was blocked: PROHIBITED_CONTENT")),
    ],
)
def test_a_prompt_refused_for_its_content_says_what_is_left_to_do(status: int, body: object) -> None:
    """It is the prompt, not the key, and another prompt is answered."""
    refused = became(status, body)

    assert isinstance(refused, PromptRefusedError)
    assert "Rephrase it and ask again." in str(refused)
    assert "OPENAI_API_KEY" not in str(refused)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, error("Your account was flagged for unusual activity and has been suspended")),
        (404, error("No endpoints found matching your data policy")),
        (404, error("The model `omni-moderation-9` does not exist")),
        (400, error("Unknown parameter: 'safety_identifier'.")),
        (500, error("moderation failed")),
    ],
)
def test_other_refusals_are_not_the_prompts_fault(status: int, body: object) -> None:
    """Rephrasing does not help against these."""
    assert not isinstance(became(status, body), PromptRefusedError)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error("Provider returned error", metadata={"raw": '{"error":{"message":"max images is 4"}}'})),
        (400, error("You uploaded an unsupported image. Please make sure your image is valid.")),
        (400, error("The image data you provided does not represent a valid image.", code="invalid_image")),
        (400, error("messages.0.content.1: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes")),
        (413, error("The image is too large")),
        (500, error("Failed to decode image")),
        (400, error("At most 1 image(s) may be provided in one request.")),
        (422, error("cannot identify image file")),
        (400, error("Unable to process input image.")),
        (400, error("Couldn't download the picture")),
    ],
)
def test_an_image_that_cannot_be_used_is_named(status: int, body: object) -> None:
    """Words about an image blame the prompt only where images were sent."""
    with_images, without = became(status, body, images=True), became(status, body)

    assert isinstance(with_images, PromptRefusedError)
    assert "images" in str(with_images)
    assert not isinstance(without, PromptRefusedError)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "This model does not support image input"),
        (404, "No endpoints found that support image input"),
        (500, "image input is not supported - hint: provide the mmproj"),
        (400, "Failed to deserialize: unknown variant `image_url`, expected `text`"),
        (500, "Failed to create new sequence: missing data required for image input"),
        (400, "Invalid content type. image_url is only supported by certain models."),
        (400, "test-model-1 is not a multimodal model"),
        (400, "The model doesn't accept images"),
    ],
)
def test_a_model_that_sees_none_is_not_the_images_fault(status: int, words: str) -> None:
    """Another image would be refused as well."""
    assert not isinstance(became(status, error(words), images=True), PromptRefusedError)


def test_a_prompt_too_long_for_its_images_is_too_long() -> None:
    """Sending less helps, and is tried before giving the images up."""
    words = "This model's maximum context length is 4096 tokens, your images and text have 5000 tokens"

    assert isinstance(became(400, error(words), images=True), ContextOverflowError)
