"""The filters' arguments: FILE or `-`, and options with a value.

--format F      a format's name, auto, or an own one as JSON: {"regex": "..."}
--schema S      see schemas
--time-zone Z   of timestamps that name none
"""

from __future__ import annotations

import json

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.formats.chosen import AUTO, layouts_of
from podweave.helpers.logs.schemas import catalogue as schemas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.zones import Zone

_OPTIONS = ("--format", "--schema", "--time-zone")


class Arguments:
    """`Arguments(arguments, flags)`; ConfigurationError for what isn't right."""

    def __init__(self, arguments: Sequence[str], flags: Sequence[str] = ()) -> None:
        values = {"--format": AUTO, "--schema": "ecs", "--time-zone": ""}
        self.flags: set[str] = set()
        paths: list[str] = []
        left = list(arguments)
        while left:
            argument = left.pop(0)
            name, equals, value = argument.partition("=")
            if name in _OPTIONS:
                if not equals:
                    if not left:
                        raise ConfigurationError(name, "needs a value")
                    value = left.pop(0)
                values[name] = value
            elif argument in flags:
                self.flags.add(argument)
            elif argument.startswith("-") and argument != "-":
                raise ConfigurationError(argument, "is no option")
            else:
                paths.append(argument)
        if len(paths) != 1:
            raise ConfigurationError("", "name one FILE, or - for standard input")
        (self.path,) = paths
        self.format = values["--format"]
        self.layouts = _layouts(self.format)
        if values["--schema"] not in schemas.NAMES:
            known = ", ".join(schemas.NAMES)
            raise ConfigurationError(
                "--schema", f"is {values['--schema']!r}; must be one of {known}"
            )
        self.schema = schemas.load(values["--schema"])
        self.zone = _zone(values["--time-zone"])


def _layouts(format_: str) -> Sequence[Any] | None:
    if not format_.startswith("{"):
        return layouts_of(format_, "--format")
    try:
        value = json.loads(format_)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("--format", f"{format_}: {error}") from None
    return layouts_of(value, "--format")


def _zone(name: str) -> Zone | None:
    if not name:
        return None
    from podweave.helpers.logs.zones import zone

    try:
        return zone(name)
    except ValueError as error:
        raise ConfigurationError("--time-zone", str(error)) from None
