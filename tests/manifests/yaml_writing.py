"""Writes a value as YAML in any of the styles people use.

On purpose nothing like `manifests.rendering`: indents vary, comments and blank lines stand
everywhere, scalars come in every quoting, collections in block and flow style.
"""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

WORDS = ["a", "b", "app", "x-y", "web.example/z", "0644", "yes", "key with space", "#h", "ü", "'q"]

TRICKY = [
    *("yes", "no", "on", "N", "y", "null", "~", "0644", "0o17", "0x1F", "0b1", "1e3", "+1", ".5"),
    *("1_0", "1:30", "1.2.3", "-1", "-a", "2001-01-01", "<<", "=", "---", "--- a", "..."),
    *("", " ", ":", "key:", "a: b", "a:b", "http://a:80/b", "a #b", "a#", "#", "- x", "-", "?"),
    *("? a", "|", "*a", "&a", "!a", "@a", "%a", "`", ",a", "a,b", "[a", "{{ x }}", "--flag"),
    *("'", '"', "it's", "\\", "a\tb", "a:\tb", "a\t#b", "é", "😀", "\u2028", "\x85", "\ufeff"),
    *("\u00a0", "\u200b", "x\x07", "\x7f", "a\r\nb", "line\nbreak", "two\nlines\n", "three\n\n"),
    *("two words", "three words more", "a b"),
    *("\n", "\ttab\n", " lead\nx\n", "trail \nx\n", "x\n  y\n", "x\n \n", "x\n\ty\n"),
    *("x\n   \ny", "x\ny\n  ", "a\n\n\nb", "x\n# no comment\n", "[\n"),
]
"""Strings that some YAML reader or writer is known to get wrong."""

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(TRICKY),
)
keys = st.one_of(st.sampled_from(WORDS), st.text(min_size=1, max_size=6))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
"""Any value that JSON has."""


_FOLDABLE = re.compile(r"[a-x]+( [a-x]+)+")
Choice = TypeVar("Choice")


