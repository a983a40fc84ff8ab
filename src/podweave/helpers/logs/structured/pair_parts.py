"""Takes a line of pairs apart into literal text and leaves."""

from __future__ import annotations

from podweave.helpers.logs.structured.json_parts import MOST_LEAVES
from podweave.helpers.logs.structured.leaves import (
    BARE,
    PAIR_FRACTION,
    PAIR_QUOTED,
    PLAIN,
    WHOLE,
    Leaf,
    LeafInteger,
    LeafText,
    leaf_float,
)
from podweave.helpers.logs.structured.pairs_layout import NUMBER, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Pattern
    from typing import Any

    from podweave.helpers.logs.structured.leaves import Parts


def take_apart(
    line: bytes, pair: Pattern[bytes], quoted: bool
) -> tuple[Parts, list[tuple[str, Any]]] | None:
    """The line's parts, and its pairs with leaves for values."""
    parts: Parts = []
    pairs: list[tuple[str, Any]] = []
    place = 0
    for match in pair.finditer(line):
        name = match[1].decode("utf-8", "replace")
        number = 2 if not quoted or match[2] is not None else 3
        if match[number] is None:
            pairs.append((name, True))
            continue
        value: Any
        text = match[number].decode("utf-8", "replace")
        if not quoted:
            written, value = PLAIN, LeafText(text)
        elif number == 2:
            written, value = PAIR_QUOTED, LeafText(value_of(match[2], None))
        else:
            digits = NUMBER.fullmatch(text)
            if digits is None:
                written, value = BARE, LeafText(text)
            elif digits[1]:
                written, value = PAIR_FRACTION, leaf_float(text)
            else:
                written, value = WHOLE, LeafInteger(text)
        parts.append(line[place : match.start(number)])
        parts.append(Leaf(written, name, value))
        place = match.end(number)
        pairs.append((name, value))
    parts.append(line[place:])
    return (parts, pairs) if len(pairs) <= MOST_LEAVES else None
