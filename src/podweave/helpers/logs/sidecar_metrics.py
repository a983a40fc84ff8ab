"""The log sidecar's metrics: what was read, delivered, lost, and what waits."""

from __future__ import annotations

from podweave.helpers.wire.prometheus import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.checkpoint import Checkpoint
    from podweave.helpers.logs.shipment import Shipment

_LOSSES = {
    "lost_bytes": "truncated",
    "cut_bytes": "long_line",
}


class SidecarMetrics:
    """Filled in when asked for, so that reading and delivering count nothing twice."""

    def __init__(self, shipments: Sequence[Shipment], checkpoint: Checkpoint) -> None:
        self._shipments = shipments
        self._checkpoint = checkpoint
        self._registry = registry = Registry()
        self._unread = registry.gauge(
            "podweave_logs_unread_bytes", "Bytes in the sources, not read yet.", "source"
        )
        self._files = registry.gauge("podweave_logs_files", "Files that are followed.", "source")
        self._unreadable = registry.gauge(
            "podweave_logs_unreadable_files", "Files and directories not readable now.", "source"
        )
        self._age = registry.gauge(
            "podweave_logs_oldest_unacknowledged_seconds",
            "Age of the oldest record that was read and not acknowledged.",
            "source",
        )
        self._waiting = registry.gauge(
            "podweave_logs_unacknowledged_bytes", "Bytes read and not acknowledged.", "source"
        )
        self._read = registry.counter(
            "podweave_logs_read_bytes_total", "Bytes read from the sources.", "source"
        )
        self._records = registry.counter(
            "podweave_logs_delivered_records_total", "Records acknowledged.", "source", "store"
        )
        self._bytes = registry.counter(
            "podweave_logs_delivered_bytes_total",
            "Bytes acknowledged, as the store holds them.",
            "source",
            "store",
        )
        self._retries = registry.counter(
            "podweave_logs_retries_total", "Deliveries tried again.", "source", "store"
        )
        self._lost = registry.counter(
            "podweave_logs_lost_bytes_total",
            "Bytes not delivered: cut away before they were read, or cut from long lines.",
            "source",
            "reason",
        )
        self._writable = registry.gauge(
            "podweave_checkpoint_writable", "1 when the last checkpoint could be saved."
        )
        self._failures = registry.counter(
            "podweave_checkpoint_failures_total", "Checkpoints that could not be saved."
        )

    def render(self) -> bytes:
        for shipment in self._shipments:
            label, source, store = shipment.label, shipment.source, shipment.store
            self._unread.set(source.unread_bytes(), label)
            self._files.set(source.files(), label)
            self._unreadable.set(source.unreadable(), label)
            self._age.set(shipment.oldest_unacknowledged(), label)
            self._waiting.set(shipment.unacknowledged_bytes(), label)
            self._read.set(source.counters["read_bytes"], label)
            self._records.set(store.counters["records"], label, store.kind)
            self._bytes.set(store.counters["bytes"], label, store.kind)
            self._retries.set(store.counters["retries"], label, store.kind)
            for counter, reason in _LOSSES.items():
                self._lost.set(source.counters.get(counter, 0), label, reason)
        self._writable.set(self._checkpoint.writable)
        self._failures.set(self._checkpoint.failures)
        return self._registry.render()
