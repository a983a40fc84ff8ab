"""Pieces as they stand on a disk: a line of JSON that says what it is, then the data.

{"size": bytes of data, "crc": of them, "path", "identity", "offset", "seconds", "raw",
 and where they apply "joined", "starts", "details"}
DATA
"""

from __future__ import annotations

import json
from binascii import crc32

from podweave.helpers.logs.delivery.batches import Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HEAD_LIMIT = 16 << 20
"""A header with the places of a million records is long; one that is longer is none."""


def encode(piece: Piece, raw: bool) -> bytes:
    """One frame."""
    head: dict[str, Any] = {
        "size": len(piece.data),
        "crc": crc32(piece.data),
        "path": piece.path,
        "identity": piece.identity,
        "offset": piece.offset,
        "seconds": piece.seconds,
        "raw": raw,
    }
    if piece.joined:
        head["joined"] = True
    if piece.starts is not None:
        head["starts"] = list(piece.starts)
    if piece.details is not None:
        head["details"] = [
            [time.decode("latin-1"), stream.decode("latin-1")] for time, stream in piece.details
        ]
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + piece.data


class DamagedError(Exception):
    """There is no frame here."""


class TornError(DamagedError):
    """The frame ends before it is whole: what a crash left half written."""


def decode(data: bytes) -> tuple[Piece, bool, int] | None:
    """The frame at the beginning of `data`: the piece, whether it is raw, the frame's length.

    None when more is needed. DamagedError when no more will help.
    """
    newline = data.find(b"\n")
    if newline < 0:
        if len(data) > HEAD_LIMIT:
            raise DamagedError
        return None
    head, size = _head(data[:newline])
    end = newline + 1 + size
    if len(data) < end:
        return None
    body = data[newline + 1 : end]
    if crc32(body) != head.get("crc") or not body.endswith(b"\n"):
        raise DamagedError
    try:
        details = head.get("details")
        piece = Piece(
            body,
            head["path"],
            head["identity"],
            head["offset"],
            float(head["seconds"]),
            starts=head.get("starts"),
            joined=head.get("joined", False),
            details=None
            if details is None
            else [(time.encode("latin-1"), stream.encode("latin-1")) for time, stream in details],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedError from error
    return piece, head.get("raw") is True, end


def _head(line: bytes) -> tuple[dict[str, Any], int]:
    try:
        head = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DamagedError from error
    size = head.get("size") if isinstance(head, dict) else None
    if type(size) is not int or size <= 0:
        raise DamagedError
    return head, size
