"""Stores as a whole: copying one to another."""
