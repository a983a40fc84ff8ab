"""The adapter's metrics: what was read and made of it, by format, and what waits."""

from __future__ import annotations

from podweave.helpers.logs.plain_lines import UNREAD
from podweave.helpers.logs.source import LOSSES
from podweave.helpers.wire.prometheus import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.checkpoint import Checkpoint
    from podweave.helpers.logs.outputs.interface import Output
    from podweave.helpers.logs.route import Route


class AdapterMetrics:
    """Filled in when asked for, so that the lines' way counts nothing twice."""

    def __init__(self) -> None:
        self._routes: Sequence[Route] = ()
        self._outputs: Sequence[Output] = ()
        self._checkpoint: Checkpoint | None = None
        self.registry = registry = Registry()
        self._events = registry.counter(
            "podweave_adapter_events_total", "Events, by the format that read them.", "format"
        )
        self._unread = registry.counter(
            "podweave_adapter_unread_lines_total",
            "Lines that no format read, kept whole as their message.",
        )
        self._dropped = registry.counter(
            "podweave_adapter_dropped_events_total",
            "Events that a step left out, by the step.",
            "step",
        )
        self._read = registry.counter(
            "podweave_adapter_read_bytes_total", "Bytes read from the files.", "source"
        )
        self._made = registry.counter(
            "podweave_adapter_made_bytes_total", "Bytes of rows made.", "source"
        )
        self._written = registry.counter(
            "podweave_adapter_written_bytes_total", "Bytes written to the outputs.", "output"
        )
        self._failures = registry.counter(
            "podweave_adapter_output_failures_total", "Writes that failed.", "output"
        )
        self._pending = registry.gauge(
            "podweave_adapter_pending_bytes", "Bytes that an output has yet to take.", "output"
        )
        self._lost = registry.counter(
            "podweave_adapter_lost_bytes_total",
            "Bytes not read: cut away before, unreadable, or cut from long lines.",
            "source",
            "reason",
        )
        self._left = registry.gauge(
            "podweave_adapter_unread_bytes", "Bytes in the files, not read yet.", "source"
        )
        self._files = registry.gauge("podweave_adapter_files", "Files followed.", "source")
        self._unreadable = registry.gauge(
            "podweave_adapter_unreadable_files", "Files not readable now.", "source"
        )
        self._writable = registry.gauge(
            "podweave_adapter_checkpoint_writable", "1 when the last checkpoint could be saved."
        )
        self._saves = registry.counter(
            "podweave_adapter_checkpoint_failures_total", "Checkpoints that could not be saved."
        )
        self._standing_by = registry.gauge(
            "podweave_adapter_standing_by",
            "1 while another Pod reads the files with the state that both have on a volume.",
        )

    def begin(
        self, routes: Sequence[Route], outputs: Sequence[Output], checkpoint: Checkpoint
    ) -> None:
        """The program is at work with these."""
        self._routes = routes
        self._outputs = outputs
        self._checkpoint = checkpoint

    def render(self) -> bytes:
        """The text of the metrics, as of now."""
        events: dict[str, int] = {}
        dropped: dict[str, int] = {}
        for route in self._routes:
            if route.steps is not None:
                for step, count in route.steps.dropped.items():
                    dropped[step] = dropped.get(step, 0) + count
            for format_, count in route.events.items():
                events[format_] = events.get(format_, 0) + count
            counters = route.source.counters
            self._read.set(counters["read_bytes"], route.name)
            self._made.set(route.bytes, route.name)
            self._left.set(route.source.unread_bytes(), route.name)
            self._files.set(route.source.files(), route.name)
            self._unreadable.set(route.source.unreadable(), route.name)
            for counter, reason in LOSSES.items():
                self._lost.set(counters.get(counter, 0), route.name, reason)
        for format_, count in events.items():
            self._events.set(count, format_)
        for step, count in dropped.items():
            self._dropped.set(count, step)
        self._unread.set(events.get(UNREAD, 0))
        for output in self._outputs:
            self._written.set(output.written, output.name)
            self._failures.set(output.failures, output.name)
            self._pending.set(output.pending, output.name)
        self._standing_by.set(self._checkpoint is None)
        if self._checkpoint is not None:
            self._writable.set(self._checkpoint.writable)
            self._saves.set(self._checkpoint.failures)
        return self.registry.render()
