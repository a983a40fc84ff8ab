"""Conditions on a record: fields, and what each must be.

    {"level": {"atLeast": "warn"}, "url_path": ["/healthz", "/ready"], "status": 200}

All must hold. A field is neutral, or the application's own: its name, or a dotted path.
"""

from __future__ import annotations

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.fields import FIELDS, LEVELS
from podweave.helpers.logs.patience import Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podweave.helpers.logs.fields import Record

    Test = Callable[[Any], bool]

MISSING = object()
NOTHING: Record = {}
_RANKS = {level: rank for rank, level in enumerate(LEVELS)}


class Condition:
    """`Condition(value, path)`; ConfigurationError for what isn't one."""

    __slots__ = ("_tests",)

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise ConfigurationError(path, "must be an object of fields")
        self._tests: list[tuple[str, Test]] = []
        for name, wanted in value.items():
            at = f"{path}.{name}"
            if isinstance(wanted, dict):
                for key, item in wanted.items():
                    self._tests.append((name, _comparison(name, key, item, f"{at}.{key}")))
            else:
                self._tests.append((name, _one_of(wanted)))

    @property
    def names(self) -> frozenset[str]:
        """The fields that it asks for."""
        return frozenset(name for name, _ in self._tests)

    def holds(self, record: Record, known: Record) -> bool:
        """`known`: see value_of."""
        return all(test(value_of(record, name, known)) for name, test in self._tests)


def value_of(record: Record, name: str, known: Record) -> Any:
    """A field's value, or MISSING; `known` is what is known beside the record."""
    if name in record and name != "attributes":
        return record[name]
    value: Any = record.get("attributes", {})
    if name in value:
        return value[name]
    if name in FIELDS:
        return known.get(name, MISSING)
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = value[part]
    return value


def _one_of(wanted: Any) -> Test:
    values = wanted if isinstance(wanted, list) else [wanted]
    texts = frozenset(_text(value) for value in values)
    return lambda value: value is not MISSING and _text(value) in texts


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _comparison(name: str, key: str, wanted: Any, path: str) -> Test:
    if key == "exists":
        return lambda value: (value is not MISSING) is bool(wanted)
    if key == "contains" and isinstance(wanted, str):
        return lambda value: value is not MISSING and wanted in _text(value)
    if key == "regex" and isinstance(wanted, str):
        try:
            expression = Expression(wanted)
        except ValueError as error:
            raise ConfigurationError(path, str(error)) from None
        return lambda value: value is not MISSING and expression.found(_text(value))
    if key in ("atLeast", "atMost"):
        sign = 1 if key == "atLeast" else -1
        limit = _number(name, wanted)
        if limit is not None:
            return lambda value: _beyond(name, value, limit, sign)
    raise ConfigurationError(
        path, "must be regex, contains, atLeast, atMost or exists, with a value that fits"
    )


def _beyond(name: str, value: Any, limit: float, sign: int) -> bool:
    number = None if value is MISSING else _number(name, value)
    return number is not None and (number - limit) * sign >= 0


def _number(name: str, value: Any) -> float | None:
    if name == "level":
        return _RANKS.get(value) if isinstance(value, str) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
