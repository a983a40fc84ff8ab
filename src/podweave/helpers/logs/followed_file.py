"""One file that is followed: what it is, how far it was read, how far it was acknowledged.

A file is known by a composite identity: device and inode, the inode's version where the file
system has one (ext4, XFS, btrfs: another file at that inode has another), its first bytes, the
bytes before the offset, and samples on the way. Device and inode alone fail with inode reuse and
with files that are rewritten in place; fingerprints of the beginning alone fail with files that
begin alike. What can't be told apart: a file that is truncated and written again between two looks
to at least the old offset, with the same bytes at each of these places. Whoever writes the time
into a line can't do that.

A FollowedFile is one *generation* of a file: when its content is replaced (copytruncate, a
rewrite) that object ends and another begins, so that a late acknowledgement of old bytes can't
move the offset of new ones.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections import deque

from podweave.helpers.logs.chunks import Chunk
from podweave.helpers.logs.fingerprints import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.gzip_reader import GzipReader

HEAD = 1024
"""How many first bytes of a file belong to its identity."""

SPOT = 64
"""Bytes of a sample; samples end at 4 KiB, 16 KiB, 64 KiB and so on."""

# _IOR('v', 1, long); the kernel writes an int.
_GETVERSION = 0x80087601 if sys.maxsize > 1 << 32 else 0x80047601
_MOST_SPOTS = 32

_READ = 64 << 10

TAIL = 256
"""How many bytes before the offset are compared before each read."""


class FollowedFile:
    """A generation of a followed file, open for reading.

    For readers of chunks: `path` is where the file was first seen (a renamed file keeps it),
    `identity` names the generation, `ended` says that no further chunk will come.
    """

    __slots__ = (
        "acknowledged",
        "acknowledged_tail",
        "archive",
        "changed",
        "checked",
        "deleted",
        "departed",
        "descriptor",
        "device",
        "doubtful",
        "encoding",
        "ended",
        "flush",
        "generation",
        "head",
        "held",
        "inode",
        "known_as",
        "look",
        "modified",
        "next_spot",
        "offset",
        "path",
        "predecessor",
        "scanned",
        "size",
        "spots",
        "tail",
        "unacknowledged",
        "version",
    )

    def __init__(self, path: str, descriptor: int, device: int, inode: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.device = device
        self.inode = inode
        self.version: int | None = None
        """Of the inode, from the file system."""
        self.head = b""
        self.spots: list[tuple[int, bytes]] = []
        """Where a sample ends, and its bytes."""
        self.next_spot = 4096
        self.doubtful = False
        """It changed since its samples were compared, at `checked`."""
        self.checked = 0.0
        self.archive: GzipReader | None = None
        """It was compressed since; places are those in what was compressed."""
        self.encoding: str | None = None
        """Of text_encodings; "": not looked into; None: not known yet."""
        self.offset = 0
        self.tail = b""
        self.held = False
        """There are whole lines behind the offset, of a record that may go on."""
        self.flush = False
        """What is held is complete: nothing followed for long enough."""
        self.scanned = 0
        """Up to here there is no newline after `offset`."""
        self.size = 0
        self.modified = 0
        """mtime_ns at the last look."""
        self.look = True
        """Something changed since the last read, or the last read stopped at its limit."""
        self.changed = 0.0
        """When it last grew, on the Tail's clock."""
        self.departed: float | None = None
        """Since when no path that matches leads to it."""
        self.predecessor: FollowedFile | None = None
        """What was at this path before and is read to its end first."""
        self.generation = 0
        """How many were at this inode before."""
        self.known_as = ""
        """The identity of the file that this is a copy of: its records are that file's."""
        self.deleted = False
        """No name leads to it any more, not even one that doesn't match."""
        self.ended = False
        self.acknowledged = 0
        self.acknowledged_tail = b""
        self.unacknowledged: deque[Chunk] = deque()

    @property
    def identity(self) -> str:
        """Names this generation, for as long as the file system doesn't reuse its inode."""
        return self.known_as or identity(self.device, self.inode, self.generation)

    def read_at(self, length: int, offset: int) -> bytes:
        """Up to `length` bytes from that place; fewer at the end of the file."""
        if self.archive is not None:
            return self.archive.read_at(length, offset)
        return os.pread(self.descriptor, length, offset)

    def resume(self, offset: int, tail: bytes, head: bytes) -> None:
        """Go on where a checkpoint says."""
        self.offset = self.scanned = self.acknowledged = offset
        self.tail = self.acknowledged_tail = tail
        self.head = head
        while self.next_spot <= offset:
            self.spots.append((self.next_spot, self.read_at(SPOT, self.next_spot - SPOT)))
            self.next_spot *= 4

    def keeps_samples(self) -> bool:
        """Whether the bytes of the samples are still there."""
        return all(self.read_at(SPOT, place - SPOT) == spot for place, spot in self.spots)

    def take(
        self,
        raw: bytes,
        end: int,
        tail: bytes,
        data: bytes | None = None,
        starts: list[int] | None = None,
        bounds: list[int] | None = None,
        details: list[tuple[bytes, bytes]] | None = None,
    ) -> Chunk:
        """Make a chunk of the bytes that were read from the offset on, and advance.

        `raw`: what stands in the file (for the identity, so its first bytes are enough), `data`:
        what is delivered of it, with a newline at its end, if that is something else.
        """
        if len(self.head) < HEAD and self.offset == len(self.head):
            self.head += raw[: min(HEAD, end) - self.offset]
        while end >= self.next_spot:
            # Behind a hole, or in what is cut from a line, there is none.
            begin = len(self.tail) + self.next_spot - SPOT - self.offset
            spot = (self.tail + raw)[begin : begin + SPOT] if begin >= 0 else b""
            if len(spot) == SPOT:
                self.spots.append((self.next_spot, spot))
            self.next_spot *= 4
        if data is None:
            data = raw
        chunk = Chunk(self, self.offset, end, data, tail, starts, bounds, details)
        self.unacknowledged.append(chunk)
        self.offset = self.scanned = end
        self.tail = tail
        return chunk

    def acknowledge(self, chunk: Chunk) -> int:
        """Mark a chunk; returns how many bytes all acknowledged so far newly reach.

        Chunks may be acknowledged in any order: the file's position moves over the prefix in
        which every one is.
        """
        chunk.acknowledged = True
        before = self.acknowledged
        while self.unacknowledged and self.unacknowledged[0].acknowledged:
            done = self.unacknowledged.popleft()
            self.acknowledged = done.end
            self.acknowledged_tail = done.tail
        return self.acknowledged - before

    def unread_when_replaced(self) -> int:
        """Bytes that weren't read of content that is replaced by now: up to its size at the last
        look.

        A writer that doesn't append writes on at its own place after a truncation, so that a hole
        ends where the old content did, and what is behind it was counted as unread already.
        """
        unread = max(0, self.size - self.offset)
        if (
            not unread
            or self.tail[-1:] in (b"", b"\0")
            or self.read_at(1, self.offset - 1) != b"\0"
        ):
            return unread
        hole = 0
        while hole < unread:
            data = self.read_at(_READ, self.offset + hole)
            zeros = len(data) - len(data.lstrip(b"\0"))
            hole += zeros
            if zeros < len(data) or not data:
                break
        return min(hole, unread)

    def entry(self) -> dict[str, Any]:
        """This file in a checkpoint."""
        head = self.head[: self.acknowledged]
        spots = [(place, spot) for place, spot in self.spots if place <= self.acknowledged]
        more: dict[str, Any] = {}
        if spots:
            places = [place for place, _ in spots]
            more["spots"] = [places, fingerprint(b"".join(spot for _, spot in spots))]
        if self.version is not None:
            more["version"] = self.version
        if self.known_as:
            more["identity"] = self.known_as
        return {
            **more,
            "path": self.path,
            "device": self.device,
            "inode": self.inode,
            "generation": self.generation,
            "head": [len(head), fingerprint(head)],
            "tail": [len(self.acknowledged_tail), fingerprint(self.acknowledged_tail)],
            "offset": self.acknowledged,
        }

    def close(self) -> None:
        """Give the descriptor back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def identity(device: int, inode: int, generation: int) -> str:
    return f"{device:x}-{inode:x}-{generation}"


def identity_of(entry: dict[str, Any]) -> str:
    """Of the file that a checkpoint's entry is of."""
    known: str = entry.get("identity", "")
    return known or identity(entry["device"], entry["inode"], entry["generation"])


