"""The log sidecar: delivers what an application logs to stores, at least once.

Turns on one loop: each shipment reads a little and hands it to its store. The checkpoint is saved
about once a second, after the stores have synced: it never says more than they have.

At SIGTERM the Pod ends. The shipments read on until the files are at their ends and quiet, or
nobody can write to them any more, and everything is delivered: exit code 0. What is not delivered
when the time for it (`drain`) is over is said loudly, and stays after the checkpoint: exit code 1.
"""

from __future__ import annotations

import os
import signal
import time

from podweave.helpers.admin import Admin, Answer
from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.journal import Journal
from podweave.helpers.logs.checkpoint import Checkpoint
from podweave.helpers.logs.open_files import raise_open_files_limit
from podweave.helpers.logs.raw_records import RawRecords
from podweave.helpers.logs.shipment import Budget, Shipment
from podweave.helpers.logs.sidecar_metrics import SidecarMetrics
from podweave.helpers.logs.spool_reader import SpoolReader
from podweave.helpers.logs.stores.files import FilesStore
from podweave.helpers.logs.tail import Tail
from podweave.helpers.loop import Loop
from podweave.helpers.wire import prometheus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podweave.helpers.logs.stores.interface import Store
    from podweave.helpers.loop import Timer

BUDGET = 4 << 20
"""Bytes read and not yet acknowledged, in all."""
DRAIN = 20.0
"""Seconds for the end of the Pod: below Kubernetes' 30 for all its containers."""
SAVE_EVERY = 1.0
"""Seconds: how much is delivered twice after kill -9, against two writes to the disk each time.
The first save of a life doesn't wait, or a program that dies again and again gets nowhere."""
SAVE_SHARE = 20
"""Saving takes at most one part in so many of the time, however slow the disk is."""
SAVE_AFTER_BYTES = 16 << 20
"""A spool is freed when the checkpoint is saved, and its writer may be waiting for that."""


class SidecarConfig:
    """The configuration, checked."""

    def __init__(self, config: dict[str, Any]) -> None:
        section = Section(config)
        self.name = section.begin("sidecar")
        self.admin = section.address("admin")
        self.state = section.text("state")
        self.drain = section.seconds("drain", DRAIN)
        self.logs = [_LogsConfig(Section(value, path)) for path, value in section.array("logs")]
        section.end()
        if not self.logs:
            raise ConfigurationError("logs", "is empty: there would be nothing to do")


class _LogsConfig:
    """`from` paths or a `spool`, and a store."""

    def __init__(self, section: Section) -> None:
        self.paths: list[str] = []
        self.spool = ""
        if "spool" in section:
            self.spool = _absolute(section.text("spool"), section.at("spool"))
        else:
            for path, value in section.array("from"):
                self.paths.append(_absolute(value, path))
            if not self.paths:
                raise ConfigurationError(section.at("from"), "is empty")
        store = Section(section.take("store"), section.at("store"))
        files = Section(store.take("files"), store.at("files"))
        self.directory = _absolute(files.text("directory"), files.at("directory"))
        for part in (files, store, section):
            part.end()


