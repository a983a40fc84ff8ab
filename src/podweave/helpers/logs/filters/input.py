"""Whole lines of a file or of standard input, as they come; gzip is recognised."""

from __future__ import annotations

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_READ = 128 * 1024
_LONGEST = 1 << 20
"""Bytes without a newline that are taken for a line."""
_GZIP = b"\x1f\x8b\x08"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
QUIET = 0.2
"""Seconds without input after which what was held back goes on."""


def chunks(path: str) -> Iterator[bytes]:
    """Chunks of whole lines; an empty one when the input was quiet. OSError, EOFError."""
    descriptor = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        rest = b""
        for data in _decompressed(_pieces(descriptor)):
            if not data:
                yield b""
                continue
            end = data.rfind(b"\n") + 1
            if end:
                yield rest + data[:end]
                rest = data[end:]
            else:
                rest += data
                if len(rest) > _LONGEST:
                    yield rest + b"\n"
                    rest = b""
        if rest:
            yield rest + b"\n"
    finally:
        if descriptor:
            os.close(descriptor)


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
    import stat

    return not stat.S_ISREG(os.fstat(descriptor).st_mode)


def _decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= len(_GZIP) or (head and not _GZIP.startswith(head)):
            break
        if not piece:
            yield b""
    if head.startswith(_GZIP):
        yield from _unzipped(head, pieces)
        return
    if head:
        yield head.removeprefix(_BYTE_ORDER_MARK)
    yield from pieces


def _unzipped(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    import zlib

    def more() -> Any:
        return zlib.decompressobj(31)

    stream = more()
    try:
        while True:
            data = head
            while data:
                made = stream.decompress(data, _READ)
                if made:
                    yield made
                data = stream.unconsumed_tail
                if stream.eof:
                    # Several members in a row are one file.
                    data = stream.unused_data
                    stream = more()
                elif not made and not data:
                    break
            try:
                head = next(pieces)
            except StopIteration:
                return
            if not head:
                yield b""
    except zlib.error as error:
        raise OSError(f"is no whole gzip file: {error}") from error
