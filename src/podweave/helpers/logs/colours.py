r"""Colours of a terminal are taken out of lines before they are read.

Many programs write them into files too, around the level above all. What goes is SGR and EL
(ECMA-48, sections 8.3.117 and 8.3.41): `ESC [ 1 ; 32 m`, also as JSON writes it, `\u001b[32m`.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.rare_bytes import contains

_CODES = re.compile(rb"\x1b\[[0-9;:]*[mK]")
# An escaped backslash before it makes it text.
_ESCAPED = re.compile(rb"(?<!\\)((?>(?:\\\\)*))(?>(?:\\u001[bB]\[[0-9;:]*[mK])+)")


def uncoloured(data: bytes) -> bytes:
    """The lines without them; what nearly all have none of costs a search for a byte."""
    if b"\x1b" in data:
        data = _CODES.sub(b"", data)
    if contains(data, b"\\u001"):
        data = _ESCAPED.sub(rb"\1", data)
    return data
