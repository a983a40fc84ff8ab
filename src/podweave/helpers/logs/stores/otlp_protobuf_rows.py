"""Rows of OTLP's protobuf. A record is a LogRecord; in a request it has its length before it."""

from __future__ import annotations

import json
import sys
from array import array

from podweave import __version__
from podweave.helpers.logs.delivery.rows import interleave, joined
from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.raw_records import utf8
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.otlp_rows import SCOPE, Rows, about_file, of_streams
from podweave.helpers.logs.stores.record_shapes import TEXT, WORD, text_of
from podweave.helpers.wire import otlp_protobuf
from podweave.helpers.wire.protobuf import varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from podweave.helpers.logs.delivery.batches import Piece
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.record_shapes import Column, Shape


class ProtobufRows(Rows):
    def __init__(self) -> None:
        super().__init__()
        self._heads: dict[str, Memo] = {}
        """Of attributes that are texts, by name and length."""
        self._attributes: dict[str, Memo] = {}
        """Whole ones, by name and value as it is written."""

    def raw(self, piece: Piece) -> list[Block]:
        lines = piece.lines()
        if not piece.data.isascii():
            lines = [utf8(line) for line in lines]
        read = log_records.read_time(piece)
        observed = otlp_protobuf.observed_at(read)
        if piece.details is None:
            time = otlp_protobuf.TIME + read.to_bytes(8, "little")
            tail = otlp_protobuf.attributes(about_file(piece.path)) + observed
            heads = Memo(lambda size: _raw_head(size, time, len(tail)))
            return [
                interleave(len(lines), list(map(heads.__getitem__, map(len, lines))), lines, tail)
            ]
        tails = of_streams(
            piece,
            lambda stream: otlp_protobuf.attributes(about_file(piece.path, stream)) + observed,
        )
        times = _fixed64(log_records.raw_times(piece))
        heads_of_bodies = list(map(_bodies.__getitem__, map(len, lines)))
        cells = [otlp_protobuf.TIME, times, heads_of_bodies, lines, tails]
        return [self.block(joined(len(lines), cells))]

    def record(self, *parts: Any) -> bytes:
        return otlp_protobuf.record(*parts)

    def made(self, shape: Shape, columns: list[Column], read: int, escaped: bool) -> list[bytes]:
        count = len(columns[0])
        nanoseconds = _fixed64(map(int, joined(count, shape.times(columns))))
        cells: list[Column | bytes] = [otlp_protobuf.TIME, nanoseconds]
        cells.append(list(map(_severity.__getitem__, shape.severities(columns))))
        cells += _texts(columns[shape.body], _bodies, escaped)
        for name, written, place in shape.attributes:
            if written == WORD:
                cells.append(otlp_protobuf.attributes({name: place}))
            elif written == TEXT:
                cells += _texts(columns[place], self._heads_of(name), escaped)
            else:
                cells.append(list(map(self._attributes_of(name).__getitem__, columns[place])))
        for tag, found in ((otlp_protobuf.TRACE, shape.trace), (otlp_protobuf.SPAN, shape.span)):
            if found is not None:
                column = [bytes.fromhex(text.decode()) for text in columns[found]]
                cells += [tag + varint(len(column[0])), column]
        return joined(count, [*cells, otlp_protobuf.observed_at(read)])

    def block(self, rows: Sequence[bytes]) -> Block:
        return interleave(len(rows), list(map(_lengths.__getitem__, map(len, rows))), rows)

    def request(self, resource: dict[str, Any], blocks: list[Block]) -> list[Block]:
        size = sum(map(len, blocks))
        return [otlp_protobuf.request(resource, SCOPE, __version__, size), *blocks]

    def _heads_of(self, name: str) -> Memo:
        heads = self._heads.get(name)
        if heads is None:
            heads = Memo(lambda size: otlp_protobuf.attribute_head(name, size))
            self._heads[name] = heads
        return heads

    def _attributes_of(self, name: str) -> Memo:
        known = self._attributes.get(name)
        if known is None:
            known = Memo(lambda raw: otlp_protobuf.attributes({name: json.loads(raw)}))
            self._attributes[name] = known
        return known


def _texts(column: Column, heads: Memo, escaped: bool) -> list[Column | bytes]:
    """Texts, each behind its head."""
    if escaped:
        column = [
            text_of(text).encode("utf-8", "replace") if b"\\" in text else text for text in column
        ]
    return [list(map(heads.__getitem__, map(len, column))), column]


def _fixed64(numbers: Iterable[int]) -> list[bytes]:
    values = array("Q", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    data = values.tobytes()
    return [data[place : place + 8] for place in range(0, len(data), 8)]


def _raw_head(size: int, time: bytes, tail: int) -> bytes:
    head = time + otlp_protobuf.body_head(size)
    return _length_of(len(head) + size + tail) + head


def _length_of(size: int) -> bytes:
    return otlp_protobuf.RECORD + varint(size)


def _severity_of(said: tuple[int, str]) -> bytes:
    return otlp_protobuf.severity_of(*said)


_lengths = Memo(_length_of)
_bodies = Memo(otlp_protobuf.body_head)
_severity = Memo(_severity_of)
