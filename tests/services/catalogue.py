"""The stand-ins, one row each, and what the documents say of the services."""

from typing import Literal, NamedTuple

from tests.services.anthropic import Anthropic
from tests.services.anthropic_messages import AnthropicClone, AnthropicMessages, AnthropicOlder
from tests.services.gemini import Gemini, GeminiInPieces
from tests.services.groq import Groq, GroqInStream
from tests.services.llama_cpp import LlamaCpp, LlamaCppThinkInPrompt
from tests.services.lm_studio import LmStudio
from tests.services.mistral import Magistral, Mistral, MistralDeployment
from tests.services.ollama import Ollama, OllamaWithoutFinish, OllamaWithoutTools
from tests.services.openai_chat import Azure, OpenAIChat, OpenAIO1Mini
from tests.services.openai_responses import OpenAIByResponses, OpenAIResponses
from tests.services.openrouter import OpenRouter, OpenRouterPlain
from tests.services.service import Service
from tests.services.thinking import DeepSeek, Kimi
from tests.services.vllm import Vllm, VllmAlternating, VllmWithoutSystem

Api = Literal["auto", "chat", "responses", "messages"]

STAND_IN = "stand-in from documentation and reports"
REAL = "the real server; tools by a stand-in"


class Entry(NamedTuple):
    """A service.

    Attributes:
        name: As people know it.
        make: Its stand-in.
        works: What works.
        how: What LLMgine does for it.
        checked: What it is checked against.
        api: Which API it is asked by.
    """

    name: str
    make: type[Service]
    works: str
    how: str
    checked: str = STAND_IN
    api: Api = "auto"


SERVICES = (
    Entry(
        "OpenAI, Responses",
        OpenAIByResponses,
        "text, tools, images, reasoning",
        "sends the encrypted reasoning back; nothing is stored there",
        api="responses",
    ),
    Entry(
        "OpenAI, Chat Completions",
        OpenAIChat,
        "text, tools, images",
        'sends `reasoning_effort: "none"` once tools were refused without it',
        api="chat",
    ),
    Entry(
        "OpenAI, models with tools only by Responses",
        OpenAIResponses,
        "text, tools, images, reasoning",
        "changes to Responses once tools were refused",
    ),
    Entry(
        "OpenAI o1-mini",
        OpenAIO1Mini,
        "text",
        "puts the system text into the first message; leaves out tools and images",
        api="chat",
    ),
    Entry("Azure OpenAI", Azure, "text, tools, images", "skips the chunks of its filters", api="chat"),
    Entry(
        "Anthropic, `anthropic:` models",
        AnthropicMessages,
        "text, tools, images, reasoning",
        "sends thinking back with its signatures; marks what later requests repeat, for the service's cache",
        api="messages",
    ),
    Entry(
        "Anthropic, models that think by a budget",
        AnthropicOlder,
        "text, tools, images, reasoning",
        "gives `/effort` as a budget of tokens",
        api="messages",
    ),
    Entry(
        "Other services with Anthropic's API",
        AnthropicClone,
        "text, tools, images",
        "leaves out marks and effort once they were refused",
        api="messages",
    ),
    Entry(
        "Anthropic, compatible endpoint",
        Anthropic,
        "text, tools, images",
        "roles always alternate and no text is empty; no thinking, as this endpoint returns none",
    ),
    Entry("Mistral", Mistral, "text, tools, images", "gives calls ids of nine letters and digits"),
    Entry(
        "Mistral, stricter deployments",
        MistralDeployment,
        "text, tools",
        "leaves out `stream_options`, and images, once they were refused",
    ),
    Entry("Magistral", Magistral, "text, tools, images", "hides the thinking in its lists of parts"),
    Entry(
        "Gemini, compatible endpoint",
        Gemini,
        "text, tools, images",
        "sends the signatures of calls back; waits as long as `retryDelay` says",
    ),
    Entry(
        "Gemini, arguments in pieces",
        GeminiInPieces,
        "text, tools, images",
        "puts calls without an index together",
    ),
    Entry("DeepSeek, thinking", DeepSeek, "text, tools", "sends `reasoning_content` back; leaves out images"),
    Entry("Kimi, thinking", Kimi, "text, tools", "sends `reasoning_content` back; leaves out images"),
    Entry("Ollama", Ollama, "text, tools, images", "takes an empty answer cut by its length as too long"),
    Entry(
        "Ollama, older versions",
        OllamaWithoutFinish,
        "text, tools, images",
        "takes `[DONE]` as the end",
    ),
    Entry(
        "Ollama, models without tools",
        OllamaWithoutTools,
        "text",
        "leaves out tools and images once they were refused",
    ),
    Entry("vLLM without tools", Vllm, "text", "leaves out tools and images once they were refused"),
    Entry("vLLM, templates with strict turns", VllmAlternating, "text, tools", "user and assistant always alternate"),
    Entry(
        "vLLM, templates without a system role",
        VllmWithoutSystem,
        "text",
        "puts the system text into the first message",
    ),
    Entry("llama.cpp", LlamaCpp, "text, tools, images with a projector", "waits while it loads its model", REAL),
    Entry(
        "llama.cpp, `<think>` in the template",
        LlamaCppThinkInPrompt,
        "text, tools",
        "hides what comes before a lone `</think>`",
    ),
    Entry(
        "OpenRouter",
        OpenRouter,
        "text, tools, images",
        "sends `reasoning_details` back; says the reason in `metadata.raw`",
    ),
    Entry(
        "OpenRouter, models without tools",
        OpenRouterPlain,
        "text",
        "leaves out tools and images once no endpoint has them",
    ),
    Entry("Groq", Groq, "text, tools", "asks again after `tool_use_failed`; sends no names"),
    Entry(
        "Groq, small limits a minute",
        GroqInStream,
        "text, tools",
        "sends less when one request is over the limit of a minute",
    ),
    Entry("LM Studio", LmStudio, "text, tools", "understands errors without a status"),
)


def markdown_table() -> str:
    """The table of the documents, made from the rows."""
    rows = ["| service | works | how | checked against |", "|---|---|---|---|"]
    rows += [f"| {one.name} | {one.works} | {one.how} | {one.checked} |" for one in SERVICES]
    return "\n".join(rows)
