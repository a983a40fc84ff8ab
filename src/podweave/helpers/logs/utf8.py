"""Whether bytes are UTF-8, which nearly all are, and most of them ASCII."""

from __future__ import annotations

_PIECE = 4096


def is_utf8(data: bytes) -> bool:
    """As if all were decoded, in an eighth of the time where a few lines aren't ASCII.

    A text with one wide character in it is decoded to wide ones. Newlines are no part of any.
    """
    if data.isascii():
        return True
    begin = 0
    while begin < len(data):
        end = data.find(b"\n", begin + _PIECE) + 1 or len(data)
        piece = data[begin:end]
        if not piece.isascii():
            try:
                piece.decode()
            except UnicodeDecodeError:
                return False
        begin = end
    return True
