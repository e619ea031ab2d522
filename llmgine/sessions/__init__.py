"""Durable sessions: turns, their steps and deliveries, in plain SQL."""

from llmgine.sessions.store import SessionStore, open_store

__all__ = ["SessionStore", "open_store"]