def _absolute(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise ConfigurationError(path, f"must be an absolute path, not {value!r}")
    return value


def check(config: dict[str, Any]) -> None:
    """ConfigurationError if the configuration is not right."""
    SidecarConfig(config)


def run(config: dict[str, Any]) -> int:
    """Ship until SIGTERM; the exit code."""
    settings = SidecarConfig(config)
    raise_open_files_limit()
    journal = Journal("sidecar", settings.name)
    loop = Loop()
    try:
        sidecar = Sidecar(settings, os.environ, loop, journal)
    except OSError as error:
        journal.error("sidecar.failed", message=str(error))
        return 1
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.on_signal(signum, sidecar.finish)
    journal.info("sidecar.started", shipments=len(settings.logs))
    loop.run()
    return sidecar.end()


class Sidecar:
    """The program at work."""

    def __init__(
        self, settings: SidecarConfig, environ: Mapping[str, str], loop: Loop, journal: Journal
    ) -> None:
        self._loop = loop
        self._journal = journal
        self._drain = settings.drain
        self._checkpoint = Checkpoint(settings.state, journal)
        self._shipments = _shipments(settings, environ, self._checkpoint, loop, journal)
        self._metrics = SidecarMetrics(self._shipments, self._checkpoint)
        self._deadline: float | None = None
        self._save_at = loop.now()
        self._saved_bytes = 0
        self._unsaved = False
        """The last saving failed."""
        self._admin = Admin(
            loop,
            settings.admin,
            {
                "GET /metrics": lambda content: Answer(
                    200, self._metrics.render(), prometheus.CONTENT_TYPE
                )
            },
        )
        self._next: Timer = loop.call_later(0.0, self._turn)

    def finish(self) -> None:
        """SIGTERM: read on to the end."""
        if self._deadline is None:
            self._deadline = self._loop.now() + self._drain
            self._journal.info("sidecar.draining", seconds=self._drain)
            for shipment in self._shipments:
                shipment.source.finish()
            self._next.cancel()
            self._next = self._loop.call_later(0.0, self._turn)

    def end(self) -> int:
        """Save what was reached, say what was not; the exit code."""
        self._save()
        left = [shipment for shipment in self._shipments if not shipment.finished]
        for shipment in left:
            self._journal.error(
                "sidecar.undelivered",
                source=shipment.label,
                unread_bytes=shipment.source.unread_bytes(),
                unacknowledged_bytes=shipment.unacknowledged_bytes(),
                message=f"not delivered within {self._drain:g} s; the checkpoint is before it",
            )
        delivered = sum(shipment.store.counters["records"] for shipment in self._shipments)
        self._journal.info("sidecar.ended", records=delivered)
        for shipment in self._shipments:
            shipment.close()
        self._admin.close()
        self._loop.close()
        return 1 if left else 0

    def _turn(self) -> None:
        for shipment in self._shipments:
            shipment.turn()
        self._save_if_due()
        now = self._loop.now()
        wait = min(shipment.wait() for shipment in self._shipments)
        if self._something_to_save():
            wait = min(wait, max(0.0, self._save_at - now))
        if self._deadline is not None:
            if now >= self._deadline or all(shipment.finished for shipment in self._shipments):
                self._loop.stop()
                return
            wait = min(wait, self._deadline - now)
        self._next = self._loop.call_later(wait, self._turn)

    def _save_if_due(self) -> None:
        now = self._loop.now()
        acknowledged = sum(shipment.acknowledged_bytes for shipment in self._shipments)
        due = now >= self._save_at or acknowledged - self._saved_bytes >= SAVE_AFTER_BYTES
        if due and self._something_to_save():
            self._save()
            after = self._loop.now()
            self._save_at = after + max(SAVE_EVERY, (after - now) * SAVE_SHARE)
            self._saved_bytes = acknowledged

    def _something_to_save(self) -> bool:
        return self._unsaved or any(shipment.source.dirty for shipment in self._shipments)

    def _save(self) -> None:
        # Every store, not only until the first that fails.
        synced = [shipment.store.sync() for shipment in self._shipments]
        self._unsaved = True
        if all(synced):
            entries = {shipment.name: shipment.entries() for shipment in self._shipments}
            self._unsaved = not self._checkpoint.save(entries)


def _shipments(
    settings: SidecarConfig,
    environ: Mapping[str, str],
    checkpoint: Checkpoint,
    loop: Loop,
    journal: Journal,
) -> list[Shipment]:
    namespace = environ.get("POD_NAMESPACE") or "default"
    pod = environ.get("POD_NAME") or os.uname().nodename
    records = RawRecords(_kubernetes(environ))
    budget = Budget(BUDGET)
    shipments: list[Shipment] = []
    for logs in settings.logs:
        # The store names the section, so that changed paths don't make files unknown.
        place = f"files:{logs.directory}"
        count = sum(shipment.name.startswith(f"{place}#") for shipment in shipments)
        name = f"{place}#{count}"
        entries = checkpoint.entries(name)
        source = (
            SpoolReader(logs.spool, entries, journal=journal)
            if logs.spool
            else Tail(logs.paths, entries, journal=journal)
        )
        store: Store = FilesStore(logs.directory, namespace, pod, records, journal=journal)
        shipments.append(
            Shipment(
                name,
                logs.spool or " ".join(logs.paths),
                source,
                store,
                raw=not logs.spool,
                budget=budget,
                clock=time.monotonic,
            )
        )
    return shipments


def _kubernetes(environ: Mapping[str, str]) -> dict[str, object]:
    """The Pod, in the field names that log tools use."""
    pod = {
        field: environ[name]
        for field, name in (("name", "POD_NAME"), ("uid", "POD_UID"), ("ip", "POD_IP"))
        if environ.get(name)
    }
    fields: dict[str, object] = {}
    if environ.get("POD_NAMESPACE"):
        fields["namespace"] = environ["POD_NAMESPACE"]
    if pod:
        fields["pod"] = pod
    if environ.get("NODE_NAME"):
        fields["node"] = {"name": environ["NODE_NAME"]}
    return fields
