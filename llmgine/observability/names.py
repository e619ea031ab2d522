"""The names that OpenTelemetry's conventions for generative AI give to what we measure, and ours for the rest.

The conventions live in a repository of their own, and no package offers their present names as constants.
"""

AGENT_NAME = "gen_ai.agent.name"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CONVERSATION_ID = "gen_ai.conversation.id"
ERROR_TYPE = "error.type"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OPERATION_NAME = "gen_ai.operation.name"
OUTPUT_MESSAGES = "gen_ai.output.messages"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
PROVIDER_NAME = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
RESPONSE_MODEL = "gen_ai.response.model"
TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  the name of an attribute, no password
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_NAME = "gen_ai.tool.name"
TOOL_RESULT = "gen_ai.tool.call.result"
TOOL_TYPE = "gen_ai.tool.type"

# Metrics.
AGENT_DURATION = "gen_ai.invoke_agent.duration"
CACHED_TOKEN_USAGE = "llmgine.client.cached_tokens"  # noqa: S105  as above
CHAT_DURATION = "gen_ai.client.operation.duration"
CHAT_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
FIRST_TEXT = "llmgine.turn.time_to_first_text"
LOOP_LAG = "llmgine.loop.lag"
QUEUED = "llmgine.bus.queued"
TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105  as above
TOOL_DURATION = "gen_ai.execute_tool.duration"

# Values of `error.type` where no error of ours has a name.
CANCELLED = "cancelled"
OTHER_ERROR = "_OTHER"
TOOL_ERROR = "tool_error"
