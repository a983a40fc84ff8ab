"""Lines as an application wrote them, wrapped into JSON records: whole chunks at a time.

The record is ECS: `@timestamp` is when the line was read, for an untouched line is not looked
into; `message` is the line; `log.file.path` is where it came from; `kubernetes` says which Pod.

JSON is UTF-8, a log line is any bytes: bytes that are not UTF-8 come out as `\\xff`, so that they
can still be seen. Each line stays one record, whatever is in it.
"""

from __future__ import annotations

import json
import time

from podweave.helpers.logs.utf8 import is_utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORT = {8: rb"\b", 9: rb"\t", 12: rb"\f", 13: rb"\r"}
# Looking for one byte is so fast that 33 looks cost a fraction of one search for a class.
_ESCAPES = [
    (b"\\", rb"\\"),
    (b'"', rb"\""),
    *(
        (bytes((code,)), _SHORT.get(code, rb"\u%04x" % code))
        for code in range(32)
        if code != 10  # ends the line
    ),
]


class RawRecords:
    """Wraps the lines of one Pod."""

    def __init__(self, kubernetes: Mapping[str, object]) -> None:
        self._kubernetes = kubernetes
        self._ends: dict[str, bytes] = {}

    def end(self, path: str) -> bytes:
        """What follows the message of each record of a file, with the newline."""
        end = self._ends.get(path)
        if end is None:
            name = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            fields: dict[str, object] = {"log": {"file": {"path": name}}}
            if self._kubernetes:
                fields["kubernetes"] = self._kubernetes
            text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
            if len(self._ends) > 1000:
                self._ends.clear()
            end = self._ends[path] = b'",' + text[1:].encode() + b"\n"
        return end


def escape(data: bytes) -> bytes:
    """What stands between the quotes of JSON strings, except that newlines stay as they are."""
    data = utf8(data)
    for byte, escaped in _ESCAPES:
        if byte in data:
            data = data.replace(byte, escaped)
    return data


def has_controls(data: bytes) -> bool:
    """Characters that JSON's strings don't have, beside newlines."""
    return any(byte in data for byte, _ in _ESCAPES[2:])


def utf8(data: bytes) -> bytes:
    """UTF-8, in which bytes that are none can still be seen."""
    return data if is_utf8(data) else data.decode("utf-8", "backslashreplace").encode()


def timestamp(seconds: float) -> bytes:
    """RFC 3339 in UTC with milliseconds."""
    milliseconds = int(seconds * 1000)
    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{clock}.{milliseconds % 1000:03d}Z".encode()
