"""A batch as OTLP has it: whole columns at a time, as far as its records have shapes."""

from __future__ import annotations

from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.name_templates import file_name
from podweave.helpers.logs.stores.record_shapes import Shape, has_escapes
from podweave.helpers.logs.utf8 import is_utf8
from podweave.helpers.wire.otlp import read_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.delivery.batches import Piece
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.log_records import LogRecord
    from podweave.helpers.logs.stores.record_shapes import Column

SCOPE = "podweave"
MOST_SHAPES = 24
_CREDIT = 64
"""Shapes that are learned without being of use, before no more are."""


class Rows:
    """One encoding's."""

    def __init__(self) -> None:
        self._shapes: list[Shape] = []
        self._credit = _CREDIT
        self._alike = True
        """The records of the last piece had one shape."""

    # What an encoding knows

    def raw(self, piece: Piece) -> list[Block]:
        """The records of a piece of raw lines, as they stand in a request."""
        raise NotImplementedError

    def record(self, *parts: Any) -> bytes:
        """A record of time, time of reading, body, severity and level, attributes, trace, span."""
        raise NotImplementedError

    def made(self, shape: Shape, columns: list[Column], read: int, escaped: bool) -> list[bytes]:
        """Records of a shape, of the groups of its expression. ValueError (see UnfitError)."""
        raise NotImplementedError

    def block(self, rows: Sequence[bytes]) -> Block:
        """Records as they stand in a request."""
        raise NotImplementedError

    def request(self, resource: dict[str, Any], blocks: list[Block]) -> list[Block]:
        """A request of records of one resource."""
        raise NotImplementedError

    # What all have in common

    def exact(self, record: LogRecord, read: int) -> bytes:
        """A record that was read at `read`, made by itself."""
        return self.record(
            record.time,
            read,
            record.body,
            record.severity,
            record.level,
            record.attributes,
            read_id(record.trace, 16),
            read_id(record.span, 8),
        )

    def records(self, piece: Piece) -> tuple[list[Block], Any]:
        """The records of a piece of JSON, and the first name of a service among them."""
        rows, service = self.rows(piece.texts(), piece.data, log_records.read_time(piece))
        return [self.block(rows)], service

    def rows(self, lines: Sequence[bytes], data: bytes, read: int) -> tuple[list[bytes], Any]:
        """Each record, of lines of JSON that are `data`, and the first name of a service."""
        rows: list[bytes] = [b""] * len(lines)
        services: list[tuple[int, Any]] = []
        left: Sequence[int] = range(len(lines))
        escaped = has_escapes(data)
        for shape in self._shapes if is_utf8(data) else ():
            expression = shape.strict if escaped else shape.loose
            if len(left) == len(lines) and self._alike:
                found, numbers = expression.findall(data), left
            if len(left) < len(lines) or not self._alike or len(found) < len(lines):
                matches = [(number, expression.fullmatch(lines[number])) for number in left]
                numbers = [number for number, match in matches if match is not None]
                found = [match.groups() for _, match in matches if match is not None]
            if len(left) == len(lines):
                self._alike = len(found) == len(lines)
            if not found:
                continue
            columns: list[Column] = list(zip(*found, strict=True))
            try:
                made = self.made(shape, columns, read, escaped)
            except ValueError:
                continue
            shape.hits += len(found)
            if (named := shape.service_of(columns)) is not None:
                services.append((numbers[named[0]], named[1]))
            if len(made) == len(lines):
                rows = made
                left = ()
                break
            for number, row in zip(numbers, made, strict=True):
                rows[number] = row
            taken = frozenset(numbers)
            left = [number for number in left if number not in taken]
            if not left:
                break
        if left:
            services += self._read(lines, left, read, rows)
        else:
            self._credit = _CREDIT
        if len(self._shapes) > 1:
            self._shapes.sort(key=_hits, reverse=True)
        return rows, min(services)[1] if services else ""

    def _read(
        self, lines: Sequence[bytes], left: Sequence[int], read: int, rows: list[bytes]
    ) -> list[tuple[int, Any]]:
        """Put the exact rows of lines into their places."""
        services: list[tuple[int, Any]] = []
        documents = log_records.parsed([lines[number] for number in left])
        for number, document in zip(left, documents, strict=True):
            record = log_records.log_record(document, read)
            rows[number] = self.exact(record, read)
            if not services and (service := record.attributes.get("service.name")):
                services.append((number, service))
        for number in (left[0], left[-1]):
            self._learn(lines[number], read, rows[number])
        return services

    def _learn(self, line: bytes, read: int, row: bytes) -> None:
        """Make a shape of a line, if it comes to the same row."""
        if not self._credit:
            return
        self._credit -= 1
        try:
            shape = Shape(line)
            found = shape.strict.findall(line)
            if len(found) != 1:
                return
            columns: list[Column] = list(zip(*found, strict=True))
            (made,) = self.made(shape, columns, read, escaped=True)
        except ValueError:
            return
        if self.alike(made, row):
            # Those that are met most are the first.
            del self._shapes[MOST_SHAPES - 1 :]
            self._shapes.append(shape)

    def alike(self, one: bytes, other: bytes) -> bool:
        """Two records say the same."""
        return one == other


def _hits(shape: Shape) -> int:
    return shape.hits


def about_file(path: str, stream: bytes = b"") -> dict[str, Any]:
    """The attributes of a raw line."""
    about = {"log.file.path": file_name(path)}
    return {**about, "log.iostream": stream.decode("latin-1")} if stream else about


def of_streams(piece: Piece, make: Any) -> list[bytes]:
    """What `make` makes of the stream of each line of a piece that has details."""
    known = Memo(make)
    return [known[stream] for _, stream in piece.details or ()]
