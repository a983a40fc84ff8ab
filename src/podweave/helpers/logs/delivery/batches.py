"""Batches: records on their way to a store, as chunks of bytes.

A record is a line: of an application as it wrote it (`raw`), or JSON of an adapter. A batch never
has an object per record until a store asks for one, and then for all of a piece at once: what is
done with bytes.replace, split, map and join costs a tenth of a loop over lines.

Every record has an id that doesn't change when it is read and sent again: the Pod, the file's
identity, the offset in the file, and a checksum of the line. The checksum is there because an
inode number is used again: another line at the same place is another record, not a copy.
"""

from __future__ import annotations

from array import array
from binascii import crc32
from itertools import accumulate

from podweave.helpers.logs.delivery.rows import between
from podweave.helpers.logs.newlines import count_newlines
from podweave.helpers.logs.raw_records import escape, timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from podweave.helpers.logs.chunks import Chunk
    from podweave.helpers.logs.delivery.origin import Origin
    from podweave.helpers.logs.delivery.rows import Block

JOINT = b"\xff"
"""Stands for a newline within a record, in pieces that are `joined`: a byte that UTF-8 hasn't.
So places in the data stay places in the file, and records are still what newlines divide."""


_ONE_MORE = (1).__add__


class Piece:
    """Records of one file that follow each other, each with a newline behind it.

    `data`: the records. `offset`: where the first one is in the file; `starts`: where each one
    is, needed only where they don't lie in the file as they do in `data`.
    `joined`: JOINT in the data stands for a newline inside a record, and the data is UTF-8 else.
    `details`: for each record its time as written (RFC 3339, or b"") and its stream (b"stdout",
    b"stderr" or b""); None: the lines have none.
    `seconds`: Unix time of the reading.
    """

    __slots__ = (
        "_count",
        "data",
        "details",
        "identity",
        "joined",
        "offset",
        "path",
        "seconds",
        "starts",
    )

    def __init__(
        self,
        data: bytes,
        path: str,
        identity: str,
        offset: int,
        seconds: float,
        *,
        starts: Sequence[int] | None = None,
        joined: bool = False,
        details: Sequence[tuple[bytes, bytes]] | None = None,
    ) -> None:
        self.data = data
        self.path = path
        self.identity = identity
        self.offset = offset
        self.seconds = seconds
        self.starts = starts
        self.joined = joined
        self.details = details
        self._count = -1

    @classmethod
    def of_chunk(cls, chunk: Chunk, seconds: float) -> Piece:
        file = chunk.file
        if chunk.bounds is None:
            data = chunk.data
            starts = chunk.starts
        else:
            texts = chunk.texts()
            starts = chunk.starts
            if JOINT in chunk.data:
                # Not UTF-8, and JSON will be: now, because then there is no JOINT of its own.
                starts = [start for start, _ in chunk.records()]
                texts = [text.decode("utf-8", "backslashreplace").encode() for text in texts]
            data = b"\n".join([text.replace(b"\n", JOINT) for text in texts]) + b"\n"
        return cls(
            data,
            file.path,
            file.identity,
            chunk.offset,
            seconds,
            starts=starts,
            joined=chunk.bounds is not None,
            details=chunk.details,
        )

    def count(self) -> int:
        """How many records there are; counted once, for it takes as long as the reading."""
        if self._count < 0:
            self._count = count_newlines(self.data)
        return self._count

    def texts(self) -> list[bytes]:
        """What lies between the newlines of the data: a JOINT stays one."""
        texts = self.data.split(b"\n")
        texts.pop()
        return texts

    def lines(self) -> list[bytes]:
        """Each record without the newline behind it, as the application wrote it."""
        lines = self.texts()
        if self.joined:
            lines = [line.replace(JOINT, b"\n") for line in lines]
        return lines

    def offsets(self) -> Sequence[int]:
        """Where in the file each record begins."""
        return self.starts if self.starts is not None else self._offsets(self.texts())

    def _offsets(self, texts: Sequence[bytes]) -> array[int]:
        if self.starts is not None:
            return array("Q", self.starts)
        # Each line is followed by its newline; the last sum is the end, not a beginning.
        offsets = array("Q", accumulate(map(_ONE_MORE, map(len, texts)), initial=self.offset))
        offsets.pop()
        return offsets

    def times(self) -> list[bytes]:
        """RFC 3339, for each record: as its line has it beside its text, else when it was read.
        What is said inside of the text isn't looked at."""
        read = timestamp(self.seconds)
        if self.details is None:
            return [read] * self.count()
        return [time or read for time, _ in self.details]

    def ids(self, origin: Origin) -> list[bytes]:
        """An id for each record, 44 hexadecimal digits, the same whenever it is sent."""
        ends = self.id_ends(self.texts())
        return list(map(origin.id_prefix(self.identity).__add__, ends))

    def id_ends(self, texts: Sequence[bytes]) -> list[bytes]:
        """The ids, of what `texts` gave, without what those of all records of a file begin with
        (Origin.id_prefix)."""
        offsets = self._offsets(texts)
        offsets.byteswap()
        halves = array("I", offsets.tobytes())
        checksums = array("I", map(crc32, texts))
        checksums.byteswap()
        # Numbers are cheap to write for all at once, and dear one by one.
        words = array("I", bytes(12 * len(checksums)))
        words[0::3] = halves[0::2]
        words[1::3] = halves[1::2]
        words[2::3] = checksums
        return words.tobytes().hex("\n", 12).encode().split(b"\n")

    def escaped(self) -> bytes:
        """The records as the insides of JSON strings, each with a newline behind it."""
        if self.joined:
            # Escaping leaves newlines alone and knows nothing of a byte that is not UTF-8.
            return JOINT.join(map(escape, self.data.split(JOINT))).replace(JOINT, b"\\n")
        return escape(self.data)

    def quoted(self, texts: list[bytes] | None = None) -> list[bytes]:
        """The inside of a JSON string for each record. `texts`: what `texts` gave, where that is
        known: most lines are it."""
        escaped = self.escaped()
        if escaped is self.data:
            return self.texts() if texts is None else texts
        quoted = escaped.split(b"\n")
        quoted.pop()
        return quoted

    def rows(
        self, origin: Origin, raw: bool, texts: list[bytes]
    ) -> tuple[bytes, list[bytes], bytes]:
        """What each record's JSON begins with, what is each one's own, and what all end with,
        without a newline: for stores that put something between records (see `interleave`).
        `texts`: what `texts` gave."""
        if not raw:
            return b"", texts, b""
        if self.details is not None:
            return b"", b"".join(self.ndjson(origin, raw))[:-1].split(b"\n"), b""
        begin = b'{"@timestamp":"%b","message":"' % timestamp(self.seconds)
        return begin, self.quoted(texts), origin.records.end(self.path)[:-1]

    def ndjson(self, origin: Origin, raw: bool) -> list[Block]:
        """JSON records, each with a newline behind it."""
        if not raw:
            return [self.data]
        end = origin.records.end(self.path)
        if self.details is not None:
            texts = self.quoted()
            streams = [stream for _, stream in self.details]
            row = b'{"@timestamp":"%b","stream":"%b","message":"%b'
            rows = map(row.__mod__, zip(self.times(), streams, texts, strict=True))
            return [end.join(rows).replace(b'"stream":"",', b""), end]
        begin = b'{"@timestamp":"%b","message":"' % timestamp(self.seconds)
        return between(self.escaped(), begin, end)

    def untouched(self) -> bytes:
        """What the application wrote; a joined record has its newlines again."""
        return self.data.replace(JOINT, b"\n") if self.joined else self.data

    def select(self, indexes: Iterable[int]) -> Piece:
        """A piece of some of the records."""
        lines = self.data.split(b"\n")
        offsets = self.offsets()
        chosen = list(indexes)
        data = b"\n".join([lines[index] for index in chosen]) + b"\n"
        starts = [offsets[index] for index in chosen]
        details = self.details
        if details is not None:
            details = [details[index] for index in chosen]
        return self._part(data, starts[0], starts, details)

    def divide(self, count: int) -> tuple[Piece, Piece]:
        """The first `count` records, and the rest; both have some."""
        end = -1
        for _ in range(count):
            end = self.data.index(b"\n", end + 1)
        end += 1
        starts = self.starts
        first, rest = self.details, self.details
        if self.details is not None:
            first, rest = self.details[:count], self.details[count:]
        if starts is None:
            return (
                self._part(self.data[:end], self.offset, None, first),
                self._part(self.data[end:], self.offset + end, None, rest),
            )
        return (
            self._part(self.data[:end], starts[0], starts[:count], first),
            self._part(self.data[end:], starts[count], starts[count:], rest),
        )

    def _part(
        self,
        data: bytes,
        offset: int,
        starts: Sequence[int] | None,
        details: Sequence[tuple[bytes, bytes]] | None,
    ) -> Piece:
        return Piece(
            data,
            self.path,
            self.identity,
            offset,
            self.seconds,
            starts=starts,
            joined=self.joined,
            details=details,
        )


