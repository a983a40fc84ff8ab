"""Lines of several records each, as rows of a schema: a line's rows stay together."""

from __future__ import annotations

from podweave.helpers.logs.compile import ExactBatch
from podweave.helpers.logs.structured.batch import StructuredBatch
from podweave.helpers.logs.structured.otlp_requests import cut, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.made_rows import MadeRows
    from podweave.helpers.logs.schemas.schema import Schema
    from podweave.helpers.logs.steps.steps import Steps
    from podweave.helpers.logs.structured.otlp_layout import OtlpLayout

_AT_ONCE = 64 * 1024
"""Bytes of records that are read together."""


class PackedBatch(ExactBatch):
    """See ExactBatch; for requests of the OpenTelemetry protocol (otlp_requests.py)."""

    def __init__(
        self, layout: OtlpLayout, schema: Schema, constants: Record, steps: Steps | None = None
    ) -> None:
        super().__init__(layout, schema, constants, steps)
        self._singles = StructuredBatch(layout, schema, constants, steps)

    @property
    def shapes(self) -> int:
        """How many are compiled."""
        return self._singles.shapes

    def made(self, data: bytes, clock: Clock, path: str) -> MadeRows:
        if not packed(data):
            return self._singles.made(data, clock, path)
        return super().made(data, clock, path)

    def rows(self, lines: Sequence[bytes], clock: Clock, path: str) -> list[bytes | None]:
        found: list[list[bytes]] = [[] for _ in lines]
        odd: set[int] = set()
        some: list[bytes] = []
        owners: list[int] = []
        size = 0
        for index, line in enumerate(lines):
            for piece in cut(line):
                some.append(piece)
                owners.append(index)
                size += len(piece)
                if size >= _AT_ONCE:
                    odd |= self._read(some, owners, found, clock, path)
                    some, owners, size = [], [], 0
        odd |= self._read(some, owners, found, clock, path)
        rows: list[bytes | None] = []
        for index, made in enumerate(found):
            if made and index not in odd:
                rows.append(b"".join(made))
                made.clear()
            else:
                rows.append(self.row(lines[index], clock.at(index), path))
        return rows

    def _read(
        self,
        some: list[bytes],
        owners: list[int],
        found: list[list[bytes]],
        clock: Clock,
        path: str,
    ) -> set[int]:
        """Add their rows to those of their lines; the lines of which some can't be read."""
        odd = set()
        rows = self._singles.rows(some, clock.of(owners), path)
        for index, row in zip(owners, rows, strict=True):
            if row is None:
                odd.add(index)
            else:
                found[index].append(row)
        return odd
