"""Netlink messages and their attributes, without I/O (netlink(7), RFC 3549).

A message is a header of 16 bytes in the machine's byte order, a head that its family defines, and
attributes: length, type, value, padded to four bytes. Attributes may hold attributes.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REQUEST = 0x1
ACK = 0x4
DUMP = 0x300
CREATE = 0x400
APPEND = 0x800

ERROR = 2
DONE = 3

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_NESTED = 0x8000
_TYPE_MASK = 0x3FFF


class NetlinkError(Exception):
    """What the kernel sent is no netlink message."""


class Message:
    """`content` is the family's head and the attributes behind it."""

    __slots__ = ("content", "flags", "sequence", "type")

    def __init__(self, type_: int, flags: int, sequence: int, content: bytes) -> None:
        self.type = type_
        self.flags = flags
        self.sequence = sequence
        self.content = content

    def render(self) -> bytes:
        size = _HEADER.size + len(self.content)
        header = _HEADER.pack(size, self.type, self.flags, self.sequence, 0)
        return header + self.content + bytes(-size % 4)

    @property
    def error_number(self) -> int:
        """Of an ERROR: an errno, 0 for an acknowledgement."""
        if len(self.content) < 4:
            raise NetlinkError("an error without a number")
        number: int = -struct.unpack_from("=i", self.content)[0]
        return number


def parse(data: bytes) -> Iterator[Message]:
    """The messages of a datagram. NetlinkError when one is cut off."""
    place = 0
    while place < len(data):
        if len(data) - place < _HEADER.size:
            raise NetlinkError("a message is cut off")
        size, type_, flags, sequence, _ = _HEADER.unpack_from(data, place)
        if not _HEADER.size <= size <= len(data) - place:
            raise NetlinkError("a message is cut off")
        yield Message(type_, flags, sequence, data[place + _HEADER.size : place + size])
        place += size + -size % 4


def attribute(type_: int, value: bytes) -> bytes:
    size = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(size, type_) + value + bytes(-size % 4)


def nested(type_: int, *attributes: bytes) -> bytes:
    return attribute(type_ | _NESTED, b"".join(attributes))


def text(type_: int, value: str) -> bytes:
    """A name, with the NUL that ends it."""
    return attribute(type_, value.encode() + b"\0")


def number(type_: int, value: int) -> bytes:
    """32 bits in network byte order, as netfilter has all its numbers."""
    return attribute(type_, struct.pack(">I", value))


def attributes(data: bytes) -> dict[int, bytes]:
    """By type; of two of a type the last counts. NetlinkError when one is cut off."""
    return dict(each_attribute(data))


def each_attribute(data: bytes) -> Iterable[tuple[int, bytes]]:
    place = 0
    while place + _ATTRIBUTE.size <= len(data):
        size, type_ = _ATTRIBUTE.unpack_from(data, place)
        if not _ATTRIBUTE.size <= size <= len(data) - place:
            raise NetlinkError("an attribute is cut off")
        yield type_ & _TYPE_MASK, data[place + _ATTRIBUTE.size : place + size]
        place += size + -size % 4
