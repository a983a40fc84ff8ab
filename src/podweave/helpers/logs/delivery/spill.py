"""A queue on disk between a source and a store that is down.

    DIRECTORY/NAMESPACE/POD/HELPER/STORE/
        lock            locked (flock) by the program that uses the queue
        about.json      whose records these are: the Pod, the store's section
        position.json   how far the first segment is delivered
        %016d.frames    segments, appended to at the last one and deleted from the first on

What is appended is on the disk before it counts as taken (fsync), so the checkpoint may go on and
the application's files may go. A queue that nobody has locked is what a Pod has left behind: the
sidecar of the same name in the next Pod takes it over, delivers it with the names of the Pod that
it came from, and removes it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections import deque

from podweave.helpers.logs.delivery.feeds import Parcel
from podweave.helpers.logs.delivery.frames import DamagedError, TornError, decode, encode
from podweave.helpers.logs.delivery.origin import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.batches import Piece
    from podweave.helpers.logs.delivery.spill_room import SpillRoom

SEGMENT = 8 << 20
_READ = 256 << 10
SUFFIX = ".frames"


class _Frame:
    __slots__ = ("acknowledged", "end", "seconds", "segment")

    def __init__(self, segment: int, end: int, seconds: float) -> None:
        self.segment = segment
        self.end = end
        self.seconds = seconds
        self.acknowledged = False


class Spill:
    """One queue. Nothing is made on the disk before something is appended."""

    def __init__(
        self,
        directory: str,
        section: str,
        origin: Origin | None,
        room: SpillRoom,
        *,
        journal: Journal,
    ) -> None:
        self.directory = directory
        self.origin = origin or Origin({})
        self.size = 0
        """Bytes that lie there and are not delivered."""
        self._section = section
        self._adopted = origin is None
        self._room = room
        self._journal = journal
        self._lock = -1
        self._segments: deque[tuple[int, int]] = deque()
        """Number and bytes of each, the first one first."""
        self._writer = -1
        self._written = 0
        self._reader: tuple[int, int] | None = None
        """Segment and offset of the next frame to read."""
        self._frames: deque[_Frame] = deque()
        """Read and not wholly acknowledged."""
        self._done = (0, 0)
        """Segment and offset up to which everything is delivered."""
        self._saved = (0, 0)
        self._oldest: float | None = None
        """Unix time of the reading of what is delivered next, as far as that is known."""

    # As a feed

    @property
    def waiting(self) -> bool:
        """There is something that wasn't read yet."""
        if self._reader is None:
            return False
        number, offset = self._reader
        return any(
            known > number or (known == number and size > offset) for known, size in self._segments
        )

    @property
    def empty(self) -> bool:
        """Everything that was appended is delivered."""
        return not self._segments and not self._frames

    def oldest(self) -> float | None:
        """Unix time of the reading of the oldest record; None where nothing is there."""
        if self.empty:
            return None
        return self._frames[0].seconds if self._frames else self._oldest

    def read(self, max_bytes: int) -> list[Parcel]:
        """Frames of about so many bytes, one at least where there is one."""
        parcels: list[Parcel] = []
        left = max_bytes
        while left > 0 and self.waiting:
            assert self._reader is not None
            number, offset = self._reader
            size = next((size for known, size in self._segments if known == number), None)
            if size is None or offset >= size:
                following = [known for known, _ in self._segments if known > number]
                self._reader = (following[0], 0)
                continue
            frame = self._frame(number, offset, size)
            if frame is None:
                continue
            piece, raw, end = frame
            self._reader = (number, end)
            kept = _Frame(number, end, piece.seconds)
            self._frames.append(kept)
            parcel = Parcel(piece, self.origin, raw, self._acknowledger(kept))
            parcel.spilled = True
            parcels.append(parcel)
            left -= parcel.size
        return parcels

    def _frame(self, number: int, offset: int, size: int) -> tuple[Piece, bool, int] | None:
        """The frame at a place; None, and the segment's rest is passed over, if there is none."""
        path = self._path(number)
        want = min(_READ, size - offset)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                while True:
                    data = os.pread(descriptor, want, offset)
                    found = decode(data)
                    if found is not None:
                        piece, raw, length = found
                        return piece, raw, offset + length
                    if want >= size - offset:
                        raise TornError
                    want = min(want * 2, size - offset)
            finally:
                os.close(descriptor)
        except (DamagedError, OSError) as error:
            # What a crash left half written was never counted as taken. Anything else is damage.
            left = size - offset
            if isinstance(error, TornError):
                self._journal.info("spill.torn", path=path, offset=offset, bytes=left)
            else:
                self._journal.error("spill.damaged", path=path, offset=offset, bytes_lost=left)
            kept = _Frame(number, size, self._oldest or 0.0)
            self._frames.append(kept)
            self._reader = (number, size)
            self._acknowledged(kept)
            return None

    def _acknowledger(self, frame: _Frame) -> Callable[[], None]:
        return lambda: self._acknowledged(frame)

    def _acknowledged(self, frame: _Frame) -> None:
        frame.acknowledged = True
        while self._frames and self._frames[0].acknowledged:
            done = self._frames.popleft()
            self._done = (done.segment, done.end)
            self._oldest = done.seconds
        self._drop_delivered()

    def _drop_delivered(self) -> None:
        number, end = self._done
        while self._segments:
            first, size = self._segments[0]
            if first > number or (first == number and end < size):
                break
            if self._writer >= 0 and len(self._segments) == 1:
                os.close(self._writer)
                self._writer = -1
            self._segments.popleft()
            try:
                os.unlink(self._path(first))
            except OSError as error:
                self._journal.warning(
                    "spill.undeletable", path=self._path(first), message=error.strerror
                )
            self._account(-size)
        if not self._segments and self._adopted:
            self.remove()

    # Opening, appending, saving

    def open(self) -> bool:
        """Take what is there. False: there is nothing, or somebody else has it."""
        if self._lock >= 0:
            return True
        try:
            names = sorted(name for name in os.listdir(self.directory) if name.endswith(SUFFIX))
        except FileNotFoundError:
            return False
        if not names or not self._take_lock():
            return False
        if self._adopted:
            about = read_json(os.path.join(self.directory, "about.json"))
            self.origin = Origin(about.get("pod") or {}, ids=str(about.get("ids") or ""))
        position = read_json(os.path.join(self.directory, "position.json"))
        numbers = [int(name.partition(".")[0]) for name in names if name[:16].isdigit()]
        for number in numbers:
            size = os.stat(self._path(number)).st_size
            if size:
                self._segments.append((number, size))
                self._account(size)
            else:
                # Killed between its making and the first record.
                os.unlink(self._path(number))
        if not self._segments:
            self._done = (max(numbers, default=0), 0)
            if self._adopted:
                self.remove()
            return not self._adopted
        first = self._segments[0][0]
        self._reader = (first, 0)
        segment, offset = position.get("segment"), position.get("offset")
        if segment == first and type(offset) is int and 0 <= offset <= self._segments[0][1]:
            self._reader = self._done = (segment, offset)
        self._drop_delivered()
        return True

    def append(self, pieces: Sequence[tuple[Piece, bool]]) -> bool:
        """Take pieces, each with whether it is raw, and have them on the disk. False: not taken,
        because there is no room. OSError: not taken, because the disk won't."""
        frames = [encode(piece, raw) for piece, raw in pieces]
        size = sum(map(len, frames))
        if size > self._room.free:
            return False
        if self._lock < 0:
            self._begin()
        if self.empty:
            self._oldest = pieces[0][0].seconds
        if self._writer < 0 or self._written + size > SEGMENT:
            self._next_segment()
        number = self._segments[-1][0]
        try:
            for frame in frames:
                view = memoryview(frame)
                while view:
                    view = view[os.write(self._writer, view) :]
            os.fdatasync(self._writer)
        except OSError:
            os.ftruncate(self._writer, self._written)
            if not self._written:
                self._drop_empty()
            raise
        self._written += size
        self._segments[-1] = (number, self._written)
        self._account(size)
        return True

    def _drop_empty(self) -> None:
        """The last segment got nothing: it must not look as if there were something to deliver."""
        os.close(self._writer)
        self._writer = -1
        number, _ = self._segments.pop()
        os.unlink(self._path(number))

    @property
    def dirty(self) -> bool:
        """`sync` has something to save."""
        return self._lock >= 0 and self._done != self._saved and bool(self._segments)

    def sync(self) -> None:
        """Save how far everything is delivered, so that little is delivered twice."""
        if not self.dirty:
            return
        path = os.path.join(self.directory, "position.json")
        try:
            text = json.dumps({"segment": self._done[0], "offset": self._done[1]})
            _replace(path, text.encode())
        except OSError:
            return  # some records twice is all that it costs
        self._saved = self._done

    def remove(self) -> None:
        """Delete an empty queue, and let go of it."""
        if self._lock < 0:
            return
        for name in ("position.json", "about.json", "lock"):
            try:
                os.unlink(os.path.join(self.directory, name))
            except OSError:
                pass
        self.close()
        place = self.directory
        for _ in range(3):  # STORE, HELPER, POD
            try:
                os.rmdir(place)
            except OSError:
                break
            place = os.path.dirname(place)

    def close(self) -> None:
        self.sync()
        for descriptor in (self._writer, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._writer = self._lock = -1

    def _begin(self) -> None:
        os.makedirs(self.directory, exist_ok=True)
        if not self._take_lock():
            raise OSError(errno.EBUSY, "somebody else uses this queue", self.directory)
        # What an earlier queue left, which was delivered to its end: segments begin with 1 again.
        try:
            os.unlink(os.path.join(self.directory, "position.json"))
        except FileNotFoundError:
            pass
        about: dict[str, Any] = {"pod": self.origin.kubernetes, "store": self._section}
        if self.origin.ids:
            about["ids"] = self.origin.ids
        _replace(os.path.join(self.directory, "about.json"), json.dumps(about).encode())
        _sync_directory(self.directory)

    def _take_lock(self) -> bool:
        path = os.path.join(self.directory, "lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def _next_segment(self) -> None:
        number = max((known for known, _ in self._segments), default=self._done[0]) + 1
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(self._path(number), flags, 0o640)
        _sync_directory(self.directory)
        if self._writer >= 0:
            os.close(self._writer)
        self._writer = descriptor
        self._written = 0
        self._segments.append((number, 0))
        if self._reader is None:
            self._reader = (number, 0)

    def _account(self, size: int) -> None:
        self.size += size
        self._room.used += size

    def _path(self, number: int) -> str:
        return os.path.join(self.directory, f"{number:016d}{SUFFIX}")


def read_json(path: str) -> dict[str, Any]:
    """A small file of the queue; {} where it is missing or damaged."""
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read(1 << 20))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _replace(path: str, data: bytes) -> None:
    with open(path + ".new", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