def is_entry(entry: dict[str, Any]) -> bool:
    """Whether an entry of a checkpoint makes sense; one that doesn't is nobody's."""
    numbers = [entry.get(name) for name in ("device", "inode", "generation", "offset")]
    numbers.append(entry.get("gone", 0))
    if not isinstance(entry.get("path"), str) or not isinstance(entry.get("identity", ""), str):
        return False
    for name, most in (("head", HEAD), ("tail", TAIL)):
        match entry.get(name):
            case [int(length), str()] if length <= most:
                numbers.append(length)
            case _:
                return False
    numbers.append(entry.get("version", 0))
    match entry.get("spots", [[], ""]):
        case [list(places), str()] if len(places) <= _MOST_SPOTS:
            numbers += places
        case _:
            return False
    return all(type(number) is int and 0 <= number < 1 << 64 for number in numbers)


def matches(entry: dict[str, Any], descriptor: int) -> tuple[bytes, bytes] | None:
    """The bytes before the offset and the first bytes, if the open file is the entry's."""
    offset: int = entry["offset"]
    known, tail_digest = entry["tail"]
    first, head_digest = entry["head"]
    try:
        if not max(known, first) <= offset <= os.fstat(descriptor).st_size:
            return None
        tail = os.pread(descriptor, known, offset - known)
        head = os.pread(descriptor, first, 0)
    except OSError:
        return None
    if fingerprint(tail) != tail_digest or fingerprint(head) != head_digest:
        return None
    places, spots_digest = entry.get("spots", [[], ""])
    if places:
        spots = [os.pread(descriptor, SPOT, max(0, place - SPOT)) for place in places]
        if fingerprint(b"".join(spots)) != spots_digest:
            return None
    return tail, head


def version_of(descriptor: int) -> int | None:
    """The version (generation) of the inode, which the file system changes when it uses an inode
    again; None where it doesn't tell. See ioctl_iflags(2), FS_IOC_GETVERSION."""
    answer = bytearray(8)
    try:
        fcntl.ioctl(descriptor, _GETVERSION, answer)
    except OSError:
        return None
    return int.from_bytes(answer[:4], sys.byteorder)
