"""The record that the members of a structured line are put into.

What has no neutral field, or a value that doesn't fit it, stays a field of the application's
own, under its own name: nothing is lost.
"""

from __future__ import annotations

import json
import re

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVEL, TIME, level_of
from podweave.helpers.logs.structured.names import UNITS, KeyTable
from podweave.helpers.logs.timestamps import read_any, read_epoch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from podweave.helpers.logs.column_layout import Derive
    from podweave.helpers.logs.fields import Record

# pino, bunyan: steps of ten from trace to fatal
NUMBER_LEVELS = {
    "10": "trace",
    "20": "debug",
    "30": "info",
    "40": "warn",
    "50": "error",
    "60": "fatal",
}
# Deeper objects stay as they are.
_DEEPEST = 6
# A float's shortest text has up to 17 digits, behind the zeros that it begins with.
_DURATION = re.compile(r"(-?\d{1,15}(?:\.\d{1,24})?) ?(h|ms|us|µs|μs|ns|m|s)?")
_PARTS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_PARTS.update({"µs": 1e-6, "μs": 1e-6})


class JsonFloat(float):
    """A number as JSON has it, with its text: a float can't hold nanoseconds of an epoch."""

    text: str


def json_float(text: str) -> JsonFloat:
    value = JsonFloat(text)
    value.text = text
    return value


# NaN and Infinity are no JSON; what isn't a number stays as text.
decoded_json = json.JSONDecoder(parse_constant=str, parse_float=json_float).decode


class Sink:
    """Put the members in with `fill`; `record` is what came of them."""

    __slots__ = ("_clock", "_keys", "_levels", "record")

    def __init__(self, clock: Clock, keys: KeyTable, levels: Mapping[str, str]) -> None:
        self._clock = clock
        self._keys = keys
        self._levels = levels
        self.record: Record = {}

    def fill(self, key: str, value: Any) -> None:
        """One member of the line."""
        if value is None:
            return
        if isinstance(value, dict) and value and self._keys.has_members(key):
            value = self._members(key, value, 0)
            if not value:
                return
        elif self._fits(key, value):
            return
        attributes = self.record.get("attributes")
        if attributes is None:
            self.record["attributes"] = {key: value}
        else:
            attributes[key] = value

    def _members(self, path: str, value: dict[str, Any], depth: int) -> dict[str, Any]:
        """Put the members that are known by dotted names into the record; give the rest."""
        rest: dict[str, Any] = {}
        for part, item in value.items():
            name = f"{path}.{part}"
            if isinstance(item, dict):
                if item and depth < _DEEPEST and self._keys.has_members(name):
                    item = self._members(name, item, depth + 1)
                    if not item:
                        continue
            elif self._fits(name, item):
                continue
            rest[part] = item
        return rest

    def _fits(self, path: str, value: Any) -> bool:
        found = self._keys.find(path)
        if found is None or found[0] in self.record:
            return False
        return self.keep(found[0], found[1], value, self._keys.owns(path))

    def keep(self, field: str, unit: str, value: Any, owned: bool) -> bool:
        """Put a value into a neutral field; False where it doesn't fit."""
        kept = converted(field, unit, value, owned, self._levels, self._clock)
        if kept is None:
            return False
        self.record[field] = kept
        return True

    def keep_nanoseconds(self, value: Any) -> bool:
        """Make it the fraction of the time that is there; False where it doesn't fit."""
        time = self.record.get("time")
        whole = isinstance(value, int) and not isinstance(value, bool)
        if time is None or not whole or not 0 <= value < 10**9:
            return False
        self.record["time"] = time[0], f"{value:09d}"
        return True


def converted(
    field: str, unit: str, value: Any, owned: bool, levels: Mapping[str, str], clock: Clock
) -> Any:
    """A field's value; None where it doesn't fit."""
    if isinstance(value, bool):
        return None
    kind = FIELDS[field]
    if isinstance(value, list):
        # Headers and the like: a list of one text.
        if kind == TIME or len(value) != 1 or not isinstance(value[0], str):
            return None
        value = value[0]
    if kind == TIME:
        return time_of(value, clock)
    if kind == LEVEL:
        if isinstance(value, str):
            return level_of(value, levels) if value else None
        if isinstance(value, int):
            return levels.get(str(value)) or NUMBER_LEVELS.get(str(value))
        return None
    if kind == INTEGER:
        if isinstance(value, str):
            number = value.isascii() and value.isdigit() and len(value) <= 18
            return int(value) if number else None
        return value if isinstance(value, int) and abs(value) < 1 << 63 else None
    if kind == DECIMAL:
        return duration_of(value, unit)
    if isinstance(value, str):
        return value
    return str(value) if owned and isinstance(value, int) and abs(value) < 1 << 63 else None


def derive_into(record: Record, derive: Iterable[Derive], others: Mapping[str, Any]) -> None:
    """Add the fields that are derived from the record's, or from those `others` by their names."""
    for name, source, function in derive:
        text = record.get(source) or others.get(source)
        if text and name not in record:
            derived = function(str(text))
            if derived is not None:
                record[name] = derived


def time_of(value: Any, clock: Clock) -> tuple[int, str] | None:
    """A record's `time` of a text or a number."""
    if isinstance(value, str):
        found = read_any(value.encode("utf-8", "replace"), clock)
        return read_epoch(value) if found is None else found
    if isinstance(value, JsonFloat):
        return read_epoch(value.text)
    if isinstance(value, int | float):
        return read_epoch(str(value))
    return None


def duration_of(value: Any, unit: str) -> float | None:
    """Seconds of a number in that unit, or of a text: 17, 1.5ms, 1m3.2s."""
    if isinstance(value, int | float):
        seconds = float(value) / UNITS[unit or "s"]
        return seconds if seconds == seconds and abs(seconds) < 1e15 else None
    if not isinstance(value, str) or len(value) > 40:
        return None
    seconds, place = 0.0, 0
    while place < len(value):
        match = _DURATION.match(value, place)
        if match is None:
            return None
        if match[2] is None:
            return (
                float(value) / UNITS[unit or "s"]
                if match.end() == len(value) and not place
                else None
            )
        seconds += float(match[1]) * _PARTS[match[2]]
        place = match.end()
    return seconds if place else None
