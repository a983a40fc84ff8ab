"""Whole lines of a file or of standard input, as they come, in UTF-8; gzip is recognised.

Encodings are found as the adapter finds them (`encoding: auto`).
"""

from __future__ import annotations

import os
import select
import stat

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.text_encodings import AUTO, ended, found, last_newline, whole_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_READ = 128 * 1024
_LONGEST = 1 << 20
"""Bytes without a newline that are taken for a line; the rest is the next one."""
_GZIP = b"\x1f\x8b\x08"
_PACKED = {
    b"\xfd7zXZ\0": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
}
"""How other compressed files begin, which the adapter passes over as well."""
_LOOKED_AT = 4096
QUIET = 0.2
"""Seconds without input after which what was held back goes on."""


class BrokenArchiveError(OSError):
    """The rest of a gzip file can't be read. What could be was."""


def changed(path: str) -> float | None:
    """When a file was changed last, in Unix time; None for a pipe. OSError."""
    status = os.fstat(0) if path == "-" else os.stat(path)
    return status.st_mtime if stat.S_ISREG(status.st_mode) else None


def chunks(path: str) -> Iterator[bytes]:
    """Chunks of whole lines; an empty one when the input was quiet.

    OSError; ConfigurationError for a folder, and for what is compressed in another way than by
    gzip. BrokenArchiveError comes after the last chunk.
    """
    descriptor = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        rest = b""
        encoding = ""
        broken: list[BrokenArchiveError] = []
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise ConfigurationError(path, "is a folder: name a file in it")
        for data in _decompressed(_pieces(descriptor), broken):
            if not data:
                yield b""
                continue
            rest += data
            if not encoding:
                _not_packed(path, rest)
                known = found(rest)
                if known is None:
                    continue
                encoding, mark = known
                rest = rest[mark:]
            end = last_newline(rest, encoding, 0)
            if not end and len(rest) > _LONGEST:
                end = _between_characters(rest, encoding)
            if end:
                yield _lines(rest[:end], encoding)
                rest = rest[end:]
        if rest:
            yield _lines(rest, encoding or AUTO)
        if broken:
            raise broken[0]
    finally:
        if descriptor:
            os.close(descriptor)


def _not_packed(path: str, data: bytes) -> None:
    """ConfigurationError if the input is compressed in a way that isn't undone here."""
    for begin, tool in _PACKED.items():
        if data.startswith(begin) and b"\0" in data[:_LOOKED_AT]:
            name = "the input" if path == "-" else path
            raise ConfigurationError(name, f"is compressed by {tool}: unpack it, and pipe it to -")


def _lines(raw: bytes, encoding: str) -> bytes:
    if encoding.startswith("utf-16"):
        if last_newline(raw, encoding, 0) != len(raw):
            raw = ended(raw, encoding)
    elif not raw.endswith(b"\n"):
        raw += b"\n"
    return whole_lines(raw, encoding, 0)[0]


def _between_characters(raw: bytes, encoding: str) -> int:
    """A place at or shortly before the end at which a character begins."""
    if encoding.startswith("utf-16"):
        return len(raw) & ~1
    for end in range(len(raw) - 1, len(raw) - 4, -1):
        if raw[end] & 0xC0 != 0x80:
            return end
    return len(raw)


def _pieces(descriptor: int) -> Iterator[bytes]:
    polled = _can_wait(descriptor)
    while True:
        if polled and not select.select([descriptor], [], [], QUIET)[0]:
            yield b""
            continue
        data = os.read(descriptor, _READ)
        if not data:
            return
        yield data


def _can_wait(descriptor: int) -> bool:
    """A pipe or a terminal may be quiet; a file never is."""
    return not stat.S_ISREG(os.fstat(descriptor).st_mode)


def _decompressed(pieces: Iterator[bytes], broken: list[BrokenArchiveError]) -> Iterator[bytes]:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= len(_GZIP) or (head and not _GZIP.startswith(head)):
            break
        if not piece:
            yield b""
    if head.startswith(_GZIP):
        yield from _unzipped(head, pieces, broken)
        return
    if head:
        yield head
    yield from pieces


def _unzipped(
    head: bytes, pieces: Iterator[bytes], broken: list[BrokenArchiveError]
) -> Iterator[bytes]:
    import zlib

    def more() -> Any:
        return zlib.decompressobj(31)

    stream = more()
    inside = False
    data = head
    try:
        while True:
            while data:
                if not inside:
                    # Several members in a row are one file; tapes and disks fill up with NULs.
                    data = data.lstrip(b"\0")
                    inside = bool(data)
                made = stream.decompress(data, _READ)
                if made:
                    yield made
                data = stream.unconsumed_tail
                if stream.eof:
                    data = stream.unused_data
                    stream = more()
                    inside = False
            try:
                data = next(pieces)
            except StopIteration:
                break
            if not data:
                yield b""
    except zlib.error as error:
        broken.append(BrokenArchiveError(f"is no whole gzip file: {error}"))
        return
    if inside:
        yield stream.flush()
        if not stream.eof:
            broken.append(BrokenArchiveError("is no whole gzip file: it ends too early"))
