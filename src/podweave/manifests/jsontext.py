"""JSON text to objects: one value, or several one after the other as kubectl takes them."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from podweave.manifests.composing import (
    MAX_DEPTH,
    MAX_NODES,
    Composed,
    ComposeError,
    DuplicateKeyError,
)

_SPACE: Final = " \t\r\n"


def looks_like_json(text: str) -> bool:
    """Whether to try JSON first; YAML's flow style looks the same and is tried after."""
    return text.lstrip(_SPACE)[:1] in {"{", "["}


def compose(text: str) -> list[Composed]:
    """All values of the text. Raises json.JSONDecodeError, or ComposeError."""
    decoder = json.JSONDecoder(object_pairs_hook=_mapping, parse_constant=_constant)
    composed = []
    place = _skip(text, 0)
    while place < len(text):
        try:
            value, end = decoder.raw_decode(text, place)
        except _DuplicateError as error:
            # Whatever else is wrong with the text goes first: the search for the key's places
            # takes the value as read.
            value, _ = json.JSONDecoder(parse_constant=_constant).raw_decode(text, place)
            _check(value, place)
            raise DuplicateKeyError(str(error), place) from None
        except RecursionError:
            raise ComposeError(f"nested deeper than {MAX_DEPTH} levels", place) from None
        except json.JSONDecodeError:
            raise
        except ValueError as error:  # a number of thousands of digits, NaN
            raise ComposeError(str(error), place) from None
        _check(value, place)
        composed.append(Composed(value, place, end, False))
        place = _skip(text, end)
    return composed


class _DuplicateError(ValueError):
    pass


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise _DuplicateError("a key twice in one mapping")
    return mapping


def _constant(name: str) -> Any:
    raise ValueError(f"{name} isn't JSON")


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1
    return place


def _check(value: Any, place: int) -> None:
    """The same bounds as for YAML, and no text that can't be written again."""
    count = 0
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH + 1:
            raise ComposeError(f"nested deeper than {MAX_DEPTH} levels", place)
        below: list[Any] = []
        for item in level:
            count += 1
            if type(item) is dict:
                below.extend(item)
                below.extend(item.values())
            elif type(item) is list:
                below.extend(item)
            elif type(item) is float:
                if not math.isfinite(item):
                    raise ComposeError("a number too large for a float", place)
            elif type(item) is str and not item.isascii():
                try:
                    item.encode()
                except UnicodeEncodeError:
                    raise ComposeError("half a surrogate pair in a string", place) from None
        if count > MAX_NODES:
            raise ComposeError(f"more than {MAX_NODES} values in one file: split it", place)
        level = below
