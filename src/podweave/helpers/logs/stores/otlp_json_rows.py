"""Rows of OTLP's JSON. Records are followed by a comma; the last one of a request isn't."""

from __future__ import annotations

import json

from podweave import __version__
from podweave.helpers.logs.delivery.rows import between, interleave, joined
from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.otlp_rows import SCOPE, Rows, about_file, of_streams
from podweave.helpers.logs.stores.record_shapes import INTEGER, TEXT, WORD
from podweave.helpers.wire import otlp_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.delivery.batches import Piece
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.record_shapes import Column, Shape


class JsonRows(Rows):
    def raw(self, piece: Piece) -> list[Block]:
        read = log_records.read_time(piece)
        begin, middle, end = otlp_json.around_text(read, about_file(piece.path))
        end += b","
        if piece.details is None:
            return between(piece.escaped(), b"%b%d%b" % (begin, read, middle), end)
        times = [b"%d" % time for time in log_records.raw_times(piece)]
        ends = of_streams(
            piece,
            lambda stream: otlp_json.around_text(read, about_file(piece.path, stream))[2] + b",",
        )
        return [interleave(len(times), begin, times, middle, piece.quoted(), ends)]

    def record(self, *parts: Any) -> bytes:
        return otlp_json.record(*parts) + b","

    def made(self, shape: Shape, columns: list[Column], read: int, escaped: bool) -> list[bytes]:
        cells: list[Column | bytes] = [b'{"timeUnixNano":"', *shape.times(columns)]
        cells.append(b'","observedTimeUnixNano":"%d",' % read)
        cells.append(list(map(_severity.__getitem__, shape.severities(columns))))
        cells += [b'"body":{"stringValue":"', columns[shape.body], b'"}']
        between_two = b',"attributes":['
        for name, written, place in shape.attributes:
            key = otlp_json.text_of(name)
            cells.append(b'%b{"key":%b,"value":' % (between_two, key))
            between_two = b","
            if written == TEXT:
                cells += [b'{"stringValue":"', columns[place], b'"}}']
            elif written == INTEGER:
                cells += [b'{"intValue":"', columns[place], b'"}}']
            elif written == WORD:
                cells += [otlp_json.text_of(otlp_json.any_value(place)), b"}"]
            else:
                cells += [list(map(_values.__getitem__, columns[place])), b"}"]
        if shape.attributes:
            cells.append(b"]")
        for identifier, found in ((b"traceId", shape.trace), (b"spanId", shape.span)):
            if found is not None:
                cells += [b',"%b":"' % identifier, columns[found], b'"']
        return joined(len(columns[0]), [*cells, b"},"])

    def block(self, rows: Sequence[bytes]) -> Block:
        return b"".join(rows)

    def request(self, resource: dict[str, Any], blocks: list[Block]) -> list[Block]:
        begin, end = otlp_json.request(resource, SCOPE, __version__)
        return [begin, *blocks[:-1], memoryview(blocks[-1])[:-1], end]

    def alike(self, one: bytes, other: bytes) -> bool:
        # Escapes that nobody needs stay as they are.
        return one == other or json.loads(one[:-1]) == json.loads(other[:-1])


def _severity_of(said: tuple[int, str]) -> bytes:
    number, level = said
    text = b'"severityNumber":%d,' % number if number else b""
    return text + (b'"severityText":%b,' % otlp_json.text_of(level) if level else b"")


def _value_of(raw: bytes) -> bytes:
    return otlp_json.text_of(otlp_json.any_value(json.loads(raw)))


_severity = Memo(_severity_of)
_values = Memo(_value_of)
