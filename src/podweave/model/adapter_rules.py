"""What is wrong in an Adapter's logs and no type can say.

What the adapter itself says of formats and steps isn't repeated here: it is asked (cli/judging.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from podweave.model.adapter_patterns import AdapterLogs, Mask, Step
from podweave.model.bounds import Bounds, check_bounds
from podweave.model.errors import InputError, Path
from podweave.model.log_formats import AUTO, LOG_FORMAT_ALIASES, LOG_FORMATS
from podweave.model.own_formats import OWN_FORMATS, own_format_problem
from podweave.model.regular_expressions import expression_problem
from podweave.model.suggestions import did_you_mean
from podweave.model.time_zones import time_zone_problem

LEVELS: Final = ("trace", "debug", "info", "notice", "warn", "error", "fatal")
"""The neutral levels, in their order."""
BOUNDS: Final[Bounds] = {
    ("Sample", "share"): (0, 1),
    ("RateLimit", "seconds"): (0.001, 86400),
}
_COMPARISONS: Final = ("regex", "contains", "atLeast", "atMost", "exists")


def check_adapter_logs(logs: AdapterLogs, path: Path) -> Iterator[InputError]:
    """All that is wrong in one item of `spec.logs`, but its paths."""
    yield from _format(logs.format, (*path, "format"))
    if logs.time_zone is not None and (problem := time_zone_problem(logs.time_zone)):
        yield InputError(problem, path=(*path, "timeZone"))
    for number, step in enumerate(logs.steps):
        yield from _step(step, (*path, "steps", number))


def _format(format: str | dict[str, Any], path: Path) -> Iterator[InputError]:
    if isinstance(format, dict):
        if len(format) != 1 or not set(format) <= set(OWN_FORMATS):
            known = ", ".join(f"{{{key}: ...}}" for key in OWN_FORMATS)
            yield InputError(f"a format is a name, or one of {known}", path=path)
            return
        ((key, value),) = format.items()
        if problem := own_format_problem(key, value):
            yield InputError(problem, path=(*path, key))
    elif format not in {AUTO, *LOG_FORMATS, *LOG_FORMAT_ALIASES}:
        hint = did_you_mean(format, (AUTO, *LOG_FORMATS, *LOG_FORMAT_ALIASES))
        hint = hint or f"; known are {', '.join(LOG_FORMATS)}"
        yield InputError(f"no format is called {format!r}{hint}", path=path)


def _step(step: Step, path: Path) -> Iterator[InputError]:
    given = [name for name in step.__struct_fields__ if getattr(step, name) is not None]
    if len(given) != 1:
        yield InputError(
            "a step is one of drop, keep, mask, rename, add, sample, rateLimit", path=path
        )
        return
    if step.drop is not None:
        yield from _condition(step.drop, (*path, "drop"))
    elif step.keep is not None:
        yield from _condition(step.keep, (*path, "keep"))
    elif step.mask is not None:
        yield from _mask(step.mask, (*path, "mask"))
    elif step.rename is not None:
        for key in ("time", *(name for name in step.rename.values() if not name)):
            if key in step.rename or not key:
                yield InputError(
                    "the timestamp can't be renamed, and a new name can't be empty",
                    path=(*path, "rename"),
                )
    elif step.add is not None:
        yield from _added(step.add, (*path, "add"))
    elif step.sample is not None:
        yield from check_bounds(step.sample, BOUNDS, (*path, "sample"))
        yield from _when(step.sample.when, (*path, "sample", "when"))
    elif step.rate_limit is not None:
        limit = step.rate_limit
        if limit.events < 1:
            yield InputError("at least 1 event", path=(*path, "rateLimit", "events"))
        yield from check_bounds(limit, BOUNDS, (*path, "rateLimit"))
        if limit.by == "":
            yield InputError("the name of a field", path=(*path, "rateLimit", "by"))
        yield from _when(limit.when, (*path, "rateLimit", "when"))


def _added(values: Mapping[str, Any], path: Path) -> Iterator[InputError]:
    for name, value in values.items():
        if name == "time":
            yield InputError("the timestamp can't be added", path=(*path, name))
        elif not name:
            yield InputError("a field's name can't be empty", path=path)
        elif isinstance(value, float) and not math.isfinite(value):
            yield InputError("a number that JSON can write", path=(*path, name))


def _mask(mask: Mask, path: Path) -> Iterator[InputError]:
    if not mask.kinds and mask.regex is None:
        yield InputError("nothing to mask: name kinds, or a regex", path=path)
    if mask.regex == "":
        yield InputError("a regular expression that isn't empty", path=(*path, "regex"))
    elif mask.regex is not None and (problem := expression_problem(mask.regex)):
        yield InputError(problem, path=(*path, "regex"))
    if mask.fields is not None and not all((mask.fields, *mask.fields)):
        yield InputError("names of fields; without this key all are masked", path=(*path, "fields"))


def _when(condition: Mapping[str, Any] | None, path: Path) -> Iterator[InputError]:
    if condition is not None:
        yield from _condition(condition, path)


def _condition(condition: Mapping[str, Any], path: Path) -> Iterator[InputError]:
    if not condition:
        yield InputError("a condition names a field: {level: debug}", path=path)
    for field, wanted in condition.items():
        at = (*path, field)
        if isinstance(wanted, dict):
            if not wanted or not set(wanted) <= set(_COMPARISONS):
                yield InputError(
                    f"a comparison is {', '.join(_COMPARISONS[:-1])} or {_COMPARISONS[-1]}", path=at
                )
                continue
            yield from _comparison(field, wanted, at)
        elif field == "level":
            words = wanted if isinstance(wanted, list) else [wanted]
            for word in words:
                if word not in LEVELS:
                    yield InputError(f"{word!r} is no level: one of {', '.join(LEVELS)}", path=at)
        elif wanted is None or (
            isinstance(wanted, list)
            and (not wanted or any(isinstance(item, dict | list) for item in wanted))
        ):
            yield InputError("a value, a list of values, or a comparison", path=at)


def _comparison(field: str, wanted: Mapping[str, Any], path: Path) -> Iterator[InputError]:
    for key, value in wanted.items():
        at = (*path, key)
        if key == "regex":
            problem = expression_problem(value) if isinstance(value, str) else "a regex is a text"
            if problem:
                yield InputError(problem, path=at)
        elif key == "contains" and not (isinstance(value, str) and value):
            yield InputError("a text that isn't empty", path=at)
        elif key == "exists" and not isinstance(value, bool):
            yield InputError("true or false", path=at)
        elif key in ("atLeast", "atMost"):
            if field == "level":
                if value not in LEVELS:
                    yield InputError(f"one of {', '.join(LEVELS)}", path=at)
            elif (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not math.isfinite(value)
            ):
                yield InputError("a number", path=at)
