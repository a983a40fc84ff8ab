"""Commands of the Redis protocol as a client sends them, without I/O.

A command is an array of bulk strings, each with its length ahead, or a line of words (an inline
command). RESP2 and RESP3 have the same commands: see "Redis serialization protocol specification".

CommandReader finds the commands of a few names in a stream of them and leaves all others where
they are: their arguments are counted, never copied.
"""

from __future__ import annotations

LINE_LIMIT = 65536
"""Bytes of an inline command, as in Redis itself; of a command that is looked for, too."""

_HEADER_LIMIT = 32
_MOST_ARGUMENTS = 1024 * 1024
_MOST_BYTES = 512 * 1024 * 1024
"""Limits of Redis itself; beyond them it answers with a protocol error."""


class RespError(Exception):
    """The stream is no sequence of commands."""


def command(*words: bytes) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def error(message: str) -> bytes:
    """An error reply. Line breaks in the message become spaces."""
    return b"-ERR " + " ".join(message.split()).encode("utf-8", "replace") + b"\r\n"


class CommandReader:
    """Cuts a client's stream at the commands named: `read` gives bytes and commands in order.

    Bytes are to be passed on as they are. A command is the list of its words; it comes when it
    is whole. What isn't known to be either yet is held back: the beginning of a header or name,
    or of a command that is looked for.
    """

    __slots__ = ("_arguments", "_held", "_longest", "_names", "_skip")

    def __init__(self, names: frozenset[bytes]) -> None:
        self._names = names
        """In upper case."""
        self._longest = max(map(len, names))
        self._held = b""
        self._skip = 0
        """Bytes until the next header, or the next command."""
        self._arguments = 0
        """How many arguments of the command are still to come after that."""

    @property
    def held(self) -> bytes:
        """What is held back now."""
        return self._held

    def read(self, data: bytes) -> list[bytes | list[bytes]]:
        """RespError where the stream is none; nothing of what came since is passed on then."""
        if self._held:
            data = self._held + data
            self._held = b""
        size = len(data)
        parts: list[bytes | list[bytes]] = []
        passed = 0
        place = self._skip
        arguments = self._arguments
        find = data.find
        while place < size:
            begin = place
            if arguments:
                # An argument: its header, itself, and its line break.
                end = find(b"\n", place, place + _HEADER_LIMIT)
                if end < 0:
                    self._hold(size - place >= _HEADER_LIMIT)
                    break
                place = end + 3 + _length(data, begin, end, b"$", _MOST_BYTES)
                arguments -= 1
                continue
            if data[place] != 0x2A:
                # A line of words.
                end = find(b"\n", place, place + LINE_LIMIT)
                if end < 0:
                    self._hold(size - place >= LINE_LIMIT)
                    break
                place = end + 1
                words = data[begin:end].split()
                if words and words[0].upper() in self._names:
                    parts += [data[passed:begin], words]
                    passed = place
                continue
            end = find(b"\n", place, place + _HEADER_LIMIT)
            if end < 0:
                self._hold(size - place >= _HEADER_LIMIT)
                break
            place = end + 1
            if data[begin + 1 : begin + 2] == b"-":
                # Redis passes over an array of fewer than no arguments.
                continue
            count = _length(data, begin, end, b"*", _MOST_ARGUMENTS)
            if not count:
                continue
            end = find(b"\n", place, place + _HEADER_LIMIT)
            if end < 0:
                self._hold(size - place >= _HEADER_LIMIT)
                place = begin
                break
            length = _length(data, place, end, b"$", _MOST_BYTES)
            if length > self._longest:
                place = end + 3 + length
                arguments = count - 1
                continue
            if end + 1 + length > size:
                place = begin
                break
            if data[end + 1 : end + 1 + length].upper() not in self._names:
                place = end + 3 + length
                arguments = count - 1
                continue
            whole = _whole(data, begin, count, place)
            if whole is None:
                self._hold(size - begin >= LINE_LIMIT)
                place = begin
                break
            words, place = whole
            parts += [data[passed:begin], words]
            passed = place
        if place < size:
            self._held = data[place:]
            parts.append(data[passed:place])
            self._skip = 0
        else:
            parts.append(data[passed:])
            self._skip = place - size
        self._arguments = arguments
        return [part for part in parts if part]

    def _hold(self, too_long: bool) -> None:
        if too_long:
            raise RespError("a line without an end")


def _whole(data: bytes, begin: int, count: int, place: int) -> tuple[list[bytes], int] | None:
    """The words of the command whose first argument is at `place`, and where it ends."""
    words = []
    for _ in range(count):
        end = data.find(b"\n", place, place + _HEADER_LIMIT)
        if end < 0:
            return None
        length = _length(data, place, end, b"$", _MOST_BYTES)
        place = end + 3 + length
        if place > len(data):
            return None
        words.append(data[end + 1 : end + 1 + length])
    return words, place


def _length(data: bytes, begin: int, end: int, kind: bytes, most: int) -> int:
    """The number of a header that ends at the newline at `end`."""
    digits = data[begin + 1 : end - 1]
    right = data[begin : begin + 1] == kind and data[end - 1 : end] == b"\r" and end > begin + 1
    if not right or not digits.isdigit() or (number := int(digits)) > most:
        raise RespError(f"{data[begin : end + 1]!r} is no header")
    return number
