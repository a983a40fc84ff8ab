"""Formats of the user's own: `{KEY: VALUE}` in a configuration, compiled to layouts.

Each key has a module with `make(value) -> list of layouts`, the most particular first; it raises
ValueError, in words, for a value that isn't right (catalogue.py).
"""
