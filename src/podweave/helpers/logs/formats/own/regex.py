"""`{regex: ...}`: a regular expression with named groups, for whole lines."""

from __future__ import annotations

from podweave.helpers.logs.formats.own.expressions import OwnLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def make(value: Any) -> list[OwnLayout]:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return [OwnLayout(value)]
