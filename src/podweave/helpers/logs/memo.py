"""What a function makes of values that repeat."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST = 8192
"""Distinct values that are remembered. Beyond, the memo starts anew: what doesn't repeat needs no
memory."""


class Memo(dict["Any", "Any"]):
    """Calls a function once for each distinct key, as far as memory is worth it."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def __missing__(self, key: Any) -> Any:
        if len(self) >= MOST:
            self.clear()
        value = self[key] = self.function(key)
        return value
