"""logfmt: `key=value key="quoted value"`, as Go's loggers and Heroku write it."""

from __future__ import annotations

import re

from podweave.helpers.logs.formats.keys import fill
from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.timestamps import Clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.fields import Record

_KEY = rb"[A-Za-z_@][\w.\-/@]*+"
_VALUE = rb'(?:"(?>(?:[^"\\\n]|\\.)*)"|[^\s"]*+)'
# At least two pairs, or any sentence with a `=` in its only word would be logfmt.
_LINE = re.compile(
    _KEY + rb"=" + _VALUE + rb"(?>(?: ++" + _KEY + rb"(?>(?:=" + _VALUE + rb")?))+) *+"
)
_PAIR = re.compile(rb"(" + _KEY + rb')(?>(?:=(?:"((?>(?:[^"\\\n]|\\.)*))"|([^\s"]*+)))?)')
PATTERNS = (_LINE.pattern, _PAIR.pattern)
_NUMBER = re.compile(r"(?:0|-?[1-9]\d{0,17})(\.\d{1,9})?")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class LogfmtLayout:
    """Reads a line of pairs."""

    names: frozenset[str] = frozenset()
    format = ""
    general = False

    def record(self, line: bytes, clock: Clock) -> Record | None:
        """Read a line; None where it isn't all pairs."""
        if _LINE.fullmatch(line) is None:
            return None
        record: Record = {}
        for match in _PAIR.finditer(line):
            key = match[1].decode("utf-8", "replace")
            fill(record, key, _value(match[2], match[3]), clock)
        return record


def _value(quoted: bytes | None, bare: bytes | None) -> Any:
    if quoted is not None:
        text = quoted.decode("utf-8", "replace")
        return _ESCAPE.sub(_unescape, text) if "\\" in text else text
    if bare is None:
        return True
    text = bare.decode("utf-8", "replace")
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    return float(text) if number[1] else int(text)


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])


FORMATS = {
    "logfmt": Format(
        "logfmt",
        (LogfmtLayout(),),
        samples=(
            (
                b'time=2026-11-23T02:16:56.789Z level=warn msg="slow \\"order\\"" order=42 ms=17.5',
                {
                    "time": (1795400216, "789"),
                    "level": "warn",
                    "message": 'slow "order"',
                    "attributes": {"order": 42, "ms": 17.5},
                },
            ),
        ),
    )
}
