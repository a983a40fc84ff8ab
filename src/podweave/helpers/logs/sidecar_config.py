"""The configuration of the log sidecar, checked to the last key."""

from __future__ import annotations

from podweave.helpers import metrics_endpoint
from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.logs import reading
from podweave.helpers.logs.lasting_state import of_pod
from podweave.helpers.logs.stores import catalogue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

BUDGET = 8 << 20
"""Bytes read and not yet acknowledged, in all."""
LEAST_BUDGET = 64 << 10
DRAIN = 20.0
"""Seconds for the end of the Pod: below Kubernetes' 30 for all its containers."""
DEAD_LETTERS = 64 << 20
"""Bytes of dead letters."""
SPILL = 1 << 30
"""Bytes of the spill, where there is one."""
SPILL_AFTER = 5.0
"""Seconds that a store must have failed before the spill is used."""


class SidecarConfig:
    """The whole of it. `environ`: the names of the Pod that stand in its own places; None where
    it is only checked."""

    def __init__(self, config: dict[str, Any], environ: Mapping[str, str] | None = None) -> None:
        section = Section(config)
        self.name = section.begin("sidecar")
        self.admin = section.address("admin")
        self.metrics = metrics_endpoint.configure(section)
        self.state = of_pod(absolute(section.text("state"), section.at("state")), environ)
        self.state_lasts = section.boolean("state_lasts")
        """It is on a volume that outlives the Pod."""
        self.drain = section.seconds("drain", DRAIN)
        self.memory = section.integer("memory", LEAST_BUDGET, 1 << 40, BUDGET)
        self.labels = ""
        """A file with the Pod's labels, as the downward API writes it."""
        if "labels" in section:
            self.labels = absolute(section.text("labels"), section.at("labels"))
        self.dead_letters = f"{self.state}/dead-letters"
        self.dead_letters_bytes = DEAD_LETTERS
        self._read_dead_letters(section.optional("dead_letters"))
        spill = section.optional("spill")
        self.spill = None
        if spill is not None:
            self.spill = SpillConfig(spill, f"{self.state}/spill", self.state_lasts)
        self.logs = [
            LogsConfig(Section(value, path), environ) for path, value in section.array("logs")
        ]
        section.end()
        if not self.logs:
            raise ConfigurationError("logs", "is empty: there would be nothing to do")
        self._name_apart()
        self._pass_over_own_files()

    def _pass_over_own_files(self) -> None:
        """What the stores of files write is shipped by no sidecar whose patterns reach there: it
        would be written again and again. Nor is what this one keeps."""
        own = [self.state, self.dead_letters]
        if self.spill is not None:
            own.append(self.spill.directory)
        for logs in self.logs:
            own += [
                f"{store.settings.directory}/*/*/????????T??????Z-*.ndjson*"
                for store in logs.stores
                if store.kind == "files"
            ]
        for logs in self.logs:
            if logs.paths:
                logs.reading.exclude += tuple(own)

    def _name_apart(self) -> None:
        """Two stores of a kind are called http and http-2, unless the configuration names them."""
        places: dict[str, str] = {}
        for logs in self.logs:
            for store in logs.stores:
                name, number = store.name, 1
                while places.setdefault(name, store.place) != store.place:
                    number += 1
                    name = f"{store.name}-{number}"
                store.name = name

    def _read_dead_letters(self, section: Section | None) -> None:
        if section is None:
            return
        if "directory" in section:
            self.dead_letters = absolute(section.text("directory"), section.at("directory"))
        self.dead_letters_bytes = section.integer("bytes", 0, 1 << 50, DEAD_LETTERS)
        section.end()


class SpillConfig:
    """The buffer on disk. `durable`: it outlives the Pod, because its directory is not the
    helper's own, or that one does."""

    def __init__(self, section: Section, directory: str, durable: bool) -> None:
        self.directory = directory
        self.durable = durable
        if "directory" in section:
            self.durable = True
            self.directory = absolute(section.text("directory"), section.at("directory"))
        self.bytes = section.integer("bytes", 1 << 16, 1 << 50, SPILL)
        self.after = section.seconds("after", SPILL_AFTER, 3600.0)
        section.end()


class LogsConfig:
    """`from` paths or a `spool`, and the stores."""

    def __init__(self, section: Section, environ: Mapping[str, str] | None) -> None:
        self.paths: list[str] = []
        self.spool = ""
        self.listen: tuple[str, str] | None = None
        """Kind of intake and path."""
        if "pipe" in section:
            self.listen = "pipe", absolute(section.text("pipe"), section.at("pipe"))
        elif "socket" in section:
            kind = section.text("type", among=("datagram", "stream"))
            self.listen = kind, absolute(section.text("socket"), section.at("socket"))
        elif "spool" in section:
            self.spool = of_pod(absolute(section.text("spool"), section.at("spool")), environ)
        else:
            for path, value in section.array("from"):
                self.paths.append(absolute(value, path))
            if not self.paths:
                raise ConfigurationError(section.at("from"), "is empty")
        self.reading = reading.Reading() if self.spool else reading.configure(section)
        if self.listen and (self.reading.wrapping, self.reading.exclude) != (reading.LINES, ()):
            raise ConfigurationError(section.path, "`format` and `exclude` are for files alone")
        if self.listen and self.reading.encoding.startswith("utf-16"):
            raise ConfigurationError(section.at("encoding"), "is for files alone")
        if self.listen and self.listen[0] == "datagram":
            self.reading.wrapping = reading.DATAGRAMS
        stores = section.array("stores")
        if not stores:
            raise ConfigurationError(section.at("stores"), "is empty")
        self.stores = [catalogue.configure(Section(value, path)) for path, value in stores]
        section.end()

    @property
    def label(self) -> str:
        """What metrics and messages call it."""
        if self.listen is not None:
            return self.listen[1]
        return self.spool or " ".join(self.paths)


def absolute(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise ConfigurationError(path, f"must be an absolute path, not {value!r}")
    return value
