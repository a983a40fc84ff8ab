"""Dead letters on their way again: a feed of the delivery whose store refused them."""

from __future__ import annotations

import json
import os
from binascii import a2b_base64

from podweave.helpers.logs.delivery.batches import JOINT, Piece
from podweave.helpers.logs.delivery.feeds import Parcel
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podweave.helpers.journal import Journal

    _Detail = tuple[bytes, bytes]

_READ = 256 << 10


class _File:
    __slots__ = ("path", "pending", "read")

    def __init__(self, path: str) -> None:
        self.path = path
        self.pending = 0
        self.read = False


class Replay:
    """Reads files of letters; deletes each when all of its records are delivered.

    A record that is refused once more has become a new letter by then.
    """

    size = 0
    """On the disk these count as dead letters, until they are delivered."""
    dirty = False

    def __init__(self, paths: Sequence[str], *, journal: Journal) -> None:
        self.files = len(paths)
        self._files = [_File(path) for path in paths]
        self._current: _File | None = None
        self._descriptor = -1
        self._rest = b""
        self._origins: dict[tuple[str, str], Origin] = {}
        self._journal = journal
        self.records = 0
        self.delivered = 0

    @property
    def waiting(self) -> bool:
        return self._current is not None or bool(self._files)

    @property
    def empty(self) -> bool:
        return not self.waiting and self.delivered == self.records

    def read(self, max_bytes: int) -> list[Parcel]:
        """Letters as the records that they are about."""
        while self._current is not None or self._files:
            if self._current is None:
                self._open()
                continue
            data = os.read(self._descriptor, max(4096, min(max_bytes, _READ)))
            if not data:
                self._finish_reading()
                continue
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            parcels = self._parcels(lines)
            if parcels:
                return parcels
        return []

    def sync(self) -> None:
        """Nothing to save: a file is there until all of it is delivered."""

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        file = self._files.pop(0)
        try:
            self._descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self._journal.error("replay.unreadable", path=file.path, message=why(error))
            return
        self._current = file
        self._rest = b""

    def _finish_reading(self) -> None:
        file = self._current
        assert file is not None
        self.close()
        self._current = None
        file.read = True
        self._delete_if_done(file)

    def _parcels(self, lines: Sequence[bytes]) -> list[Parcel]:
        """One parcel for each run of records of one file."""
        file = self._current
        assert file is not None
        runs: list[tuple[tuple[Any, ...], list[tuple[int, bytes, _Detail]]]] = []
        for line in lines:
            letter = _letter(line)
            if letter is None:
                # What a crash left half written: its record was never acknowledged.
                continue
            key, offset, record, detail = letter
            if not runs or runs[-1][0] != key:
                runs.append((key, []))
            runs[-1][1].append((offset, record, detail))
        parcels = []
        for (path, identity, seconds, raw, kubernetes, ids, detailed), records in runs:
            piece = Piece(
                b"\n".join(record for _, record, _ in records) + b"\n",
                path,
                identity,
                records[0][0],
                seconds,
                starts=[offset for offset, _, _ in records],
                joined=any(JOINT in record for _, record, _ in records),
                details=[detail for _, _, detail in records] if detailed else None,
            )
            count = len(records)
            self.records += count
            file.pending += 1
            parcel = Parcel(
                piece,
                self._origin(kubernetes, ids),
                raw,
                self._acknowledger(file, count),
            )
            parcel.spilled = True
            parcels.append(parcel)
        return parcels

    def _origin(self, kubernetes: str, ids: str) -> Origin:
        origin = self._origins.get((kubernetes, ids))
        if origin is None:
            origin = Origin(json.loads(kubernetes), ids=ids)
            self._origins[kubernetes, ids] = origin
        return origin

    def _acknowledger(self, file: _File, count: int) -> Callable[[], None]:
        return lambda: self._acknowledged(file, count)

    def _acknowledged(self, file: _File, count: int) -> None:
        self.delivered += count
        file.pending -= 1
        self._delete_if_done(file)

    def _delete_if_done(self, file: _File) -> None:
        if file.read and not file.pending:
            try:
                os.unlink(file.path)
            except OSError as error:
                self._journal.error("replay.undeletable", path=file.path, message=why(error))
            if self.empty:
                self._journal.info("replay.ended", records=self.records)


def _letter(line: bytes) -> tuple[tuple[Any, ...], int, bytes, _Detail] | None:
    """What distinguishes a run of records, the offset, the record, its time and stream; None for
    what is no letter."""
    try:
        letter = json.loads(line)
        if "record" in letter:
            record = letter["record"].encode()
            # A newline inside of a record; its bytes are UTF-8 and have no JOINT of their own.
            record = record.replace(b"\n", JOINT)
        else:
            record = a2b_base64(letter["record_base64"])
            if b"\n" in record:
                record = record.decode("utf-8", "backslashreplace").encode().replace(b"\n", JOINT)
            elif JOINT in record:
                record = record.decode("utf-8", "backslashreplace").encode()
        key = (
            str(letter["path"]),
            str(letter["identity"]),
            float(letter["read"]),
            letter["raw"] is True,
            json.dumps(letter["kubernetes"]),
            str(letter.get("ids", "")),
            "time" in letter,
        )
        detail = (
            letter.get("time", "").encode("latin-1"),
            letter.get("stream", "").encode("latin-1"),
        )
        return key, int(letter["offset"]), record, detail
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
