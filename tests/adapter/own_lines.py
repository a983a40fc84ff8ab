"""What the cases of formats of the user's own have in common."""

from __future__ import annotations

from typing import Any

NOW = 1795400216
"""2026-11-23T02:16:56Z"""

OwnLine = tuple[str, Any, bytes, dict[str, Any]]
"""The format's key, its value, a line, and the record that it must give."""
