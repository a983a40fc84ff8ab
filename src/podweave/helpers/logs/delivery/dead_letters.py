"""Records that a store will never take, with its reason: NDJSON files, one line a record.

    DIRECTORY/STORE/20260102T030405Z-1.ndjson

    {"@timestamp": when, "store": name, "reason": its words, "path": of the log file,
     "identity": …, "offset": …, "read": Unix time, "raw": whether the record is a raw line,
     "kubernetes": {…}, "record": the line, and "time" and "stream" where it has them}

A line that is not UTF-8 is `record_base64` instead of `record`. That is all that is needed to send
the record again as if nothing had been, with the id that it had. A letter is on the disk before
the checkpoint counts its record as done.
"""

from __future__ import annotations

import json
import os
import time
from binascii import b2a_base64

from podweave.helpers.logs.dated_files import create
from podweave.helpers.logs.raw_records import timestamp
from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.batches import Batch

LIMIT = 64 << 20
"""Bytes of all files together."""
FILE_LIMIT = 8 << 20
SUFFIX = ".ndjson"
TAKEN = ".replaying"
"""Behind the name of a file whose letters are being sent again."""
_REASON_LIMIT = 1000


class DeadLetters:
    """Writes the letters of one store. `limit`: bytes of all stores in the directory together;
    what comes then is dropped, counted and said loudly: a store that refuses everything must not
    fill a disk."""

    def __init__(
        self,
        directory: str,
        store: str,
        limit: int = LIMIT,
        *,
        journal: Journal,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.directory = os.path.join(directory, store)
        self.limit = limit
        self._all = directory
        self.dropped_records = 0
        self._journal = journal
        self._wall_clock = wall_clock
        self._descriptor = -1
        self._written = 0
        self._size = 0
        self._dirty = False
        self._failure = ""
        self._full = False
        self._told: set[str] = set()
        self._taken: set[str] = set()

    def write(self, batch: Batch, rejected: Sequence[tuple[int, str]]) -> bool:
        """Keep some records of a batch. False: they are kept nowhere, for now."""
        data = b"".join(letters(batch, rejected, self.store, self._wall_clock()))
        self._tell_reason(rejected)
        try:
            if directory_size(self._all) + len(data) > self.limit:
                self._drop(len(rejected))
                return True
            self._append(data)
        except OSError as error:
            if error.strerror != self._failure:
                self._failure = error.strerror or "?"
                self._journal.error(
                    "dead_letters.failed", path=self.directory, message=self._failure
                )
            return False
        self._failure = ""
        self._full = False
        return True

    def sync(self) -> bool:
        """Bring the letters to the disk; called before a checkpoint is saved."""
        if not self._dirty:
            return True
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._journal.error("dead_letters.failed", path=self.directory, message=why(error))
            return False
        self._dirty = False
        return True

    def size(self) -> int:
        """Bytes of what there is, sent again or not; what was known last where that can't be
        read."""
        try:
            self._size = directory_size(self.directory)
        except OSError:
            pass  # whatever is wrong there is said when something is to be written
        return self._size

    def files(self) -> list[str]:
        """All there are, oldest first."""
        try:
            names = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        return [
            os.path.join(self.directory, name)
            for name in sorted(names)
            if name.removesuffix(TAKEN).endswith(SUFFIX)
        ]

    def take(self) -> list[str]:
        """Files of letters to send again, from now on the caller's. Oldest first."""
        self.leave()
        taken: list[str] = []
        try:
            names = sorted(os.listdir(self.directory))
        except FileNotFoundError:
            return []
        for name in names:
            path = os.path.join(self.directory, name)
            if name.endswith(SUFFIX + TAKEN):
                if path not in self._taken:
                    taken.append(path)  # by a life that ended before it had sent them
            elif name.endswith(SUFFIX):
                os.rename(path, path + TAKEN)
                taken.append(path + TAKEN)
        self._taken.update(taken)
        return taken

    def leave(self) -> None:
        """Close the file that is written to, so that all there are may be taken for a replay."""
        if self._descriptor >= 0:
            self.sync()
            os.close(self._descriptor)
            self._descriptor = -1

    def close(self) -> None:
        self.leave()

    def _append(self, data: bytes) -> None:
        if self._descriptor >= 0 and (
            self._written >= FILE_LIMIT or os.fstat(self._descriptor).st_nlink == 0
        ):
            self.leave()
        if self._descriptor < 0:
            os.makedirs(self.directory, exist_ok=True)
            self._descriptor, _ = create(
                self.directory, SUFFIX, self._wall_clock(), mode=0o640, later=TAKEN
            )
            self._written = 0
        view = memoryview(data)
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, view[written:])
        except OSError:
            if written:
                os.ftruncate(self._descriptor, self._written)
            raise
        self._written += len(data)
        self._dirty = True

    def _drop(self, count: int) -> None:
        self.dropped_records += count
        if not self._full:
            self._full = True
            self._journal.error(
                "dead_letters.full",
                path=self.directory,
                limit_bytes=self.limit,
                message="records that the store refuses are dropped from now on: replay the "
                "dead letters or delete them",
            )

    def _tell_reason(self, rejected: Sequence[tuple[int, str]]) -> None:
        """Each kind of reason once: a store's reason often has the record's own data in it."""
        reason = rejected[0][1]
        kind = reason[:40]
        if kind not in self._told and len(self._told) < 100:
            self._told.add(kind)
            self._journal.warning(
                "store.rejected",
                store=self.store,
                records=len(rejected),
                path=self.directory,
                message=f"{reason[:_REASON_LIMIT]}: kept as dead letters, see `podweave replay`",
            )


def directory_size(directory: str) -> int:
    """Bytes of all files in and below a directory."""
    size = 0
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    size += directory_size(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        pass
    return size


def letters(
    batch: Batch, rejected: Sequence[tuple[int, str]], store: str, now: float
) -> list[bytes]:
    """The lines for some records of a batch, given in ascending order."""
    written: list[bytes] = []
    time_of = timestamp(now).decode()
    position = before = 0
    for piece in batch.pieces:
        after = before + piece.count()
        if position == len(rejected):
            break
        if rejected[position][0] < after:
            lines, offsets = piece.lines(), piece.offsets()
            while position < len(rejected) and rejected[position][0] < after:
                index, reason = rejected[position]
                position += 1
                letter: dict[str, object] = {
                    "@timestamp": time_of,
                    "store": store,
                    "reason": reason[:_REASON_LIMIT],
                    "path": piece.path,
                    "identity": piece.identity,
                    "offset": offsets[index - before],
                    "read": round(piece.seconds, 3),
                    "raw": batch.raw,
                    "kubernetes": batch.origin.kubernetes,
                }
                if batch.origin.ids:
                    letter["ids"] = batch.origin.ids
                if piece.details is not None:
                    time_of_line, stream = piece.details[index - before]
                    letter["time"] = time_of_line.decode("latin-1")
                    letter["stream"] = stream.decode("latin-1")
                line = lines[index - before]
                try:
                    letter["record"] = line.decode()
                except UnicodeDecodeError:
                    letter["record_base64"] = b2a_base64(line, newline=False).decode()
                text = json.dumps(letter, separators=(",", ":"))
                written.append(text.encode() + b"\n")
        before = after
    return written
