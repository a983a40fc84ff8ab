"""What the rules say of a pattern, for tests."""

from __future__ import annotations

from typing import Any

import msgspec

from podweave.model.errors import render_path
from podweave.model.pattern_rules import check_pattern
from podweave.model.patterns import PATTERN_TYPES


def found(kind: str, spec: dict[str, Any], name: str = "orders") -> dict[str, str]:
    """path -> message of everything the rules say."""
    pattern = msgspec.convert({"metadata": {"name": name}, "spec": spec}, PATTERN_TYPES[kind])
    return {render_path(error.path): error.message for error in check_pattern(pattern)}
