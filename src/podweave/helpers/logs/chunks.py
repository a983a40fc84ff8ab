"""What is read of a file at once."""

from __future__ import annotations

from itertools import accumulate

from podweave.helpers.logs.newlines import count_newlines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podweave.helpers.logs.followed_file import FollowedFile


class Chunk:
    """Whole records of one file: its lines, as they stand there unless the entry says otherwise.

    `data` always ends with a newline. As they stand, only three things are ever changed: a last
    line without a newline gets one when its file ends or the Pod does; a line over the limit is
    cut (and counted); a run of NUL bytes at the beginning of a line, the hole that copytruncate
    leaves under a writer without O_APPEND, is left out. Beyond that a `Reading` decodes to UTF-8,
    takes carriage returns and wrappers off, and joins lines to events.

    `offset` and `end` are the place in the file that the chunk stands for; the next chunk of
    the same file begins at `end`, or behind a hole there.

    `starts`: where in the file each record begins; None: where it begins in `data`, counted from
    `offset`. `bounds`: where in `data` each record ends, its newline included; None: a record is
    a line, else there are newlines in records. `details`: for each record its time as written
    (RFC 3339, or b"") and its stream (b"stdout", b"stderr" or b""); None: the lines have none.
    """

    __slots__ = (
        "acknowledged",
        "bounds",
        "data",
        "details",
        "end",
        "file",
        "offset",
        "starts",
        "tail",
    )

    def __init__(
        self,
        file: FollowedFile,
        offset: int,
        end: int,
        data: bytes,
        tail: bytes,
        starts: list[int] | None = None,
        bounds: list[int] | None = None,
        details: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        self.file = file
        self.offset = offset
        self.end = end
        self.data = data
        self.tail = tail
        self.starts = starts
        self.bounds = bounds
        self.details = details
        self.acknowledged = False

    def count(self) -> int:
        """How many records there are."""
        return count_newlines(self.data) if self.bounds is None else len(self.bounds)

    def texts(self) -> list[bytes]:
        """The records, without the newline at their end."""
        if self.bounds is None:
            lines = self.data.split(b"\n")
            lines.pop()
            return lines
        data = self.data
        return [data[a : b - 1] for a, b in zip([0, *self.bounds], self.bounds, strict=False)]

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Each record's place in the file, which names it for ever, and its text."""
        texts = self.texts()
        if self.starts is not None:
            return zip(self.starts, texts, strict=True)
        return zip(accumulate(map(_length, texts), initial=self.offset), texts, strict=False)


def _length(line: bytes) -> int:
    return len(line) + 1
