"""Reading objects that nobody has validated: what isn't of the right shape counts as empty."""

from __future__ import annotations

from typing import Any


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """A list's items, each in its place."""
    return [mapping(item) for item in value] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """A list's strings."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
