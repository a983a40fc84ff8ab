"""SASLprep (RFC 4013) for passwords that aren't ASCII. Loaded for these only: it takes 1 MB."""

from __future__ import annotations

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """ValueError for what it prohibits, and for characters that Unicode 3.2 doesn't have."""
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char
        for char in text
        if not stringprep.in_table_b1(char)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    if not normal:
        raise ValueError("nothing is left of it")
    for char in normal:
        if stringprep.in_table_a1(char) or any(table(char) for table in _PROHIBITED):
            raise ValueError(f"U+{ord(char):04X} is not allowed")
    if any(stringprep.in_table_d1(char) for char in normal) and (
        any(stringprep.in_table_d2(char) for char in normal)
        or not (stringprep.in_table_d1(normal[0]) and stringprep.in_table_d1(normal[-1]))
    ):
        raise ValueError("it mixes directions of writing")
    return normal
