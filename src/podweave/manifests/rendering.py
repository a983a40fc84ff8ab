"""Values to new YAML or JSON text: what edits insert, and whole documents.

Written for the strictest reader: a string is quoted wherever any YAML version or parser in use
could take it for something else, so `yes`, `0644`, `1e3`, `1:30` and `2001-01-01` stay strings.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from podweave.manifests.decoding import UNPRINTABLE
from podweave.manifests.scalars import resolve

_PLAIN: Final = re.compile(r"(?:[^\W\d]|[\d/$(~^;<+.=\\]|[-?:](?=[^\s,\[\]{}]))[^\n\t]*")
_NUMBER_LIKE: Final = re.compile(r"[-+.]?[\d][-+\d_:.,eExXoObBa-fA-FTtZz ]*")
_WORDS: Final = frozenset(("=", "<<"))
_MARKERS: Final = ("---", "...")
_FLOW_INDICATORS: Final = re.compile(r"[,\[\]{}]")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def render(value: Any, *, sequence_indent: int = 0, literals: bool = True) -> str:
    """Render a value as the text of one YAML document, without markers."""
    return "\n".join(block_lines(value, sequence_indent, literals=literals)) + "\n"


def block_lines(value: Any, sequence_indent: int = 0, *, literals: bool = True) -> list[str]:
    """The lines of a value in block style, from column 0.

    `sequence_indent` is how far a list is indented under its key. Without `literals`,
    multi-line strings are quoted instead of written as `|` blocks.
    """
    if isinstance(value, dict) and value:
        lines = []
        for key, item in value.items():
            nested = _nested(item, sequence_indent, literals)
            head = scalar(_text(key))
            if nested is None:
                lines += _headed(f"{head}: ", item, literals)
            else:
                indent = " " * (sequence_indent if isinstance(item, list) else 2)
                lines.append(f"{head}:")
                lines += indented(nested, indent)
        return lines
    if isinstance(value, list) and value:
        lines = []
        for item in value:
            nested = _nested(item, sequence_indent, literals)
            if nested is None:
                lines += _headed("- ", item, literals)
            else:
                lines.append(f"- {nested[0]}")
                lines += indented(nested[1:], "  ")
        return lines
    return _headed("", value, literals)


def indented(lines: Sequence[str], indent: str) -> list[str]:
    """Lines moved to the right; empty ones stay empty."""
    return [indent + line if line else line for line in lines]


def _nested(value: Any, sequence_indent: int, literals: bool) -> list[str] | None:
    if isinstance(value, dict | list) and value:
        return block_lines(value, sequence_indent, literals=literals)
    return None


def _headed(head: str, value: Any, literals: bool) -> list[str]:
    """A value that begins on the line of its key or dash."""
    if literals and isinstance(value, str) and _fits_literal(value):
        mark = "|" if value.endswith("\n") else "|-"
        return [head + mark, *indented(value.removesuffix("\n").split("\n"), "  ")]
    return [head + flow(value)]


def _fits_literal(text: str) -> bool:
    """Whether a `|` block gives the text back, whatever follows it in the file."""
    if "\n" not in text or text[0] in " \t\n" or text.endswith("\n\n"):
        return False
    lines = text.removesuffix("\n").split("\n")
    return bool(lines[-1].strip(" \t")) and all(
        line.replace("\t", "").isprintable() for line in lines
    )


def flow(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    if isinstance(value, dict):
        entries = (
            f"{scalar(_text(key), in_flow=True)}: {flow_item(item)}" for key, item in value.items()
        )
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_item, value)) + "]"
    return scalar(value)


def flow_item(value: Any) -> str:
    """A value inside a flow collection, where more characters need quotes."""
    return flow(value) if isinstance(value, dict | list) else scalar(value, in_flow=True)


def scalar(value: str | float | bool | None, *, in_flow: bool = False) -> str:
    """A scalar on one line."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return repr(value)
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if _is_plain(value, in_flow):
        return value
    if value.isprintable() and ("'" not in value or '"' in value or "\\" in value):
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, value)) + '"'


def _is_plain(text: str, in_flow: bool) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and text.isprintable()
        and text[-1] not in " :"
        and ": " not in text
        and " #" not in text
        and not _NUMBER_LIKE.fullmatch(text)
        and text not in _WORDS
        and not text.startswith(_MARKERS)
        and not (in_flow and (_FLOW_INDICATORS.search(text) or text[0] in "?:-" or ":" in text))
        and resolve(text) == text
    )


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _text(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"keys are strings, not {key!r}")
    return key


def json_text(value: Any, *, step: int | None = None, colon: str = ": ") -> str:
    """A value as JSON: on one line, or with `step` spaces a level. ValueError for infinity."""
    text = json.dumps(
        value,
        indent=step,
        ensure_ascii=False,
        allow_nan=False,
        separators=("," if step else ", " if colon == ": " else ",", colon),
    )
    return UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def plain(value: Any) -> Any:
    """A copy as plain dicts and lists, which rendering and comparing take."""
    if isinstance(value, Mapping):
        return {_text(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"not a plain value: {value!r}")
