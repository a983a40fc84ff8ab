"""Answers of a function that are kept by the bytes they are an answer to.

Bounded by plain forgetting: when it is full it is emptied. What is asked often is back at once,
and what is asked once costs no bookkeeping.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ENTRIES = 256
LONGEST = 2048
"""Bytes of a head; longer ones carry something of their own, as a rule."""


def keep(memo: dict[bytes, Any], key: bytes, value: object) -> None:
    if len(key) <= LONGEST:
        if len(memo) >= ENTRIES:
            memo.clear()
        memo[key] = value
