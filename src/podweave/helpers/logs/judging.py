"""What is wrong in entries of an adapter's configuration: all of it, and before a Pod runs.

    [{"format": …, "schema": …, "time_zone": …, "steps": […]}, …]    what the adapter is told
    [[[PATH, MESSAGE], …], …]                                        what is wrong in each

An entry is compiled as the adapter compiles it. Beside what keeps it from that, values are told
that mean nothing: a condition that no event can fulfil, a level that is none.
"""

from __future__ import annotations

import json
import sys

from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.logs.adapter_config import zone_of
from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVEL, LEVEL_OF, LEVELS, TIME
from podweave.helpers.logs.formats.chosen import AUTO, layouts_of
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.steps.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Wrong = tuple[str, str]

_WITH_CONDITIONS = ("sample", "rate_limit")
_LINES = [b"podweave", b"2026-11-23 02:16:56 podweave"]


def main() -> int:
    """From standard input to standard output."""
    entries = json.load(sys.stdin)
    json.dump([judged(entry) for entry in entries], sys.stdout)
    return 0


def check(config: dict[str, Any]) -> None:
    """ConfigurationError if an adapter's whole configuration is not right."""
    from podweave.helpers.logs import adapter_program

    adapter_program.check(config)
    for number, entry in enumerate(config["logs"]):
        for path, message in judged(entry):
            raise ConfigurationError(f"logs[{number}].{path}", message)


def judged(entry: dict[str, Any]) -> list[Wrong]:
    """What is wrong in one entry, each with its path in it."""
    wrong: list[Wrong] = []

    def tried(make: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return make(*arguments)
        except ConfigurationError as error:
            wrong.append((error.path, error.message))
            return None

    section = Section(entry)
    layouts = tried(layouts_of, entry.get("format", AUTO), "format")
    tried(zone_of, section)
    for number, step in enumerate(entry.get("steps", ())):
        path = f"steps[{number}]"
        if tried(Steps, [(path, step)]) is not None:
            wrong += _meaningless(step, path)
    if not wrong:
        tried(_run, entry, layouts or ())
    return wrong


def _run(entry: dict[str, Any], layouts: tuple[Any, ...]) -> None:
    """Read a line or two: what is compiled when the first one comes is compiled now."""
    steps = Steps([(f"steps[{n}]", step) for n, step in enumerate(entry.get("steps", ()))])
    compiler = Compiler(schemas.load(entry.get("schema", "flat")), {}, steps)
    for layout in layouts:
        compiler.batch(layout).rows(_LINES, Clock(), "/podweave.log")


def _meaningless(step: dict[str, Any], path: str) -> Iterator[Wrong]:
    """Values that a step can't mean."""
    for key in ("drop", "keep"):
        if key in step:
            yield from _never(step[key], f"{path}.{key}")
    for key in _WITH_CONDITIONS:
        if key in step:
            yield from _never(step[key].get("when", {}), f"{path}.{key}.when")
    for name, value in step.get("add", {}).items():
        if said := _misfit(name, value):
            yield f"{path}.add.{name}", said


def _never(condition: dict[str, Any], path: str) -> Iterator[Wrong]:
    for name, wanted in condition.items():
        if isinstance(wanted, dict):
            if FIELDS.get(name) == TIME and set(wanted) != {"exists"}:
                yield f"{path}.{name}", "the timestamp can't be asked for; only whether it exists"
            continue
        for value in wanted if isinstance(wanted, list) else [wanted]:
            said = _misfit(name, value)
            if not said and FIELDS.get(name) == LEVEL and value not in LEVELS:
                said = f"{value!r} is no level: one of {', '.join(LEVELS)}"
            if said:
                yield f"{path}.{name}", said
                break


def _misfit(name: str, value: Any) -> str:
    """Why the field of that name is never that; nothing where it may be."""
    kind = FIELDS.get(name)
    if kind == TIME:
        return "the timestamp is no value that could stand here"
    if kind == LEVEL and str(value).lower() not in LEVEL_OF:
        return f"{value!r} is no level: one of {', '.join(LEVELS)}"
    if kind in (INTEGER, DECIMAL):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(value, str):
            number = value.lstrip("-").replace(".", "", kind == DECIMAL).isdecimal()
        if not number or (kind == INTEGER and isinstance(value, float) and value % 1):
            return f"{value!r} is no {name}: a number, as 200"
    return ""
