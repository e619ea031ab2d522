"""What a tool gives has no secrets in it when it leaves the manager."""

from llmgine.messages.chat_messages import ToolCall
from llmgine.observability.redaction import REDACTED, Redactor
from llmgine.tools.result_text import MAX_RESULT_BYTES
from llmgine.tools.tool_manager import ToolManager


async def test_a_secret_is_gone_before_the_text_is_cut() -> None:
    """Where a huge result is cut through the middle of a secret, no half of it is left."""
    secret = "the-password-" + "p" * 400

    def dump() -> str:
        """Give very much."""
        return ("x" * 40 + secret) * 10_000

    manager = ToolManager([], redact=Redactor([secret]))
    manager.register(dump)

    result = await manager.run(ToolCall(name="dump", arguments="{}"))

    assert REDACTED in result.content
    assert "password" not in result.content
    assert "ppp" not in result.content
    assert len(result.content.encode()) <= MAX_RESULT_BYTES
