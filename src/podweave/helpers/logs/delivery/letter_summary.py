"""What dead letters there are, in a few lines: for `podweave replay --list`."""

from __future__ import annotations

import json
import os

from podweave.helpers.logs.newlines import count_newlines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_LOOKED_AT = 1 << 20
"""Bytes of the newest letters that reasons are taken from: the program has other things to do."""
_REASONS = 10
_SHOWN = 200


def summary(paths: Sequence[str]) -> dict[str, Any]:
    """Of one store's files, oldest first: how many records, bytes, the reasons of the newest."""
    records = size = 0
    newest = b""
    for path in paths:
        with open(path, "rb") as file:
            while data := file.read(1 << 20):
                records += count_newlines(data)
                size += len(data)
    for path in reversed(paths):
        if len(newest) >= _LOOKED_AT:
            break
        length = os.stat(path).st_size
        with open(path, "rb") as file:
            file.seek(max(0, length - (_LOOKED_AT - len(newest))))
            newest = file.read() + newest
    reasons: dict[str, int] = {}
    last: dict[str, Any] = {}
    for line in newest.split(b"\n"):
        try:
            letter = json.loads(line)
            reason = str(letter["reason"])[:_SHOWN]
        except (ValueError, TypeError, KeyError):
            continue  # the search began in its middle
        if reason in reasons or len(reasons) < _REASONS:
            reasons[reason] = reasons.get(reason, 0) + 1
        last = letter
    return {
        "records": records,
        "bytes": size,
        "reasons": reasons,
        "last": {
            key: str(last[key])[:_SHOWN] for key in ("@timestamp", "path", "record") if key in last
        },
    }
