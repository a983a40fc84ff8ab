"""Datagrams of several lines in a spool of lines: every line but the last ends with MARK. No I/O.

So a datagram is one record with its line breaks, as its sender meant it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.container_lines import Part

MARK = b"\x1f"
"""The unit separator, which no text has before a line break."""


def spooled(datagram: bytes) -> bytes:
    """The datagram as lines, without what ends it: a newline, NUL, or neither."""
    datagram = datagram.rstrip(b"\r\n\0" + MARK)
    if b"\n" in datagram:
        datagram = datagram.replace(b"\r\n", b"\n").replace(b"\n", MARK + b"\n")
    return datagram + b"\n"


def datagram_parts(lines: Sequence[bytes]) -> list[Part | None]:
    """Each line as a part of its datagram."""
    return [
        (b"", b"", line[:-1] + b"\n", True) if line.endswith(MARK) else (b"", b"", line, False)
        for line in lines
    ]
