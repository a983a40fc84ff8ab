"""Envelopes, compiled: the lines of a chunk go to the batches of their programs' messages."""

from __future__ import annotations

import re
from itertools import repeat

from podweave.helpers.logs.compile import Batch, ExactBatch, made_batch
from podweave.helpers.logs.envelope import WORD
from podweave.helpers.logs.made_rows import MadeRows
from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.newlines import count_newlines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.envelope import Envelope
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.layouts import Layout
    from podweave.helpers.logs.schemas.schema import Schema
    from podweave.helpers.logs.steps.steps import Steps


_WORDS = re.compile(WORD + rb"[^\n]*\n")


class EnvelopeBatch(Batch):
    """Lines of no known program are read as the envelope reads them."""

    def __init__(
        self, layout: Envelope, schema: Schema, constants: Record, steps: Steps | None = None
    ) -> None:
        super().__init__(layout, schema, constants, steps)
        self._given = constants
        self._only = layout.only
        self._tag, self._message = layout.places
        self._words = layout.words
        self._ways: Memo = Memo(lambda key: layout.further(*key))
        self._batches: dict[Layout, ExactBatch] = {}

    def rows(self, lines: Sequence[bytes], clock: Clock, path: str) -> list[bytes | None]:
        data = b"\n".join(lines) + b"\n"
        groups, loose = self._find(data, len(lines))
        return self._rows(lines, data, groups, loose, self._ways_of(groups), clock, path)

    def _rows(
        self,
        lines: Sequence[bytes],
        data: bytes,
        groups: list[tuple[bytes, ...]],
        loose: bool,
        ways: list[tuple[Layout, ...]],
        clock: Clock,
        path: str,
    ) -> list[bytes | None]:
        kinds = set(ways)
        rows: list[bytes | None] = [None] * len(lines)
        if self._only:
            kinds.discard(())
        elif () in kinds and self.steps is None:  # which would count lines that others read
            # Also of lines that are read further: what their own layouts don't read.
            rows = self._made(groups, data, loose, clock, path).rows()
            kinds.discard(())
        if len(kinds) == 1 and () not in ways:
            return self._read(lines, kinds.pop(), clock, path)
        for kind in kinds:
            indexes = [index for index, way in enumerate(ways) if way is kind or way == kind]
            found = self._read([lines[index] for index in indexes], kind, clock.of(indexes), path)
            for index, row in zip(indexes, found, strict=True):
                rows[index] = row
        return rows

    def made(self, data: bytes, clock: Clock, path: str) -> MadeRows:
        groups, loose = self._find(data, count_newlines(data))
        ways = self._ways_of(groups)
        layouts = ways[0]
        if ways.count(layouts) < len(ways) or (self._only and not layouts):
            lines = data.split(b"\n")
            lines.pop()
            rows = self._rows(lines, data, groups, loose, ways, clock, path)
            return MadeRows(data, lines, rows)
        # All of one program, as in its own file, or of none: their rows may stay cells.
        if not layouts:
            return self._made(groups, data, loose, clock, path)
        while len(layouts) > 1 and not _stands_in(layouts[0], data):
            layouts = layouts[1:]
        made = self._batch(layouts[0]).made(data, clock, path)
        left = made.missing
        if left:
            lines = made.lines
            rows = self._read([lines[i] for i in left], layouts[1:], clock.of(left), path)
            made.replace(dict(zip(left, rows, strict=True)))
        return made

    def _ways_of(self, groups: list[tuple[bytes, ...]]) -> list[tuple[Layout, ...]]:
        """The layouts that each line's program and its message's first word stand for."""
        message, tag = self._message, self._tag
        words = _WORDS.findall(b"\n".join([row[message] for row in groups]) + b"\n")
        known = self._words
        words = [word if word in known else b"" for word in words]
        keys = zip([row[tag] for row in groups], words, strict=True)
        return list(map(self._ways.__getitem__, keys))

    def _batch(self, layout: Layout) -> ExactBatch:
        batch = self._batches.get(layout)
        if batch is None:
            batch = made_batch(Batch, layout, self.schema, self._given, self.steps)
            self._batches[layout] = batch
        return batch

    def _read(
        self, lines: Sequence[bytes], layouts: tuple[Layout, ...], clock: Clock, path: str
    ) -> list[bytes | None]:
        rows: list[bytes | None] = list(repeat(None, len(lines)))
        left = list(range(len(lines)))
        data = b"\n".join(lines) if len(layouts) > 1 else b""
        for layout in layouts:
            if data and not _stands_in(layout, data):
                continue
            found = self._batch(layout).rows([lines[index] for index in left], clock.of(left), path)
            for index, row in zip(left, found, strict=True):
                rows[index] = row
            left = [index for index in left if rows[index] is None]
            if not left:
                return rows
        if left and not self._only:
            data = b"\n".join([lines[index] for index in left]) + b"\n"
            found = super().made(data, clock.of(left), path).rows()
            for index, row in zip(left, found, strict=True):
                rows[index] = row
        return rows


def _stands_in(layout: Layout, data: bytes) -> bool:
    """What stands in every line of the layout does in these."""
    return all(map(data.__contains__, layout.literals))
