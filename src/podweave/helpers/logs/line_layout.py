"""What a layout is: a way in which a format writes its lines.

A stream of lines (stream.py) knows layouts by this interface alone. To add one, write a class
with `record`, and give it to a Format; lines are then read one by one. Lines that can be read
many at once are of one of the kinds below this one, which say how (`batch_kind`):

- ColumnLayout (column_layout.py): a pattern with a group for each part. Layout (layouts.py) is
  written down with shapes, `%{NOTSPACE:host}`; nearly all formats are made of it.
- StructuredLayout (structured/interface.py): lines that name their fields, as JSON does.
- Envelope (envelope.py): lines with further ones inside.
"""

from __future__ import annotations

from podweave.helpers.logs.fields import NO_LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.compile import ExactBatch
    from podweave.helpers.logs.fields import Record


class LineLayout:
    """Reads lines one by one. All but `record` may be left as it is."""

    format = ""
    """The name of its format, which sets it."""
    names: frozenset[str] = frozenset()
    """Fields that its lines themselves may say: what is known beside them has no say there."""
    general = False
    """It also reads, less well, lines that another layout is made for; those are asked first."""
    levels: Mapping[str, str] = NO_LEVELS
    """The format's own words for levels, as it writes them."""
    several = False
    """A line may be several records: `records` gives them."""
    blocks = False
    """An event is a block of lines: `record` reads the first one, `whole` all of them."""
    marker = b""
    """A text that no header line is without, where its lines say how others are laid out."""
    once = False
    """Header lines stand at a file's beginning only."""
    beside: tuple[LineLayout, ...] = ()
    """Of a layout that was announced: what else reads such lines."""

    @property
    def first(self) -> frozenset[int] | None:
        """The bytes that a line of it can begin with; None: any."""
        return None

    @property
    def literals(self) -> tuple[bytes, ...]:
        """Texts that stand in every line of it."""
        return ()

    def reads(self, line: bytes, clock: Clock) -> bool:
        """It fits; where it can, cheaper than `record`."""
        return self.record(line, clock) is not None

    def record(self, line: bytes, clock: Clock) -> Record | None:
        """Read a line; None where it doesn't fit."""
        raise NotImplementedError

    def records(self, line: bytes, clock: Clock) -> list[Record] | None:
        """All that is in a line; None where it doesn't fit."""
        record = self.record(line, clock)
        return None if record is None else [record]

    def whole(self, lines: Sequence[bytes], clock: Clock) -> Record:
        """Of `blocks`: the record of an event's lines."""
        raise NotImplementedError

    def announces(self, line: bytes) -> LineLayout | None:
        """The layout of the lines beneath that one, where it is a header; the same for the same."""
        return None

    def batch_kind(self) -> type[ExactBatch]:
        """What makes rows of many of its lines: called with a layout, a schema, constants, steps.

        Each kind gives the rows of ExactBatch, which is the slowest.
        """
        from podweave.helpers.logs.compile import ExactBatch

        return ExactBatch
