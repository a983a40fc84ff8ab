"""When a followed file has come to its end, and what is done then.

A file that no path leads to any more has ended when nobody can write to it: then the bytes behind
its last newline are delivered, and it is closed. At the end of the Pod that is done with all files
that are quiet. One that can't be read for now (EIO, ESTALE) is held, and tried again.
"""

from __future__ import annotations

from podweave.helpers.logs.line_reader import ReplacedError
from podweave.helpers.logs.source import QUIET_AT_END, QUIET_WITHOUT_WRITER
from podweave.helpers.logs.writers import has_writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.logs.chunks import Chunk
    from podweave.helpers.logs.followed_file import FollowedFile
    from podweave.helpers.logs.followed_files import FollowedFiles
    from podweave.helpers.logs.line_reader import LineReader
    from podweave.helpers.logs.unreadable import Unreadable

# A name may change while the names are looked at, so that for one look a file has none.
REAPPEAR = 0.5
# A file that nobody is known to write to any more, and nobody is known not to.
QUIET_AFTER_DEPARTURE = 30.0
# Where a lease can't tell (NFS says "a writer" always), or a disk is broken, old files must not be
# held for ever.
HELD_QUIET = 16


class FileEnds:
    """`look_at` looks whether a file has grown, `replace` begins another generation of it; both
    at a time of the Tail's clock. `lost` is told how many bytes of a file that is let go were
    never read."""

    def __init__(
        self,
        files: FollowedFiles,
        reader: LineReader,
        unreadable: Unreadable,
        look_at: Callable[[FollowedFile, float], object],
        replace: Callable[[FollowedFile, float], object],
        lost: Callable[[FollowedFile, int], object],
    ) -> None:
        self.settled = False
        """The Pod ends, and nothing will come any more."""
        self._files = files
        self._reader = reader
        self._unreadable = unreadable
        self._look_at = look_at
        self._replace = replace
        self._lost = lost
        self._finishing: float | None = None
        self._ended = False

    def settle(self, now: float, finishing: float | None, chunks: list[Chunk]) -> bool:
        """End files that nobody can write to any more; since `finishing`, at the end of the Pod,
        see what is left. What is read so is added to `chunks`. Whether a file has ended."""
        self._finishing = finishing
        self._ended = False
        settled = finishing is not None
        for file in self._files.unpacked():
            if not self._settle_unpacked(file, now, chunks):
                settled = False
        held: list[FollowedFile] = []
        for file in self._files:
            if file.look:
                settled = False
            elif file.departed is not None or self._finishing is not None:
                complete = self._complete(file, now)
                if not complete:
                    settled = False
                if not complete or not self._close_off(file, now, chunks):
                    held.append(file)
        if len(held) > HELD_QUIET and self._finishing is None:
            held.sort(key=lambda file: file.changed)
            for file in held[:-HELD_QUIET]:
                if _quiet(file, now) < QUIET_AFTER_DEPARTURE:
                    continue
                if not self._close_off(file, now, chunks):
                    self._let_go(file, now)
        self.settled = settled
        return self._ended

    def _settle_unpacked(self, file: FollowedFile, now: float, chunks: list[Chunk]) -> bool:
        """End a compressed file that is read to its end."""
        archive = file.archive
        assert archive is not None
        if file.look or (archive.torn and self._finishing is None):
            return False
        file.size = archive.reached
        self._close_off(file, now, chunks)
        self._let_go(file, now)
        return True

    def _complete(self, file: FollowedFile, now: float) -> bool:
        """Read to its end, and nothing will follow."""
        writer = has_writer(file.descriptor)
        # The last words of a writer that has just closed the file.
        self._look_at(file, now)
        if file.look or file.ended:
            return False
        if self._finishing is not None:
            quiet = now - max(file.changed, self._finishing)
            return quiet >= (QUIET_WITHOUT_WRITER if writer is False else QUIET_AT_END)
        if now - (file.departed or 0.0) < REAPPEAR:
            return False
        # A writer that is known to be there may be silent for as long as it likes.
        return writer is False or (writer is None and _quiet(file, now) >= QUIET_AFTER_DEPARTURE)

    def _close_off(self, file: FollowedFile, now: float, chunks: list[Chunk]) -> bool:
        """Deliver what is after the last newline; let go of a file that has no name here. False
        if something can't be read now."""
        try:
            while file.size > file.offset:
                chunk = self._reader.rest(file, file.size)
                chunks.append(chunk)
        except ReplacedError:
            if file.archive is None:
                self._replace(file, now)
                return True
        except OSError as error:
            self._unreadable.report(file.path, error)
            return False
        if file.departed is not None and now - file.departed >= REAPPEAR:
            self._let_go(file, now)
        return True

    def _let_go(self, file: FollowedFile, now: float) -> None:
        if file.size > file.offset:
            self._lost(file, file.size - file.offset)
        self._files.end(file, now)
        self._ended = True


def _quiet(file: FollowedFile, now: float) -> float:
    """Seconds since a file that departed last grew."""
    return now - max(file.changed, file.departed or 0.0)
