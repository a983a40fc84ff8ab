"""The filters' arguments: FILE or `-`, and options with a value.

--format F      a format's name, auto, or an own one as JSON: {"regex": "..."}
--schema S      see schemas
--time-zone Z   of timestamps that name none
"""

from __future__ import annotations

import json

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.schemas import catalogue as schemas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.zones import Zone

AUTO = "auto"
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
    if format_.startswith("{"):
        return _own(format_)
    if format_ == AUTO:
        return None
    try:
        return catalogue.load(format_).layouts
    except KeyError:
        known = ", ".join((AUTO, *catalogue.NAMES))
        raise ConfigurationError(
            "--format", f"is {format_!r}; must be one of {known}, or an object of one key"
        ) from None


def _own(text: str) -> Sequence[Any]:
    from podweave.helpers.logs.formats.own import catalogue as own_formats

    try:
        value = json.loads(text)
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError("must be an object of one key")
        ((key, inner),) = value.items()
        return own_formats.load(key, inner).layouts
    except KeyError:
        known = ", ".join(own_formats.KEYS)
        raise ConfigurationError("--format", f"{text}: the key must be one of {known}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("--format", f"{text}: {error}") from None


def _zone(name: str) -> Zone | None:
    if not name:
        return None
    from podweave.helpers.logs.zones import zone

    try:
        return zone(name)
    except ValueError as error:
        raise ConfigurationError("--time-zone", str(error)) from None