class Writer:
    """Makes its choices by a Random: drawing each by itself would take hypothesis minutes."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._literals = False

    def _chance(self, of: int) -> bool:
        return self._random.randrange(of) == 0

    def _pick(self, *choices: Choice) -> Choice:
        return self._random.choice(choices)

    def document(self, value: dict[str, Any]) -> str:
        """A whole text with one document."""
        head = self._pick(
            "", "", "# head\n", "---\n", "# head\n---\n", "--- # c\n", "%YAML 1.1\n---\n"
        )
        if self._chance(8) and _finite(value):
            head = self._pick("", head)
            ascii = self._chance(2) or not _printable(value)
            indent = self._pick(None, 1, 2, 4, "\t")
            body = json.dumps(value, indent=indent, ensure_ascii=ascii, allow_nan=False) + "\n"
        elif self._chance(4):
            body = self.flow(value, 0) + "\n"
        else:
            body = "\n".join(self.block(value, 0)) + "\n"
        tail = self._pick("", "", "", "# tail\n", "...\n", "\n\n", "  # deep tail\n", "---\n")
        if self._literals and tail[:1] in {"\n", " "}:
            tail = ""  # it would belong to the value
        text = head + body + tail
        # A literal block's last line break is part of its value.
        if not self._literals and self._chance(4):
            text = text.removesuffix("\n")
        if self._chance(4):
            text = text.replace("\n", "\r\n")
        return text

    def block(self, value: Any, column: int) -> list[str]:
        """A collection in block style, its lines indented already."""
        lines: list[str] = []
        pad = " " * column
        questions = self._chance(10)
        dash = "-" + self._pick(" ", " ", "   ")
        items = value.items() if isinstance(value, dict) else [(None, item) for item in value]
        for key, item in items:
            if not self._chance(6):
                pass
            elif self._literals:
                lines.append("# left")
            else:
                lines += self._pick(
                    [""],
                    [pad + "# note"],
                    ["# left"],
                    [pad + "    # right"],
                    ["", pad + "# two", ""],
                )
            head = pad + (dash.rstrip() if key is None else self.key(key) + ":")
            if key is not None and questions:
                lines += [f"{pad}? {self.key(key)}", f"{pad}: {self.flow(item, column + 2)}"]
                continue
            lines += self._entry(head, item, column, key is None, len(dash))
        return lines

    def _entry(self, head: str, item: Any, column: int, in_list: bool, dash: int) -> list[str]:
        comment = self._pick("", "", "", "  # c", " # c: d", "\t# tab") if self._chance(2) else ""
        if isinstance(item, dict | list) and item and not self._chance(5):
            if in_list and self._chance(2):
                nested = self.block(item, column + dash)
                first = nested[0].lstrip(" ")
                if first and not first.startswith("#"):
                    return [head + " " * (dash - 1) + first, *nested[1:]]
                return [head, *nested]
            least = 0 if isinstance(item, list) and not in_list else 1
            step = self._pick(*{least, 2, 4})
            return [head + comment.replace("\t", " "), *self.block(item, column + step)]
        if isinstance(item, dict | list):
            return [f"{head} {self.flow(item, column)}{comment}"]
        if item is None and self._chance(2):
            # libyaml takes no tab after an indicator that nothing follows.
            return [head + comment.replace("\t", " ")]
        if isinstance(item, str) and "\n" in item and item.replace("\n", "").isprintable():
            literal = self._literal(item, column)
            if literal:
                return [f"{head} {literal[0]}", *literal[1:]]
        return [f"{head} {self.scalar(item, column)}{comment}"]

    def _literal(self, text: str, column: int) -> list[str] | None:
        if text[0] in " \n" or not text.strip():
            return None
        self._literals = True
        pad = " " * (column + self._pick(1, 2, 5))
        if text.endswith("\n\n"):
            mark, body = "|+", text.removesuffix("\n")
        elif text.endswith("\n"):
            mark, body = self._pick("|", "|+"), text.removesuffix("\n")
        else:
            mark, body = "|-", text
        lines = [pad + line if line else "" for line in body.split("\n")]
        blank = [""] if mark in {"|", "|-"} and self._chance(2) else []
        return [mark + self._pick("", " # c"), *lines, *blank]

    def flow(self, value: Any, column: int) -> str:
        """Flow style, on one line or several."""
        if not isinstance(value, dict | list):
            return self.scalar(value)
        if self._chance(3) and _finite(value):
            return json.dumps(value, allow_nan=False)
        return self._flow(value, column)

    def _flow(self, value: Any, column: int) -> str:
        left, right = ("{", "}") if isinstance(value, dict) else ("[", "]")
        if not value:
            return left + self._pick("", "", " ") + right
        many = self._chance(3)
        inner = "\n" + " " * (column + 4) if many else self._pick("", " ")
        after = "\n" + " " * (column + 1) if many else self._pick("", " ")
        between = inner if many else " "
        entries = (
            [f"{self.key(key)}: {self.flow(item, column + 4)}" for key, item in value.items()]
            if isinstance(value, dict)
            else [self.flow(item, column + 4) for item in value]
        )
        comma = self._pick("", "", ",")
        return left + inner + f",{between}".join(entries) + comma + after + right

    def key(self, key: str) -> str:
        """A key, quoted where it must be or by chance."""
        if key in {"a", "b", "app", "x-y", "web.example/z"} and not self._chance(5):
            return key
        return self.scalar(key)

    def scalar(self, value: Any, column: int | None = None) -> str:
        """A scalar, on one line unless the column is told."""
        if isinstance(value, str):
            if value in {"a", "b", "app", "x-y", "web.example/z"} and not self._chance(5):
                return self._pick("", "!!str ") + value
            if column is not None and _FOLDABLE.fullmatch(value) and self._chance(2):
                pad = "\n" + " " * (column + 3)
                return self._pick("", "'", '"').join(["", value.replace(" ", pad), ""])
            if value.isprintable() and self._chance(2):
                return "'" + value.replace("'", "''") + "'"
            return _double_quoted(value)
        if isinstance(value, float) and not _finite(value):
            return ".inf" if value > 0 else "-.inf"
        return json.dumps(value)


def _finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_finite, value.values())) and all(_bmp(key) for key in value)
    if isinstance(value, list):
        return all(map(_finite, value))
    if isinstance(value, str):
        return _bmp(value)
    return not (isinstance(value, float) and value in (float("inf"), float("-inf")))


def _printable(value: Any) -> bool:
    if isinstance(value, dict):
        return all(key.isprintable() and _printable(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_printable, value))
    return not isinstance(value, str) or value.isprintable()


def _bmp(text: str) -> bool:
    return all(ord(char) < 0x10000 for char in text)


def _double_quoted(text: str) -> str:
    return '"' + "".join(
        char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08X}" for char in text
    ) + '"'  # fmt: skip
