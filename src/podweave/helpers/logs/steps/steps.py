"""The steps of one entry of the configuration, compiled from it.

steps = Steps(section.array("steps"))
record = steps.apply(record)        # None: left out
"""

from __future__ import annotations

from binascii import crc32
from functools import partial

from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.fields import FIELDS, NO_LEVELS, TEXT, TIME
from podweave.helpers.logs.patience import Expression
from podweave.helpers.logs.steps.conditions import MISSING, NOTHING, Condition, value_of
from podweave.helpers.logs.steps.masks import KINDS, Suspicion, is_secret
from podweave.helpers.logs.structured.sink import converted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from podweave.helpers.logs.fields import Record

    # A record, what is known beside it, whether it was asked about before.
    Apply = Callable[[Record, Record, bool], bool]

_COUNTED = 1000
"""Values of a rate limit's field that are counted each by itself."""
_DEEPEST = 20


class Step:
    """`apply` says whether a record stays. What else is known of it is for plans.py:

    `asks`: the fields that it looks at or changes; `kinds`: of the masks that it is, None for
    other steps; `renames` and `adds`: what it changes; `opaque`: it may change anything.
    """

    __slots__ = ("adds", "apply", "asks", "kinds", "name", "opaque", "renames")

    def __init__(
        self,
        apply: Apply,
        asks: Iterable[str] = (),
        *,
        kinds: Sequence[str] | None = None,
        renames: dict[str, str] | None = None,
        adds: dict[str, Any] | None = None,
        opaque: bool = False,
    ) -> None:
        self.name = ""
        self.apply = apply
        self.asks = frozenset(asks)
        self.kinds = kinds
        self.renames = renames or {}
        self.adds = adds or {}
        self.opaque = opaque


class Steps:
    """`dropped` counts events that were left out, by the step that did it, for metrics.

    `suspicious` knows lines that masks may change; None: there are no masks, or `opaque` ones,
    which may change every line. `limits`: whether an event is counted, and what was left out once
    stays so.
    """

    __slots__ = ("_filters", "dropped", "limits", "opaque", "steps", "suspicious")

    def __init__(self, items: Sequence[tuple[str, Any]]) -> None:
        self.dropped: dict[str, int] = {}
        self.steps: list[Step] = []
        for path, value in items:
            section = Section(value, path)
            name = next((key for key in _MAKERS if key in section), None)
            if name is None:
                raise ConfigurationError(path, f"must have one of {', '.join(_MAKERS)}")
            step = _MAKERS[name](section)
            section.end()
            step.name = name
            self.steps.append(step)
        self.limits = any(step.name == "rate_limit" for step in self.steps)
        self.opaque = any(step.opaque for step in self.steps)
        kinds = [kind for step in self.steps for kind in step.kinds or ()]
        self.suspicious = Suspicion(kinds) if kinds and not self.opaque else None
        self._filters = [step for step in self.steps if step.kinds is None]

    def apply(self, record: Record, known: Record = NOTHING, again: bool = False) -> Record | None:
        """The record after all steps; None where one of them leaves it out.

        `known`: what conditions may ask for beside it. `again`: the event was asked about before;
        it isn't counted twice.
        """
        for step in self.steps:
            if not step.apply(record, known, again):
                if not again:
                    self.count(step.name, 1)
                return None
        return record

    def count(self, name: str, events: int) -> None:
        """So many events were left out by steps of that name."""
        self.dropped[name] = self.dropped.get(name, 0) + events

    def leaves_out(self, record: Record, known: Record) -> str | None:
        """The step that does; it isn't counted."""
        for step in self._filters:
            if not step.apply(record, known, False):
                return step.name
        return None


def _drop(section: Section) -> Step:
    condition = Condition(section.take("drop"), section.at("drop"))
    return Step(lambda record, known, again: not condition.holds(record, known), condition.names)


def _keep(section: Section) -> Step:
    condition = Condition(section.take("keep"), section.at("keep"))
    return Step(lambda record, known, again: condition.holds(record, known), condition.names)


def _rename(section: Section) -> Step:
    names = _texts(section, "rename")
    clock = Clock(0, 0)

    def step(record: Record, known: Record, again: bool) -> bool:
        attributes = record.setdefault("attributes", {})
        for old, new in names.items():
            if old in attributes:
                value = attributes.pop(old)
            elif old in record and old in FIELDS:
                value = record.pop(old)
            else:
                continue
            _put(record, attributes, new, value, clock)
        if not attributes:
            del record["attributes"]
        return True

    return Step(step, (*names, *names.values()), renames=names)


def _add(section: Section) -> Step:
    path = section.at("add")
    values = section.take("add")
    if not isinstance(values, dict) or any(isinstance(v, dict | list) for v in values.values()):
        raise ConfigurationError(path, "must be an object of texts, numbers and booleans")
    clock = Clock(0, 0)

    def step(record: Record, known: Record, again: bool) -> bool:
        attributes = record.setdefault("attributes", {})
        for name, value in values.items():
            if name not in record and name not in attributes:
                _put(record, attributes, name, value, clock)
        if not attributes:
            del record["attributes"]
        return True

    return Step(step, values, adds=values)


def _put(record: Record, attributes: Record, name: str, value: Any, clock: Clock) -> None:
    if name in FIELDS and name not in record and FIELDS[name] != TIME:
        kept = converted(name, "", value, True, NO_LEVELS, clock)
        if kept is not None:
            record[name] = kept
            return
    attributes[name] = value


