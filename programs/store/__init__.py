"""Copying one store to another."""
