"""An event that began with a line and may go on with the next ones."""

from __future__ import annotations

from podweave.helpers.logs.join import enrich

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.compile import ExactBatch
    from podweave.helpers.logs.fields import Record


class BegunEvent:
    """`row` is what `owner` makes of its first line."""

    __slots__ = ("clock", "continuation", "line", "owner", "path", "row", "size")

    def __init__(self, line: bytes, row: bytes, owner: ExactBatch, clock: Clock, path: str) -> None:
        self.line = line
        self.row = row
        self.owner = owner
        self.clock = clock
        self.path = path
        self.continuation: list[bytes] = []
        self.size = len(line)

    def join(self, lines: list[bytes]) -> None:
        self.continuation += lines
        self.size += sum(map(len, lines)) + len(lines)

    def finished(self) -> bytes:
        """The event's row, with all that joined it."""
        steps = self.owner.steps
        if not any(self.continuation) or (not self.row and steps is not None and steps.limits):
            return self.row
        owner, clock, path = self.owner, self.clock, self.path
        rows = [owner.render(record, clock, path, again=True) for record in self._records()]
        return b"".join(rows)

    def _records(self) -> list[Record]:
        layout = self.owner.layout
        if layout.blocks:
            return [layout.whole([self.line, *self.continuation], self.clock)]
        records = layout.records(self.line, self.clock)
        assert records is not None
        enrich(records[-1], self.line, self.continuation)
        return records
