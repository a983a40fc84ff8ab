"""The log sidecar's metrics: what was read, delivered, lost, and what waits."""

from __future__ import annotations

from podweave.helpers.logs.source import LOSSES
from podweave.helpers.wire.prometheus import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.checkpoint import Checkpoint
    from podweave.helpers.logs.delivery.delivery import Delivery
    from podweave.helpers.wire.prometheus import Family


class SidecarMetrics:
    """Filled in when asked for, so that reading and delivering count nothing twice."""

    def __init__(self) -> None:
        self._deliveries: Sequence[Delivery] = ()
        self._checkpoint: Checkpoint | None = None
        self.registry = registry = Registry()
        pair = ("source", "store")

        def gauge(name: str, text: str, *labels: str) -> Family:
            return registry.gauge(f"podweave_logs_{name}", text, *labels)

        def counter(name: str, text: str, *labels: str) -> Family:
            return registry.counter(f"podweave_logs_{name}_total", text, *labels)

        self._unread = gauge("unread_bytes", "Bytes in the sources, not read yet.", *pair)
        self._files = gauge("files", "Files that are followed.", *pair)
        self._unreadable = gauge(
            "unreadable_files", "Files and directories not readable now.", *pair
        )
        self._age = gauge(
            "oldest_unacknowledged_seconds",
            "Age of the oldest record that was read and not acknowledged.",
            *pair,
        )
        self._waiting = gauge("unacknowledged_bytes", "Bytes read and not acknowledged.", *pair)
        self._read = counter("read_bytes", "Bytes read from the sources.", *pair)
        self._read_records = counter("read_records", "Records read from the sources.", *pair)
        self._records = counter("delivered_records", "Records that the store has.", *pair)
        self._bytes = counter(
            "delivered_bytes", "Bytes that the store has, as they were read.", *pair
        )
        self._sent = counter(
            "sent_bytes", "Bytes given to the network or the disk, repeated ones too.", *pair
        )
        self._retries = counter("retries", "Deliveries tried again.", *pair)
        self._divided = counter(
            "divided_batches", "Batches divided because the store refused them whole.", *pair
        )
        self._rejected = counter(
            "rejected_records", "Records that the store refused; dead letters now.", *pair
        )
        self._lost = counter(
            "lost_bytes",
            "Bytes not delivered: cut away before, unreadable, or cut from long lines.",
            *pair,
            "reason",
        )
        self._failing = gauge("store_failing", "1 while the store fails.", *pair)
        self._latency = registry.histogram(
            "podweave_logs_store_seconds",
            "From handing a batch to the store until its answer.",
            *pair,
        )
        self._letters = gauge("dead_letter_bytes", "Dead letters kept.", *pair)
        self._dropped = counter("dropped_records", "Records dropped, by reason.", *pair, "reason")
        self._existing = counter(
            "existing_records", "Records sent again that the store had already.", *pair
        )
        self._spill = gauge("spill_bytes", "Bytes on disk that the store hasn't yet.", *pair)
        self._spilled = counter("spilled_bytes", "Bytes put on disk for a store.", *pair)
        self._spill_failures = counter(
            "spill_failures", "Times that the disk or its limit took nothing.", *pair
        )
        self._writable = gauge("checkpoint_writable", "1 when the last checkpoint could be saved.")
        self._failures = counter("checkpoint_failures", "Checkpoints that could not be saved.")
        self._standing_by = gauge(
            "standing_by",
            "1 while another Pod reads the files with the state that both have on a volume.",
        )

    def begin(self, deliveries: Sequence[Delivery], checkpoint: Checkpoint) -> None:
        """The program is at work with these."""
        self._deliveries = deliveries
        self._checkpoint = checkpoint

    def render(self) -> bytes:
        for each in self._deliveries:
            pair = each.label, each.store_name
            source, counts = each.source, each.counts
            self._unread.set(source.unread_bytes(), *pair)
            self._files.set(source.files(), *pair)
            self._unreadable.set(source.unreadable(), *pair)
            self._age.set(each.oldest_unacknowledged(), *pair)
            self._waiting.set(each.unacknowledged_bytes(), *pair)
            self._read.set(counts.read_bytes, *pair)
            self._read_records.set(counts.read_records, *pair)
            self._records.set(counts.delivered_records, *pair)
            self._bytes.set(counts.delivered_bytes, *pair)
            self._sent.set(each.store.sent_bytes, *pair)
            self._retries.set(counts.retries, *pair)
            self._divided.set(counts.divided, *pair)
            self._rejected.set(counts.rejected_records, *pair)
            self._failing.set(bool(each.failing()), *pair)
            self._latency.adopt(counts.latency, *pair)
            self._letters.set(each.dead_letters.size(), *pair)
            self._dropped.set(each.dead_letters.dropped_records, *pair, "dead_letters_full")
            self._dropped.set(each.store.dropped_records, *pair, "partial_success")
            self._existing.set(each.store.existing_records, *pair)
            self._spill.set(each.overflow.size, *pair)
            self._spilled.set(each.overflow.spilled_bytes, *pair)
            self._spill_failures.set(each.overflow.failures, *pair)
            for counter, reason in LOSSES.items():
                self._lost.set(source.counters.get(counter, 0), *pair, reason)
        self._standing_by.set(self._checkpoint is None)
        if self._checkpoint is not None:
            self._writable.set(self._checkpoint.writable)
            self._failures.set(self._checkpoint.failures)
        return self.registry.render()
