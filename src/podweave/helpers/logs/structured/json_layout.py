"""JSON objects, one a line: a format is a table of key names, and the keys that tell it."""

from __future__ import annotations

import re

from podweave.helpers.logs.structured.interface import StructuredLayout
from podweave.helpers.logs.structured.names import KeyTable
from podweave.helpers.logs.structured.sink import Sink, decoded_json, derive_into

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.column_layout import Derive
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.structured.leaves import Parts

STRING = rb'"[^"\\\n]*+(?>(?:\\.[^"\\\n]*+)*)"'
NAME = rb'"[^"\\\n]*+" ?:'
VALUE = rb"(?:" + STRING + rb')?[^"\n]*+'
_NAMED = re.compile(b"(" + NAME + rb"|\n)" + VALUE)
PRESENT = "present"
NUMBER = "number"
TEXT = "text"
OBJECT = "object"
ARRAY = "array"
_TYPES = {NUMBER: (int, float), TEXT: (str,), OBJECT: (dict,), ARRAY: (list,)}
_MISSING = object()


class JsonLayout(StructuredLayout):
    """Reads a line as a JSON object.

    `keys`: what the format calls the neutral fields, as dotted paths, e.g.
    {"request.remote_ip": "source_address", "latency": "duration:ms", "id": ""} (see KeyTable);
    other keys are known by their usual names. `requires`: paths that must be there, each with
    PRESENT, NUMBER, TEXT, OBJECT, ARRAY, or a tuple of the only texts; `excludes`: paths that
    must not. `derive` makes further fields from the text of one: (field, from, function).
    `strip`: what the application's own keys begin with and lose. `levels`: see layouts.Format.
    """

    first = frozenset(b"{ \t")
    literals: tuple[bytes, ...] = ()
    named = _NAMED

    def __init__(
        self,
        keys: Mapping[str, str] | None = None,
        *,
        requires: Mapping[str, str | tuple[str, ...]] | None = None,
        excludes: tuple[str, ...] = (),
        derive: tuple[Derive, ...] = (),
        strip: str = "",
        general: bool = False,
    ) -> None:
        self.keys = KeyTable(keys or {})
        self.requires = dict(requires or {})
        self.only = {
            path: wanted for path, wanted in self.requires.items() if isinstance(wanted, tuple)
        }
        self.excludes = excludes
        self.derive = derive
        self.strip = strip
        self.general = general
        # What must stand in a line of the format, for a quick look.
        # A path's last part may be the end of a key with dots of its own.
        self.literals = tuple(
            (b"" if "." in path else b'"') + path.rpartition(".")[2].encode() + b'"'
            for path in self.requires
        )

    def reads(self, line: bytes, clock: Clock) -> bool:
        value = self.decode(line)
        return value is not None and self.is_one(value)

    def record(self, line: bytes, clock: Clock) -> Record | None:
        value = self.decode(line)
        if value is None or not self.is_one(value):
            return None
        sink = Sink(clock, self.keys, self.levels)
        self.put(value, sink)
        return self._finished(sink.record)

    def apart(self, line: bytes, singles: frozenset[str]) -> tuple[Parts, dict[str, Any]] | None:
        from podweave.helpers.logs.structured.json_parts import take_apart

        apart = take_apart(line, singles)
        return apart if apart is not None and self.is_one(apart[1]) else None

    def decode(self, line: bytes) -> dict[str, Any] | None:
        """The line's object; None where it is none."""
        if line[:1] != b"{" and not line.lstrip().startswith(b"{"):
            return None
        for literal in self.literals:
            if literal not in line:
                return None
        try:
            value = decoded_json(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def is_one(self, value: dict[str, Any]) -> bool:
        """The object has what an object of the format has."""
        for path, wanted in self.requires.items():
            found = member(value, path)
            if found is _MISSING:
                return False
            if isinstance(wanted, tuple):
                if found not in wanted:
                    return False
            elif wanted != PRESENT and (
                not isinstance(found, _TYPES[wanted]) or isinstance(found, bool)
            ):
                return False
        return all(member(value, path) is _MISSING for path in self.excludes)

    def put(self, value: dict[str, Any], sink: Sink) -> None:
        strip = self.strip
        for key, item in value.items():
            if strip and key.startswith(strip) and self.keys.find(key) is None:
                key = key[len(strip) :] or key
            sink.fill(key, item)

    def _finished(self, record: Record) -> Record:
        derive_into(record, self.derive, {})
        message = record.get("message")
        if message is not None and message[-1:] == "\n":
            record["message"] = message[:-1]
        return record


def member(value: Any, path: str) -> Any:
    """What stands at a dotted path; a key may have dots of its own."""
    if path in value:
        return value[path]
    head, _, rest = path.partition(".")
    inner = value.get(head, _MISSING)
    if not rest or not isinstance(inner, dict):
        return inner if not rest else _MISSING
    return member(inner, rest)