class Batch:
    """Pieces that are sent together, of one source.

    `raw` tells lines as an application wrote them from records that are JSON already.
    Records are numbered from 0 through all pieces: that is how a store names one in its answer.
    """

    __slots__ = ("origin", "pieces", "raw", "read_at", "records", "size")

    def __init__(
        self,
        pieces: Sequence[Piece],
        origin: Origin,
        *,
        raw: bool,
        read_at: float,
        records: int | None = None,
    ) -> None:
        self.pieces = pieces
        self.origin = origin
        self.raw = raw
        self.read_at = read_at
        """When the oldest was read, on the program's monotonic clock."""
        self.size = sum(len(piece.data) for piece in pieces)
        """Bytes, as they were read."""
        self.records = sum(piece.count() for piece in pieces) if records is None else records

    def ndjson(self) -> list[Block]:
        """JSON records, each with a newline behind it."""
        return [block for piece in self.pieces for block in piece.ndjson(self.origin, self.raw)]

    def untouched(self) -> list[Block]:
        """Lines as they were read: a block of bytes for each piece."""
        return [piece.untouched() for piece in self.pieces]

    def documents(self) -> list[bytes]:
        """Each record as JSON, without a newline."""
        return b"".join(self.ndjson())[:-1].split(b"\n")

    def lines(self) -> list[bytes]:
        """Each record as it was read, without its newline: raw text, or JSON (see `raw`)."""
        return [line for piece in self.pieces for line in piece.lines()]

    def times(self) -> list[bytes]:
        """See Piece.times."""
        return [time for piece in self.pieces for time in piece.times()]

    def ids(self) -> list[bytes]:
        """See Piece.ids."""
        return [name for piece in self.pieces for name in piece.ids(self.origin)]

    def select(self, indexes: Sequence[int]) -> Batch:
        """A batch of some of the records, given in ascending order."""
        pieces: list[Piece] = []
        position = before = 0
        for piece in self.pieces:
            after = before + piece.count()
            begin = position
            while position < len(indexes) and indexes[position] < after:
                position += 1
            if position - begin == after - before:
                pieces.append(piece)
            elif position > begin:
                pieces.append(piece.select(index - before for index in indexes[begin:position]))
            before = after
        return Batch(pieces, self.origin, raw=self.raw, read_at=self.read_at)

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches of about as many records each. It must have two at least."""
        left = self.records // 2
        first: list[Piece] = []
        rest: list[Piece] = []
        for piece in self.pieces:
            count = piece.count()
            if left >= count:
                first.append(piece)
                left -= count
            elif left:
                head, tail = piece.divide(left)
                first.append(head)
                rest.append(tail)
                left = 0
            else:
                rest.append(piece)
        return (
            Batch(first, self.origin, raw=self.raw, read_at=self.read_at),
            Batch(rest, self.origin, raw=self.raw, read_at=self.read_at),
        )
