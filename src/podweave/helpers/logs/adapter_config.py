"""The adapter's configuration, checked."""

from __future__ import annotations

from fnmatch import fnmatchcase

from podweave.helpers import metrics_endpoint
from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.logs import reading
from podweave.helpers.logs.formats.chosen import layouts_of
from podweave.helpers.logs.lasting_state import of_pod
from podweave.helpers.logs.schemas import catalogue as schemas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podweave.helpers.logs.schemas.schema import Schema
    from podweave.helpers.logs.steps.steps import Steps
    from podweave.helpers.logs.zones import Zone


class AdapterConfig:
    """`AdapterConfig(config)` raises ConfigurationError for what isn't right. `environ`: the names
    of the Pod that stand in its own places; None where it is only checked."""

    def __init__(self, config: dict[str, Any], environ: Mapping[str, str] | None = None) -> None:
        section = Section(config)
        self.name = section.begin("adapter")
        self.admin = section.address("admin")
        self.metrics = metrics_endpoint.configure(section)
        self.state = of_pod(section.text("state"), environ)
        self.state_lasts = section.boolean("state_lasts")
        """It is on a volume that outlives the Pod."""
        self.logs = [
            LogsConfig(Section(value, path), environ) for path, value in section.array("logs")
        ]
        section.end()
        if not self.logs:
            raise ConfigurationError("logs", "is empty: there would be nothing to do")


class LogsConfig:
    """Files, their format, the schema, and where the rows go.

    `layouts` None: all formats, recognised by themselves.
    """

    def __init__(self, section: Section, environ: Mapping[str, str] | None) -> None:
        self.paths = [_absolute(value, path) for path, value in section.array("from")]
        if not self.paths:
            raise ConfigurationError(section.at("from"), "is empty")
        self.layouts = layouts_of(section.take("format"), section.at("format"))
        self.schema_name = section.text("schema", among=schemas.NAMES)
        self.zone = zone_of(section)
        self.steps = _steps(section)
        self.reading = reading.configure(section, lines_only=True)
        self.outputs = [
            _output(Section(value, path), environ) for path, value in section.array("to")
        ]
        if not self.outputs:
            raise ConfigurationError(section.at("to"), "is empty")
        if len(set(self.outputs)) < len(self.outputs):
            raise ConfigurationError(section.at("to"), "names an output twice")
        for kind, place in self.outputs:
            if kind == "path" and any(_matches(path, place) for path in self.paths):
                raise ConfigurationError(
                    section.at("to"), f"{place} is among the files that are read: an endless circle"
                )
        section.end()

    def schema(self) -> Schema:
        """The schema, loaded when it is asked for."""
        return schemas.load(self.schema_name)


def _steps(section: Section) -> Steps | None:
    if "steps" not in section:
        return None
    from podweave.helpers.logs.steps.steps import Steps

    return Steps(section.array("steps"))


def zone_of(section: Section) -> Zone | None:
    """The zone of timestamps that name none, where the section says it."""
    if "time_zone" not in section:
        return None
    from podweave.helpers.logs.zones import zone

    try:
        return zone(section.text("time_zone"))
    except ValueError as error:
        raise ConfigurationError(section.at("time_zone"), str(error)) from None


def _output(section: Section, environ: Mapping[str, str] | None) -> tuple[str, str]:
    """("stdout", ""), ("path", PATH) or ("spool", DIRECTORY)."""
    if "stdout" in section:
        if section.take("stdout") is not True:
            raise ConfigurationError(section.at("stdout"), "must be true")
        output = ("stdout", "")
    elif "path" in section:
        output = ("path", _absolute(section.text("path"), section.at("path")))
    else:
        output = ("spool", of_pod(_absolute(section.text("spool"), section.at("spool")), environ))
    section.end()
    return output


def _absolute(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise ConfigurationError(path, f"must be an absolute path, not {value!r}")
    return value


def _matches(pattern: str, path: str) -> bool:
    return _parts_match(pattern.split("/"), path.split("/"))


def _parts_match(pattern: list[str], parts: list[str]) -> bool:
    if not pattern or not parts:
        return not pattern and not parts
    if pattern[0] == "**":
        return any(_parts_match(pattern[1:], parts[skip:]) for skip in range(len(parts)))
    return fnmatchcase(parts[0], pattern[0]) and _parts_match(pattern[1:], parts[1:])
