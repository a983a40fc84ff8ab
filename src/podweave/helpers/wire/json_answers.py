"""What a server says about itself in JSON, which may be anything."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def json_object(content: bytes) -> dict[str, Any] | None:
    """The object that an answer is; None for one that is none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
