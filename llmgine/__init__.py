"""LLMgine: a small asyncio engine for tool-calling chat around one message bus."""