def _sample(section: Section) -> Step:
    inner = Section(section.take("sample"), section.at("sample"))
    share = inner.take("share")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ConfigurationError(inner.at("share"), "must be between 0 and 1")
    condition = _when(inner)
    inner.end()
    below = int(share * (1 << 32))

    def step(record: Record, known: Record, again: bool) -> bool:
        if condition is not None and not condition.holds(record, known):
            return True
        # By what the event says, so that a file that is read again gives the same ones; a
        # message's first line, since more may join it.
        message = str(record.get("message", "")).partition("\n")[0]
        text = f"{record.get('time')} {message} {record.get('source_address')}"
        return crc32(text.encode("utf-8", "replace")) < below

    return Step(step, ("time", "message", "source_address", *_asked(condition)))


def _rate_limit(section: Section) -> Step:
    inner = Section(section.take("rate_limit"), section.at("rate_limit"))
    events = inner.integer("events", 1, 1 << 40)
    seconds = inner.seconds("seconds", 1.0)
    if not seconds:
        raise ConfigurationError(inner.at("seconds"), "must be more than 0")
    by = inner.text("by") if "by" in inner else None
    condition = _when(inner)
    inner.end()
    counts: dict[str, tuple[int, int]] = {}

    def step(record: Record, known: Record, again: bool) -> bool:
        if again or (condition is not None and not condition.holds(record, known)):
            return True
        key = ""
        if by is not None:
            value = value_of(record, by, known)
            key = "" if value is MISSING else str(value)
        # By the events' own time: a backlog is no flood.
        window = int(record["time"][0] / seconds) if "time" in record else 0
        at, count = counts.get(key, (window, 0))
        if at != window:
            count = 0
        if len(counts) >= _COUNTED and key not in counts:
            counts.clear()
        counts[key] = (window, count + 1)
        return count < events

    asks = ["time", *_asked(condition)]
    return Step(step, asks if by is None else [*asks, by])


def _mask(section: Section) -> Step:
    inner = Section(section.take("mask"), section.at("mask"))
    kinds = [value for _, value in inner.array("kinds")] if "kinds" in inner else []
    for kind in kinds:
        if kind not in KINDS:
            raise ConfigurationError(inner.at("kinds"), f"must be among {', '.join(KINDS)}")
    instead = str(inner.take("with")) if "with" in inner else "***"
    own = inner.text("regex") if "regex" in inner else None
    fields = None
    if "fields" in inner:
        fields = frozenset(str(value) for _, value in inner.array("fields"))
    try:
        expression = Expression(own) if own else None
    except ValueError as error:
        raise ConfigurationError(inner.at("regex"), str(error)) from None
    inner.end()
    mask = Mask(kinds, expression, instead, fields)
    return Step(mask.step, kinds=kinds, opaque=expression is not None)


class Mask:
    """Replaces in every text of a record, or in those of the fields that are named."""

    __slots__ = ("_expression", "_fields", "_instead", "_kinds", "_secrets")

    def __init__(
        self,
        kinds: Sequence[str],
        expression: Expression | None,
        instead: str,
        fields: frozenset[str] | None,
    ) -> None:
        self._kinds = [KINDS[kind] for kind in kinds]
        self._secrets = "tokens" in kinds
        self._expression = expression
        self._instead = instead
        self._fields = fields

    def step(self, record: Record, known: Record, again: bool) -> bool:
        for name, value in list(record.items()):
            if name == "attributes":
                record[name] = self._members(value, 0)
            elif isinstance(value, str) and FIELDS.get(name) == TEXT and self._wanted(name):
                record[name] = self.text(value)
        return True

    def _members(self, members: dict[str, Any], depth: int) -> dict[str, Any]:
        masked = {}
        for name, value in members.items():
            if depth or self._wanted(name):
                if self._secrets and isinstance(value, str) and value and is_secret(name):
                    value = self._instead
                else:
                    value = self._value(value, depth)
            masked[name] = value
        return masked

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if depth >= _DEEPEST:
            return value
        if isinstance(value, dict):
            return self._members(value, depth + 1)
        if isinstance(value, list):
            return [self._value(item, depth + 1) for item in value]
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**12:
            # A card's number as a number.
            text = self.text(str(value))
            return value if text == str(value) else text
        return value

    def _wanted(self, name: str) -> bool:
        return self._fields is None or name in self._fields

    def text(self, text: str) -> str:
        for pattern, replace in self._kinds:
            text = pattern.sub(partial(_masked, replace, self._instead), text)
        if self._expression is not None:
            text = self._expression.replaced(text, self._instead)
        return text


def _masked(
    replace: Callable[[re.Match[str], str], str], instead: str, match: re.Match[str]
) -> str:
    return replace(match, instead)


def _when(section: Section) -> Condition | None:
    if "when" not in section:
        return None
    return Condition(section.take("when"), section.at("when"))


def _asked(condition: Condition | None) -> frozenset[str]:
    return frozenset() if condition is None else condition.names


def _texts(section: Section, key: str) -> dict[str, str]:
    values = section.take(key)
    if not isinstance(values, dict) or not all(
        isinstance(value, str) and value for value in values.values()
    ):
        raise ConfigurationError(section.at(key), "must be an object of texts")
    return values


_MAKERS: dict[str, Callable[[Section], Step]] = {
    "drop": _drop,
    "keep": _keep,
    "mask": _mask,
    "rename": _rename,
    "add": _add,
    "sample": _sample,
    "rate_limit": _rate_limit,
}
