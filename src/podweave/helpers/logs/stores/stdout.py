"""Standard output: for whatever collects the output of containers.

What the pipe takes counts as delivered. A reader that stalls stalls nothing here but this
delivery: the rest of a batch is written when there is room, and nothing more is read meanwhile.
"""

from __future__ import annotations

from podweave.helpers.logs.outputs.standard import StandardOutput
from podweave.helpers.logs.stores.interface import DELIVERED, Limits, Store, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.configuration import Section
    from podweave.helpers.logs.delivery.batches import Batch
    from podweave.helpers.logs.stores.interface import Context, Done
    from podweave.helpers.loop import Loop

BATCH = Limits(bytes=256 << 10, records=1 << 30, seconds=0.0)
"""A pipe takes what it has room for at once: to wait for more would only cost memory."""


class Settings:
    """`format`: json wraps raw lines into records, raw leaves them as they are."""

    __slots__ = ("format", "place")

    def __init__(self, format: str = "json") -> None:
        self.format = format
        self.place = ""


def configure(section: Section) -> Settings:
    return Settings(section.text("format", "json", among=("json", "raw")))


def make(settings: Settings, context: Context) -> StdoutStore:
    return StdoutStore(settings, context.loop)


class StdoutStore(Store):
    """Writes to a descriptor, whose flags it leaves alone: others may share the pipe."""

    kind = "stdout"

    def __init__(self, settings: Settings, loop: Loop, descriptor: int = 1) -> None:
        super().__init__(BATCH)
        self._raw = settings.format == "raw"
        self._output = StandardOutput(loop, self._drained, descriptor=descriptor)
        self._done: Done | None = None

    def send(self, batch: Batch, done: Done) -> None:
        self._done = done
        data = b"".join(batch.untouched() if self._raw else batch.ndjson())
        self.sent_bytes += len(data)
        try:
            self._output.write(data)
        except OSError as error:
            self._finish(f"standard output: {error.strerror}")
            return
        if not self._output.pending:
            self._finish("")

    def close(self) -> None:
        self._done = None
        self._output.close()

    def _drained(self) -> None:
        if self._done is not None:
            self._finish("")

    def _finish(self, reason: str) -> None:
        done, self._done = self._done, None
        assert done is not None
        done(failed(reason) if reason else DELIVERED)
